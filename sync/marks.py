"""Small numbers that replication remembers: floors, which never fall, and marks, which may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sync.store import Connection

# --- floors
HUB_TIME: Final = "hub.time"  # ms: the latest time that a hub has signed
REVOCATIONS: Final = "revocations"  # version of the revocation list
KEYRING: Final = "keyring"  # generation of the newest slots file
PRUNABLE: Final = "op.prunable"  # ops up to here may leave the op log
AUDIT_PURGED: Final = "audit.purged"  # rows of the audit log up to here were archived and purged

# --- marks
RECEIVED: Final = "received"  # every op up to here stands under a verified receipt
STABLE: Final = "stable"  # every op up to here has a copy at the hub's second site
RECEIPT_CURSOR: Final = "receipt.cursor"  # log index to ask receipts from
EPOCH: Final = "epoch"  # the life of the hub's log that the cursor belongs to
OFFERED: Final = "offered"  # the life of the hub's log in which everything that is here was offered over the line
ROLLBACK: Final = "rollback"  # ms when a hub was caught going back, 0 when all is well
SPLIT: Final = "split"  # ms when a witness was found to have seen another log than this laptop, 0 when all is well
GOODPUT: Final = "goodput"  # bytes per second, as measured
SKEW: Final = "skew"  # ms by which this clock is ahead of the hub's, at the last contact
ANCHOR_HUB: Final = "anchor.hub"  # ms: what the hub had signed …
ANCHOR_MONO: Final = "anchor.mono"  # … when this machine's monotonic clock stood at so many ms …
ANCHOR_BOOT: Final = "anchor.boot"  # … of the start of the machine that has this number
LAST_RUN: Final = "last.run"  # ms of the last run that reached the hub
RUN_TRIES: Final = "run.tries"  # runs in a row that did not reach the hub
RESTORED: Final = "restored"  # ms: this profile came out of a backup and has taken no pack since
FORKED: Final = "forked"  # 1 while the hub has put ops of this laptop's key aside and evidence is not here yet
RUN_NEXT: Final = "run.next"  # ms: no automatic run before this
PIECES_ROUND: Final = "pieces.round"  # counts the runs in which the hub was asked for pieces
PIECES_DOUBTED: Final = "pieces.doubted"  # pieces last asked for in a run before this one may be lost at the hub


def floor(conn: Connection, name: str) -> int:
    """The highest value ever seen of ``name``, 0 at first."""
    row = conn.execute("SELECT value FROM floor WHERE name = ?", (name,)).fetchone()
    return int(row["value"]) if row else 0


def raise_floor(conn: Connection, name: str, value: int) -> None:
    """Remember ``value`` if it is higher than all before it."""
    conn.execute(
        """INSERT INTO floor (name, value) VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value""",
        (name, value),
    )


def mark(conn: Connection, name: str) -> int:
    """The value of ``name``, 0 at first."""
    row = conn.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return int(row["value"]) if row else 0


def set_mark(conn: Connection, name: str, value: int) -> None:
    """Remember ``value``."""
    conn.execute(
        "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
