"""What programs read through the feed stands in the audit: bounded, durable, shown, and part of the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.clock import SetClock
from sync.errors import Known
from sync.hub import exports, watch
from sync.hub.centre import Centre
from sync.hub.feeds import looks, tokens
from tests.hub.conftest import serving
from tests.hub.console_hub import Browser, let_in, words
from tests.hub.laptop import NOW, Laptop, join

HOUR = looks.HOUR_MS


@pytest.fixture
def feed(centre: Centre) -> Iterator[httpx.Client]:
    """A program with a token, over a hub with five records."""
    centre.ingest.take(join(centre, Laptop()).batch(5))
    centre.settle()
    token = centre.storage.write(lambda tx: tokens.add(tx, "Excel", ["records", "offices"], NOW))
    with serving(centre) as client:
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def sums(centre: Centre) -> list[tuple[str, str, int, int]]:
    found = centre.storage.read(looks.open_sums)
    return [(row["name"], row["subject"], row["reads"], row["rows"]) for row in found]


def chained(centre: Centre) -> list[dict[str, Any]]:
    return [row["event"] for row in centre.storage.read(lambda tx: watch.listing(tx, what=watch.FEED))][::-1]


def test_an_hour_of_reading_is_one_row_for_each_table(feed: httpx.Client, centre: Centre, clock: SetClock) -> None:
    for _ in range(4):
        assert len(feed.get("/odata/records").json()["value"]) == 5
    assert feed.get("/odata/records", params={"$top": "2"}).status_code == 200
    assert feed.get("/odata/records/$count").text == "5"
    feed.get("/odata/offices")
    for quiet in ("/odata/", "/odata/$metadata", "/odata/links", "/odata/nothing", "/odata/records?$filter=x"):
        feed.get(quiet)  # no rows of anybody went out
    assert sums(centre) == [("odata: Excel", "/odata/offices", 1, 1), ("odata: Excel", "/odata/records", 6, 22)]
    assert chained(centre) == []
    begun = clock.wall_ms() // HOUR * HOUR
    clock.advance(HOUR)
    centre.settle()
    assert sums(centre) == []
    assert [(event["subject"], event["reads"], event["rows"], event["hour"]) for event in chained(centre)] == [
        ("/odata/offices", 1, 1, begun), ("/odata/records", 6, 22, begun),
    ]  # fmt: skip
    assert centre.storage.read(watch.verify).ok
    feed.get("/odata/offices")  # and the next reading closes the hours before it by itself
    clock.advance(-3 * HOUR)  # also when the clock was set back meanwhile
    feed.get("/odata/offices")
    assert len(chained(centre)) == 3 and len(sums(centre)) == 1


def test_nothing_goes_out_that_cannot_be_written_down(
    feed: httpx.Client, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise Known("HB-102")

    monkeypatch.setattr(looks, "note", full)
    for path in ("/odata/records", "/odata/records/$count"):
        answer = feed.get(path)
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "HB-102" and "value" not in answer.json()


def test_the_audit_page_shows_it(feed: httpx.Client, centre: Centre, clock: SetClock) -> None:
    let_in(centre)
    feed.get("/odata/records")
    with httpx.Client(base_url=feed.base_url) as other:
        admin = Browser(other)
        admin.log_in()
        admin.client.cookies.set("sala-language", "en")
        page = words(admin.get("/console/audit"))
        assert "Programs in this hour" in page and "odata: Excel" in page
        centre.storage.write(lambda tx: looks.close(tx, clock.wall_ms() + HOUR))
        page = words(admin.get("/console/audit", params={"admin": "odata: Excel", "what": "feed"}))
        assert "5 rows · 1 read" in page and "Programs in this hour" not in page
        assert "odata: Excel" in admin.get("/console/audit/export?as=csv").text


def test_a_copy_for_the_second_site_has_the_running_hour_too(
    feed: httpx.Client, centre: Centre, tmp_path: Path
) -> None:
    feed.get("/odata/records")
    exports.backup(centre, tmp_path / "site")
    lines = (tmp_path / "site" / "state" / "look.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["feed"] and sums(centre) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9), st.integers(-1, 2)), max_size=25
    )
)
def test_no_row_is_forgotten_and_none_is_counted_twice(
    shared_centre: Centre, reads: list[tuple[str, str, int, int]]
) -> None:
    def total(tx: Any) -> int:
        done = sum(row["event"]["rows"] for row in watch.listing(tx, what=watch.FEED, limit=10**6))
        return int(done + sum(row["rows"] for row in looks.open_sums(tx)))

    before, now = shared_centre.storage.read(total), NOW
    for name, table, rows, hours in reads:
        now += hours * HOUR
        shared_centre.storage.write(lambda tx, n=name, t=table, r=rows, at=now: looks.note(tx, n, t, r, at))  # type: ignore[misc]
    assert shared_centre.storage.read(total) - before == sum(read[2] for read in reads)
    assert len({row["hour"] for row in shared_centre.storage.read(looks.open_sums)}) <= 1
    assert shared_centre.storage.read(watch.verify).ok
