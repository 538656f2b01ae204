"""The console's pages about publications, signers, codes and officers: what an admin sees and does, without a key of others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from nacl.signing import SigningKey

from sync import devices, transfers
from sync.hub import signing
from sync.hub import transfers as moves
from sync.hub.centre import Centre
from tests.hub.conftest import serving
from tests.hub.console_hub import Browser, fill, words
from tests.hub.laptop import OFFICER, Laptop, join, slot

MOI = SigningKey(b"m" * 32)
FORM = {"id": "birth", "version": 1, "title": {"km": "សំបុត្រកំណើត", "en": "Birth certificate"}, "sections": []}


@pytest.fixture
def browser(centre: Centre) -> Iterator[Browser]:
    fill(centre)
    with serving(centre) as client:
        made = Browser(client)
        made.log_in()
        made.client.cookies.set("sala-language", "en")
        yield made


def see(browser: Browser, path: str) -> str:
    page = browser.get(path)
    assert page.status_code == 200, page.text[:500]
    return words(page)


def done(answer: httpx.Response) -> None:
    assert answer.status_code == 303, words(answer)[:800]


def test_a_form_of_an_agency_waits_for_its_signature_and_is_published(browser: Browser, centre: Centre) -> None:
    act = "/console/publications/signer"
    public = bytes(MOI.verify_key).hex()
    done(browser.post(act, act="add", kind="forms", subject="moi", holder="Ministry of Interior", public=public))
    page = see(browser, "/console/publications")
    assert "Ministry of Interior" in page and "nothing signed yet" in page and "with its keeper" in page
    data = json.dumps(FORM, ensure_ascii=False).encode()
    done(browser.post("/console/publications", files={"file": ("any-name.json", data)}, under="forms/moi"))
    page = see(browser, "/console/publications")
    assert "Waits for the signature of Ministry of Interior" in page
    prepared = browser.get("/console/publications/prepare/forms-moi")
    assert prepared.headers["content-disposition"].endswith('"forms-moi.to-sign"')
    signed = signing.sign(prepared.content, MOI)
    done(browser.post("/console/publications/accept", files={"file": ("signed", signed)}))
    page = see(browser, "/console/publications")
    assert "Birth certificate · 1" in page and "Waits for" not in page
    assert [t.role for t in centre.repository.listing().targets if t.name.startswith("forms/moi/birth/")] == [
        "forms-moi"
    ]


def test_what_cannot_be_is_said_with_its_code(browser: Browser) -> None:
    act = "/console/publications/signer"
    for fields, code in (
        ({"act": "add", "kind": "forms", "subject": "../x", "holder": "x"}, "HB-181"),
        ({"act": "add", "kind": "forms", "subject": "moi", "holder": "x", "public": "zz"}, "HB-181"),
        ({"act": "rotate", "name": "forms-none"}, "HB-180"),
        ({"act": "remove", "name": "leases"}, "HB-181"),
    ):
        answer = browser.post(act, **fields)
        assert answer.status_code == 422 and code in answer.text
    answer = browser.post("/console/publications/accept", files={"file": ("x", b"{}")})
    assert answer.status_code == 422 and "HB-183" in answer.text
    assert browser.post("/console/publications/accept").status_code == 422
    assert "HB-184" in browser.get("/console/publications/prepare/leases").text


def test_a_key_of_the_hub_is_changed_and_a_delegation_ended(browser: Browser, centre: Centre) -> None:
    act = "/console/publications/signer"
    before = centre.repository.listing().roles["leases"][0]
    done(browser.post(act, act="rotate", name="leases"))
    assert centre.repository.listing().roles["leases"][0] > before
    done(browser.post(act, act="add", kind="province", subject="03"))
    assert "province-03" in centre.repository.listing().roles
    assert browser.get("/console/publications").text.count('name="stolen"') == 2, (
        "asked of keys that certify laptops only"
    )
    done(browser.post(act, act="rotate", name="province-03"))
    done(browser.post(act, act="rotate", name="province-03", stolen="yes"))
    done(browser.post(act, act="remove", name="province-03"))
    assert "province-03" not in centre.repository.listing().roles
    rows = centre.storage.read(lambda tx: tx.query("SELECT stolen FROM former_key WHERE role = 'province-03'"))
    assert sorted(row["stolen"] for row in rows) == [0, 0, 1]


def test_a_code_is_shown_once_and_the_digits_are_there_to_compare(browser: Browser, centre: Centre) -> None:
    slot(centre)
    numbers = re.findall(r'name="laptop" value="(\d+)"', see(browser, "/console/devices"))
    answer = browser.post("/console/devices/code", office="0306", laptop=numbers[-1])
    shown = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", answer.text)
    assert answer.status_code == 200 and shown and devices.is_code(shown[1])
    assert shown[1] not in see(browser, "/console/devices")
    laptop = join(centre, Laptop())
    row = centre.storage.read(lambda tx: tx.query("SELECT words FROM device WHERE device = :d", {"d": laptop.id}))[0]
    assert row["words"] in see(browser, "/console/devices")
    assert "HB-185" in browser.post("/console/devices/code", office="0999").text


def test_an_officer_is_moved_and_the_statement_is_there_to_carry(browser: Browser, centre: Centre) -> None:
    assert "Sok Dara" in see(browser, "/console/officers")
    done(
        browser.post(
            "/console/officers/move", officer=OFFICER.hex(), office="0402 Chol Kiri", role="chief", day="2030-01-02"
        )
    )
    page = see(browser, "/console/officers")
    assert "Moved to another office" in page and "Baribour" in page and "Chul Kiri" in page
    assert 'href="/console/office/0402"' not in page  # the new office has no page here yet
    idx = re.search(r"/console/officers/(\d+)/statement", page)
    assert idx
    said, _ = transfers.read(browser.get(idx[0]).content)
    assert (said.to_office, said.role, said.by) == ("0402", "chief", moves.HUB)
    assert transfers.holds(browser.get(idx[0]).content, bytes(centre.keys.log.verify_key))
    for wrong in ({"officer": "00" * 16}, {"office": "x"}, {"role": "king"}, {"day": "soon"}):
        fields = {"officer": OFFICER.hex(), "office": "0403", "role": "chief", "day": "", **wrong}
        assert browser.post("/console/officers/move", **fields).status_code == 422
    assert "HB-187" in browser.get("/console/officers/99/statement").text


def test_the_pages_stand_in_khmer_too(browser: Browser) -> None:
    browser.client.cookies.set("sala-language", "km")
    for path in ("/console/publications", "/console/officers", "/console/devices"):
        page = see(browser, path)
        body = re.sub(r"<(script|style|code|option|textarea)[^>]*>.*?</\1>", "", page, flags=re.S)
        text = re.sub(r"<[^>]+>", " ", body)
        assert not re.search(r"\b(Waits|Signed|Officer|Signer|Good until|Let somebody)\b", text)


def test_a_definition_is_published_under_its_hash() -> None:
    from sync.hub.formnames import target_name

    assert target_name("prices", "a.json", b"{}") == "prices/a.json"
    assert target_name("forms/moi", "a.json", b"not json") == "forms/moi/a.json"
    assert target_name("forms/moi", "a.json", json.dumps(FORM).encode()).startswith("forms/moi/birth/")
