"""An officer moves to another office: one signed statement, which ends their signature here and begins it there.

Role and history stay with the old office. From the moment that the statement names, the old laptop does not unlock for
them, and the hub puts aside what their old key signs for the old office. Nothing of theirs may be outstanding first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from sync import audit, cbor, identity, keys, ops
from sync.cbor import Malformed
from sync.errors import Known, Refused
from sync.identity import ROLES
from sync.limits import MAX_NAME
from sync.officer import Officer

if TYPE_CHECKING:
    from sync.keys import Cost, Unlocked
    from sync.store import Connection

KIND: Final = "sync.transfer"
FORMAT: Final = "sala/transfer/v1"
SUFFIX: Final = ".sala-transfer"
_PREFIX: Final = b"sala/transfer/v1\0"
_MOST: Final = 4_096  # bytes of a statement with its signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What is said of the officer, and by whom. ``at_ms``: from then on."""

    officer: bytes  # 16
    name: str
    latin: str
    from_office: str
    to_office: str
    role: str  # in the new office
    at_ms: int
    by: bytes  # 16: who signs; zeros: the hub
    by_name: str
    made_ms: int

    def encode(self) -> bytes:
        """The bytes that are signed."""
        return cbor.encode([FORMAT, *asdict(self).values()])


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What still is to be done before an officer can move."""

    waiting: int  # ops of theirs that the centre has not received
    drafts: int

    @property
    def nothing(self) -> bool:
        return not (self.waiting or self.drafts)


def outstanding(conn: Connection, officer: str) -> Outstanding:
    """What of ``officer`` (id in hex) still waits here: 0 and 0 before they may move."""
    from sync import outbox

    waiting = outbox.not_received(conn, officer)
    row = conn.execute(
        "SELECT count(*) AS n FROM draft WHERE officer = ? AND discarded_ms IS NULL", (officer,)
    ).fetchone()
    return Outstanding(waiting, row["n"])


def make(unlocked: Unlocked, officer: str, to_office: str, role: str, at_ms: int) -> bytes:
    """Move ``officer`` (id in hex) of this office to ``to_office`` from ``at_ms`` on; the signed statement to carry there.

    Refused: SY-474 something is outstanding, SY-476 the office is this one or no office, the role is none, or it is oneself;
    SY-112 nobody of that id.
    """
    clock, me = unlocked.store.clock, unlocked.officer
    here = unlocked.store.read(_office)
    if to_office == here or not _is_office(to_office) or role not in ROLES or officer == me.id:
        raise Refused("SY-476", office=to_office[:20])
    now = clock.wall_ms()

    def work(conn: Connection) -> bytes:
        found = next((one for one in identity.officers(conn) if one.id == officer), None)
        if found is None:
            raise Refused("SY-112", name=officer)
        left = outstanding(conn, officer)
        if not left.nothing:
            raise Refused("SY-474", name=found.name, waiting=left.waiting, drafts=left.drafts)
        said = Transfer(
            officer=bytes.fromhex(officer), name=found.name, latin=found.latin, from_office=here, to_office=to_office, role=role,
            at_ms=at_ms, by=bytes.fromhex(me.id), by_name=me.name, made_ms=max(0, now),
        )  # fmt: skip
        signed = sign(said, bytes(unlocked.officer_key.sign(_PREFIX + said.encode()).signature))
        body = {"officer": officer, "name": found.name, "to": to_office, "at_ms": at_ms, "statement": signed}
        ops.append(
            conn,
            unlocked,
            clock,
            kind=KIND,
            record=f"{officer}/{at_ms}",
            form="sync",
            def_hash=None,
            body=body,
            sealed=False,
        )
        conn.execute("UPDATE officer SET moved_to = ?, moved_ms = ? WHERE id = ?", (to_office, at_ms, officer))
        audit.append(conn, clock, {"what": "officer moved", "officer": officer, "to": to_office, "by": me.id})
        return signed

    statement = unlocked.store.write(work)
    with suppress(Known):  # another program has the database open: the next opening takes the slot away
        settle(unlocked)
    return statement


def settle(unlocked: Unlocked) -> int:
    """Take away the slots of officers whose day has come; how many. Their name and work stay."""
    now = unlocked.store.clock.wall_ms()
    gone = [
        row["id"]
        for row in unlocked.store.read(
            lambda conn: conn.execute(
                "SELECT id FROM officer WHERE removed_ms IS NULL AND moved_ms <= ? AND id <> ?",
                (now, unlocked.officer.id),
            ).fetchall()
        )
    ]
    for officer in gone:
        keys.remove_officer(unlocked, officer)
    return len(gone)


def arrive(unlocked: Unlocked, data: bytes, passphrase: str, *, cost: Cost | None = None) -> Officer:
    """Take an officer who comes with a statement: the same person, with new keys and a passphrase of their own.

    Refused: SY-477 no statement, or it is for another office; SY-113, SY-121 the name is taken here.
    """
    said, _ = read(data)
    if said.to_office != unlocked.store.read(_office):
        raise Refused("SY-477", office=said.to_office)
    person = Officer(said.officer.hex(), said.name, said.latin, said.role)
    added = keys.add_officer(unlocked, person, passphrase, cost=cost, id=said.officer.hex())
    event = {"what": "officer arrived", "officer": added.id, "from": said.from_office, "by": unlocked.officer.id}
    unlocked.store.write(lambda conn: audit.append(conn, unlocked.store.clock, event))
    return added


# --- the statement


def sign(said: Transfer, signature: bytes) -> bytes:
    """A statement with its signature."""
    return cbor.encode([said.encode(), signature])


def message(said: Transfer) -> bytes:
    """What a signature is made over."""
    return _PREFIX + said.encode()


def read(data: bytes) -> tuple[Transfer, bytes]:
    """A statement and its signature, not verified yet. Refused SY-477 when it is none."""
    try:
        match cbor.decode(data) if len(data) <= _MOST else None:
            case [bytes(inner), bytes(signature)] if len(signature) == 64:
                return _read(cbor.decode(inner)), signature
    except Malformed:
        pass
    raise Refused("SY-477", office="")


def holds(data: bytes, public: bytes) -> bool:
    """Whether the holder of ``public`` signed the statement."""
    said, signature = read(data)
    try:
        VerifyKey(public).verify(_PREFIX + said.encode(), signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _read(value: Any) -> Transfer:
    match value:
        case [
            str(format_), bytes(officer), str(name), str(latin), str(before), str(after), str(role), int(at), bytes(by),
            str(by_name), int(made),
        ] if (
            format_ == FORMAT and (len(officer), len(by)) == (16, 16) and role in ROLES and cbor.is_count(at) and cbor.is_count(made)
            and max(len(name), len(latin), len(before), len(after), len(by_name)) <= MAX_NAME
        ):  # fmt: skip
            return Transfer(
                officer=officer, name=name, latin=latin, from_office=before, to_office=after, role=role, at_ms=at, by=by,
                by_name=by_name, made_ms=made,
            )  # fmt: skip
    raise Malformed("transfer: fields")


def _office(conn: Connection) -> str:
    row = conn.execute("SELECT code FROM office").fetchone()
    return str(row["code"]) if row else ""


def _is_office(code: str) -> bool:
    return 2 <= len(code) <= 8 and code.isascii() and code.isdecimal()
