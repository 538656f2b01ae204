"""The tree of ops: which op follows which, and what label that gives it. The only place that labels stored ops.

An op's place in its device's chain is counted from the chain itself; the number that a batch claims is believed only until
its parent is here. Else a revoked device could slip below its cut-off by claiming low numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sync import ops
from sync.batch import Batch
from sync.hub import labels, transfers
from sync.hub.storage import Row, Tx, listed
from sync.hub.transfers import Moves

_STANDING = """SELECT d.device, d.office, d.sign_public, d.revoked_ms, d.cutoff_seq,
        EXISTS (SELECT 1 FROM op o WHERE o.device = d.device AND o.label = 'pending' AND o.label <> 'accepted') AS waits,
        (SELECT max(o.seq) FROM op o WHERE o.device = d.device) AS last
    FROM device d WHERE d.device IN"""


def moves(batch: Batch) -> bool:
    """Whether labels of other laptops may hang on the ops of this batch."""
    return any(op.fields.kind == transfers.KIND for op in batch.ops)


def straight_on(tx: Tx, batches: Sequence[Batch], known: Sequence[Sequence[bool]]) -> list[list[str] | None]:
    """The labels of batches that simply go on where their devices stopped, as nearly all do; None: the tree must be walked.

    At most one batch of each device; one that :func:`moves` somebody comes alone. ``known``: whether the hub knows each op's kind.
    Nothing of the device may wait and nothing may stand at or after the batch's first place: then every op is new and has
    no sibling.
    """
    names, values = listed("d", [batch.device_id for batch in batches])
    devices = {row["device"]: row for row in tx.query(f"{_STANDING} {names}", values)}
    names, values = listed("h", [batch.prev for batch in batches])
    rows = tx.query(f"SELECT device, hash, label, seq FROM op WHERE hash IN {names}", values)
    above = {(row["device"], row["hash"]): row for row in rows}
    offices = Moves.of(tx, [device["office"] for device in devices.values()]) if devices else {}
    found: list[list[str] | None] = []
    for batch, knows in zip(batches, known, strict=True):
        device = devices.get(batch.device_id)
        if device is None:  # nothing can be said before its enrolment
            found.append([labels.PENDING] * len(batch.ops))
            continue
        before = above.get((batch.device_id, batch.prev)) or _start(batch.prev, device)
        free = not device["waits"] and (device["last"] or 0) < batch.first_seq
        if free and before is not None and before["seq"] == batch.first_seq - 1:
            found.append(_labels(tx, batch, device, before["label"], knows, offices[device["office"]]))
        else:
            found.append(None)
    return found


def _labels(tx: Tx, batch: Batch, device: Row, reached: str, known: Sequence[bool], left: Moves) -> list[str]:
    """The labels of ops that follow each other behind one with the label ``reached``, none of which has a sibling."""
    plain = reached == labels.ACCEPTED and device["revoked_ms"] is None and left.nothing and all(known)
    if plain and not moves(batch):
        return [labels.ACCEPTED] * len(batch.ops)  # what :func:`labels.label` says of each
    found: list[str] = []
    for op, knows in zip(batch.ops, known, strict=True):
        reached = labels.label(
            labels.Situation(
                parent=reached,
                enrolled=True,
                sibling_accepted=False,
                after_cutoff=_after_cutoff(tx, device, op.seq, batch.hash),
                known=knows,
                moved=left.away(op.fields),
            )
        )
        found.append(reached)
        if reached == labels.ACCEPTED:
            left.take(op.fields)
    return found


def settle(tx: Tx, parents: Iterable[bytes]) -> None:
    """Label every waiting op that hangs on ``parents``, and then what hangs on those, down to the leaves of the tree."""
    waiting = list(parents)[::-1]
    while waiting:
        parent = waiting.pop()
        for child in tx.query(
            """SELECT hash, device, known, batch, kind, officer, place FROM op WHERE parent = :parent AND label = :pending
               AND label <> 'accepted' ORDER BY hash""",
            {"parent": parent, "pending": labels.PENDING},
        ):
            reached, seq = _label(tx, parent, child)
            if reached != labels.PENDING:
                give(tx, child["hash"], child["device"], reached, seq)
                waiting.append(child["hash"])


def give(tx: Tx, op: bytes, device: bytes, label: str, seq: int) -> None:
    """Write the label and the true place of an op of ``device``; another laptop may have sent a copy, which is another row."""
    values = {"label": label, "seq": seq, "hash": op, "device": device}
    tx.execute("UPDATE op SET label = :label, seq = :seq WHERE hash = :hash AND device = :device", values)
    if label == labels.ACCEPTED:
        tx.execute(
            """INSERT INTO accepted (op, wall_ms) SELECT id, wall_ms FROM op WHERE hash = :hash AND device = :device
               ON CONFLICT (op) DO NOTHING""",
            values,
        )


def accept_batches(tx: Tx, batches: Sequence[int]) -> None:
    """Give the accepted ops of new batches their places in the order in which projections see them; once and for all."""
    names, values = listed("b", batches)
    tx.execute(
        f"""INSERT INTO accepted (op, wall_ms) SELECT id, wall_ms FROM op WHERE batch IN {names} AND label = :accepted
            ORDER BY batch, place ON CONFLICT (op) DO NOTHING""",
        {**values, "accepted": labels.ACCEPTED},
    )


def learn(tx: Tx, kinds: Iterable[str]) -> int:
    """Ops of kinds that a newly installed module knows leave their quarantine; how many."""
    learned = 0
    for kind in sorted(kinds):
        values = {"kind": kind, "schema": labels.SCHEMA, "accepted": labels.ACCEPTED}
        of_kind = "kind = :kind AND label = :schema AND label <> 'accepted'"
        learned += tx.execute(
            f"INSERT INTO accepted (op, wall_ms) SELECT id, wall_ms FROM op WHERE {of_kind} ORDER BY batch, place",
            values,
        )
        tx.execute("UPDATE op SET known = 1 WHERE kind = :kind AND label <> 'accepted'", values)
        tx.execute(f"UPDATE op SET label = :accepted WHERE {of_kind}", values)
    return learned


def _label(tx: Tx, parent: bytes, child: Row) -> tuple[str, int]:
    device = _device(tx, child["device"])
    above = _above(tx, parent, device) if device else None
    if device is None or above is None:
        return labels.PENDING, 0
    seq = int(above["seq"]) + 1
    sibling = tx.one(
        """SELECT hash FROM op WHERE device = :device AND seq = :seq AND parent = :parent AND hash <> :hash
           AND label IN (:accepted, :schema, :officer) ORDER BY hash LIMIT 1""",
        {
            "device": child["device"], "seq": seq, "parent": parent, "hash": child["hash"], "accepted": labels.ACCEPTED,
            "schema": labels.SCHEMA, "officer": labels.OFFICER,
        },
    )  # fmt: skip
    left = Moves.of(tx, [device["office"]])[device["office"]]
    fields = transfers.fields_of(tx, child) if left.about(child["officer"]) or child["kind"] == transfers.KIND else None
    reached = labels.label(
        labels.Situation(
            parent=above["label"], enrolled=True, sibling_accepted=sibling is not None,
            after_cutoff=_after_cutoff(tx, device, seq, child["batch"]), known=bool(child["known"]),
            moved=fields is not None and left.away(fields),
        )
    )  # fmt: skip
    if fields is not None and reached == labels.ACCEPTED:
        left.take(fields)
    if reached == labels.FORK and sibling is not None and above["label"] != labels.FORK:
        _note_fork(tx, child, parent, seq, sibling["hash"])
    return reached, seq


def _note_fork(tx: Tx, child: Row, parent: bytes, seq: int, sibling: bytes) -> None:
    """The root of a branch that is put aside: two laptops hold this device's key (:mod:`sync.hub.forks`)."""
    tx.execute(
        """INSERT INTO fork (op, device, parent, seq, sibling) VALUES (:op, :device, :parent, :seq, :sibling)
           ON CONFLICT (op) DO NOTHING""",
        {"op": child["hash"], "device": child["device"], "parent": parent, "seq": seq, "sibling": sibling},
    )


