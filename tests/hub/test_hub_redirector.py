"""Short links: every state has its own answer, in both languages; a typing error is told from a code that never was."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from modules.links import codes
from sync.clock import SetClock
from sync.hub.centre import Centre
from tests.hub.laptop import Laptop, join

KEY = bytes(32)
CODE = codes.encode(7, KEY)
OTHER = codes.encode(8, KEY)
TARGET = "https://www.moi.gov.kh/ferry?day=1"


def made(laptop: Laptop, code: str = CODE, **more: Any) -> bytes:
    return laptop.op({"code": code, "target": TARGET, "title": "កាលវិភាគសាឡាង", **more})


@pytest.fixture
def linked(centre: Centre, laptop: Laptop) -> Centre:
    """A hub with one short link."""
    centre.ingest.take(laptop.batch(made=[made(laptop)]))
    centre.runner.run()
    return centre


def clicks(centre: Centre, wanted: int) -> int:
    """Visits that were counted; they are counted after the visitor has the answer, so up to ``wanted`` are waited for."""
    end = time.monotonic() + 10
    while True:
        counted = centre.storage.read(lambda tx: tx.query("SELECT sum(n) AS n FROM click"))[0]["n"] or 0
        if counted >= wanted or time.monotonic() > end:
            return int(counted)
        time.sleep(0.01)


def test_an_active_link_leads_on_in_any_case(linked: Centre, client: httpx.Client) -> None:
    for code in (CODE, CODE.upper()):
        answer = client.get(f"/{code}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    assert client.head(f"/{CODE}", follow_redirects=False).status_code == 302
    assert clicks(linked, 2) == 2  # a machine that only looks is no visitor


@pytest.mark.parametrize(
    ("state", "status", "km", "en"),
    [
        ("disabled", 410, "តំណនេះត្រូវបានបិទ", "This link was switched off"),
        ("expired", 410, "តំណនេះផុតកំណត់ហើយ", "This link has expired"),
        ("refused", 410, "តំណនេះត្រូវបានបដិសេធ", "This link was refused"),
        ("unknown", 404, "គ្មានតំណនេះទេ", "This link does not exist"),
        ("mistyped", 404, "លេខកូដនេះមិនត្រឹមត្រូវ", "This code is not right"),
    ],
)
def test_what_leads_nowhere_says_why_in_both_languages(
    linked: Centre, laptop: Laptop, client: httpx.Client, clock: SetClock, state: str, status: int, km: str, en: str
) -> None:
    code = OTHER
    if state == "disabled":
        ops = [made(laptop, code), laptop.op({"code": code, "state": "disabled"}, kind="links.state")]
        linked.ingest.take(laptop.batch(made=ops))
    elif state == "expired":
        linked.ingest.take(laptop.batch(made=[made(laptop, code, expires_ms=clock.wall - 1)]))
    elif state == "refused":
        linked.ingest.take(
            laptop.batch(made=[laptop.op({"code": code, "target": "http://evil.example", "title": "x"})])
        )
    elif state == "mistyped":
        code = CODE[:-1] + ("a" if CODE[-1] != "a" else "b")
    linked.runner.run()
    answer = client.get(f"/{code}", follow_redirects=False)
    words = answer.text.replace("&#8203;", "")
    assert answer.status_code == status
    assert km in words and en in words and code in words
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ("Did you mean" in words) == (state == "mistyped")


def test_a_mistyped_code_offers_the_links_that_exist(linked: Centre, client: httpx.Client) -> None:
    swapped = CODE[:2] + CODE[3] + CODE[2] + CODE[4:] if CODE[2] != CODE[3] else CODE[:-1] + "a"
    answer = client.get(f"/{swapped}")
    assert f'href="/{CODE}"' in answer.text
    nothing_near = client.get("/zzzzzza")
    assert 'href="/' not in nothing_near.text.replace('href="/console', "")


def test_a_link_stays_when_its_table_is_made_anew(linked: Centre, client: httpx.Client) -> None:
    client.get(f"/{CODE}", follow_redirects=False)
    assert linked.rebuild("links")["links"].sound
    assert client.get(f"/{CODE}", follow_redirects=False).status_code == 302
    assert clicks(linked, 2) == 2  # clicks are no projection: a rebuild does not forget them


@pytest.mark.parametrize("code", ["x" * 500, "%00", "<script>alert(1)</script>", "ខ្មែរ", "a b", "..%2f"])
def test_hostile_codes_are_only_unknown(linked: Centre, client: httpx.Client, code: str) -> None:
    answer = client.get(f"/{code}", follow_redirects=False)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_a_hub_without_the_links_module_knows_no_link(centre: Centre, client: httpx.Client) -> None:
    centre.manifests = [manifest for manifest in centre.manifests if manifest["module"]["id"] != "links"]
    assert client.get(f"/{CODE}").status_code == 404


def test_two_offices_cannot_take_one_code(linked: Centre, client: httpx.Client) -> None:
    thief = join(linked, Laptop(), {"code": "0401", "name": {"km": "ក", "en": "k"}, "province": {"km": "ក", "en": "k"}})
    linked.ingest.take(thief.batch(made=[thief.op({"code": CODE, "target": "https://www.gdt.gov.kh/", "title": "x"})]))
    linked.runner.run()
    assert client.get(f"/{CODE}", follow_redirects=False).headers["location"] == TARGET
