"""The centre passes on only releases with a valid approval whose texts are all here, and asks for each dispatch once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from modules.messages import approval, hub
from sync.hub.projections import AcceptedOp, ProjectionTx
from sync.hub.storage import Storage
from tests.hub import postgres

KEY = SigningKey(bytes(32))
PARTS = [f"{n:064x}" for n in (101, 102)]


def release(**change: Any) -> dict[str, Any]:
    facts = approval.manifest(
        campaign="c1",
        office="0306",
        author="a" * 32,
        template="t",
        set_="5" * 64,
        recipients=20,
        segments=40,
        price=120,
        not_after_ms=99,
    )
    signature = KEY.sign(approval.message(facts)).signature
    signed = {"approver": "b" * 32, "approver_key": bytes(KEY.verify_key), "signature": signature}
    return {**facts, **signed, "title": "ប្រជុំ", "parts": PARTS, **change}


def op(kind: str, hash: str, body: dict[str, Any] | None = None, office: str = "0306") -> AcceptedOp:
    return AcceptedOp(
        index=1, device="d" * 32, office=office, seq=1, hash=hash, op_id="0" * 32, kind=kind, form="messages", def_hash="", wall_ms=1,
        officer="0" * 32, body=body, refs=(), attach=(),
    )  # fmt: skip


class Centre:
    def __init__(self, storage: Storage) -> None:
        self.storage, self.messages = storage, hub.Projection()
        for statement in self.messages.tables():
            storage.write(lambda tx, s=statement: tx.execute(s))  # type: ignore[misc]

    def apply(self, *ops: AcceptedOp) -> None:
        for one in ops:
            self.storage.write(lambda tx, o=one: self.messages.apply(ProjectionTx(tx, "messages", 5), o, 5))  # type: ignore[misc]

    def row(self) -> dict[str, Any]:
        return self.storage.read(lambda tx: tx.query("SELECT * FROM p_messages_release"))[0]

    def intents(self) -> list[dict[str, Any]]:
        return self.storage.read(lambda tx: tx.query("SELECT * FROM effect"))


@pytest.fixture(params=["sqlite", "postgresql"])
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Centre]:
    with postgres.storage(request.param, tmp_path) as storage:
        yield Centre(storage)


TEXTS = [op("messages.texts", part) for part in PARTS]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_a_release_waits_for_all_its_texts_in_any_order(centre: Centre, order: tuple[int, ...]) -> None:
    things = [*TEXTS, op("messages.release", "f" * 64, release())]
    for step, place in enumerate(order):
        if step:
            assert not centre.intents()
        centre.apply(things[place])
    assert (centre.row()["state"], centre.row()["parts_here"], centre.row()["recipients"]) == ("waiting", 2, 20)
    assert [(one["id"], one["kind"], json.loads(one["payload"])["hold"]) for one in centre.intents()] == [
        ("f" * 64 + "/dispatch", "messages.dispatch", "operator")
    ]


def test_the_same_campaign_again_asks_nothing(centre: Centre) -> None:
    centre.apply(*TEXTS, op("messages.release", "f" * 64, release()), op("messages.release", "e" * 64, release()))
    assert len(centre.intents()) == 1


@pytest.mark.parametrize(
    ("change", "office", "reason"),
    [
        ({"recipients": 21}, "0306", "signature"), ({"price": 1}, "0306", "signature"), ({"signature": bytes(64)}, "0306", "signature"),
        ({"approver_key": bytes(32)}, "0306", "signature"), ({"approver_key": None}, "0306", "signature"),
        ({"approver": "a" * 32}, "0306", "author approved"), ({}, "0102", "office"), ({"parts": []}, "0306", "empty"),
    ],
)  # fmt: skip
def test_a_release_without_a_valid_approval_is_never_passed_on(
    centre: Centre, change: dict[str, Any], office: str, reason: str
) -> None:
    centre.apply(*TEXTS, op("messages.release", "f" * 64, release(**change), office))
    assert (centre.row()["state"], centre.row()["reason"]) == ("refused", reason)
    assert not centre.intents()


def test_texts_of_another_office_do_not_complete_a_release(centre: Centre) -> None:
    centre.apply(
        op("messages.release", "f" * 64, release()), *(op("messages.texts", part, office="0102") for part in PARTS)
    )
    assert centre.row()["state"] == "incomplete" and not centre.intents()


def test_the_console_table_runs(centre: Centre) -> None:
    centre.apply(*TEXTS, op("messages.release", "f" * 64, release()), op("messages.release", "e" * 64, {}))
    table = centre.messages.console()
    rows = centre.storage.read(lambda tx: tx.query(table["query"]))
    shown = {column["key"] for column in [*table["columns"], *table["exported"]]}
    assert [set(row) for row in rows] == [shown] * 2
