"""Publications and signers have names that people understand, in both languages, whatever the file is called."""

from __future__ import annotations

import json

import pytest

from sync import naming

HASH = "a" * 64


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("ref/geo.sqlite", "Provinces, districts, communes, villages"),
        ("trust/issuers-0306.cbor", "Trust list · Kampong Siem"),
        ("trust/issuers-moeys-2027.cbor", "Trust list · moeys"),
        ("status/0306.cwt", "Certificates revoked · Kampong Siem"),
        ("devices/03.cbor", "Laptops of a province · Kampong Cham"),
        ("devices/99.cbor", "Laptops of a province · 99"),
        (f"leases/{'0' * 32}.cbor", "Numbers and codes of one laptop"),
        (f"forms/moi/birth/{HASH}.json", "Form · birth"),
        ("prices/2027.json", "Price list · 2027"),
        ("app/1.2.0/index.cbor", "Sala program · 1.2.0"),
        ("templates/letter.json", "Template · letter"),
        ("other/x", "other/x · x"),
    ],
)
def test_a_publication_has_a_name(name: str, english: str) -> None:
    found = naming.title(name)
    assert found["en"] == english
    assert found["km"] and "\u200b" not in found["km"]


def test_a_form_and_a_price_list_say_their_own_title() -> None:
    form = json.dumps({"title": {"km": "សំបុត្រកំណើត", "en": "Birth"}, "version": 3}).encode()
    assert naming.title(f"forms/moi/birth/{HASH}.json", form) == {"km": "សំបុត្រកំណើត · 3", "en": "Birth · 3"}
    for odd in (b"{", b"[]", b'{"title": "x"}', b'{"title": {"km": 1, "en": "x"}}'):
        assert naming.title("prices/a.json", odd)["en"] == "Price list · a"
    assert naming.title("prices/a.json", b'{"title": {"km": "k", "en": "e"}}')["en"] == "e"


@pytest.mark.parametrize(
    ("role", "holder", "english"),
    [
        ("targets", "", "The centre"), ("province-03", "", "Province · Kampong Cham"), ("forms-moi", "", "Agency · moi"),
        ("forms-moi", "Ministry", "Ministry"), ("strange", "", "strange"),
    ],
)  # fmt: skip
def test_a_signer_has_a_name(role: str, holder: str, english: str) -> None:
    assert naming.signer(role, holder)["en"] == english


def test_a_place_of_the_publications_has_a_name() -> None:
    assert naming.folder("forms") == {"km": "ទម្រង់", "en": "Form"}
    assert naming.folder("forms/moi") == {"km": "ទម្រង់ · moi", "en": "Form · moi"}
    assert naming.folder("elsewhere")["km"] == "elsewhere"
