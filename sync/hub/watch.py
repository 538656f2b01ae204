"""Who looked at what on the console or through the feed, and who did what: rows that are only ever added, each chained to the one before.

The row's hash is that of a laptop's own log (:mod:`sync.audit`): SHA-256("SALA-AUDIT-1" ‖ number, 8 bytes ‖ hash before ‖ RFC 8785
JSON of the event), so that one program checks both. Triggers in the database refuse to change or delete a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import rfc8785

from sync.hub import acts, raws, stored
from sync.hub.storage import Row, Tx

LOOK: Final = "look"  # a page was opened
ACT: Final = "act"  # something was done, or refused
DOOR: Final = "door"  # logged in or out, a wrong passphrase, a wrong code
DESK: Final = "desk"  # a verb of sala-hub
FEED: Final = "feed"  # a program read a table, summed over an hour (:mod:`sync.hub.feeds.looks`)
WHATS: Final = (LOOK, ACT, DOOR, DESK, FEED)

KIND: Final = "sync.watch"  # of the hub's own op that holds the head
ANCHOR_MS: Final = 3_600_000

_ANCHOR: Final = "watch-anchor"  # in ``meta``: how many rows were put into the log last, and when
_ROW: Final = b"SALA-AUDIT-1"
_START: Final = bytes(32)
_STRETCH: Final = 2_000
_SHOWN: Final = (("admin", "admin"), ("what", "what"), ("subject", "subject"), ("at_ms", "at"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking the whole chain found; ``row`` is the first that does not fit, 0 when all do."""

    rows: int
    row: int
    head: bytes

    @property
    def ok(self) -> bool:
        return self.row == 0


def note(tx: Tx, admin: str, what: str, subject: str, now_ms: int, **more: Any) -> None:
    """Add one row: ``admin`` did or saw ``subject`` (an address of the console, a verb). ``more`` is plain JSON data."""
    last = tx.one("SELECT idx, hash FROM look ORDER BY idx DESC LIMIT 1")
    idx, before = (int(last["idx"]) + 1, bytes(last["hash"])) if last else (1, _START)
    event = rfc8785.dumps({**more, "admin": admin, "what": what, "subject": subject, "at": now_ms})
    tx.execute(
        """INSERT INTO look (idx, hash, admin, what, subject, at_ms, event)
           VALUES (:idx, :hash, :admin, :what, :subject, :now, :event)""",
        {
            "idx": idx, "hash": _hash(idx, before, event), "admin": admin, "what": what, "subject": subject, "now": now_ms,
            "event": event.decode(),
        },
    )  # fmt: skip


def listing(tx: Tx, *, admin: str = "", what: str = "", subject: str = "", since_ms: int = 0, until_ms: int = 0,
            before: int = 0, limit: int = 100) -> list[Row]:  # fmt: skip
    """The newest rows that fit, with their event read; ``subject`` is the beginning of an address."""
    rows = tx.query(
        """SELECT idx, hash, admin, what, subject, at_ms, event FROM look
           WHERE (:admin = '' OR admin = :admin) AND (:what = '' OR what = :what)
             AND (:subject = '' OR (subject >= :subject AND subject < :beyond))
             AND at_ms >= :since AND (:until = 0 OR at_ms < :until) AND (:before = 0 OR idx < :before)
           ORDER BY idx DESC LIMIT :limit""",
        {
            "admin": admin, "what": what, "subject": subject, "beyond": subject + "\U0010ffff", "since": since_ms, "until": until_ms,
            "before": before, "limit": limit,
        },
    )  # fmt: skip
    return [{**row, "event": json.loads(row["event"])} for row in rows]


def rows(tx: Tx) -> Iterator[Row]:
    """Every row from the first on, as it stands: for the export and for checking."""
    after = 0
    while found := stretch(tx, after):
        yield from found
        after = int(found[-1]["idx"])


