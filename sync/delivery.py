"""What becomes of a batch: sent, refused, received, lost again by the hub. One transaction a step; only receipts turn green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from sync import checkpoints, clockwatch, cutting, ops, outbox, pieces, receipts, wire, withdrawal
from sync.errors import Known
from sync.failpoint import failpoint
from sync.limits import MAX_HAVE, RECUT_OVER, RECUT_TRIES
from sync.marks import (
    EPOCH,
    FORKED,
    HUB_TIME,
    PRUNABLE,
    RECEIPT_CURSOR,
    RECEIVED,
    REVOCATIONS,
    STABLE,
    floor,
    mark,
    raise_floor,
    set_mark,
)
from sync.transport import backoff_ms, has_come
from sync.version import VERSION

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.keys import Unlocked
    from sync.notes import NoteKey
    from sync.receipts import Receipt
    from sync.store import Connection
    from sync.wire import Status

_STABLE_OF: Final = "stable."  # + device id, a mark: what the hub last said of that key
_REFUSED_WAIT_MS: Final = 6 * 3_600_000  # a batch that the hub cannot read is offered again when the hub may be newer


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch that wants to go."""

    hash: bytes
    first_seq: int
    last_seq: int
    size: int
    tries: int
    next_try_ms: int
    handed: bool = False  # a province's relay has signed for it

    def due(self, now_ms: int) -> bool:
        """Whether it may be tried again."""
        return has_come(self.next_try_ms, now_ms, _REFUSED_WAIT_MS)


def pending(conn: Connection) -> list[Pending]:
    """Frozen batches without a receipt, oldest first. What a receipt covers already need not go again."""
    rows = conn.execute(
        """SELECT hash, first_seq, last_seq, size, tries, next_try_ms, handed_ms IS NOT NULL AS handed FROM batch
           WHERE state IN ('cut', 'sent') AND last_seq > ? ORDER BY first_seq, last_seq""",
        (mark(conn, RECEIVED),),
    )
    return [Pending(*(row[key] for key in row.keys())) for row in rows.fetchall()]  # noqa: SIM118  a Row is no dict


def data(conn: Connection, hash_: bytes) -> bytes:
    """The frozen bytes of a batch."""
    row = conn.execute("SELECT bytes FROM batch WHERE hash = ?", (hash_,)).fetchone()
    return bytes(row["bytes"])


def sent(conn: Connection, hash_: bytes, clock: Clock) -> None:
    """The bytes are about to go over the line; proves nothing."""
    conn.execute(
        "UPDATE batch SET state = 'sent', sent_ms = coalesce(sent_ms, ?) WHERE hash = ? AND state = 'cut'",
        (clock.wall_ms(), hash_),
    )


def carried(conn: Connection, hashes: Sequence[bytes], clock: Clock) -> None:
    """The bytes stand on a stick that was read back; proves nothing about the hub."""
    now = clock.wall_ms()
    conn.executemany("UPDATE batch SET carried_ms = ? WHERE hash = ?", [(now, hash_) for hash_ in hashes])


def failed(conn: Connection, clock: Clock, hash_: bytes, code: str, *, split: bool = False) -> None:
    """One try more went wrong. A large batch that a bad line has failed three times is cut again, smaller; so is one that
    the hub cannot read (``split``), until the op that is in its way stands alone.
    """
    conn.execute("UPDATE batch SET tries = tries + 1, last_error = ? WHERE hash = ?", (code, hash_))
    row = conn.execute("SELECT tries, size, first_seq, last_seq FROM batch WHERE hash = ?", (hash_,)).fetchone()
    wait = _REFUSED_WAIT_MS if code == "SY-357" else backoff_ms(row["tries"])
    conn.execute("UPDATE batch SET next_try_ms = ? WHERE hash = ?", (clock.wall_ms() + wait, hash_))
    large = row["size"] > RECUT_OVER and row["tries"] >= RECUT_TRIES and code == "SY-350"
    if (large or code == "SY-358" or (code == "SY-357" and split)) and row["last_seq"] > row["first_seq"]:
        cutting.recut(conn, clock, VERSION, hash_)
        failpoint("send:recut")


