"""The centre's view: counts and places of sealed cases, the same in whatever order ops come."""

from __future__ import annotations

import itertools
import re
import sqlite3
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from modules.forms.hub import Projection


@dataclass
class Op:
    kind: str
    hash: str
    refs: tuple[str, ...] = ()
    index: int = 1
    device: str = "aa"
    office: str = "0306"
    seq: int = 1
    op_id: str = "01"
    form: str = "barber-licence"
    def_hash: str = "00"
    wall_ms: int = 5
    officer: str = "ff"
    body: Any = None
    attach: tuple[str, ...] = field(default=("b1", "b2"))


class Tx:
    """The part of the hub's transaction that a projection sees, over plain SQLite."""

    def __init__(self) -> None:
        self.base = sqlite3.connect(":memory:")
        self.base.row_factory = sqlite3.Row
        for statement in Projection().tables():
            self.base.execute(statement)

    def execute(self, sql: str, values: dict[str, Any] | None = None, /) -> int:
        return self.base.execute(sql, values or {}).rowcount

    def query(self, sql: str, values: dict[str, Any] | None = None, /) -> list[dict[str, Any]]:
        return [dict(row) for row in self.base.execute(sql, values or {})]


@pytest.fixture
def tx() -> Any:
    made = Tx()
    yield made
    made.base.close()


CASE = Op("forms.submission", "c1", index=1)
FIX = Op("forms.correction", "c2", ("c1",), index=2, attach=())
AGAIN = Op("forms.correction", "c3", ("c1", "c2"), index=3, attach=())
GONE = Op("forms.withdrawal", "c4", ("c1", "c3"), index=4, attach=())


def board(tx: Any) -> list[dict[str, Any]]:
    return tx.query(Projection().console()["query"])  # type: ignore[no-any-return]


def test_a_case_is_a_row_with_header_and_place_and_nothing_else(tx: Any) -> None:
    Projection().apply(tx, CASE, 9)
    (row,) = board(tx)
    assert row == {
        "office": "0306", "form": "barber-licence", "received_ms": 9, "files": 2, "corrections": 0, "state": "received",
        "place": 1, "op": "c1",
    }  # fmt: skip
    assert set(row) == {column["key"] for column in Projection().console()["columns"]}


@pytest.mark.parametrize("order", list(itertools.permutations((CASE, FIX, AGAIN, GONE))))
def test_changes_count_in_whatever_order_they_come(tx: Any, order: tuple[Op, ...]) -> None:
    for op in order:
        Projection().apply(tx, op, 9)
    (row,) = board(tx)
    assert (row["corrections"], row["state"]) == (2, "withdrawn")


def test_another_office_changes_nothing_here(tx: Any) -> None:
    for op in (CASE, replace(GONE, office="0307"), replace(FIX, hash="c9", refs=())):
        Projection().apply(tx, op, 9)
    (row,) = board(tx)
    assert (row["corrections"], row["state"]) == (0, "received")


def test_its_tables_and_words_keep_the_contract() -> None:
    from sync.hub.projections import Projection as Contract

    projection = Projection()
    assert isinstance(projection, Contract)
    names = [re.match(r"CREATE (?:TABLE|INDEX) (\w+)", statement) for statement in projection.tables()]
    assert all(name and name[1].startswith("p_forms_") for name in names)
    console = projection.console()
    for words in [console["title"], *(column["title"] for column in console["columns"])]:
        assert words["km"] and words["en"]
