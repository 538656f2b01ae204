"""The audit log: every change of a row, an order or an end shows."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import audit, merkle, migrate
from sync.cipher import DatabaseError
from sync.clock import SetClock
from sync.store import Connection, Store


def fill(store: Store, rows: int) -> None:
    def work(conn: Connection) -> None:
        for number in range(rows):
            audit.append(conn, store.clock, {"what": "note", "number": number, "record": "ឯកសារ"})

    store.write(work)


def tamper(store: Store, *statements: str) -> audit.AuditReport:
    """Change the log behind its triggers, as somebody with the key and a database tool would."""

    def work(conn: Connection) -> None:
        conn.execute("DROP TRIGGER audit_never_changes")
        conn.execute("DROP TRIGGER audit_is_kept")
        for statement in statements:
            conn.execute(statement)

    store.write(work)
    return store.read(audit.verify)


def forge(store: Store) -> None:
    """Recompute the whole chain over what the log says now."""

    def work(conn: Connection) -> None:
        rows = conn.execute("SELECT event FROM audit ORDER BY seq").fetchall()
        conn.execute("DELETE FROM audit")
        conn.execute("DELETE FROM audit_peak")
        before = bytes(32)
        for seq, row in enumerate(rows, start=1):
            before = audit._row_hash(seq, before, row["event"].encode())
            conn.execute("INSERT INTO audit VALUES (?, ?, ?)", (seq, before, row["event"]))
            audit._grow(conn, seq, merkle.leaf_hash(before))

    store.write(work)


def checkpoint_op(store: Store) -> None:
    """An op that carries the log's state, as a batch does; only its kind and bytes matter here."""
    from sync import cbor

    def work(conn: Connection) -> None:
        data = cbor.encode({10: audit.checkpoint(conn).body()})
        conn.execute(
            "INSERT INTO op(op_id, prev, hash, bytes, kind, record, form, officer, device, created_ms)"
            " VALUES (?, x'', ?, ?, ?, '', 'sync', '', x'', 0)",
            (sha256(data).digest(), sha256(data).digest(), data, audit.CHECKPOINT_KIND),
        )

    store.write(work)


def test_the_rows_are_the_published_format(store: Store, clock: SetClock) -> None:
    fill(store, 2)
    rows = store.read(lambda conn: [dict(row) for row in conn.execute("SELECT * FROM audit")])
    event = {"what": "note", "number": 0, "record": "ឯកសារ", "at": clock.wall, "mono": 1_000, "boot": b"boot-one".hex()}
    assert rows[0]["event"] == rfc8785.dumps(event).decode()
    first = sha256(b"SALA-AUDIT-1" + (1).to_bytes(8, "big") + bytes(32) + rfc8785.dumps(event)).digest()
    assert rows[0]["hash"] == first
    assert (
        rows[1]["hash"] == sha256(b"SALA-AUDIT-1" + (2).to_bytes(8, "big") + first + rows[1]["event"].encode()).digest()
    )


def test_an_empty_log_holds(store: Store) -> None:
    report = store.read(audit.verify)
    assert report.ok
    assert (report.rows, report.root) == (0, merkle.EMPTY_ROOT.hex())
    assert store.read(audit.checkpoint) == audit.Checkpoint(0, merkle.EMPTY_ROOT)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300))
def test_the_checkpoint_is_the_root_of_the_whole_tree(rows: int) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder), bytes(32), clock=SetClock(0))
        migrate.install(store)
        fill(store, rows)
        leaves = store.read(
            lambda conn: [merkle.leaf_hash(row[0]) for row in conn.execute("SELECT hash FROM audit ORDER BY seq")]
        )
        expected = audit.Checkpoint(rows, merkle.root(leaves))
        assert store.read(audit.checkpoint) == expected
        report = store.read(audit.verify)
        assert (report.ok, report.rows, report.root) == (True, rows, expected.root.hex())
        assert report.fingerprint == expected.fingerprint
        store.close()


def test_the_fingerprint_is_twelve_unmistakable_characters(store: Store) -> None:
    seen = set()
    for _ in range(20):
        fill(store, 1)
        seen.add(store.read(audit.fingerprint))
    assert len(seen) == 20
    assert all(len(one) == 12 and not set(one) & set("ILOU") and one.isalnum() for one in seen)


def test_rows_cannot_be_changed_or_deleted(store: Store) -> None:
    fill(store, 2)
    for statement in (
        "UPDATE audit SET event = '{}'",
        "DELETE FROM audit WHERE seq = 2",
        "REPLACE INTO audit VALUES (1, x'', '')",
    ):
        with pytest.raises(DatabaseError, match="audit log"):
            store.write(lambda conn, statement=statement: conn.execute(statement))
    assert store.read(audit.verify).ok


@pytest.mark.parametrize(
    ("statements", "row", "problem"),
    [
        (["UPDATE audit SET event = replace(event, 'note', 'nota') WHERE seq = 3"], 3, "changed"),
        (["UPDATE audit SET hash = x'00' WHERE seq = 3"], 3, "changed"),
        (["DELETE FROM audit WHERE seq = 3"], 3, "missing"),
        (["DELETE FROM audit WHERE seq = 1"], 1, "missing"),
        (["DELETE FROM audit WHERE seq = 5"], 4, "end"),
        (["DELETE FROM audit"], 0, "end"),
        (["UPDATE audit SET seq = -1 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
          "UPDATE audit SET seq = 3 WHERE seq = -1"], 2, "moved"),
        (["INSERT INTO audit SELECT 6, hash, event FROM audit WHERE seq = 5"], 6, "moved"),
        (["UPDATE audit_peak SET hash = x'00'"], 5, "rewritten"),
    ],
)  # fmt: skip
def test_every_tampering_shows_and_where(store: Store, statements: list[str], row: int, problem: str) -> None:
    fill(store, 5)
    report = tamper(store, *statements)
    assert not report.ok
    assert problem in report.problem
    assert report.row == row
    assert report.rows <= row


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET event = replace(event, 'note', 'nota') WHERE seq = 2", "earlier checkpoint"),
        ("DELETE FROM audit WHERE seq = 2", "end are missing"),
        ("DELETE FROM audit WHERE seq >= 2", "end are missing"),
    ],
)
def test_a_recomputed_chain_does_not_pass_the_checkpoints_that_left(store: Store, statement: str, problem: str) -> None:
    fill(store, 3)
    checkpoint_op(store)
    assert store.read(audit.verify).ok
    assert not tamper(store, statement).ok
    forge(store)
    report = store.read(audit.verify)
    assert not report.ok
    assert problem in report.problem


def test_without_a_checkpoint_a_recomputed_chain_would_pass(store: Store) -> None:
    """Why checkpoints leave with every batch."""
    fill(store, 3)
    tamper(store, "UPDATE audit SET event = replace(event, 'note', 'nota') WHERE seq = 2")
    forge(store)
    assert store.read(audit.verify).ok


def test_an_event_that_is_no_json_is_a_bug(store: Store) -> None:
    append: Callable[[Any], None] = lambda event: store.write(lambda conn: audit.append(conn, store.clock, event))  # noqa: E731
    for event in ({"what": b"bytes"}, {"what": float("nan")}, {"what": 1 << 60}):
        with pytest.raises((rfc8785.CanonicalizationError, TypeError)):
            append(event)
    assert store.read(audit.verify).rows == 0