def received(conn: Connection, text: str, log: NoteKey) -> tuple[Receipt, bool] | None:
    """Turn the batch of the receipt ``text`` green: the receipt, and whether it was not green before.

    None when this device knows no such batch.

    Known SY-310 for a forged receipt, SY-360 for one that misstates what the batch holds.
    """
    receipt = receipts.verify(text, log)
    leaf = receipt.leaf
    row = conn.execute("SELECT first_seq, last_seq, state FROM batch WHERE hash = ?", (leaf.batch_hash,)).fetchone()
    if row is None:
        return None
    base = mark(conn, ops.chain_base(leaf.device_id))
    if (row["first_seq"] - base, row["last_seq"] - base) != (leaf.first_seq, leaf.last_seq):
        raise Known("SY-360")
    conn.execute(
        """INSERT INTO receipt (batch, epoch, leaf_index, state, received_ms, proof) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (batch, epoch) DO NOTHING""",
        (leaf.batch_hash, receipt.checkpoint.epoch, receipt.index, int(leaf.state), leaf.received_ms, text),
    )
    failpoint("receive:receipt")
    conn.execute(
        "UPDATE batch SET state = 'receipted', last_error = NULL, next_try_ms = 0 WHERE hash = ?", (leaf.batch_hash,)
    )
    raise_floor(conn, HUB_TIME, leaf.received_ms)
    if leaf.state is receipts.State.FORK and _in_force(conn, leaf.device_id):
        set_mark(conn, FORKED, 1)
    return receipt, row["state"] != "receipted"


def _in_force(conn: Connection, device_id: bytes) -> bool:
    row = conn.execute("SELECT 1 FROM identity WHERE device_id = ? AND retired_ms IS NULL", (device_id,)).fetchone()
    return row is not None


def old_receipts(conn: Connection) -> list[str]:
    """Receipts for batches that go once more: the hub that gave them was put back from an older copy, and they prove it."""
    rows = conn.execute(
        """SELECT receipt.proof FROM receipt JOIN batch ON batch.hash = receipt.batch
           WHERE batch.state IN ('cut', 'sent') AND receipt.state IN (?, ?) ORDER BY batch.first_seq, receipt.epoch LIMIT ?""",
        (int(receipts.State.ACCEPTED), int(receipts.State.SCHEMA), MAX_HAVE),
    )
    return [row["proof"] for row in rows.fetchall()]


def offers(conn: Connection, *, everything: bool) -> list[bytes]:
    """Hashes for have/want, oldest first: what no second site is known to hold; ``everything`` after a hub went back."""
    rows = conn.execute(
        "SELECT hash FROM batch WHERE state <> 'recut' AND last_seq > ? ORDER BY first_seq",
        (0 if everything else mark(conn, STABLE),),
    )
    return [row["hash"] for row in rows.fetchall()]


def statements(unlocked: Unlocked, conn: Connection, *, small: bool = False) -> list[bytes]:
    """What this device has, for a stick: so that the centre can answer with what it lacks and that its log only grew.

    As many lists of at most 2,000 as it takes, of every batch that is here: whoever carries a stick cannot know whether the centre
    was put back from a copy meanwhile, and 34 bytes a batch spare them a way. ``small``, for QR codes: one, of the newest that no
    second site holds, without pieces of attachments.
    """
    head = conn.execute("SELECT seq, hash FROM op ORDER BY seq DESC LIMIT 1").fetchone()
    known = checkpoints.state(conn)
    base = mark(conn, ops.chain_base(unlocked.device.device_id))
    own = offers(conn, everything=not small)
    batches, chunks = (pages(own)[-1:], [()]) if small else (pages(own), pages(pieces.on_a_stick(conn)))
    return [
        wire.Have(
            page, names, head["seq"] - base if head else 0, head["hash"] if head else bytes(32),
            known.epoch if known else 0, known.size if known else 0,
        ).encode()
        for page, names in zip_longest(batches, chunks, fillvalue=())
    ]  # fmt: skip


def about(conn: Connection) -> wire.About:
    """What the centre may know of this laptop: how new its publications are, how much waits, its program."""
    row = conn.execute("SELECT version FROM trust WHERE role = 'timestamp'").fetchone()
    waiting = sum(last - first + 1 for first, last, level in outbox.spans(conn) if level < 2)
    return wire.About(row["version"] if row else 0, waiting, VERSION)


