"""Every function of the program that reads bytes or text from outside, with valid samples of what it reads.

``PARSERS`` names them as ``file::function``. A function whose name and first parameter say that it reads such things and that
stands neither here nor in ``NOT_FOREIGN`` makes a test fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import cbor2
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from sync import (
    base45,
    batch,
    cbor,
    certifiers,
    colleagues,
    cose,
    couriers,
    devices,
    foreign,
    heartbeat,
    merkle,
    notes,
    pack,
    pins,
    qrframes,
    readmission,
    receipts,
    sealing,
    succession,
    volume,
    wire,
)
from sync.devices import Certificate, EnrolledOfficer, Request
from sync.notes import Checkpoint, NoteKey
from sync.pack import OfficePack
from sync.receipts import Leaf, State
from tests.sync.samples import Desk

ROOT: Final = Path(__file__).parents[2]
KEY: Final = SigningKey(b"\x11" * 32)
PUBLIC: Final = bytes(KEY.verify_key)
BOX: Final = PrivateKey(b"\x12" * 32)
LOG: Final = NoteKey("hub", PUBLIC)
NOW: Final = 1_795_000_000_000


@dataclass(frozen=True)
class Parser:
    """``call`` reads bytes; ``samples`` are valid. ``wrap`` signs or packs a payload anew, so that what is spoiled inside is reached."""

    call: Callable[[bytes], Any]
    samples: Callable[[], Sequence[bytes]]
    payloads: Callable[[], Sequence[bytes]] | None = None
    wrap: Callable[[bytes], bytes] = bytes
    refuses: tuple[type[Exception], ...] = field(default=())  # besides Malformed, Refused and Known


def _text(call: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: call(data.decode("utf-8", "replace"))


# --- samples


@cache
def _batches() -> list[bytes]:
    desk = Desk()
    bodies = [{"name": "សុខ", "n": number} for number in range(3)]
    return [desk.batch(bodies), desk.batch(bodies, sealed=True)]


@cache
def _header() -> bytes:
    signed, _ = cose.parse_prefix(_batches()[0], batch.CONTENT_TYPE)
    return signed.payload


def _signed_header(payload: bytes) -> bytes:
    """A batch whose header was spoiled before it was signed."""
    data = _batches()[0]
    _, split = cose.parse_prefix(data, batch.CONTENT_TYPE)
    return _cose(payload, batch.CONTENT_TYPE, b"sala/batch/v1", Desk().key) + data[split:]


def _spoiled_body(raw: bytes) -> bytes:
    """A batch whose header fits a spoiled body."""
    body = cbor.zip_bytes(raw, 3)
    header = {**cbor2.loads(_header()), 7: len(body), 8: len(raw), 9: sha256(body).digest()}
    data = cbor2.dumps(header, canonical=True)
    return _cose(data, batch.CONTENT_TYPE, b"sala/batch/v1", Desk().key) + body


def _raw_body() -> bytes:
    data = _batches()[0]
    _, split = cose.parse_prefix(data, batch.CONTENT_TYPE)
    return cbor.unzip(data[split:], 1 << 20)[0]


def _cose(payload: bytes, content_type: str, aad: bytes, key: SigningKey = KEY) -> bytes:
    key_id = batch.device_id(bytes(key.verify_key))
    return cose.sign(key, payload, content_type=content_type, key_id=key_id, aad=aad)


def _request() -> Request:
    officers = (EnrolledOfficer(bytes(16), "សុខ", "Sok", "chief", bytes(32)),)
    return Request(
        slot=bytes(16), office="0306", sign_public=PUBLIC, seal_public=bytes(BOX.public_key), office_public=PUBLIC,
        officers=officers, made_ms=NOW,
    )  # fmt: skip


@cache
def _enrolment() -> bytes:
    return devices.make_request(_request(), KEY, bytes(32))


def _certificate() -> Certificate:
    return Certificate(
        device_id=batch.device_id(PUBLIC), sign_public=PUBLIC, seal_public=bytes(BOX.public_key), office_public=PUBLIC,
        office="0306", number=1, valid_from_ms=NOW,
    )  # fmt: skip


def _payload(data: bytes, content_type: str) -> bytes:
    return cose.parse(data, content_type).payload


@cache
def _receipt() -> str:
    leaf = Leaf(b"\1" * 32, b"\2" * 16, 1, 3, NOW, State.ACCEPTED)
    other = merkle.leaf_hash(b"x")
    root = merkle.node_hash(merkle.leaf_hash(leaf.data()), other)
    note = notes.sign(Checkpoint("hub", 1, 2, root).text(), "hub", KEY)
    return receipts.issue(leaf, 0, [other], note)


def _note() -> bytes:
    return notes.read_proof(_receipt()).note.encode()


@cache
def _status() -> bytes:
    made = wire.Status(device_id=bytes(16), hub_ms=NOW, epoch=1, head_seq=3, stable_seq=2, revocations=0, revoked=False)
    return wire.issue_status(made, KEY, LOG.id())


def _status_again(payload: bytes) -> bytes:
    return cose.sign(KEY, payload, content_type="application/sala-status+cbor", key_id=LOG.id(), aad=b"sala/status/v1")


@cache
def _pack() -> bytes:
    names = {"km": "សាលាស្រុក", "en": "District Hall"}
    made = OfficePack(
        office={"code": "0306", "name": names, "province": names}, slot=bytes(16), number=1, code="0123456789",
        code_not_after_ms=NOW, hub_urls=("http://hub",), log=LOG, agency_seal=bytes(BOX.public_key),
        recovery_seal=bytes(BOX.public_key), tuf_root=b"",
        publications={}, leases=[wire.LeaseGrant(bytes(16), "link-codes", {"first": 1}, 100, NOW)], made_ms=NOW,
    )  # fmt: skip
    return pack.build(made, KEY)


@cache
def _volumes() -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        objects = [volume.Object("batch", sha256(data).hexdigest(), data) for data in (*_batches(), b"", b"x" * 3_000)]
        return [path.read_bytes() for path in volume.write(Path(folder), "sample", objects)]


def _read_volume(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        place = Path(folder) / "x.salabatch"
        place.write_bytes(data)
        with volume.Volume(place) as found:
            for entry in found.entries:
                found.read(entry)


def _open_groups(data: bytes) -> Any:
    desk = Desk()
    return sealing.open_bodies(batch.parse(data), desk.agency)


@cache
def _heartbeat() -> str:
    signed = b"\x01" + bytes(31)
    return heartbeat.encode(signed, KEY.sign(signed).signature)


def _hashes(data: bytes) -> Any:
    return notes.read_hash_lines(data.decode("ascii", "replace"))


_have = partial(wire.Have([b"\1" * 32], [b"\2" * 32], 3, b"\3" * 32, 1, 2).encode)
_missing = partial(wire.Missing([b"\1" * 32], [], b"s", "note", [b"\2" * 32]).encode)


def _grants() -> bytes:
    return wire.encode_grants([wire.LeaseGrant(bytes(16), "link-codes", {"first": 1}, 100, NOW)])


def _notices() -> bytes:
    return wire.encode_notices([wire.Notice(1, bytes(32), "sync.review", {"decision": "accepted"})])


def _held() -> bytes:
    return colleagues.encode_held([colleagues.Held(bytes(16), 3, 2)])


def _bodies() -> bytes:
    return foreign.seal_bodies([foreign.Body(bytes(32), bytes(16), b"\xa0")], bytes(BOX.public_key))


def _frames() -> bytes:
    return "\n".join(qrframes.encode(b"x" * 3_000)).encode()


@cache
def _pins() -> bytes:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")]),
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9)).sign(
        key, hashes.SHA256()
    )
    return pins.encode(NOW, [made.public_bytes(serialization.Encoding.DER)])


def _readmission() -> bytes:
    return readmission.encode([devices.issue_certificate(_certificate(), KEY)], bytes(16), [b"metadata"])


PARSERS: Final[dict[str, Parser]] = {
    "sync/base45.py::decode": Parser(
        _text(base45.decode), lambda: [base45.encode(b"hello").encode()], refuses=(base45.NotBase45,)
    ),
    "sync/batch.py::parse": Parser(batch.parse, _batches, lambda: [_header()], _signed_header),
    "sync/batch.py::parse of a spoiled body": Parser(batch.parse, lambda: [_spoiled_body(_raw_body())], None),
    "sync/cbor.py::decode": Parser(cbor.decode, lambda: [_header(), _have(), _grants()]),
    "sync/cbor.py::decode_prefix": Parser(cbor.decode_prefix, lambda: [_header()]),
    "sync/cbor.py::sequence": Parser(lambda data: list(cbor.sequence(data)), lambda: [_raw_body()]),
    "sync/cbor.py::unzip": Parser(cbor.unzip, lambda: [cbor.zip_bytes(_raw_body(), 3), cbor.zip_bytes(bytes(70_000), 19)]),
    "sync/colleagues.py::read_held": Parser(colleagues.read_held, lambda: [_held()]),
    "sync/cose.py::parse": Parser(lambda data: cose.parse(data, "application/sala-status+cbor"), lambda: [_status()]),
    "sync/cose.py::parse_prefix": Parser(lambda data: cose.parse_prefix(data, batch.CONTENT_TYPE), _batches),
    "sync/certifiers.py::read": Parser(certifiers.read, lambda: [certifiers.encode([("03", bytes(32))])]),
    "sync/couriers.py::read": Parser(couriers.read, lambda: [couriers.encode([("ខេត្ត", bytes(BOX.public_key))])]),
    "sync/devices.py::read_request": Parser(devices.read_request, lambda: [_enrolment()]),
    "sync/devices.py::read_signed_request": Parser(
        devices.read_signed_request, lambda: [devices.sign_request(_request(), KEY)],
        lambda: [_payload(devices.sign_request(_request(), KEY), "application/sala-enrol+cbor")],
        lambda payload: _cose(payload, "application/sala-enrol+cbor", b"sala/enrol/v1"),
    ),
    "sync/devices.py::read_certificate": Parser(
        lambda data: devices.read_certificate(data, PUBLIC), lambda: [devices.issue_certificate(_certificate(), KEY)],
        lambda: [_payload(devices.issue_certificate(_certificate(), KEY), "application/sala-device+cbor")],
        lambda payload: _cose(payload, "application/sala-device+cbor", b"sala/device/v1"),
    ),
    "sync/foreign.py::open_bodies": Parser(
        lambda data: foreign.open_bodies(data, BOX), lambda: [_bodies()],
        lambda: [cbor.unzip(SealedBox(BOX).decrypt(_bodies()), 1 << 20)[0]],
        lambda payload: SealedBox(BOX.public_key).encrypt(cbor.zip_bytes(payload, 3)),
    ),
    "sync/heartbeat.py::read": Parser(_text(heartbeat.read), lambda: [_heartbeat().encode()]),
    "sync/heartbeat.py::parse": Parser(_text(heartbeat.parse), lambda: [_heartbeat().encode()]),
    "sync/notes.py::split": Parser(_text(notes.split), lambda: [_note()]),
    "sync/notes.py::read_checkpoint": Parser(_text(lambda text: notes.read_checkpoint(text, LOG)), lambda: [_note()]),
    "sync/notes.py::read_proof": Parser(_text(notes.read_proof), lambda: [_receipt().encode()]),
    "sync/notes.py::read_hash_lines": Parser(_hashes, lambda: [notes.hash_lines([b"\1" * 32, b"\2" * 32]).encode()]),
    "sync/pack.py::parse": Parser(lambda data: pack.parse(data, [PUBLIC]), lambda: [_pack()]),
    "sync/pins.py::read": Parser(pins.read, lambda: [_pins()]),
    "sync/qrframes.py::read": Parser(_text(qrframes.read), lambda: [_frames().partition(b"\n")[0]]),
    "sync/qrframes.py::collect": Parser(_text(lambda text: qrframes.collect(text.split("\n"))), lambda: [_frames()]),
    "sync/readmission.py::read": Parser(readmission.read, lambda: [_readmission()]),
    "sync/receipts.py::read_leaf": Parser(receipts.read_leaf, lambda: [notes.read_proof(_receipt()).extra]),
    "sync/receipts.py::verify": Parser(_text(lambda text: receipts.verify(text, LOG)), lambda: [_receipt().encode()]),
    "sync/sealing.py::open_bodies": Parser(_open_groups, lambda: [_batches()[1]]),
    "sync/succession.py::read_request": Parser(
        succession.read_request, lambda: [succession.make_request(replace(_request(), predecessor=bytes(16)), KEY, KEY, b"evidence")]
    ),
    "sync/succession.py::read_evidence": Parser(lambda data: succession.read_evidence(data, PUBLIC), lambda: [_status(), _enrolment()]),
    "sync/volume.py::Volume": Parser(_read_volume, _volumes),
    "sync/wire.py::read_have": Parser(wire.read_have, lambda: [_have()]),
    "sync/wire.py::read_status": Parser(
        lambda data: wire.read_status(data, PUBLIC), lambda: [_status()],
        lambda: [_payload(_status(), "application/sala-status+cbor")], _status_again,
    ),
    "sync/wire.py::read_missing": Parser(wire.read_missing, lambda: [_missing()]),
    "sync/wire.py::read_receipts": Parser(wire.read_receipts, lambda: [wire.Receipts([_receipt()], 1, False).encode()]),
    "sync/wire.py::read_grants": Parser(wire.read_grants, lambda: [_grants()]),
    "sync/wire.py::read_notices": Parser(wire.read_notices, lambda: [_notices()]),
}  # fmt: skip