def _device(tx: Tx, device: bytes) -> Row | None:
    return tx.one(
        "SELECT device, office, sign_public, revoked_ms, cutoff_seq FROM device WHERE device = :d", {"d": device}
    )


def _above(tx: Tx, parent: bytes, device: Row) -> Row | None:
    """Label and place of the op before; a device's genesis counts as accepted at place 0."""
    return _start(parent, device) or tx.one(
        "SELECT label, seq FROM op WHERE hash = :hash AND device = :d", {"hash": parent, "d": device["device"]}
    )


def _start(parent: bytes, device: Row) -> Row | None:
    return {"label": labels.ACCEPTED, "seq": 0} if parent == ops.genesis(device["sign_public"]) else None


def _after_cutoff(tx: Tx, device: Row, seq: int, batch: bytes | int) -> bool:
    """Whether the op lies after the cut-off of a revoked device, and no receipt of this hub shows that it came before."""
    if device["revoked_ms"] is None or seq <= (device["cutoff_seq"] or 0):
        return False
    which = (
        "e.batch = :batch"
        if isinstance(batch, bytes)
        else "e.batch = (SELECT b.hash FROM batch b WHERE b.idx = :batch)"
    )
    proof = tx.one(
        f"SELECT 1 AS yes FROM evidence e WHERE {which} AND e.device = :d AND e.received_ms < :revoked",
        {"batch": batch, "d": device["device"], "revoked": device["revoked_ms"]},
    )
    return proof is None
