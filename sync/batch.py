"""The batch: a frozen, signed container of consecutive ops of one device. Its identity is the SHA-256 of its bytes.

A batch is ``COSE_Sign1 ‖ body``. The signature covers the header and, by its hash, the body, which is one zstd frame
over the CBOR sequence of ops and sealed groups. The header carries the device's public key, so that any hub, relay or
courier can verify a batch of a device that it has never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from nacl.signing import SigningKey

from sync import cbor, cose, merkle
from sync.cbor import Malformed
from sync.limits import (
    MAX_AUTHORS,
    MAX_BATCH,
    MAX_BODY,
    MAX_ENVELOPE,
    MAX_NAME,
    MAX_OP,
    MAX_OPS,
    MAX_RAW,
    MAX_RECIPIENTS,
    MAX_SEQ,
)
from sync.ops import Op, SealedRef, op_hash, read_fields
from sync.sealing import Group, read_group

VERSION: Final = 1
SCHEMA: Final = 1  # of the op map
CONTENT_TYPE: Final = "application/sala-batch+cbor"
AAD: Final = b"sala/batch/v1"
LEVEL_ONLINE: Final = 10
LEVEL_METERED: Final = 19  # for couriers and metered lines: smaller and far slower
_ZSTD: Final = 1
_FIELDS = frozenset(range(1, 16))


@dataclass(frozen=True, slots=True)
class Author:
    """One officer's signature over the hash of the op at ``index`` of a batch, standing for all ops before it too."""

    officer: bytes
    index: int
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A verified batch: form, signature, hashes and chain hold. Who the device is, is the hub's question."""

    hash: bytes
    data: bytes
    device_id: bytes
    device_public: bytes
    first_seq: int
    prev: bytes  # hash of the op before the first one
    last: bytes  # hash of the last op
    ops: list[Op]
    groups: list[Group]
    authors: list[Author]
    recipients: list[bytes]
    app_version: str
    schema: int
    seen: tuple[int, bytes]  # size and root of the latest hub checkpoint that the device had seen
    raw: bytes  # the unpacked body; each op's offset points into it

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.ops) - 1


def device_id(public: bytes) -> bytes:
    """The 16 bytes that name the device with the Ed25519 key ``public``."""
    return sha256(public).digest()[:16]


def build(
    key: SigningKey, *, first_seq: int, prev: bytes, ops: Sequence[bytes], groups: Sequence[bytes] = (),
    recipients: Sequence[bytes] = (), authors: Sequence[Author] = (), app_version: str,
    seen: tuple[int, bytes] = (0, merkle.EMPTY_ROOT), level: int = LEVEL_ONLINE,
) -> bytes:  # fmt: skip
    """The signed bytes of a batch of ``ops`` (canonical bytes, the first follows ``prev``) and sealed ``groups``."""
    last = prev
    for op in ops:
        last = op_hash(last, op)
    raw = b"".join([*ops, *groups])
    body = cbor.zip_bytes(raw, level)
    if not 0 < len(ops) <= MAX_OPS or len(raw) > MAX_RAW or len(body) > MAX_BODY:
        raise Malformed("batch: size")
    public = bytes(key.verify_key)
    signers = [[author.officer, author.index, author.signature] for author in authors]
    values: list[Any] = [
        VERSION, first_seq, len(ops), prev, last, _ZSTD, len(body), len(raw), sha256(body).digest(),
        list(recipients), signers, app_version, SCHEMA, list(seen), public,
    ]  # fmt: skip
    payload = cbor.encode(dict(enumerate(values, start=1)))
    return cose.sign(key, payload, content_type=CONTENT_TYPE, key_id=device_id(public), aad=AAD) + body


