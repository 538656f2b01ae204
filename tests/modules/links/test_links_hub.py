"""The centre's links: first in the log keeps a code, offices keep to their name space, a laptop is not believed blindly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.links import codes, hub
from sync.hub.projections import AcceptedOp
from sync.hub.storage import Storage
from tests.hub import postgres

CODE = codes.encode(7, bytes(32))
TARGET = "https://www.kampongcham.gov.kh/market"


def op(kind: str, body: dict[str, Any], *, number: int = 1, office: str = "0306") -> AcceptedOp:
    return AcceptedOp(
        index=number, device="d" * 32, office=office, seq=number, hash=f"{number:064x}", op_id=f"{number:032x}", kind=kind, form="links",
        def_hash="", wall_ms=1_000 + number, officer="0" * 32, body=body, refs=(), attach=(),
    )  # fmt: skip


class Centre:
    def __init__(self, storage: Storage) -> None:
        self.storage, self.links = storage, hub.Projection()
        for statement in self.links.tables():
            storage.write(lambda tx, s=statement: tx.execute(s))  # type: ignore[misc]

    def apply(self, *ops: AcceptedOp) -> None:
        for one in ops:
            self.storage.write(lambda tx, o=one: self.links.apply(tx, o, 5_000))  # type: ignore[misc]

    def row(self, code: str) -> dict[str, Any] | None:
        return self.storage.read(lambda tx: tx.one("SELECT * FROM p_links_link WHERE code = :c", {"c": code}))

    def answer(self, code: str, now_ms: int = 10_000) -> str:
        return hub.answer(self.row(code), now_ms)


@pytest.fixture(params=["sqlite", "postgresql"])
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Centre]:
    with postgres.storage(request.param, tmp_path) as storage:
        yield Centre(storage)


def created(code: str = CODE, target: str = TARGET, **more: Any) -> dict[str, Any]:
    return {"code": code, "target": target, "title": "ទីផ្សារ", "expires_ms": None, **more}


def test_a_link_is_served_until_it_is_turned_off(centre: Centre) -> None:
    assert centre.answer(CODE) == "unknown"
    centre.apply(op("links.created", created()))
    assert centre.answer(CODE) == "redirect"
    centre.apply(op("links.state", {"code": CODE, "state": "disabled"}, number=2))
    assert centre.answer(CODE) == "disabled"
    centre.apply(op("links.state", {"code": CODE, "state": "active"}, number=3))
    row = centre.row(CODE)
    assert row is not None and (row["target"], row["office"], row["created_ms"], row["changed_ms"]) == (
        TARGET,
        "0306",
        1_001,
        5_000,
    )


def test_a_link_expires(centre: Centre) -> None:
    centre.apply(op("links.created", created(expires_ms=20_000)))
    assert (centre.answer(CODE, 20_000), centre.answer(CODE, 20_001)) == ("redirect", "expired")


def test_the_first_link_of_a_code_keeps_it(centre: Centre) -> None:
    centre.apply(
        op("links.created", created("0306-market")), op("links.created", created("0306-market", TARGET + "2"), number=2)
    )
    row = centre.row("0306-market")
    assert row is not None and row["target"] == TARGET
    conflicts = centre.storage.read(lambda tx: tx.query("SELECT code, target FROM p_links_conflict"))
    assert conflicts == [{"code": "0306-market", "target": TARGET + "2"}]


def test_no_office_makes_or_changes_links_of_another(centre: Centre) -> None:
    centre.apply(op("links.created", created("0306-market"), office="0102"))
    assert centre.answer("0306-market") == "refused"
    centre.apply(op("links.created", created(), number=2))
    centre.apply(op("links.state", {"code": CODE, "state": "disabled"}, number=3, office="0102"))
    assert centre.answer(CODE) == "redirect"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (created(CODE[:-1] + ("a" if CODE[-1] != "a" else "b")), "LN-002"), (created("admin"), "LN-002"), (created(""), "LN-002"),
        (created(target="http://x.com/"), "LN-102"), (created(target="https://verify.gov.kh.evil.com/"), "LN-114"),
        (created(target="javascript:alert(1)"), "LN-102"), (created(target="https://bit.ly/x"), "LN-107"),
    ],
)  # fmt: skip
def test_what_a_changed_laptop_sends_is_not_served(centre: Centre, body: dict[str, Any], reason: str) -> None:
    centre.apply(op("links.created", body))
    row = centre.row(body["code"])
    assert row is not None and row["reason"] == reason
    assert centre.answer(body["code"]) == "refused"
    centre.apply(op("links.state", {"code": body["code"], "state": "active"}, number=2))
    assert centre.answer(body["code"]) == "refused"


def test_a_body_of_the_wrong_shape_stops_nothing(centre: Centre) -> None:
    strange = {"code": 5, "target": None, "expires_ms": "x"}
    centre.apply(op("links.created", {}), op("links.state", {}, number=2), op("links.created", strange, number=3))
    assert centre.answer("") == "refused"


def test_the_console_table_runs(centre: Centre) -> None:
    centre.apply(op("links.created", created()))
    table = centre.links.console()
    rows = centre.storage.read(lambda tx: tx.query(table["query"]))
    assert [set(row) for row in rows] == [{column["key"] for column in table["columns"]}]
