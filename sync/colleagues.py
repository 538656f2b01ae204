"""Colleagues: other laptops of this office. A person pairs two laptops; their certificates prove the office, nobody else does.

A certificate is signed by the centre that made this laptop's own pack. One of another office or another centre, of a revoked
laptop, or of this very laptop is refused. What a colleague brings is believed only as far as its signatures reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync import audit, cbor, certifiers, devices, enrol, ops, outbox, publications, withdrawal
from sync import office as office_pack
from sync.cbor import Malformed
from sync.devices import Certificate
from sync.errors import Refused
from sync.limits import MAX_COLLEAGUES
from sync.marks import RECEIVED, mark
from sync.sealing import can_seal

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

_HELD: Final = 4 * MAX_COLLEAGUES  # entries of one statement of what is held


@dataclass(frozen=True, slots=True)
class Colleague:
    """A laptop that this one was paired with. ``ended``: the pairing was taken back."""

    device: bytes
    certificate: Certificate
    paired_ms: int
    met_ms: int | None
    ended: bool

    @property
    def number(self) -> int:
        return self.certificate.number


def own_certificate(conn: Connection) -> bytes:
    """The centre's word that this laptop belongs to its office. Refused SY-442 before the centre has given it."""
    row = conn.execute("SELECT certificate FROM identity WHERE retired_ms IS NULL").fetchone()
    if row is None or row["certificate"] is None:
        raise Refused("SY-442")
    return bytes(row["certificate"])


def check(conn: Connection, certificate: bytes) -> Certificate:
    """The certificate of a laptop that may be a colleague.

    Refused: SY-443 another office, SY-444 forged or of another centre, SY-445 this very laptop, SY-446 revoked.
    """
    here = office_pack.centre(conn)
    if here is None:
        raise Refused("SY-303")
    found = _paired(conn, certificate) or read(conn, certificate)
    if found.office != here.office:
        raise Refused("SY-443", office=found.office)
    if not can_seal(found.seal_public):
        raise Refused("SY-444")
    if conn.execute("SELECT 1 FROM identity WHERE device_id = ?", (found.device_id,)).fetchone():
        raise Refused("SY-445")
    if found.device_id in _revoked(conn, here.office):
        raise Refused("SY-446", number=found.number)
    return found


def read(conn: Connection, certificate: bytes) -> Certificate:
    """The certificate of any laptop of our centre, signed by it or by our province. Refused SY-444 else."""
    try:
        office = devices.office_of(certificate)
        signer = devices.certifier(certificate, [*enrol.signers(conn), *certifiers.former(conn, office)])
        if signer is not None:
            return devices.read_certificate(certificate, signer)
    except Malformed as error:
        raise Refused("SY-444") from error
    raise Refused("SY-444")


def _paired(conn: Connection, certificate: bytes) -> Certificate | None:
    """The very certificate of a colleague: it stays good when its province has another key."""
    row = conn.execute("SELECT 1 FROM colleague WHERE certificate = ?", (certificate,)).fetchone()
    return devices.kept_certificate(certificate) if row else None


def _revoked(conn: Connection, office: str) -> dict[bytes, int]:
    """Who the centre has revoked, as far as this laptop has heard, each with the last of its ops that counts."""
    data = publications.get(conn, f"devices/{office[:2]}.cbor")
    if data is None:
        return {}
    try:
        return withdrawal.cutoffs(data)
    except Malformed:
        return {}


def counts(conn: Connection, device: bytes, last_seq: int) -> bool:
    """Whether what ``device`` did up to its op ``last_seq`` is taken here: the pairing holds, and no revocation lies before."""
    here, colleague = office_pack.centre(conn), one(conn, device)
    cutoff = _revoked(conn, here.office).get(device) if here else None
    return not colleague.ended and (cutoff is None or last_seq <= cutoff)


def pair(conn: Connection, clock: Clock, certificate: bytes) -> Colleague:
    """Make the laptop of ``certificate`` a colleague; again is no harm. Refused as :func:`check`, SY-448 too many."""
    found = check(conn, certificate)
    known = conn.execute("SELECT count(*) AS n FROM colleague WHERE device <> ?", (found.device_id,)).fetchone()["n"]
    if known >= MAX_COLLEAGUES:
        raise Refused("SY-448", most=MAX_COLLEAGUES)
    conn.execute(
        """INSERT INTO colleague (device, certificate, number, paired_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT (device) DO UPDATE SET certificate = excluded.certificate, ended_ms = NULL""",
        (found.device_id, certificate, found.number, clock.wall_ms()),
    )
    audit.append(conn, clock, {"what": "paired", "device": found.device_id.hex(), "number": found.number})
    return one(conn, found.device_id)


def part(conn: Connection, clock: Clock, device: bytes) -> None:
    """Take a pairing back: nothing more is given or taken; what came stays. Refused SY-447 for an unknown laptop."""
    one(conn, device)
    conn.execute("UPDATE colleague SET ended_ms = ? WHERE device = ?", (clock.wall_ms(), device))
    audit.append(conn, clock, {"what": "parted", "device": device.hex()})


