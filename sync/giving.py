"""What this laptop gives to a colleague, as objects of a courier file: the same over the LAN and on a stick.

Its own ops and those of other colleagues that this one lacks, their bodies in a box for it, receipts for its own batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from sync import batch, colleagues, delivery, foreign, foreign_files, freezing, ops
from sync.foreign import Body
from sync.limits import MAX_HAVE, MAX_TARGET
from sync.marks import mark
from sync.ops import SealedRef
from sync.version import VERSION
from sync.volume import Object

if TYPE_CHECKING:
    from sync.colleagues import Colleague
    from sync.keys import Unlocked
    from sync.store import Connection


def introduction(unlocked: Unlocked) -> Iterator[Object]:
    """Who this laptop is and what it holds; nothing when the centre has not enrolled it yet."""
    from sync.errors import Refused

    device = unlocked.device.device_id

    def read(conn: Connection) -> tuple[bytes, bytes, list[bytes]]:
        held = colleagues.encode_held(colleagues.held(conn, device))
        return colleagues.own_certificate(conn), held, foreign_files.lacking(conn)

    try:
        certificate, held, lacking = unlocked.store.read(read)
    except Refused:
        return
    yield Object("certificate", device.hex(), certificate)
    yield Object("held", device.hex(), held)
    yield Object("want", device.hex(), foreign_files.encode(lacking))


def to(unlocked: Unlocked, colleague: Colleague, *, packed: Set[bytes] = frozenset()) -> Iterator[Object]:
    """Everything that ``colleague`` has not said that it holds; what is ``packed`` (hashes) stands in the file already."""
    store, own = unlocked.store, unlocked.device.device_id
    since = store.read(partial(said, colleague=colleague.device))
    for data in _own_batches(unlocked, since.get(own, 0)):
        hash_ = sha256(data)
        if hash_.digest() not in packed:
            yield Object("batch", hash_.hexdigest(), data)
        yield from _bodies(unlocked, data, colleague)
    for other in store.read(colleagues.present):
        if other.device != colleague.device and other.device in since:
            for data in _their_batches(unlocked, other.device, since[other.device]):
                yield Object("batch", sha256(data).hexdigest(), data)
                yield from _bodies(unlocked, data, colleague)
    for text in store.read(partial(_receipts, device=colleague.device)):
        yield Object("receipt", text[0].hex(), text[1].encode())
    yield from foreign_files.to(unlocked, colleague.device, packed)


def said(conn: Connection, colleague: bytes) -> dict[bytes, int]:
    """How far ``colleague`` says that it holds everybody's ops, by device."""
    rows = conn.execute("SELECT device, seq FROM held_by WHERE colleague = ?", (colleague,))
    return {row["device"]: row["seq"] for row in rows.fetchall()}


def _own_batches(unlocked: Unlocked, since: int) -> Iterator[bytes]:
    """This device's batches that reach beyond its op ``since``; those whose bytes were let go of are made anew."""
    store, device = unlocked.store, unlocked.device.device_id
    base, rows = store.read(partial(_frozen, device=device, since=since))
    place = base + since
    for first, last, hash_ in rows:
        if first > place + 1:
            yield from _rebuilt(unlocked, place + 1, first - 1)
        if last > place:
            yield store.read(partial(delivery.data, hash_=hash_))
            place = last
    end = store.read(lambda conn: conn.execute("SELECT coalesce(max(last_seq), 0) AS seq FROM batch").fetchone()["seq"])
    if end > place:
        yield from _rebuilt(unlocked, place + 1, end)


def _frozen(conn: Connection, device: bytes, since: int) -> tuple[int, list[tuple[int, int, bytes]]]:
    base = mark(conn, ops.chain_base(device))
    rows = conn.execute(
        """SELECT first_seq, last_seq, hash FROM batch WHERE state <> 'recut' AND length(bytes) > 0 AND last_seq > ?
           ORDER BY first_seq, last_seq""",
        (base + since,),
    )
    return base, [(row["first_seq"], row["last_seq"], row["hash"]) for row in rows.fetchall()]


def _rebuilt(unlocked: Unlocked, first: int, last: int) -> Iterator[bytes]:
    """The ops at the places ``first`` … ``last`` as batches of their own, for a colleague only: the hub has them."""
    while first <= last:
        draft = unlocked.store.read(partial(freezing.gather, first=first, last=last, target=MAX_TARGET))
        if draft is None:
            return
        frozen = freezing.build(draft, VERSION, MAX_TARGET)
        yield frozen.data
        first = frozen.last + 1


def _their_batches(unlocked: Unlocked, device: bytes, since: int) -> Iterator[bytes]:
    rows = unlocked.store.read(
        lambda conn: [
            row["hash"]
            for row in conn.execute(
                "SELECT hash FROM foreign_batch WHERE device = ? AND last_seq > ? ORDER BY first_seq", (device, since)
            ).fetchall()
        ]
    )
    for hash_ in rows:
        yield unlocked.store.read(partial(foreign.data, hash_=hash_))


def _bodies(unlocked: Unlocked, data: bytes, colleague: Colleague) -> Iterator[Object]:
    """The bodies of the sealed ops of the batch ``data``, in a box for ``colleague``."""
    found = batch.parse(data)
    sealed = [
        (op.hash, op.fields.op_id, op.fields.body.key_id) for op in found.ops if isinstance(op.fields.body, SealedRef)
    ]
    if not sealed:
        return
    own = found.device_id == unlocked.device.device_id
    bodies = unlocked.store.read(partial(_own if own else _theirs, device=found.device_id, sealed=sealed))
    name = f"{sha256(data).hexdigest()}/{colleague.device.hex()}"
    yield Object("bodies", name, foreign.seal_bodies(bodies, colleague.certificate.seal_public))


def _own(conn: Connection, device: bytes, sealed: list[tuple[bytes, bytes, bytes]]) -> list[Body]:
    found = []
    for hash_, op_id, key_id in sealed:
        row = conn.execute("SELECT body FROM op WHERE hash = ?", (hash_,)).fetchone()
        if row is not None and row["body"] is not None:
            found.append(Body(hash_, ops.salt(ops.seed(conn, device, key_id), op_id), row["body"]))
    return found


def _theirs(conn: Connection, device: bytes, sealed: list[tuple[bytes, bytes, bytes]]) -> list[Body]:
    found = []
    for hash_, _, _ in sealed:
        row = conn.execute(
            "SELECT salt, body FROM foreign_op WHERE hash = ? AND device = ? AND body IS NOT NULL", (hash_, device)
        ).fetchone()
        if row is not None:
            found.append(Body(hash_, row["salt"], row["body"]))
    return found


def _receipts(conn: Connection, device: bytes) -> list[tuple[bytes, str]]:
    """Receipts for batches of ``device`` that it did not say that it has, oldest first."""
    rows = conn.execute(
        """SELECT hash, receipt FROM foreign_batch WHERE device = :d AND receipt IS NOT NULL AND last_seq > coalesce(
               (SELECT received FROM held_by WHERE colleague = :d AND device = :d), 0) ORDER BY first_seq LIMIT :most""",
        {"d": device, "most": MAX_HAVE},
    )
    return [(row["hash"], row["receipt"]) for row in rows.fetchall()]
