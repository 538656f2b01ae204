"""The op: one thing that an officer or the program did. Canonical bytes, hash chain, commitments of sealed bodies.

An op's bytes are fixed when it is committed and never re-encoded. A plain body is a map; a sealed body stands in the op
as ``[key id, commitment]`` and travels in a sealed group of the batch (see :mod:`sync.sealing`).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sync import audit, cbor, clockwatch
from sync.cbor import Malformed
from sync.cose import signature_holds
from sync.errors import Known, Refused
from sync.ids import key_id, uuid7
from sync.limits import KIB, MAX_ATTACH, MAX_NAME, MAX_OP, MAX_REFS
from sync.marks import HUB_TIME, floor, set_mark

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.identity import Identity
    from sync.keys import Unlocked
    from sync.store import Connection


_GENESIS: Final = b"sala/genesis/v1\0"
_OP: Final = b"sala/op/v1\0"
_BODY: Final = b"sala/body/v1\0"
_AUTHOR: Final = b"sala/author/v1\0"

ATTACHMENT_KEYS: Final = "@keys"  # reserved in every body: blob id (hex) → the key that opens it

_BLOB = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z0-9_]{1,31}\.[a-z][a-z0-9_]{0,47}")
_FIELDS = frozenset(range(1, 13))


@dataclass(frozen=True, slots=True)
class SealedRef:
    """What an op says of a sealed body: the recipient's key id (8 bytes) and the commitment (32 bytes)."""

    key_id: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpFields:
    """The content of one op, not yet in a chain."""

    op_id: bytes  # 16 bytes, UUIDv7
    kind: str  # "forms.submission"
    form: str  # form or module id, may be empty
    def_hash: bytes  # 32 bytes, or empty when the kind has no definition
    wall_ms: int
    mono_ms: int
    boot_id: bytes  # 8 bytes
    hub_floor_ms: int  # the latest signed hub time that the device had seen
    officer: bytes  # 16 bytes
    body: dict[str, Any] | SealedRef
    refs: tuple[bytes, ...] = ()  # op hashes that this op amends
    attach: tuple[bytes, ...] = ()  # blob ids

    def encode(self) -> bytes:
        """The op's one canonical encoding."""
        body = [self.body.key_id, self.body.commitment] if isinstance(self.body, SealedRef) else self.body
        values = [
            self.op_id, self.kind, self.form, self.def_hash, self.wall_ms, self.mono_ms, self.boot_id,
            self.hub_floor_ms, self.officer, body, list(self.refs), list(self.attach),
        ]  # fmt: skip
        data = cbor.encode(dict(enumerate(values, start=1)))
        if len(data) > MAX_OP:
            raise Malformed("op: too big")
        return data


@dataclass(frozen=True, slots=True)
class Op:
    """One op of a chain with its hash, its parent's and its bytes; ``offset`` is its place in an unpacked body."""

    hash: bytes
    parent: bytes
    seq: int
    data: bytes
    offset: int
    fields: OpFields


def read_fields(value: Any) -> OpFields:
    """The op that the decoded CBOR item ``value`` is; every field is checked."""
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise Malformed("op: fields")
    fields = OpFields(
        op_id=_exactly(value[1], 16),
        kind=_name(value[2]),
        form=_name(value[3]),
        def_hash=_hash_or_none(value[4]),
        wall_ms=_time(value[5]),
        mono_ms=_time(value[6]),
        boot_id=_exactly(value[7], 8),
        hub_floor_ms=_time(value[8]),
        officer=_exactly(value[9], 16),
        body=_body(value[10]),
        refs=_hashes(value[11], MAX_REFS),
        attach=_hashes(value[12], MAX_ATTACH),
    )
    if not _KIND.fullmatch(fields.kind):
        raise Malformed("op: kind")
    if fields.op_id[6] >> 4 != 7 or fields.op_id[8] >> 6 != 2:
        raise Malformed("op: id is not a UUIDv7")
    return fields


