"""Whatever a laptop writes into a record and whatever its clock says: every page, file and feed of the centre stands and runs nothing."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import httpx
import pytest

from sync.hub.centre import Centre
from sync.hub.feeds import files, tables, tokens
from sync.ids import uuid7
from sync.ops import OpFields
from tests.hub.conftest import serving
from tests.hub.console_hub import Browser, let_in, words
from tests.hub.laptop import NOW, OFFICER, Laptop, join

LATEST = (1 << 53) - 1  # milliseconds: the year 287396, and the last that an op may say
WORDS = (
    "<script>alert(1)</script>ភាសា", '"><img src=x onerror=alert(1)>', "\u202eរណ្ដាប់\u202c", "a\ufffeb\uffff", "x\x01\x0b\x1f\x7f\x85",
    "a\0b", '=HYPERLINK("http://x")', "_x0041_", "ក" * 2_500, "😀" * 1_900, "\r\n", "\ufeffx\u2028",
)  # fmt: skip
LONG = "9" * 30
PAGES = (
    "", "records", "records?text=%ff%fe", "records?since=9999-12-31&until=0001-01-01", "batches", "batches?before=99999999999", "tables",
    "table/links", "table/links?from=99999999", "quarantine", "devices", "officers", "audit", "audit?since=9999-12-31&until=9999-12-31",
    "leases", "conflicts", "conflicts?before=9999999999999", "dispatch", "log", "outlets", "office/0306",
)  # fmt: skip
NOWHERE = (
    f"/console/batch/{LONG}", f"/console/batch/{LONG}/raw", f"/console/batch/{LONG}/receipt", f"/console/batch/{LONG}/again",
    "/console/batch/" + "9" * 5_000, f"/console/officers/{LONG}/statement", f"/v1/log/tile/{LONG}/1", f"/v1/log/tile/1/{LONG}",
    f"/v1/log/tile/{'9' * 16}/{'9' * 16}", f"/v1/log/epoch/{LONG}", f"/v1/log/epoch/{'9' * 16}", f"/v1/forks/behind/{LONG}",
    "/console/record/zz", "/console/table/x", "/console/fork/00", "/console/log/refused/zz", "/console/devices/zz/revoke",
)  # fmt: skip


@pytest.fixture
def hostile(centre: Centre) -> Centre:
    """A centre to which one laptop has sent all of that."""
    let_in(centre)
    laptop = join(centre, Laptop())
    made = [
        laptop.op(
            {"code": f"abcdef{n}", "target": f"https://x.gov.kh/{text[:40]}", "title": text, "tags": [text[:90]], text[:200]: text}
        )
        for n, text in enumerate(WORDS)
    ]  # fmt: skip
    made.append(
        OpFields(
            op_id=uuid7(laptop.now), kind="links.created", form="links", def_hash=b"", wall_ms=LATEST, mono_ms=1, boot_id=bytes(8),
            hub_floor_ms=LATEST, officer=OFFICER, body={"made_ms": LATEST, "before_ms": -LATEST},
        ).encode()
    )  # fmt: skip
    centre.ingest.take(laptop.batch(made=made))
    centre.settle()
    return centre


@pytest.fixture
def client(hostile: Centre) -> Iterator[httpx.Client]:
    with serving(hostile) as client:
        yield client


def test_every_page_stands_and_runs_nothing(hostile: Centre, client: httpx.Client) -> None:
    browser = Browser(client)
    browser.log_in()
    rows = hostile.storage.read(lambda tx: tx.query("SELECT hash, batch FROM op WHERE form = 'links' ORDER BY id"))
    records = [f"record/{row['hash'].hex()}" for row in rows]
    for page in (*PAGES, *records, f"batch/{rows[0]['batch']}"):
        answer = browser.get(f"/console/{page}")
        assert answer.status_code == 200, page
        assert "<script>alert" not in words(answer) and "<img src=x" not in words(answer), page
    assert "9999" in browser.get(f"/console/{records[-1]}").text.translate({0x17E0 + n: str(n) for n in range(10)})


def test_addresses_with_numbers_that_no_database_holds_are_none(client: httpx.Client) -> None:
    browser = Browser(client)
    browser.log_in()
    for path in NOWHERE:
        assert client.get(path).status_code in (403, 404), path


def test_every_file_can_be_read_back(hostile: Centre, tmp_path: Path) -> None:
    for table in tables.listed(hostile.runner.projections):
        for format in files.FORMATS:
            files.write(hostile.storage, table, format, tmp_path / f"{table.name}.{format}", "km")
        with (tmp_path / f"{table.name}.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
        assert {len(line) for line in lines} == {len(table.columns)}, table.name
        assert not [cell for line in lines for cell in line if cell.startswith(("=", "@", "\t", "\r"))], table.name
        book = zipfile.ZipFile(tmp_path / f"{table.name}.xlsx")
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert len([cell for cell in sheet.iter() if cell.tag.endswith("}row")]) == len(lines)
        with duckdb.connect() as database:
            found = database.execute("SELECT count(*) FROM read_parquet(?)", [str(tmp_path / f"{table.name}.parquet")])
            assert found.fetchone() == (len(lines) - 1,)
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_the_feed_gives_every_row(hostile: Centre, client: httpx.Client) -> None:
    token = hostile.storage.write(lambda tx: tokens.add(tx, "Excel", ["*"], NOW))
    client.headers["authorization"] = f"Bearer {token}"
    for table in tables.listed(hostile.runner.projections):
        answer = client.get(f"/odata/{table.name}")
        assert answer.status_code == 200, table.name
        assert len(answer.json()["value"]) == hostile.storage.read(table.count)
    made = [row["made_ms"] for row in client.get("/odata/records?$filter=kind eq 'links.created'").json()["value"]]
    assert made[-1] == "9999-12-31T00:00:00.000Z"
