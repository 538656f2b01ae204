"""The OData feed: every row once over pages, hostile addresses are refused, nobody reads without a token."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import Refused
from sync.hub.centre import Centre
from sync.hub.feeds import filters, odata, tables, tokens
from tests.hub.conftest import serving
from tests.hub.laptop import NOW, Laptop, join

RECORDS = next(table for table in tables.OWN if table.name == "records")


@pytest.fixture
def feed(centre: Centre) -> Iterator[httpx.Client]:
    """A client with a token for every table, over a hub with five records of one laptop."""
    centre.ingest.take(join(centre, Laptop()).batch(5))
    centre.settle()
    token = centre.storage.write(lambda tx: tokens.add(tx, "Excel", ["*"], NOW))
    with serving(centre) as client:
        client.headers["authorization"] = "Basic " + base64.b64encode(f"x:{token}".encode()).decode()
        yield client


def values(client: httpx.Client, address: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/odata/{address}", params={f"${name}": value for name, value in asked.items()})
    assert answer.status_code == 200, answer.text
    assert answer.headers["odata-version"] == "4.0"
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def refused(client: httpx.Client, address: str, **asked: Any) -> str:
    answer = client.get(f"/odata/{address}", params={f"${name}": value for name, value in asked.items()})
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["code"])


def test_nobody_reads_without_a_token(feed: httpx.Client, centre: Centre) -> None:
    for header in ("", "Basic", "Basic ????", "Bearer wrong", "Basic " + base64.b64encode(b"a:b").decode(), "Digest x"):
        answer = feed.get("/odata/records", headers={"authorization": header})
        assert answer.status_code == 401, header
        assert "Basic" in answer.headers["www-authenticate"]
    centre.storage.write(lambda tx: tokens.remove(tx, "Excel"))
    assert feed.get("/odata/records").status_code == 401


def test_a_token_reads_its_tables_only(feed: httpx.Client, centre: Centre) -> None:
    token = centre.storage.write(lambda tx: tokens.add(tx, "links only", ["links"], NOW))
    with httpx.Client(base_url=feed.base_url, headers={"authorization": f"Bearer {token}"}) as other:
        assert [row["name"] for row in other.get("/odata/").json()["value"]] == ["links"]
        assert other.get("/odata/records").status_code == 404
        assert b"records" not in other.get("/odata/$metadata").content
    assert [row["name"] for row in centre.storage.read(tokens.listed)] == ["Excel", "links only"]
    assert token not in str(centre.storage.read(lambda tx: tx.query("SELECT * FROM feed_token ORDER BY name")))


def test_the_schema_names_every_column_with_its_type(feed: httpx.Client) -> None:
    root = ElementTree.fromstring(feed.get("/odata/$metadata").content)
    space = "{http://docs.oasis-open.org/odata/ns/edm}"
    entity = next(found for found in root.iter(f"{space}EntityType") if found.get("Name") == "records_row")
    types = {found.get("Name"): found.get("Type") for found in entity.iter(f"{space}Property")}
    assert types["number"] == "Edm.Int64"
    assert types["received_ms"] == "Edm.DateTimeOffset"
    assert types["kind"] == "Edm.String"
    assert {found.get("Name") for found in entity.iter(f"{space}PropertyRef")} == {"record"}


def test_every_row_comes_once_over_pages(feed: httpx.Client, centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odata, "PAGE", 2)
    seen: list[int] = []
    address: str | None = "/odata/records?$filter=kind eq 'links.created'&$count=true"
    while address:
        answer = feed.get(address).json()
        assert answer["@odata.count"] >= 5
        seen += [row["number"] for row in answer["value"]]
        if len(seen) == 2:  # more comes in while somebody reads
            centre.ingest.take(join(centre, Laptop()).batch(1))
        address = answer.get("@odata.nextLink")
    assert seen == [1, 2, 3, 4, 5, 1]


@pytest.mark.parametrize("asked", ["", "&$orderby=kind desc", "&$skip=3", "&$top=7", "&$top=7&$skip=1&$orderby=office"])
def test_no_page_shows_a_row_twice_however_rows_are_ordered(
    feed: httpx.Client, centre: Centre, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    centre.ingest.take(join(centre, Laptop()).batch(4))
    whole = feed.get(f"/odata/records?$select=record{asked}").json()["value"]
    monkeypatch.setattr(odata, "PAGE", 2)
    pages: list[dict[str, Any]] = []
    address: str | None = f"/odata/records?$select=record{asked}"
    while address:
        answer = feed.get(address).json()
        pages += answer["value"]
        address = answer.get("@odata.nextLink")
    assert pages == whole and len({row["record"] for row in pages}) == len(pages) >= 6


def test_rows_that_come_in_front_push_nothing_onto_the_next_page(
    feed: httpx.Client, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odata, "PAGE", 2)
    first = feed.get("/odata/links").json()
    before = [row["code"] for row in first["value"]]
    everything = [row["code"] for row in values(feed, "links", top=2)]
    assert before == everything
    if "@odata.nextLink" in first:
        after = [row["code"] for row in feed.get(first["@odata.nextLink"]).json()["value"]]
        assert not set(before) & set(after)


def test_rows_can_be_chosen_ordered_and_counted(feed: httpx.Client) -> None:
    mine = "kind eq 'links.created'"
    assert [row["number"] for row in values(feed, "records", filter=f"{mine} and number gt 3")] == [4, 5]
    assert [row["number"] for row in values(feed, "records", filter=mine, orderby="number desc", top=2)] == [5, 4]
    assert [row["number"] for row in values(feed, "records", filter=mine, skip=3)] == [4, 5]
    assert values(feed, "records", filter=mine, select="number,office")[0] == {"number": 1, "office": "0306"}
    assert values(feed, "records", filter="contains(kind,'nks.cre') and number in (2,9)")[0]["number"] == 2
    assert values(feed, "records", filter="not (kind eq 'links.created') and contains(kind,'links')") == []
    assert values(feed, "records", filter=f"{mine} and received_ms lt 2001-01-01T00:00:00Z") == []
    for nothing in ("contains(kind,'%')", "contains(kind,'LINKS')", "startswith(kind,'Links')", "endswith(kind,'.CREATED')",
                    "endswith(kind,'a much longer text than that: links.created')"):  # fmt: skip
        assert values(feed, "records", filter=nothing) == [], nothing
    for every in ("contains(kind,'')", "startswith(kind,'links.')", "endswith(kind,'.created')", "endswith(kind,'')"):
        assert len(values(feed, "records", filter=f"{mine} and {every}")) == 5, every
    digest = values(feed, "records", filter=mine)[0]["record"]
    assert [row["number"] for row in values(feed, "records", filter=f"record eq '{digest}'")] == [1]
    assert feed.get("/odata/records/$count", params={"$filter": mine}).text == "5"


@pytest.mark.parametrize(
    "text",
    [
        "number eq 'x'", "kind eq 5", "nothing eq 1", "1 eq 1", "kind", "kind eq", "kind eq 'a' or", "contains(number,'1')",
        "length(kind) eq 3",
        "kind eq 'a'; DROP TABLE op", "number add 1 eq 2", "record eq 'zz'", "number eq 99999999999999999999", "'a' eq kind", "x" * 3000,
        "(" * 300 + "number eq 1" + ")" * 300, " and ".join(["number eq 1"] * 100), "received_ms gt 2026-99-99T00:00:00Z", "number eq -1",
    ],
)  # fmt: skip
def test_a_filter_that_is_not_understood_is_refused(feed: httpx.Client, text: str) -> None:
    answer = feed.get("/odata/records", params={"$filter": text})
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["error"]["code"] == "HB-233"


@pytest.mark.parametrize("asked", [{"orderby": "number; x"}, {"orderby": "nothing"}, {"select": "secret"}, {"top": "-1"}, {"skip": "1e9"},
                                   {"skiptoken": "a.b"}, {"skiptoken": "1"}, {"top": "99999999999"}])  # fmt: skip
def test_an_odd_question_is_refused(feed: httpx.Client, asked: dict[str, str]) -> None:
    assert refused(feed, "records", **asked) == "HB-233"


@given(
    st.text(max_size=200)
    | st.from_regex(r"(\(|not |and |or |eq |kind |number |'x' |1 |\)|,|in ){1,20}", fullmatch=True)
)
@settings(max_examples=300)
def test_no_text_becomes_sql(text: str) -> None:
    try:
        sql = filters.condition(text, RECORDS).sql
    except Refused as error:
        sql = error.code
    assert "'" not in sql.replace("''", "")