def stretch(tx: Tx, after: int) -> list[Row]:
    """The rows behind number ``after``, a bounded number of them."""
    return tx.query(
        "SELECT idx, hash, admin, what, subject, at_ms, event FROM look WHERE idx > :after ORDER BY idx LIMIT :n",
        {"after": after, "n": _STRETCH},
    )


def due(tx: Tx, now_ms: int) -> bool:
    """Whether there are rows that the log of the hub does not vouch for yet, and an hour has passed."""
    last = tx.one("SELECT value FROM meta WHERE name = :n", {"n": _ANCHOR})
    before, at = json.loads(last["value"]) if last else (0, 0)
    return head(tx)[0] != before and not 0 <= now_ms - at < ANCHOR_MS


def anchor(tx: Tx, now_ms: int) -> None:
    """Put the head of the chain into the log of the hub: whoever then takes rows away, or writes the whole chain anew, contradicts
    an entry that laptops and witnesses have seen."""
    size, last = head(tx)
    acts.record(tx, KIND, {"rows": size, "head": last}, now_ms)
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": _ANCHOR, "v": json.dumps([size, now_ms])},
    )


def anchors(tx: Tx) -> dict[int, bytes]:
    """Rows → head, as the log of the hub holds them."""
    found = {}
    hub = tx.one("SELECT device FROM batch WHERE via = :via ORDER BY idx LIMIT 1", {"via": acts.VIA})
    for row in tx.query(
        "SELECT batch, place FROM op WHERE device = :d AND kind = :kind ORDER BY seq",
        {"d": hub["device"] if hub else b"", "kind": KIND},
    ):
        match stored.read(raws.of(tx, row["batch"]), {row["place"]})[row["place"]].body:
            case {"rows": int(size), "head": bytes(last)}:
                found[size] = last
    return found


def verify(tx: Tx) -> Verdict:
    """Recompute the whole chain and compare it with the log: a row that was changed, moved, added between or taken out shows."""
    before, seen, kept = _START, 0, anchors(tx)
    for row in rows(tx):
        seen += 1
        if row["idx"] != seen or _hash(seen, before, row["event"].encode()) != bytes(row["hash"]) or not _columns(row):
            return Verdict(seen - 1, seen, before)
        before = bytes(row["hash"])
        if kept.get(seen, before) != before:
            return Verdict(seen - 1, seen, before)
    if max(kept, default=0) > seen:
        return Verdict(seen, seen + 1, before)
    return Verdict(seen, 0, before)


def put_back(tx: Tx, text: str) -> int:
    """The rows of a backup (``state/look.jsonl``) into an empty table; rows that are none are left out: the chain then shows it."""
    made = 0
    for line_ in text.splitlines():
        try:
            row = json.loads(line_)
            values = {name: row[name] for name in ("idx", "admin", "what", "subject", "at_ms", "event")}
            values["hash"] = bytes.fromhex(row["hash"])
        except (ValueError, KeyError, TypeError):
            continue
        made += tx.execute(
            """INSERT INTO look (idx, hash, admin, what, subject, at_ms, event)
               VALUES (:idx, :hash, :admin, :what, :subject, :at_ms, :event) ON CONFLICT DO NOTHING""",
            values,
        )
    return made


def head(tx: Tx) -> tuple[int, bytes]:
    """How many rows there are and the hash of the last: whoever keeps both finds out when rows at the end are taken away."""
    last = tx.one("SELECT idx, hash FROM look ORDER BY idx DESC LIMIT 1")
    return (int(last["idx"]), bytes(last["hash"])) if last else (0, _START)


def line(row: Mapping[str, Any]) -> str:
    """One row as a line of the export: everything that a checker needs."""
    return json.dumps({"seq": row["idx"], "hash": bytes(row["hash"]).hex(), "event": row["event"]}, ensure_ascii=False)


def _hash(idx: int, before: bytes, event: bytes) -> bytes:
    return sha256(_ROW + idx.to_bytes(8, "big") + before + event).digest()


def _columns(row: Row) -> bool:
    """Whether the columns that pages filter by are those of the event."""
    event = json.loads(row["event"])
    return all(row[column] == event[name] for column, name in _SHOWN)