def one(conn: Connection, device: bytes) -> Colleague:
    """The colleague with that device id, also one of old. Refused SY-447: never paired."""
    row = conn.execute("SELECT * FROM colleague WHERE device = ?", (device,)).fetchone()
    if row is None:
        raise Refused("SY-447")
    return _colleague(row)


def present(conn: Connection) -> list[Colleague]:
    """Everybody whose pairing holds and whom the centre has not revoked, by number."""
    rows = conn.execute("SELECT * FROM colleague WHERE ended_ms IS NULL ORDER BY number, device").fetchall()
    here = office_pack.centre(conn)
    gone = _revoked(conn, here.office) if rows and here else {}
    return [_colleague(row) for row in rows if row["device"] not in gone]


def met(conn: Connection, device: bytes, now_ms: int) -> None:
    """Something of that laptop has just come."""
    conn.execute("UPDATE colleague SET met_ms = ? WHERE device = ?", (now_ms, device))


def _colleague(row: Any) -> Colleague:
    certificate = devices.kept_certificate(row["certificate"])
    return Colleague(row["device"], certificate, row["paired_ms"], row["met_ms"], row["ended_ms"] is not None)


# --- who holds what


@dataclass(frozen=True, slots=True)
class Held:
    """Of one device: up to which op everything is held, and up to which op receipts of the hub are known."""

    device: bytes
    seq: int
    received: int


def held(conn: Connection, own: bytes) -> list[Held]:
    """What this laptop holds of itself (``own``: its device id) and of every colleague."""
    base = mark(conn, ops.chain_base(own))
    last = conn.execute("SELECT coalesce(max(seq), 0) AS seq FROM op_line").fetchone()["seq"]
    found = [Held(own, max(0, last - base), max(0, mark(conn, RECEIVED) - base))]
    rows = conn.execute("SELECT device FROM colleague WHERE ended_ms IS NULL ORDER BY device").fetchall()
    return found + [Held(row["device"], _reach(conn, row["device"]), _received(conn, row["device"])) for row in rows]


def _reach(conn: Connection, device: bytes) -> int:
    """The last op of ``device`` up to which none is missing. One whose sealed body has not come is asked for again.

    Its batch may have come without them, on a stick that was packed for the centre.
    """
    row = conn.execute(
        """SELECT min(o.seq) AS seq FROM foreign_op AS o WHERE o.device = :d AND o.body IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM foreign_op AS n WHERE n.device = :d AND n.seq = o.seq + 1 AND n.body IS NOT NULL)""",
        {"d": device},
    ).fetchone()
    first = conn.execute(
        "SELECT min(seq) AS seq FROM foreign_op WHERE device = ? AND body IS NOT NULL", (device,)
    ).fetchone()["seq"]
    return int(row["seq"]) if first == 1 else 0


def _received(conn: Connection, device: bytes) -> int:
    reached = 0
    rows = conn.execute(
        "SELECT first_seq, last_seq FROM foreign_batch WHERE device = ? AND receipt IS NOT NULL ORDER BY first_seq",
        (device,),
    )
    for row in rows.fetchall():
        if row["first_seq"] > reached + 1:
            break
        reached = max(reached, row["last_seq"])
    return reached


def encode_held(found: Sequence[Held]) -> bytes:
    return cbor.encode([[one.device, one.seq, one.received] for one in found])


def read_held(data: bytes) -> list[Held]:
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > _HELD:
        raise Malformed("held: list")
    return [_read_held(item) for item in value]


def _read_held(value: Any) -> Held:
    match value:
        case [bytes(device), seq, received] if len(device) == 16 and cbor.is_count(seq) and cbor.is_count(received):
            return Held(device, seq, received)
    raise Malformed("held: entry")


def note_held(conn: Connection, colleague: bytes, found: Sequence[Held]) -> None:
    """Remember what ``colleague`` says that it holds; it may hold less than it did (its disk was put back)."""
    for one_ in found:
        conn.execute(
            """INSERT INTO held_by (colleague, device, seq, received) VALUES (?, ?, ?, ?)
               ON CONFLICT (colleague, device) DO UPDATE SET seq = excluded.seq, received = excluded.received""",
            (colleague, one_.device, one_.seq, one_.received),
        )


def states(conn: Connection, records: Sequence[str]) -> dict[str, str]:
    """Of each of ``records`` that colleagues' ops are about: "received" when receipts cover all of these, else "waiting"."""
    found: dict[str, str] = {}
    for start in range(0, len(records), 500):
        names = records[start : start + 500]
        marks = ", ".join("?" * len(names))
        rows = conn.execute(
            f"""SELECT o.record, min(EXISTS (SELECT 1 FROM foreign_batch AS b WHERE b.device = o.device
                    AND b.first_seq <= o.seq AND b.last_seq >= o.seq AND b.receipt IS NOT NULL)) AS here
                FROM foreign_op AS o WHERE o.record IN ({marks}) GROUP BY o.record""",
            list(names),
        )
        found.update((row["record"], "received" if row["here"] else "waiting") for row in rows.fetchall())
    return found


def least(own: dict[str, str], theirs: dict[str, str]) -> dict[str, str]:
    """Both together: of each record the least advanced state."""
    merged = dict(own)
    for record, state in theirs.items():
        known = merged.get(record, state)
        merged[record] = min(known, state, key=outbox.STATES.index)
    return merged
