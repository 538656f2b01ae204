"""What stands witness on a laptop: provinces that cosign the centre's log, and the centre that cosigns this laptop's audit log.

A witness has seen the whole log and never cosigns two that contradict each other. When the centre shows this laptop a log that
does not agree with a cosigned one, it shows different offices different logs: that is told (SY-481) and both notes are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sync import audit_marks, cbor, checkpoints, merkle, notes, publications
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_NAME, MAX_NOTE, MAX_PROOF
from sync.marks import SPLIT, set_mark
from sync.notes import Checkpoint, NoteKey

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.office import Centre
    from sync.store import Connection
    from sync.transport import Transport

TARGET: Final = "ref/witnesses.cbor"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Witness:
    """A province's relay that cosigns."""

    province: str
    key: NoteKey


@dataclass(frozen=True, slots=True)
class Countersigned:
    """The answer to ``GET /v1/audit``; texts are empty when there is nothing yet. ``proof``: between the laptop's checkpoint
    of the centre's log and the cosigned one, whichever is larger."""

    audit: str
    cosigned: str
    proof: Sequence[bytes] = field(default=())

    def encode(self) -> bytes:
        return cbor.encode({1: self.audit, 2: self.cosigned, 3: list(self.proof)})


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint that one witness cosigned, as far as this laptop knows."""

    witness: str
    epoch: int
    size: int
    cosigned_s: int


def read_countersigned(data: bytes) -> Countersigned:
    match cbor.decode(data):
        case {1: str(audit), 2: str(cosigned), 3: list(proof), **others} if (
            not others
            and max(len(audit), len(cosigned)) <= MAX_NOTE
            and len(proof) <= MAX_PROOF
            and all(isinstance(step, bytes) and len(step) == 32 for step in proof)
        ):
            return Countersigned(audit, cosigned, proof)
    raise Malformed("wire: countersigned")


def known(conn: Connection) -> list[Witness]:
    """The witnesses that the centre's publications name."""
    data = publications.get(conn, TARGET)
    return read(data) if data else []


def read(data: bytes) -> list[Witness]:
    """The witnesses of the publication."""
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > _MOST:
        raise Malformed("witnesses: list")
    return [_read(item) for item in value]


def _read(item: object) -> Witness:
    match item:
        case [str(name), str(province), bytes(public)] if (
            notes.is_name(name) and len(province) <= MAX_NAME and len(public) == 32
        ):
            return Witness(province, NoteKey(name, public))
    raise Malformed("witnesses: entry")


def ask(unlocked: Unlocked, line: Transport, centre: Centre) -> None:
    """Ask the centre for both, when a checkpoint of the audit log still lacks its cosignature. Known SY-481: see :func:`take`."""
    store = unlocked.store
    if not store.read(audit_marks.missing):
        return
    own = store.read(checkpoints.newest)
    answer = line.call("GET", f"/v1/audit?epoch={own.epoch}&size={own.size}" if own else "/v1/audit", signed=True)
    if answer.status != 200:  # a centre of the first release, or one that does not know this laptop yet
        return
    found = read_countersigned(answer.body)
    split = store.write(lambda conn: take(conn, centre, unlocked.device.device_id, found))
    if split is not None:
        raise split


def take(conn: Connection, centre: Centre, device_id: bytes, found: Countersigned) -> Known | None:
    """Keep what was countersigned. Returns SY-481 when the centre's log here is not the one that a witness saw."""
    if found.audit:
        audit_marks.take(conn, device_id, found.audit, centre.log)
    return cosigned(conn, centre.log, found.cosigned, found.proof) if found.cosigned else None


def cosigned(conn: Connection, log: NoteKey, note: str, proof: Sequence[bytes]) -> Known | None:
    """Keep a checkpoint that known witnesses have cosigned, held against the one that is known here: SY-481 if they differ."""
    signed = [(witness, seconds) for witness in known(conn) if (seconds := notes.cosigned_by(note, witness.key))]
    shown = notes.read_checkpoint(note, log)
    for witness, seconds in signed:
        conn.execute(
            """INSERT INTO witnessed (witness, epoch, size, hash, note, cosigned_s) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (witness, epoch) DO UPDATE SET size = excluded.size, hash = excluded.hash, note = excluded.note,
                   cosigned_s = excluded.cosigned_s WHERE excluded.size >= size""",
            (witness.key.name, shown.epoch, shown.size, shown.root, note, seconds),
        )
    own = checkpoints.newest(conn)
    if signed and own is not None and own.epoch == shown.epoch and not _agree(own, shown, proof):
        set_mark(conn, SPLIT, signed[0][1] * 1000)
        return Known("SY-481", witness=signed[0][0].key.name, here=own.size, there=shown.size)
    return None


def newest(conn: Connection) -> list[Seen]:
    """What each witness has cosigned last, by name."""
    rows = conn.execute(
        "SELECT witness, epoch, size, cosigned_s FROM witnessed ORDER BY witness, epoch DESC, size DESC"
    ).fetchall()
    found: dict[str, Seen] = {}
    for row in rows:
        found.setdefault(row["witness"], Seen(row["witness"], row["epoch"], row["size"], row["cosigned_s"]))
    return list(found.values())


def _agree(own: Checkpoint, shown: Checkpoint, proof: Sequence[bytes]) -> bool:
    older, newer = (own, shown) if own.size <= shown.size else (shown, own)
    return merkle.consistent(older.size, newer.size, older.root, newer.root, proof)
