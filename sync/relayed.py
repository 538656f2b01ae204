"""A run at a province's relay: it stores what this laptop hands it, signs for that, and gives back what the centre answered.

A relay's word never turns a record green: only the centre's receipt does, and the relay carries it. Until then the record is on
its way, and the laptop knows with whom it is.

``POST /v1/relayed`` (signed by the laptop): :class:`Question` → :class:`Answer`. ``PUT /v1/batches/<sha256>`` at a relay: 201 or 200
with the centre's receipt if that is here already, else 202 with the relay's own (:func:`handed_text`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import cbor, checkpoints, delivery, foreign, lives, notes, outbox, pieces, wire, witnesses
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_HAVE, MAX_MESSAGE, MAX_NOTE, MAX_PROOF, MAX_SEQ
from sync.marks import EPOCH, mark
from sync.notes import NoteKey

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.exchange import _Run as Run
    from sync.office import Centre
    from sync.store import Connection

_HEAD: Final = "sala.handed/v1"


@dataclass(frozen=True, slots=True)
class Question:
    """What a laptop asks a relay: batches without the centre's receipt, pieces that it sent, the checkpoint that it knows."""

    batches: Sequence[bytes]
    chunks: Sequence[bytes]
    epoch: int
    size: int

    def encode(self) -> bytes:
        return cbor.encode({1: list(self.batches), 2: list(self.chunks), 3: self.epoch, 4: self.size})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a relay knows: what it lacks, receipts of the centre, and the centre's last word (empty when it has none)."""

    batches: Sequence[bytes]
    chunks: Sequence[bytes]
    receipts: Sequence[str]
    status: bytes
    audit: str
    cosigned: str
    proof: Sequence[bytes]

    def encode(self) -> bytes:
        values = [
            list(self.batches), list(self.chunks), list(self.receipts), self.status, self.audit, self.cosigned, list(self.proof),
        ]  # fmt: skip
        return cbor.encode(dict(enumerate(values, start=1)))


def read_question(data: bytes) -> Question:
    match cbor.decode(data):
        case {1: list(batches), 2: list(chunks), 3: int(epoch), 4: int(size), **others} if (
            not others
            and len(batches) <= MAX_HAVE
            and len(chunks) <= MAX_HAVE
            and all(isinstance(one, bytes) and len(one) == 32 for one in (*batches, *chunks))
            and 0 <= epoch <= MAX_SEQ
            and 0 <= size <= MAX_SEQ
        ):
            return Question(batches, chunks, epoch, size)
    raise Malformed("relay: question")


def read_answer(data: bytes) -> Answer:
    match cbor.decode(data):
        case {
            1: list(batches), 2: list(chunks), 3: list(receipts), 4: bytes(status), 5: str(audit), 6: str(cosigned), 7: list(proof),
            **others,
        } if (
            not others
            and all(isinstance(one, bytes) and len(one) == 32 for one in (*batches, *chunks, *proof))
            and all(isinstance(one, str) for one in receipts)
            and max(len(batches), len(chunks), len(receipts)) <= MAX_HAVE
            and max(len(audit), len(cosigned)) <= MAX_NOTE
            and len(proof) <= MAX_PROOF
        ):  # fmt: skip
            return Answer(batches, chunks, receipts, status, audit, cosigned, proof)
    raise Malformed("relay: answer")


# --- the relay's own receipt


def handed_text(name: str, batch: bytes, now_ms: int) -> str:
    """What a relay signs when it has stored a batch durably."""
    return f"{_HEAD}\n{name}\n{base64.b64encode(batch).decode()}\n{now_ms}\n"


def read_handed(note: str, key: NoteKey, batch: bytes) -> int:
    """When the relay ``key`` stored ``batch``, milliseconds. Malformed: it did not sign that."""
    text = notes.split(note)[0]
    when = text.removesuffix("\n").rpartition("\n")[2]
    if text != handed_text(key.name, batch, notes.number(when)) or not notes.signed_by(note, key):
        raise Malformed("relay: receipt")
    return notes.number(when)


# --- the laptop's run


