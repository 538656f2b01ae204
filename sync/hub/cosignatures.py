"""Cosignatures of the log's checkpoints by the provinces' witnesses (C2SP ``tlog-cosignature``), and who those witnesses are.

A witness cosigns a checkpoint only after it has seen every entry up to it, and never two that contradict each other. So a
cosigned receipt proves that no other province was shown another log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sync import cbor, merkle, notes, receipts
from sync.cbor import Malformed
from sync.errors import Refused
from sync.hub import acts, log
from sync.hub.log import Log
from sync.hub.storage import Row, Tx
from sync.notes import NoteKey

ACT: Final = "sync.relay"
TARGET: Final = "ref/witnesses.cbor"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}/[a-z0-9][a-z0-9.-]{0,62}|[a-z0-9][a-z0-9.-]{0,62}")
_PROVINCE = re.compile(r"[0-9]{2}")


def add(tx: Tx, name: str, province: str, public: bytes, admin: str, now_ms: int) -> None:
    """Make a relay known: laptops believe its cosignatures from the next publications on.

    Refused HB-192: the name, the province or the key is none, or the name stands for another key.
    """
    if not _NAME.fullmatch(name) or not _PROVINCE.fullmatch(province) or len(public) != 32:
        raise Refused("HB-192", name=name[:60])
    found = one(tx, name)
    if found is not None and (found["public"] != public or found["removed_ms"] is not None):
        raise Refused("HB-192", name=name)
    tx.execute(
        """INSERT INTO relay (name, province, public, added_ms) VALUES (:name, :province, :public, :now)
           ON CONFLICT (name) DO UPDATE SET province = :province""",
        {"name": name, "province": province, "public": public, "now": now_ms},
    )
    acts.record(tx, ACT, {"name": name, "admin": admin}, now_ms, [("relay", "name", name)])


def remove(tx: Tx, name: str, admin: str, now_ms: int) -> None:
    """Believe a relay no longer. Refused HB-193: there is none of that name."""
    if not tx.execute(
        "UPDATE relay SET removed_ms = :now WHERE name = :name AND removed_ms IS NULL", {"now": now_ms, "name": name}
    ):
        raise Refused("HB-193", name=name[:60])
    acts.record(tx, ACT, {"name": name, "removed": True, "admin": admin}, now_ms, [("relay", "name", name)])


def one(tx: Tx, name: str) -> Row | None:
    return tx.one("SELECT * FROM relay WHERE name = :name", {"name": name})


def relays(tx: Tx) -> list[Row]:
    """Every relay with its lag: name, province, public, seen_ms, waiting, oldest_ms, alarm, removed_ms, size and cosigned_s of
    its last cosignature."""
    return tx.query(
        """SELECT r.name, r.province, r.public, r.added_ms, r.seen_ms, r.waiting, r.oldest_ms, r.alarm, r.removed_ms,
               (SELECT max(c.size) FROM cosignature c WHERE c.witness = r.name) AS size,
               (SELECT max(c.cosigned_s) FROM cosignature c WHERE c.witness = r.name) AS cosigned_s
           FROM relay r ORDER BY r.province, r.name"""
    )


def of_checkpoint(tx: Tx, epoch: int, size: int) -> list[Row]:
    """The cosignatures of one checkpoint: witness, line, cosigned_s."""
    return tx.query(
        "SELECT witness, line, cosigned_s FROM cosignature WHERE epoch = :e AND size = :s ORDER BY witness",
        {"e": epoch, "s": size},
    )


def take(tx: Tx, this: Log, name: str, note: str) -> None:
    """Keep the cosignature that the relay ``name`` put under one of our checkpoints. Malformed: it is not that."""
    relay = one(tx, name)
    if relay is None or relay["removed_ms"] is not None:
        raise Malformed("cosignature: no such witness")
    shown = notes.read_checkpoint(note, this.note_key)
    stored = tx.one("SELECT root FROM checkpoint WHERE epoch = :e AND size = :s", {"e": shown.epoch, "s": shown.size})
    seconds = notes.cosigned_by(note, NoteKey(name, relay["public"]))
    if stored is None or stored["root"] != shown.root or seconds is None:
        raise Malformed("cosignature: not of a checkpoint of this log")
    line = notes.line_of(note, NoteKey(name, relay["public"]), seconds)
    tx.execute(
        """INSERT INTO cosignature (epoch, size, witness, line, cosigned_s) VALUES (:e, :s, :name, :line, :seconds)
           ON CONFLICT (epoch, size, witness) DO NOTHING""",
        {"e": shown.epoch, "s": shown.size, "name": name, "line": line, "seconds": seconds},
    )


def newest(tx: Tx, epoch: int) -> str | None:
    """The newest cosigned checkpoint of an epoch, with all its cosignatures."""
    found = tx.one("SELECT max(size) AS size FROM cosignature WHERE epoch = :e", {"e": epoch})
    if found is None or found["size"] is None:
        return None
    note = tx.query("SELECT note FROM checkpoint WHERE epoch = :e AND size = :s", {"e": epoch, "s": found["size"]})[0][
        "note"
    ]
    return str(note) + "".join(row["line"] for row in of_checkpoint(tx, epoch, found["size"]))


def receipts_of(tx: Tx, leaves: Sequence[Row]) -> list[str]:
    """The receipts of ``leaves`` (idx, data, receipt), oldest first: under the newest cosigned checkpoint if one covers them."""
    epoch = tx.query("SELECT coalesce(max(epoch), 1) AS epoch FROM checkpoint")[0]["epoch"]
    note = newest(tx, epoch) if leaves else None
    size = int(notes.split(note)[0].split("\n")[1]) if note else 0
    found = []
    for row in leaves:
        if note is None or row["idx"] >= size:
            found.append(str(row["receipt"]))
            continue
        proof = [log.range_hash(tx, lo, hi) for lo, hi in merkle.inclusion_ranges(row["idx"], size)]
        found.append(receipts.issue(receipts.read_leaf(row["data"]), row["idx"], proof, note))
    return found


def publication(tx: Tx) -> bytes:
    """The target ``ref/witnesses.cbor``: ``[[name, province, Ed25519 key] …]`` of every witness that laptops may believe."""
    rows = tx.query("SELECT name, province, public FROM relay WHERE removed_ms IS NULL ORDER BY name")
    return cbor.encode([[row["name"], row["province"], row["public"]] for row in rows])