def parse(data: bytes) -> Batch:
    """The verified batch of ``data``; :class:`Malformed` says why not."""
    if len(data) > MAX_BATCH:
        raise Malformed("batch: too big")
    signed, split = cose.parse_prefix(data, CONTENT_TYPE, MAX_ENVELOPE)
    header = read_header(cbor.decode(signed.payload))
    public = header[15]
    if signed.key_id != device_id(public):
        raise Malformed("batch: device id")
    cose.verify(signed, public, AAD)
    body = data[split:]
    if len(body) != header[7] or sha256(body).digest() != header[9]:
        raise Malformed("batch: body")
    raw, rest = cbor.unzip(body, header[8])
    if rest or len(raw) != header[8]:
        raise Malformed("batch: body size")
    ops, groups = _read_body(raw, header)
    _require_sealing(ops, groups, header[10])
    return Batch(
        hash=sha256(data).digest(), data=data, device_id=signed.key_id, device_public=public, first_seq=header[2],
        prev=header[4], last=header[5], ops=ops, groups=groups, authors=[_read_author(a, len(ops)) for a in header[11]],
        recipients=header[10], app_version=header[12], schema=header[13], seen=(header[14][0], header[14][1]), raw=raw,
    )  # fmt: skip


def read_header(header: Any) -> dict[int, Any]:
    """The checked fields of a batch's header."""
    if not isinstance(header, dict) or header.keys() != _FIELDS or header[1] != VERSION:
        raise Malformed("batch: header")
    for field, low, high in (
        (2, 1, MAX_SEQ), (3, 1, MAX_OPS), (6, _ZSTD, _ZSTD), (7, 1, MAX_BODY), (8, 1, MAX_RAW), (13, 1, 1 << 16),
    ):  # fmt: skip
        if type(header[field]) is not int or not low <= header[field] <= high:
            raise Malformed("batch: number")
    if any(not _is_bytes(header[field], 32) for field in (4, 5, 9, 15)):
        raise Malformed("batch: hash")
    if not isinstance(header[12], str) or len(header[12]) > MAX_NAME:
        raise Malformed("batch: version")
    match header[10], header[11], header[14]:
        case list(keys), list(authors), [int(size), bytes(root)] if (
            len(keys) <= MAX_RECIPIENTS * MAX_RECIPIENTS
            and all(_is_bytes(key, 8) for key in keys)
            and len(authors) <= MAX_AUTHORS
            and 0 <= size <= MAX_SEQ
            and len(root) == 32
        ):
            return header
    raise Malformed("batch: lists")


def _is_bytes(value: Any, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


def _read_author(value: Any, n: int) -> Author:
    match value:
        case [bytes(officer), int(index), bytes(signature)] if (
            len(officer) == 16 and 0 <= index < n and len(signature) == 64
        ):
            return Author(officer, index, signature)
    raise Malformed("batch: author")


def _read_body(raw: bytes, header: dict[int, Any]) -> tuple[list[Op], list[Group]]:
    ops: list[Op] = []
    groups: list[Group] = []
    parent, start, first, n = header[4], 0, header[2], header[3]
    for item, end in cbor.sequence(raw):
        if len(ops) < n:
            data = raw[start:end]
            if len(data) > MAX_OP:
                raise Malformed("op: too big")
            own = op_hash(parent, data)
            ops.append(Op(own, parent, first + len(ops), data, start, read_fields(item)))
            parent = own
        else:
            groups.append(read_group(item))
        start = end
    if len(ops) != n or parent != header[5]:
        raise Malformed("batch: chain")
    return ops, groups


def _require_sealing(ops: list[Op], groups: list[Group], recipients: list[bytes]) -> None:
    """Every sealed op has exactly one group, every group has ops, and the header names just the groups' recipients."""
    wanted = {(op.fields.def_hash, op.fields.body.key_id) for op in ops if isinstance(op.fields.body, SealedRef)}
    found = [(group.def_hash, group.key_id) for group in groups]
    if len(found) != len(wanted) or set(found) != wanted:
        raise Malformed("batch: groups")
    if recipients != sorted({name for group in groups for name, _ in group.boxes}):
        raise Malformed("batch: recipients")
