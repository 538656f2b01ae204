"""The page of what leaves the centre as data: download, tokens, receivers, desks; only for those who may, and all written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sync.hub import agency
from sync.hub.centre import Centre
from sync.hub.feeds import tokens, webhooks
from tests.hub.console_hub import Browser, fill, let_in, words


@pytest.fixture
def filled(centre: Centre) -> dict[str, Any]:
    return fill(centre)


@pytest.fixture
def browser(filled: dict[str, Any], client: httpx.Client) -> Browser:
    made = Browser(client)
    made.log_in()
    return made


@pytest.fixture
def viewer(centre: Centre, filled: dict[str, Any], client: httpx.Client) -> Iterator[Browser]:
    """Somebody who may look and take nothing out."""
    let_in(centre, "ដារ៉ា", "viewer")
    with httpx.Client(base_url=client.base_url) as other:
        made = Browser(other)
        made.log_in("ដារ៉ា")
        yield made


def test_a_table_is_downloaded_in_the_visitors_language(browser: Browser) -> None:
    found = browser.get("/console/outlets/records.csv")
    assert found.headers["content-disposition"].endswith('filename="records.csv"')
    rows = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"))))
    assert rows[0][1] == "ការិយាល័យ"
    assert any(row[1] == "0306" for row in rows[1:])
    assert browser.get("/console/outlets/offices.xlsx").content.startswith(b"PK")
    assert browser.get("/console/outlets/offices.parquet").content.startswith(b"PAR1")
    assert browser.get("/console/outlets/nothing.csv").status_code >= 400
    assert browser.get("/console/outlets/offices.docx").status_code >= 400


def test_a_token_is_shown_once_and_taken_away(browser: Browser, centre: Centre, client: httpx.Client) -> None:
    shown = browser.post("/console/outlets/token", name="Excel", table="records")
    token = shown.text.split('<code class="secret">')[1].split("<")[0]
    header = {"authorization": f"Bearer {token}"}
    assert client.get("/odata/records", headers=header).status_code == 200
    assert client.get("/odata/offices", headers=header).status_code == 404
    assert token not in browser.get("/console/outlets").text
    browser.post("/console/outlets/token/end", name="Excel")
    assert centre.storage.read(tokens.listed) == []
    assert client.get("/odata/records", headers=header).status_code == 401


def test_a_receiver_is_added_paused_and_removed(browser: Browser, centre: Centre) -> None:
    assert (
        "whsec_" in browser.post("/console/outlets/webhook", url="https://example.gov.kh/in", kind="links.created").text
    )
    browser.post("/console/outlets/webhook/change", id="1", act="off")
    assert centre.storage.read(webhooks.listed)[0]["state"] == "off"
    browser.post("/console/outlets/webhook/change", id="1", act="on")
    assert centre.storage.read(webhooks.listed)[0]["state"] == "on"
    browser.post("/console/outlets/webhook/change", id="1", act="remove")
    assert centre.storage.read(webhooks.listed) == []
    refused = browser.post("/console/outlets/webhook", url="javascript:alert(1)")
    assert refused.status_code == 422
    assert "HB-235" in words(refused)


def test_a_laptop_becomes_a_desk_and_is_one_no_longer(browser: Browser, centre: Centre, filled: dict[str, Any]) -> None:
    device = filled["first"].id.hex()
    browser.post("/console/outlets/desk", id=device, act="allow")
    assert [row["device"].hex() for row in centre.storage.read(agency.desks)] == [device]
    browser.post("/console/outlets/desk", id=device, act="end")
    assert centre.storage.read(agency.desks) == []
    for wrong in ("zz", filled["third"].id.hex()):  # no device; a revoked one
        assert browser.post("/console/outlets/desk", id=wrong, act="allow").status_code == 422


def test_a_viewer_takes_nothing_out(viewer: Browser, centre: Centre) -> None:
    for path in ("/console/outlets", "/console/outlets/records.csv"):
        assert viewer.get(path).status_code == 403
    assert "/console/outlets" not in viewer.get("/console/").text
    assert viewer.post("/console/outlets/token", name="x").status_code == 403
    assert centre.storage.read(tokens.listed) == []
