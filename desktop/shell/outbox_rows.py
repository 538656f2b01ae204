"""What the outbox shows of each piece of work: its words, who made it, when, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from i18n.catalog import tr
from i18n.errors import SalaError, explain

if TYPE_CHECKING:
    from sync.store import Connection

LIMIT: Final = 500

_DECIDED: Final = {"accepted": "accepted", "sent_back": "sent_back"}
_AGAIN: Final = "send_again"


def step_words(step: str) -> str:
    """What a step of a sync run does, in words."""
    return {
        "connect": tr("Looking for the centre…"),
        "enrol": tr("Introducing this laptop…"),
        "leases": tr("Asking for numbers and codes…"),
        "publications": tr("Fetching forms, prices and trust lists…"),
        "have": tr("Comparing with the centre…"),
        "receipts": tr("Fetching receipts…"),
        "cut": tr("Packing…"),
        "batches": tr("Sending…"),
        "chunks": tr("Sending attachments…"),
        "log": tr("Checking the centre's log…"),
        "office": tr("Exchanging with the laptops of the office…"),
        "files": tr("Reading the stick…"),
    }.get(step, tr("Working…"))


def read(conn: Connection, states: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the table: ``{"id", "record", "kind", "title", "officer", "wall_ms", "state", "note"}``, newest first."""
    from sync import outbox

    rows = [dict(item) | {"state": state} for state in states for item in outbox.items(conn, state, LIMIT)]
    carried, decided, stuck = _carried(conn), _decisions(conn), _stuck(conn)
    for row in rows:
        if row["op"] in stuck:
            row["trouble"], row["next_try_ms"] = stuck[row["op"]]
        if row["state"] in ("waiting", "sending") and row["op"] in carried:
            row["state"] = "on_usb"
        if row["op"] in decided and decided[row["op"]][0] != _AGAIN:
            row["state"], row["note"] = decided[row["op"]]
        elif row["op"] in decided and row["state"] != "received":  # asked for once more, and not there yet
            row["note"] = decided[row["op"]][1]
    return _dressed(conn, rows)


def decisions(conn: Connection) -> list[dict[str, Any]]:
    """Work about which the centre decided something, as rows of :func:`read`."""
    decided = _decisions(conn)
    rows = [
        _op(conn, op) | {"state": state, "note": note}
        for op, (state, note) in list(decided.items())[:LIMIT]
        if state != _AGAIN
    ]
    return _dressed(conn, [row for row in rows if row.get("op")])


def sent_back(conn: Connection) -> list[dict[str, Any]]:
    """Work that came back and that nobody has corrected or withdrawn since: nothing newer is about the same record."""
    rows = [row for row in decisions(conn) if row["state"] == "sent_back"]
    newest = "SELECT hash FROM op WHERE record = ? ORDER BY seq DESC LIMIT 1"
    return [row for row in rows if conn.execute(newest, (row["record"],)).fetchone()["hash"].hex() == row["op"]]


def _op(conn: Connection, op: str) -> dict[str, Any]:
    row = conn.execute(
        "SELECT record, kind, officer, created_ms FROM op WHERE hash = ?", (bytes.fromhex(op),)
    ).fetchone()
    if row is None:
        return {}
    return {
        "op": op,
        "record": row["record"],
        "kind": row["kind"],
        "officer": row["officer"],
        "wall_ms": row["created_ms"],
    }


def _dressed(conn: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With titles and names, newest first."""
    titles = _titles(conn, [row["record"] for row in rows])
    people = {row["id"]: row["name"] for row in conn.execute("SELECT id, name FROM officer")}
    for row in rows:
        row["id"] = row["op"]
        row["title"] = titles.get(row["record"], "")
        row["officer"] = people.get(row["officer"], "")
        row.setdefault("note", "")
    return sorted(rows, key=lambda row: row["wall_ms"], reverse=True)


def why(code: str) -> str:
    """What a code says, in one sentence."""
    try:
        return explain(SalaError(code)).what
    except KeyError:
        return ""


def _stuck(conn: Connection) -> dict[str, tuple[str, int]]:
    """Ops (hex) whose batch or attachment was not taken: the code and when it is tried again."""
    from sync import pieces

    rows = conn.execute(
        """SELECT op.hash, batch.last_error, batch.next_try_ms FROM batch
           JOIN op ON op.seq BETWEEN batch.first_seq AND batch.last_seq
           WHERE batch.state IN ('cut', 'sent') AND batch.last_error IS NOT NULL LIMIT 20000"""
    )
    found = {item["op"]: (item["code"], item["next_try_ms"]) for item in pieces.in_trouble(conn)}
    return found | {row["hash"].hex(): (row["last_error"], row["next_try_ms"]) for row in rows.fetchall()}


def _titles(conn: Connection, records: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = list(dict.fromkeys(records))
    for start in range(0, len(wanted), 400):
        part = wanted[start : start + 400]
        marks = ", ".join("?" * len(part))
        rows = conn.execute(f"SELECT record, title FROM search WHERE record IN ({marks})", part)
        found.update((row["record"], row["title"]) for row in rows)
    return found


def _carried(conn: Connection) -> set[str]:
    """Ops (hex) that went onto a stick and were not sent over a line."""
    rows = conn.execute(
        """SELECT op.hash FROM batch JOIN op ON op.seq BETWEEN batch.first_seq AND batch.last_seq
           WHERE batch.carried_ms IS NOT NULL AND batch.sent_ms IS NULL AND batch.state = 'cut' LIMIT 20000"""
    )
    return {row["hash"].hex() for row in rows}


def _decisions(conn: Connection) -> dict[str, tuple[str, str]]:
    """The newest decision of the centre about each op (hex): state and reason."""
    from sync import inbox

    found: dict[str, tuple[str, str]] = {}
    for row in conn.execute("SELECT op, body FROM inbox ORDER BY seq DESC LIMIT 5000"):
        body = json.loads(row["body"])
        decision = str(body.get("decision") or "")
        state = _AGAIN if decision == _AGAIN else _DECIDED.get(decision)
        if state:
            for op in inbox.ops(row["op"].hex(), body):
                found.setdefault(op, (state, str(body.get("reason") or "")))
    return found