def pages(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """``hashes`` in lists of at most 2,000, at least one list."""
    return [hashes[start : start + MAX_HAVE] for start in range(0, len(hashes), MAX_HAVE)] or [()]


def lost(conn: Connection, clock: Clock, hashes: Sequence[bytes]) -> int:
    """The hub lacks ``hashes``: those that were received are grey again and go once more. Returns how many those were."""
    count = 0
    for hash_ in hashes:
        row = conn.execute("SELECT first_seq, last_seq, state, bytes FROM batch WHERE hash = ?", (hash_,)).fetchone()
        if row is None or row["state"] != "receipted":
            continue
        count += 1
        conn.execute("UPDATE batch SET state = 'cut', sent_ms = NULL, carried_ms = NULL WHERE hash = ?", (hash_,))
        if not row["bytes"]:
            conn.execute("UPDATE batch SET state = 'recut' WHERE hash = ?", (hash_,))
            cutting.recut_range(conn, clock, VERSION, row["first_seq"], row["last_seq"])
    if count:
        outbox.settle(conn)
    return count


def again(conn: Connection, clock: Clock, op: bytes) -> None:
    """The centre asks for the op ``op`` once more: its batch and its attachments go again; until then it is not received."""
    row = conn.execute("SELECT seq FROM op WHERE hash = ?", (op,)).fetchone()
    if row is None:
        return
    seq = row["seq"]
    batches = conn.execute(
        "SELECT hash FROM batch WHERE state = 'receipted' AND ? BETWEEN first_seq AND last_seq", (seq,)
    ).fetchall()
    lost(conn, clock, [batch["hash"] for batch in batches])
    names = conn.execute(
        """SELECT blob AS hash FROM attached WHERE seq = :seq
           UNION SELECT chunk.hash FROM chunk JOIN attached ON attached.blob = chunk.blob WHERE attached.seq = :seq""",
        {"seq": seq},
    ).fetchall()
    pieces.wanted(conn, [name["hash"] for name in names])


def take_status(conn: Connection, status: Status, clock: Clock, *, fresh: bool = True) -> None:
    """Keep what the hub has signed about this device: time, revocation list, and how far a second site has copies.

    ``fresh`` False: a relay or a stick heard it some time ago, so it says nothing about the clocks. Neither does one that is
    older than another word of the hub: somebody on the way has kept it.
    """
    fresh = fresh and status.hub_ms >= floor(conn, HUB_TIME)
    raise_floor(conn, HUB_TIME, status.hub_ms)
    raise_floor(conn, REVOCATIONS, status.revocations)
    if fresh:
        clockwatch.anchor(conn, clock, status.hub_ms)
    if status.revoked and _in_force(conn, status.device_id):
        withdrawal.heard(conn, clock, None)
    take_stable(conn, status)
    prune(conn)


def take_stable(conn: Connection, status: Status) -> None:
    """Keep how far a second site holds the ops of one key; after a re-key this laptop has the ops of several."""
    set_mark(conn, f"{_STABLE_OF}{status.device_id.hex()}", status.stable_seq)
    outbox.settle(conn)
    names = len("base.")
    rows = conn.execute("SELECT substr(name, ?) AS device, value FROM mark WHERE name LIKE 'base.%'", (names + 1,))
    chains = sorted((row["value"], row["device"]) for row in rows.fetchall())
    received, reached = mark(conn, RECEIVED), 0
    for place, (base, device) in enumerate(chains):
        end = chains[place + 1][0] if place + 1 < len(chains) else received
        held = mark(conn, f"{_STABLE_OF}{device}")
        reached = base + held if held else reached
        if reached < end:
            break
        reached = end
    set_mark(conn, STABLE, min(reached, received))


def worries(conn: Connection, status: Status) -> list[Known]:
    """What the hub says of this device that a person must know.

    SY-321 a copy of it is at work, SY-322 it is revoked, SY-483 it lacks what was let go of here and cannot be offered again.
    """
    base = mark(conn, ops.chain_base(status.device_id))
    last = conn.execute("SELECT coalesce(max(seq), 0) AS seq FROM op").fetchone()["seq"]
    found = []
    if status.head_seq > last - base:
        found.append(Known("SY-321", there=status.head_seq, here=last - base))
    if (gone := floor(conn, PRUNABLE) - base) > status.head_seq:
        found.append(Known("SY-483", lacking=gone - status.head_seq))
    if status.revoked:
        found.append(Known("SY-322"))
    return found


def prune(conn: Connection) -> None:
    """Let go of the bytes of batches that a second site holds. The ops stay; they could be cut again."""
    conn.execute(
        "UPDATE batch SET bytes = x'' WHERE state = 'receipted' AND last_seq <= ? AND length(bytes) > 0",
        (mark(conn, STABLE),),
    )


def new_epoch(conn: Connection, epoch: int) -> None:
    """The hub's log is in its life ``epoch``. If that is another one than before, receipts are asked for from its start."""
    if mark(conn, EPOCH) == epoch:
        return
    set_mark(conn, EPOCH, epoch)
    set_mark(conn, RECEIPT_CURSOR, 0)
    pieces.doubt(conn)