def signer(conn: Connection, batch: bytes, note: str) -> tuple[str, int]:
    """Which relay stored ``batch``, and when. Malformed: no relay that the centre has named signed that."""
    for witness in witnesses.known(conn):
        try:
            return witness.key.name, read_handed(note, witness.key, batch)
        except Malformed:
            continue
    raise Malformed("relay: receipt")


def take_handed(conn: Connection, batch: bytes, note: str) -> str:
    """Note that a relay has stored ``batch``: its name. Malformed: no relay that the centre has named signed it."""
    name, when = signer(conn, batch, note)
    conn.execute(
        "UPDATE batch SET handed_ms = ?, handed_to = ?, last_error = NULL WHERE hash = ? AND state <> 'receipted'",
        (when, name, batch),
    )
    return name


def steps(run: Run) -> list[tuple[str, Callable[[], None]]]:
    """What a run does at a relay, in order; the rest needs the centre itself."""
    return [
        ("enrol", run._enrol), ("leases", run._ask_leases), ("publications", run._publications),
        ("have", lambda: lives.hear(run)), ("have", lambda: ask(run)), ("cut", run.uploads.cut), ("batches", run.uploads.batches),
        ("office", run._office), ("publications", run._large_publications), ("chunks", run.uploads.attachments),
    ]  # fmt: skip


def ask(run: Run) -> None:
    """Ask what the relay lacks of this laptop's work and of colleagues', and take what the centre has answered meanwhile."""
    if not run.report.enrolled:
        return
    store = run.store
    own = [batch.hash for batch in store.read(delivery.pending)]
    theirs = [name for name, _ in store.read(foreign.to_carry)]
    found = _answer(run, [*own, *theirs][:MAX_HAVE], ())

    def keep(conn: Connection) -> Known | None:
        life = mark(conn, EPOCH)
        for text in found.receipts:
            if notes.read_checkpoint(notes.read_proof(text).note, run.centre.log).epoch < life:
                continue  # the relay has not heard of this life yet: it may have been lost since
            mine = delivery.received(conn, text, run.centre.log)
            run.uploads.take(mine)
            if mine is None:
                foreign.received(conn, text, run.centre.log)
        outbox.settle(conn)
        conn.executemany("UPDATE batch SET handed_ms = NULL WHERE hash = ?", [(one,) for one in found.batches])
        for one in found.batches:
            foreign.handed(conn, one, "")
        return _words(conn, run.centre, run.unlocked.device.device_id, found, run.clock)

    split = store.write(keep)
    if split is not None:
        raise split


def chunks(run: Run, names: Sequence[bytes]) -> int:
    """Ask which of the pieces ``names`` the relay has not had: how many."""
    found = _answer(run, (), names)
    now = run.clock.wall_ms()
    run.store.write(lambda conn: pieces.answered(conn, names, found.chunks, now, relay=run.line.relay))
    return len(found.chunks)


def _answer(run: Run, batches: Sequence[bytes], names: Sequence[bytes]) -> Answer:
    own = run.store.read(checkpoints.newest)
    question = Question(batches, names, own.epoch if own else 0, own.size if own else 0)
    answer = run.line.call("POST", "/v1/relayed", question.encode(), signed=True, limit=16 * MAX_MESSAGE)
    if answer.status != 200:
        raise Known("SY-351", status=answer.status)
    return read_answer(answer.body)


def _words(conn: Connection, centre: Centre, device_id: bytes, found: Answer, clock: Clock) -> Known | None:
    """The centre's word as the relay heard it last: older than a word of its own, so it moves nothing backwards."""
    if found.status:
        status = wire.read_status(found.status, centre.log.public)
        if status.device_id == device_id:
            delivery.take_status(conn, status, clock, fresh=False)
    split = witnesses.take(conn, centre, device_id, witnesses.Countersigned(found.audit, found.cosigned, found.proof))
    if split is not None or not found.cosigned:
        return split
    shown, own = notes.read_checkpoint(found.cosigned, centre.log), checkpoints.newest(conn)
    if own is None or (shown.epoch == own.epoch and shown.size > own.size):
        checkpoints.advance(conn, found.cosigned, centre.log, found.proof, clock.wall_ms())
    return None
