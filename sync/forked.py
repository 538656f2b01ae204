"""The step of a sync run that sees to copies: ask the hub for evidence, become a laptop of its own, be enrolled as that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync import cbor, delivery, enrol, ops, readmission, rekey, succession, wire
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_HAVE
from sync.marks import FORKED, STABLE, mark

if TYPE_CHECKING:
    from sync.identity import Identity
    from sync.office import Centre
    from sync.store import Connection
    from sync.transport import Transport
    from sync.unlocked import Unlocked

_REFUSALS = {403: "SY-400", 404: "SY-401", 409: "SY-401"}


def resolve(unlocked: Unlocked, line: Transport, *, behind: bool) -> bool:
    """See to a copy of this laptop, if there is one; True when this laptop was enrolled as one of its own just now.

    ``behind``: the hub holds more ops of this laptop's key than were made here. Known: SY-400 the centre has withdrawn the
    old key, SY-401 it does not know this laptop's history; both leave everything here as it is.
    """
    store = unlocked.store
    if store.read(rekey.request) is None:
        if not (behind or store.read(lambda conn: mark(conn, FORKED))):
            return False
        evidence = _evidence(unlocked, line)
        if evidence is None or not rekey.take(unlocked, evidence):
            return False
    line.speak_as(unlocked.device)
    return enrolled(unlocked, line)


def enrolled(unlocked: Unlocked, line: Transport) -> bool:
    """Ask for the certificate of the new keys."""
    request = unlocked.store.read(rekey.request)
    if request is None:
        return False
    answer = line.call("POST", "/v1/rekey", request)
    if answer.status == 404 and readmission.again(unlocked, line):  # an older copy of the hub was put back
        answer = line.call("POST", "/v1/rekey", request)
    if answer.status in _REFUSALS:
        raise Known(_REFUSALS[answer.status])
    _require(answer.status, 200, 201)

    def keep(conn: Connection) -> bool:
        new = enrol.accept(conn, unlocked.store.clock, answer.body)
        rekey.answered(conn)
        return new

    return unlocked.store.write(keep)


def _evidence(unlocked: Unlocked, line: Transport) -> bytes | None:
    """The evidence that concerns this copy: of the branch that it made itself, else that it is behind."""
    answer = line.call("GET", "/v1/forks", signed=True)
    _require(answer.status, 200)
    ours = unlocked.store.read(lambda conn: _own_branch(conn, _read_list(answer.body)))
    if ours is not None:
        path = f"/v1/forks/{ours.hex()}"
    else:
        path = f"/v1/forks/behind/{unlocked.store.read(lambda conn: own_head(conn, unlocked.device.device_id))}"
    answer = line.call("GET", path, signed=True, limit=succession.MAX_EVIDENCE)
    _require(answer.status, 200, 404)
    return answer.body if answer.status == 200 else None


def _read_list(data: bytes) -> list[bytes]:
    found = []
    match cbor.decode(data):
        case list(rows) if len(rows) <= MAX_HAVE:
            for row in rows:
                match row:
                    case [bytes(op), int()] if len(op) == 32:
                        found.append(op)
                    case _:
                        raise Malformed("forks: row")
            return found
    raise Malformed("forks: list")


def _own_branch(conn: Connection, roots: list[bytes]) -> bytes | None:
    """The first of ``roots`` that was made here."""
    for root in roots:
        if conn.execute("SELECT 1 FROM op_line WHERE hash = ?", (root,)).fetchone():
            return root
    return None


def own_head(conn: Connection, device_id: bytes) -> int:
    """The sequence number of the last op that this copy made under ``device_id``."""
    row = conn.execute("SELECT seq FROM op WHERE device = ? ORDER BY seq DESC LIMIT 1", (device_id,)).fetchone()
    return row["seq"] - mark(conn, ops.chain_base(device_id)) if row else 0


def older_chains(unlocked: Unlocked, line: Transport, centre: Centre) -> None:
    """Ask how far a second site holds what was sent under keys that this laptop had before; only while that is open."""
    store = unlocked.store
    for before in store.read(lambda conn: [one for one in rekey.former(conn) if _open(conn, one)]):
        head = store.read(lambda conn, one=before: own_head(conn, one.device_id))  # type: ignore[misc]
        asked = wire.Have([], [], head, bytes(32), 0, 0).encode()
        line.speak_as(before)
        try:
            answer = line.call("POST", "/v1/have", asked, signed=True)
        finally:
            line.speak_as(unlocked.device)
        if answer.status != 200:
            continue  # a hub that was put back from an older copy may not know it; the batches are offered all the same
        status = wire.read_status(wire.read_missing(answer.body).status, centre.log.public)
        if status.device_id == before.device_id:
            store.write(lambda conn, said=status: delivery.take_stable(conn, said))  # type: ignore[misc]


def _open(conn: Connection, before: Identity) -> bool:
    row = conn.execute("SELECT max(seq) AS last FROM op WHERE device = ?", (before.device_id,)).fetchone()
    return row["last"] is not None and row["last"] > mark(conn, STABLE)


def _require(status: int, *wanted: int) -> None:
    if status not in wanted:
        raise Known("SY-351", status=status)
