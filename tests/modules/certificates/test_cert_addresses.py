"""Addresses, other systems' certificates, scanners that type Khmer: what a text is."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.certificates import kinds, verifykh, wedge
from modules.certificates.kinds import Other, Ours
from modules.certificates.verifykh import NotOfficial, Official
from sync import base45

REF = "FhRNCs1M_x-9aB7cD8eF0gH1iJ2kL3mN"
KEY64 = "0037327b" * 8
HEX = "ba1d31fd" * 8


@pytest.mark.parametrize(
    ("address", "ref", "key"),
    [
        (f"https://verify.gov.kh/verify/{HEX}?key={KEY64}", HEX, KEY64),
        (f"https://verify.gov.kh/verify/{REF}?key={KEY64}", REF, KEY64),
        (f"https://verify.gov.kh/verify/{REF}?key=V1StGXR8_Z5jdHi6B-myT", REF, "V1StGXR8_Z5jdHi6B-myT"),
        (f"https://verify.gov.kh:443/verify/{REF}?key={'k' * 11}", REF, "k" * 11),
        (f"  https://verify.gov.kh/verify/{REF}\n", REF, None),
    ],
)
def test_official_addresses(address: str, ref: str, key: str | None) -> None:
    found = verifykh.recognise(address)
    assert found == Official(ref, hashlib.sha256(key.encode()).hexdigest() if key else None)
    assert key is None or key not in repr(found)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"https://verify.gov.kh.evil.com/verify/{REF}", "imitation"),
        (f"https://gov.kh.example.com/verify/{REF}", "imitation"),
        (f"https://verify-gov-kh.com/verify/{REF}", "imitation"),
        (f"https://verifygov.kh/verify/{REF}", "imitation"),
        (f"https://verlfy.gov.kh/verify/{REF}", "imitation"),
        (f"https://xn--verfy-q4a.gov.kh/verify/{REF}", "imitation"),
        (f"https://verify.gov.kn/verify/{REF}", "imitation"),
        (f"https://www.verify.gov.kh/verify/{REF}", "imitation"),
        (f"https://vеrify.gov.kh/verify/{REF}", "characters"),  # Cyrillic ie
        (f"https://verify.gоv.kh/verify/{REF}", "characters"),  # Cyrillic o
        (f"https://verify。gov。kh/verify/{REF}", "characters"),
        (f"https://verify.gov.kh/verify/{REF}\u200b", "characters"),
        (f"http://verify.gov.kh/verify/{REF}", "scheme"),
        (f"HTTPS://verify.gov.kh/verify/{REF}", "scheme"),
        (f"ftp://verify.gov.kh/verify/{REF}", "scheme"),
        (f"https://VERIFY.GOV.KH/verify/{REF}", "scheme"),
        (f"verify.gov.kh/verify/{REF}", "scheme"),
        (f"https://verify.gov.kh@evil.com/verify/{REF}", "user"),
        (f"https://user@verify.gov.kh/verify/{REF}", "user"),
        (f"https://verify.gov.kh:444/verify/{REF}", "port"),
        (f"https://verify.gov.kh:/verify/{REF}", "port"),
        (f"https://verify.gov.kh/verify/{REF}?key={KEY64}&next=x", "query"),
        (f"https://verify.gov.kh/verify/{REF}?next={KEY64}", "query"),
        (f"https://verify.gov.kh/verify/{REF}?key=short", "query"),
        (f"https://verify.gov.kh/verify/{REF}?key={KEY64}#a", "fragment"),
        (f"https://verify.gov.kh/verify/{REF}/../x", "path"),
        ("https://verify.gov.kh/", "path"),
        ("https://verify.gov.kh/verify/", "path"),
        (f"https://verify.gov.kh/Verify/{REF}", "path"),
        (f"https://verify.gov.kh\\@evil.com/verify/{REF}", "characters"),
        ("https://bit.ly/3xYzAbC", "host"),
        ("https://example.com/", "host"),
        (f"https://verify.gov.kh/verify/{REF}?key=" + "k" * 3_000, "length"),
    ],
)  # fmt: skip
def test_imitations_are_refused(address: str, reason: str) -> None:
    found = verifykh.recognise(address)
    assert isinstance(found, NotOfficial) and found.reason == reason, found


@given(st.text(max_size=80))
def test_no_text_is_taken_for_official_by_chance(text: str) -> None:
    assert not isinstance(verifykh.recognise(f"https://{text}"), Official)
    assert verifykh.recognise("ភូមិ " + text) is None


@given(st.text("abcXYZ019._-/?#&=@:%\\ ", max_size=40))
def test_only_the_grammar_is_official(tail: str) -> None:
    found = verifykh.recognise("https://verify.gov.kh/verify/" + tail)
    plain = tail.rstrip()  # blanks around the whole text do not count
    ref, _, key = plain.partition("?key=")
    right = bool(ref) and all(c.isalnum() or c in "_-" for c in ref)
    right = right and ("?key=" not in plain or (11 <= len(key) <= 64 and all(c.isalnum() or c in "_-" for c in key)))
    assert isinstance(found, Official) == right


# --- other kinds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("HC1:6BFOXN%TSMAHN-H", "hc1"),
        ("shc:/567629", "shc"),
        ('{"version":"https://schema.openattestation.com/2.0/schema.json","data":{}}', "oa"),
        ('{"@context":["https://www.w3.org/ns/credentials/v2"],"type":[]}', "vc"),
        ('{"data":{"hdr":{"t":"icao.vacc"}},"sig":{"sigvl":"x"}}', "vds"),
        ("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt"),
        ("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln~WyJhIl0~", "sd-jwt"),
        (base45.encode(__import__("zlib").compress(b"{'a': 'pixelpass with some words in it'}" * 3)), "pixelpass"),
    ],
)
def test_other_kinds_are_named(text: str, kind: str) -> None:
    assert kinds.recognise(text) == Other(kind)
    assert set(kinds.OTHERS[kind]) == {"km", "en"}


@pytest.mark.parametrize("text", ["", "សួស្តី", "0306-7-000038", '{"a":1}', "KH2:ABC", "{" * 60_000, "1234567890" * 20])
def test_words_are_words(text: str) -> None:
    assert kinds.recognise(text) is None


def test_our_texts_are_found_inside_others() -> None:
    assert kinds.recognise("សូមពិនិត្យ KH1:ABC DEF\r\nGHI  \n ។") == Ours(("KH1:ABC DEFGHI",))
    assert kinds.recognise("KH1:ABC KH1:DEF\nKH1:") == Ours(("KH1:ABC", "KH1:DEF", "KH1:"))


# --- a scanner that types through the Khmer keyboard


@given(st.text(base45.ALPHABET, max_size=120))
def test_a_khmer_keyboard_is_undone(body: str) -> None:
    text = "KH1:" + body
    assert wedge.repair(wedge.as_typed(text)) == (text, True)


def test_the_typed_prefix_is_what_the_layout_gives() -> None:
    assert wedge.as_typed("KH1:") == "គះ១ោះ"
    assert wedge.repair("គះ១ោៈ១២")[0] == "KH1:12"


@given(st.text(max_size=60))
def test_other_texts_are_left_alone(text: str) -> None:
    if "គះ១ោ" not in text:
        assert wedge.repair(text) == (text, False)
