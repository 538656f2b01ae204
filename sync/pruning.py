"""Letting go of what is old and safe: ``receipted → stable → prunable``. The only way by which ops leave the op log.

A whole batch goes at a time, oldest first, once a second site of the centre holds it and the retention of all its kinds is
over. Both times are the centre's, signed: from its receipt to the latest time that it has signed; this machine's clock has
no say. One line of every op stays (history, references, the chain's hashes), records and search are not touched. A piece of
an attachment goes when the centre has said, signed, that a second site holds that very piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import audit, cbor, cose
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.limits import DAY_MS, MAX_HAVE
from sync.marks import HUB_TIME, PRUNABLE, STABLE, floor, mark, raise_floor, set_mark

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from sync.notes import NoteKey
    from sync.store import Connection
    from sync.transport import Transport
    from sync.unlocked import Unlocked

DEFAULT_DAYS: Final = 180  # of kinds whose manifest says nothing
MOST: Final = 5_000  # ops of one round in the background
FREED: Final = "pruned.bytes"  # mark: bytes that were freed since the profile was made
PIECES: Final = 200  # attachment pieces of one round
_TYPE: Final = "application/sala-second-site+cbor"
_AAD: Final = b"sala/second-site/v1"

Retention = Mapping[str, int | None]  # kind → days after the centre received it; None: kept for ever


@dataclass(slots=True)
class Pruned:
    """What one round let go."""

    ops: int = 0
    batches: int = 0
    pieces: int = 0  # of attachments
    bytes: int = 0  # freed: in the database for new work, on the disk where attachments stood


@dataclass(frozen=True, slots=True)
class Kept:
    """How it stands. ``prunable_ms``: when (by the centre's time) the next batch may go, 0 when nothing waits for that."""

    ops: int  # whole, in the log
    lines: int  # of which only a line is left
    freed: int  # bytes, since the profile was made


def run(
    unlocked: Unlocked, retention: Retention, *, most: int = MOST, cancel: Callable[[], bool] = lambda: False
) -> Pruned:
    """Let go of what may go, at most about ``most`` ops. Each batch is a transaction of its own."""
    store, done = unlocked.store, Pruned()
    if store.read_only:
        return done
    while done.ops < most and not cancel():
        went = store.write(lambda conn: _batch(conn, unlocked, retention, done))
        if not went:
            break
    if not cancel():
        _pieces(unlocked, done)
    return done


def standing(conn: Connection) -> Kept:
    """Figures for the settings page."""
    row = conn.execute("SELECT (SELECT count(*) FROM op) AS ops, (SELECT count(*) FROM past) AS lines").fetchone()
    return Kept(row["ops"], row["lines"], mark(conn, FREED))


# --- ops and batches


def _batch(conn: Connection, unlocked: Unlocked, retention: Retention, done: Pruned) -> bool:
    """Let the oldest batch go, if it may; False when nothing may."""
    gone = floor(conn, PRUNABLE)
    newest = conn.execute("SELECT max(last_seq) AS seq FROM batch").fetchone()["seq"] or 0
    row = conn.execute(
        """SELECT max(last_seq) AS last FROM batch WHERE state = 'receipted' AND first_seq <= :next AND last_seq >= :next
           AND last_seq <= :stable AND last_seq < :newest""",
        {"next": gone + 1, "stable": mark(conn, STABLE), "newest": newest},
    ).fetchone()  # the newest batch stays, so that the next one knows where to begin
    last = row["last"]
    if last is None or not _over(conn, gone + 1, last, retention):
        return False
    failpoint("prune:begin")
    size = conn.execute(
        """SELECT count(*) AS n, sum(length(bytes) + coalesce(length(body), 0)) AS bytes FROM op WHERE seq BETWEEN ? AND ?""",
        (gone + 1, last),
    ).fetchone()
    frozen = conn.execute(
        "SELECT count(*) AS n, coalesce(sum(length(bytes)), 0) AS bytes FROM batch WHERE last_seq <= ?", (last,)
    ).fetchone()
    conn.execute(
        """INSERT INTO past (seq, op_id, hash, kind, record, form, officer, device, created_ms, clock, received_ms)
           SELECT seq, op_id, hash, kind, record, form, officer, device, created_ms, clock,
               (SELECT min(r.received_ms) FROM batch AS b JOIN receipt AS r ON r.batch = b.hash
                WHERE b.last_seq BETWEEN op.seq AND :last AND b.first_seq <= op.seq)
           FROM op WHERE seq BETWEEN :first AND :last""",
        {"first": gone + 1, "last": last},
    )
    raise_floor(conn, PRUNABLE, last)
    conn.execute("DELETE FROM op WHERE seq BETWEEN ? AND ?", (gone + 1, last))
    conn.execute("DELETE FROM author WHERE seq <= ?", (last,))
    conn.execute("DELETE FROM batch WHERE last_seq <= ?", (last,))
    failpoint("prune:deleted")
    freed = (size["bytes"] or 0) + frozen["bytes"]
    set_mark(conn, FREED, mark(conn, FREED) + freed)
    head = conn.execute("SELECT hash FROM past WHERE seq = ?", (last,)).fetchone()["hash"]
    audit.append(
        conn, unlocked.store.clock,
        {"what": "ops pruned", "first": gone + 1, "last": last, "head": head.hex(), "bytes": freed},
    )  # fmt: skip
    done.ops += size["n"]
    done.batches += frozen["n"]
    done.bytes += freed
    return True


def _over(conn: Connection, first: int, last: int, retention: Retention) -> bool:
    """Whether the retention of every op in a batch is over, by the centre's own times."""
    kinds = conn.execute("SELECT DISTINCT kind FROM op WHERE seq BETWEEN ? AND ?", (first, last)).fetchall()
    days = [_days(row["kind"], retention) for row in kinds]
    received = conn.execute(
        """SELECT max(r.received_ms) AS ms FROM batch AS b JOIN receipt AS r ON r.batch = b.hash
           WHERE b.first_seq <= :last AND b.last_seq BETWEEN :first AND :last""",
        {"first": first, "last": last},
    ).fetchone()["ms"]
    if received is None or any(day is None for day in days):
        return False
    longest = max((day for day in days if day is not None), default=DEFAULT_DAYS)
    return bool(floor(conn, HUB_TIME) >= received + longest * DAY_MS)


def _days(kind: str, retention: Retention) -> int | None:
    """Days that a kind is kept; those of a module that is not installed here are kept for ever."""
    if kind in retention:
        return retention[kind]
    return DEFAULT_DAYS if kind.startswith("sync.") else None


# --- attachments


def _pieces(unlocked: Unlocked, done: Pruned) -> None:
    """Delete the ciphertext of pieces that a second site holds, of attachments whose ops have left the log."""
    store = unlocked.store

    def work(conn: Connection) -> list[tuple[bytes, int]]:
        rows = conn.execute(
            """SELECT DISTINCT chunk.hash, chunk.size FROM chunk JOIN attached ON attached.blob = chunk.blob
               WHERE chunk.state = 'held' AND attached.seq <= ? ORDER BY chunk.hash LIMIT ?""",
            (floor(conn, PRUNABLE), PIECES),
        ).fetchall()
        gone = [(bytes(row["hash"]), int(row["size"])) for row in rows]
        if gone:
            conn.executemany("UPDATE chunk SET state = 'pruned' WHERE hash = ?", [(name,) for name, _ in gone])
            freed = sum(size for _, size in gone)
            set_mark(conn, FREED, mark(conn, FREED) + freed)
            audit.append(conn, store.clock, {"what": "attachments pruned", "pieces": len(gone), "bytes": freed})
        return gone

    for name, size in store.write(work):
        failpoint("prune:piece")  # a file that stays behind is swept up by the weekly check
        unlocked.blobs.path(name).unlink(missing_ok=True)
        done.pieces += 1
        done.bytes += size


def ask(unlocked: Unlocked, line: Transport, log: NoteKey) -> None:
    """Ask the centre which pieces of old attachments its second site holds. Known SY-351 when it cannot say."""
    store = unlocked.store
    names = store.read(_candidates)
    if not names:
        return
    answer = line.call("POST", "/v1/second-site", cbor.encode(names), signed=True)
    if answer.status != 200:
        raise Known("SY-351", status=answer.status)
    held = set(read_held(answer.body, unlocked.device.device_id, log.public))

    def keep(conn: Connection) -> None:
        conn.executemany(
            "UPDATE chunk SET state = 'held' WHERE hash = ? AND state = 'sent'",
            [(name,) for name in names if name in held],
        )

    store.write(keep)


def _candidates(conn: Connection) -> list[bytes]:
    rows = conn.execute(
        """SELECT DISTINCT chunk.hash FROM chunk JOIN attached ON attached.blob = chunk.blob
           WHERE chunk.state = 'sent' AND attached.sent_ms IS NOT NULL AND attached.seq <= ? ORDER BY chunk.hash LIMIT ?""",
        (floor(conn, PRUNABLE), MAX_HAVE),
    )
    return [bytes(row["hash"]) for row in rows.fetchall()]


# --- what the centre says of its second site (both sides)


def say_held(device_id: bytes, names: list[bytes], key: SigningKey, key_id: bytes) -> bytes:
    """The hub's signed word that a second site holds the pieces ``names``."""
    payload = cbor.encode({1: device_id, 2: names})
    return cose.sign(key, payload, content_type=_TYPE, key_id=key_id, aad=_AAD)


def read_held(data: bytes, device_id: bytes, public: bytes) -> list[bytes]:
    """The pieces of :func:`say_held`, verified with the hub's log key."""
    signed = cose.parse(data, _TYPE, MAX_HAVE * 40)
    cose.verify(signed, public, _AAD)
    match cbor.decode(signed.payload):
        case {1: bytes(device), 2: list(names), **others} if not others and device == device_id:
            if all(isinstance(name, bytes) and len(name) == 32 for name in names):
                return names
    raise Malformed("second site: fields")