def _exactly(value: Any, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise Malformed("op: size of a field")
    return value


def _hash_or_none(value: Any) -> bytes:
    return b"" if value == b"" else _exactly(value, 32)


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise Malformed("op: name")
    return value


def _time(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise Malformed("op: time")
    return value


def _hashes(value: Any, limit: int) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > limit:
        raise Malformed("op: list of hashes")
    return tuple(_exactly(item, 32) for item in value)


def _body(value: Any) -> dict[str, Any] | SealedRef:
    match value:
        case dict():
            return value
        case [bytes(key_id), bytes(commitment)] if (len(key_id), len(commitment)) == (8, 32):
            return SealedRef(key_id, commitment)
    raise Malformed("op: body")


# --- chain and commitments


def genesis(device_public: bytes) -> bytes:
    """The parent of a device's first op."""
    return sha256(_GENESIS + device_public).digest()


def op_hash(parent: bytes, data: bytes) -> bytes:
    """The hash of the op ``data`` that follows ``parent``."""
    return sha256(_OP + parent + data).digest()


def chain_holds(parent: bytes, ops: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether each (op bytes, op hash) of ``ops`` follows the one before it, the first one ``parent``."""
    for data, claimed in ops:
        parent = op_hash(parent, data)
        if parent != claimed:
            return False
    return True


def commitment(seed: bytes, op_id: bytes, body: bytes) -> bytes:
    """What an op says of its sealed ``body`` (canonical bytes). ``seed`` is the secret of the device and recipient."""
    return sha256(_BODY + salt(seed, op_id) + body).digest()


def salt(seed: bytes, op_id: bytes) -> bytes:
    """The salt of one op's commitment: who has it and the body can prove that body and no other."""
    return hmac.digest(seed, op_id, "sha256")[:16]


def commitment_holds(claimed: bytes, salt: bytes, body: bytes) -> bool:
    """Whether ``body`` is what an op committed to as ``claimed``."""
    return hmac.compare_digest(claimed, sha256(_BODY + salt + body).digest())


def author_message(op: bytes) -> bytes:
    """What an officer signs to stand for the op hash ``op`` and, through the chain, for all before it."""
    return _AUTHOR + op


def author_holds(op: bytes, officer_public: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the author signature of the officer over the op hash ``op``."""
    return signature_holds(officer_public, author_message(op), signature)


# --- the device's own chain


def append(
    conn: Connection, unlocked: Unlocked, clock: Clock, *, kind: str, record: str, form: str, def_hash: bytes | None,
    body: Mapping[str, Any], sealed: bool, refs: Sequence[str] = (), attach: Sequence[str] = (),
) -> str:  # fmt: skip
    """Append an op about ``record`` to this device's chain, inside the caller's transaction; returns its hash (hex).

    ``refs`` are op hashes, ``attach`` blob ids, both hex. Refused SY-302 when the body is too large; Known SY-404 when
    the centre has withdrawn this laptop.
    """
    if form != "sync" and conn.execute("SELECT 1 FROM withdrawn").fetchone():
        raise Known("SY-404")
    wall_ms, op_id = clock.wall_ms(), uuid7(clock.wall_ms())
    body = {**body, **_attachment_keys(conn, attach)}
    plain = cbor.encode(body)
    if len(plain) > MAX_OP - 8 * KIB:
        raise Refused("SY-302", kind=kind, size=len(plain))
    sealed_to = key_id(_agency(conn)) if sealed else None
    device = unlocked.current(conn)
    fields = OpFields(
        op_id=op_id, kind=kind, form=form, def_hash=def_hash or b"", wall_ms=max(0, wall_ms),
        mono_ms=clock.mono_ms(), boot_id=clock.boot_id, hub_floor_ms=floor(conn, HUB_TIME),
        officer=bytes.fromhex(unlocked.officer.id),
        body=SealedRef(sealed_to, commitment(seed(conn, device.device_id, sealed_to), op_id, plain))
        if sealed_to
        else body,
        refs=tuple(map(bytes.fromhex, refs)), attach=tuple(map(bytes.fromhex, attach)),
    )  # fmt: skip
    data = fields.encode()
    read_fields(cbor.decode(data))  # what the hub would refuse is refused here, while somebody can act
    seq, parent = _next(conn, device)
    own = op_hash(parent, data)
    doubt = clockwatch.doubt(conn, clock, _before(conn))
    conn.execute(
        """INSERT INTO op (seq, op_id, prev, hash, bytes, body, kind, record, form, def_hash, sealed_to, officer,
               device, created_ms, clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            seq, op_id, parent, own, data, plain if sealed_to else None, kind, record, form,
            fields.def_hash, sealed_to, unlocked.officer.id, device.device_id, wall_ms, doubt,
        ),
    )  # fmt: skip
    conn.executemany(
        "INSERT INTO attached (blob, seq) VALUES (?, ?) ON CONFLICT (blob) DO UPDATE SET seq = excluded.seq",
        [(bytes.fromhex(blob), seq) for blob in attach],
    )
    audit.append(conn, clock, {"what": "op", "op": own.hex(), "kind": kind, "officer": unlocked.officer.id})
    return own.hex()


def _next(conn: Connection, device: Identity) -> tuple[int, bytes]:
    """Place and parent of the next op. A device that was re-keyed begins a chain of its own behind the old one."""
    last = conn.execute("SELECT seq, hash, device FROM op ORDER BY seq DESC LIMIT 1").fetchone()
    if last is not None and last["device"] == device.device_id:
        return last["seq"] + 1, last["hash"]
    before = last["seq"] if last else 0
    set_mark(conn, chain_base(device.device_id), before)
    return before + 1, genesis(bytes(device.sign.verify_key))


def _before(conn: Connection) -> tuple[int, int, bytes] | None:
    """Wall time, monotonic time and boot id of the newest op."""
    row = conn.execute("SELECT bytes FROM op ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return None
    value = cbor.decode(row["bytes"])
    return value[5], value[6], value[7]


def chain_base(device_id: bytes) -> str:
    """The mark that holds the place before the first op of a device's chain."""
    return f"base.{device_id.hex()}"


def _attachment_keys(conn: Connection, attach: Sequence[str]) -> dict[str, Any]:
    """What opens the attachments: it travels in the body, so whoever may read the one may read the other."""
    keys: dict[str, bytes] = {}
    for blob in attach:
        row = conn.execute("SELECT key FROM blob WHERE id = ?", (bytes.fromhex(blob),)).fetchone()
        if row is None:
            raise LookupError(blob)
        keys[blob] = row["key"]
    return {ATTACHMENT_KEYS: keys} if keys else {}


def attachment_keys(body: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Blob id → the key that opens it, as the body of any laptop's op names them; what is not of that shape is left out."""
    named = body.get(ATTACHMENT_KEYS)
    return {
        bytes.fromhex(blob): key
        for blob, key in (named.items() if isinstance(named, dict) else ())
        if isinstance(blob, str) and _BLOB.fullmatch(blob) and isinstance(key, bytes) and len(key) == 32
    }


def seed(conn: Connection, device_id: bytes, key_id: bytes) -> bytes:
    """The 32-byte secret from which ``device_id`` salts its commitments for one recipient."""
    row = conn.execute("SELECT commit_secret FROM identity WHERE device_id = ?", (device_id,)).fetchone()
    return hmac.digest(row["commit_secret"], key_id, "sha256")


def _agency(conn: Connection) -> bytes:
    row = conn.execute("SELECT agency_seal FROM office").fetchone()
    if row is None:
        raise Refused("SY-303")
    return bytes(row["agency_seal"])
