"""A laptop of which a copy is at work becomes a laptop of its own, by itself: new keys, new numbers, nothing lost or doubled.

Both copies hold the same evidence (:mod:`sync.succession`). The one whose op the hub took goes on as before, with its numbers.
The other one stops using the old numbers in the same transaction in which it takes new keys; what it had already done under
the old key is sent as that, and waits at the centre until an admin has looked at both. Numbers of its own come with its new
certificate, bound to keys that nobody else has. So from then on every number belongs to one copy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sync import audit, audit_marks, identity, office, ops, succession
from sync.devices import EnrolledOfficer, Request
from sync.errors import Refused
from sync.failpoint import failpoint
from sync.marks import FORKED, mark, set_mark

if TYPE_CHECKING:
    from sync.identity import Identity
    from sync.store import Connection
    from sync.unlocked import Unlocked

KIND: Final = "sync.rekey"
Cause = Literal["", "fork", "behind"]


@dataclass(frozen=True, slots=True)
class Replaced:
    """What the window tells the officer once."""

    cause: str  # fork: another copy was at work · behind: this laptop was put back from an older copy
    number: int  # of this laptop in its office, 0 until the centre has given it one
    made_ms: int


def offered(conn: Connection, device_id: bytes, children: list[bytes], seq: int) -> Cause:
    """What evidence with these ops (the first one taken, the second one put aside) at ``seq`` means for this copy.

    "": nothing, this is the copy that the hub follows. fork: this copy's op was put aside, or the hub does not know it yet.
    behind: the key was used further on another machine than here.
    """
    place = mark(conn, ops.chain_base(device_id)) + seq
    row = conn.execute("SELECT hash FROM op_line WHERE seq = ? AND device = ?", (place, device_id)).fetchone()
    if row is None:
        return "behind"
    return "" if row["hash"] == children[0] else "fork"


def take(unlocked: Unlocked, data: bytes) -> bool:
    """Verify the evidence ``data`` and, if it concerns this copy, take new keys and numbers; True when that was done.

    One transaction: before it everything is as it was, after it the old numbers are used by nobody here.
    """
    store = unlocked.store
    centre = store.read(office.centre)
    if centre is None:
        raise Refused("SY-303")
    evidence = succession.read_evidence(data, centre.log.public)
    children = evidence.children

    def work(conn: Connection) -> bool:
        old = unlocked.current(conn)
        if old.device_id != evidence.device_id:
            return False  # done already
        cause = offered(conn, old.device_id, children, evidence.seq)
        if cause == "":
            set_mark(conn, FORKED, 0)
            return False
        if cause == "fork" and len(children) > 1 and not _has(conn, children[1]):
            return False  # about two other copies: the hub shows this one its own
        _replace(conn, unlocked, old, data, evidence, cause)
        return True

    try:
        return store.write(work)
    except BaseException:
        store.read(unlocked.current)  # nothing of it stands: the old keys are in force
        raise


def _has(conn: Connection, op: bytes) -> bool:
    return conn.execute("SELECT 1 FROM op_line WHERE hash = ?", (op,)).fetchone() is not None


def _replace(
    conn: Connection, unlocked: Unlocked, old: Identity, data: bytes, evidence: succession.Evidence, cause: Cause
) -> None:
    clock = unlocked.store.clock
    head = conn.execute("SELECT seq, hash FROM op WHERE device = ? ORDER BY seq DESC", (old.device_id,)).fetchone()
    base = mark(conn, ops.chain_base(old.device_id))
    last = audit_marks.go_back(conn, old.device_id, base + evidence.seq, evidence.parent)
    body: dict[str, Any] = {
        "predecessor": old.device_id, "cause": cause, "head": head["hash"] if head else b"",
        "head_seq": head["seq"] - base if head else 0, "leases": _spent(conn),
        "shared": max(0, last - base),
    }  # fmt: skip
    conn.execute("UPDATE lease SET used = size")
    identity.new_device(conn, clock.wall_ms())
    new = unlocked.current(conn)
    failpoint("rekey:new-keys")
    conn.execute("UPDATE office SET enrol_request = NULL")
    request = _request(conn, unlocked, old, new)
    made = succession.make_request(request, new.sign, old.sign, data)
    conn.execute(
        "INSERT INTO rekey (device, predecessor, cause, request, made_ms) VALUES (?, ?, ?, ?, ?)",
        (new.device_id, old.device_id, cause, made, clock.wall_ms()),
    )
    ops.append(
        conn, unlocked, clock, kind=KIND, record=f"device/{new.device_id.hex()}", form="sync", def_hash=None, body=body,
        sealed=False,
    )  # fmt: skip
    set_mark(conn, FORKED, 0)
    audit.append(
        conn, clock,
        {"what": "device replaced", "device": new.device_id.hex(), "predecessor": old.device_id.hex(), "cause": cause},
    )  # fmt: skip
    failpoint("rekey:before-commit")


def _spent(conn: Connection) -> list[list[Any]]:
    """Of every lease how many numbers this copy had used: from here on it uses none of them."""
    rows = conn.execute("SELECT id, used FROM lease WHERE used < size ORDER BY id").fetchall()
    return [[bytes.fromhex(row["id"]), row["used"]] for row in rows]


def _request(conn: Connection, unlocked: Unlocked, old: Identity, new: Identity) -> Request:
    here = office.centre(conn)
    assert here is not None, "evidence was verified with the office's centre"
    rows = conn.execute(
        "SELECT id, name, latin, role, sign_public FROM officer WHERE removed_ms IS NULL ORDER BY added_ms, id"
    ).fetchall()
    people = tuple(
        EnrolledOfficer(bytes.fromhex(row["id"]), row["name"], row["latin"], row["role"], row["sign_public"])
        for row in rows
    )
    return Request(
        slot=new.device_id, office=here.office,
        sign_public=bytes(new.sign.verify_key), seal_public=bytes(new.seal.public_key),
        office_public=bytes(unlocked.office_key.verify_key), officers=people, made_ms=unlocked.store.clock.wall_ms(),
        predecessor=old.device_id,
    )  # fmt: skip


# --- the request on its way


def request(conn: Connection) -> bytes | None:
    """The request that still wants an answer."""
    row = conn.execute(
        """SELECT rekey.request FROM rekey JOIN identity ON identity.device_id = rekey.device
           WHERE identity.retired_ms IS NULL AND identity.certificate IS NULL"""
    ).fetchone()
    return row["request"] if row else None


def answered(conn: Connection) -> None:
    """The certificate is here: forget the request, which holds whole batches, and learn the number that the hub gave."""
    from sync import enrol

    found = enrol.certificate(conn)
    if found is None:
        return
    done = conn.execute(
        "UPDATE rekey SET request = NULL WHERE device = ? AND request IS NOT NULL", (found.device_id,)
    ).rowcount
    if done:
        conn.execute("UPDATE office SET slot = ?, number = ?", (found.device_id, found.number))


def told(conn: Connection) -> Replaced | None:
    """What the officer was not told yet."""
    row = conn.execute("SELECT cause, made_ms FROM rekey WHERE seen_ms IS NULL ORDER BY made_ms DESC").fetchone()
    if row is None:
        return None
    number = conn.execute("SELECT number FROM office").fetchone()["number"]
    return Replaced(row["cause"], 0 if request(conn) else number, row["made_ms"])


def seen(conn: Connection, now_ms: int) -> None:
    """The officer has read it."""
    conn.execute("UPDATE rekey SET seen_ms = ? WHERE seen_ms IS NULL", (now_ms,))


def former(conn: Connection) -> list[Identity]:
    """Identities that this laptop had before and that have ops here, oldest first."""
    from nacl.public import PrivateKey
    from nacl.signing import SigningKey

    from sync.identity import Identity

    rows = conn.execute(
        """SELECT * FROM identity WHERE retired_ms IS NOT NULL
           AND EXISTS (SELECT 1 FROM op WHERE op.device = identity.device_id) ORDER BY created_ms, rowid"""
    ).fetchall()
    return [
        Identity(
            row["device_id"], SigningKey(row["sign"]), PrivateKey(row["seal"]), row["blob_secret"], row["commit_secret"]
        )
        for row in rows
    ]
