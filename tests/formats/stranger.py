"""A client of the centre by a stranger: written from docs/formats alone, without one line of the program.

CBOR, zstd and signatures come from libraries; whatever else is here is what the documents say. Messages of exceptions name the page.
"""

from __future__ import annotations

import base64
import hmac
import io
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
import zstandard
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha
from nacl.exceptions import BadSignatureError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.pwhash import argon2id
from nacl.signing import SigningKey, VerifyKey

LogKey = tuple[str, bytes]


def cbor(value: Any) -> bytes:
    """Deterministic CBOR (op.md)."""
    return cbor2.dumps(value, canonical=True)


def uncbor(data: bytes) -> Any:
    value = cbor2.loads(data)
    assert cbor(value) == data, "op.md: there is one encoding"
    return value


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except BadSignatureError:
        return False
    return True


def key_id(public: bytes) -> bytes:
    """Of a device, and of the signer of a pack (batch.md, office-pack.md)."""
    return sha256(public).digest()[:16]


def cose(key: SigningKey, payload: bytes, media: str, aad: str, kid: bytes) -> bytes:
    """COSE_Sign1 (batch.md)."""
    protected = cbor({1: -8, 3: media, 4: kid})
    signature = key.sign(cbor(["Signature1", protected, aad.encode(), payload])).signature
    return b"\xd2" + cbor([protected, {}, payload, signature])


def uncose(data: bytes, media: str, aad: str, public: bytes) -> Any:
    assert data[0] == 0xD2
    protected, unprotected, payload, signature = uncbor(data[1:])
    assert unprotected == {}
    head = uncbor(protected)
    assert {**head, 4: b""} == {1: -8, 3: media, 4: b""}
    assert signed_by(public, cbor(["Signature1", protected, aad.encode(), payload]), signature), media
    return uncbor(payload)


# --- receipts and the log (receipt.md)


def note(text: str, name: str, public: bytes) -> str:
    """The text of a signed note, if the key has signed it."""
    body, _, lines = text.rpartition("\n\n")
    body += "\n"
    stated = sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    for line in lines.splitlines():
        dash, who, value = line.split(" ")
        raw = base64.b64decode(value, validate=True)
        if dash == "—" and who == name and raw[:4] == stated and signed_by(public, body.encode(), raw[4:]):
            return body
    raise AssertionError("receipt.md: nobody whom we know has signed this note")


@dataclass
class Checkpoint:
    epoch: int
    size: int
    root: bytes


def checkpoint(text: str, name: str, public: bytes) -> Checkpoint:
    origin, size, root, *rest = note(text, name, public).split("\n")
    who, _, epoch = origin.rpartition("/")
    assert (who, rest) == (name, [""])
    return Checkpoint(int(epoch), int(size), base64.b64decode(root, validate=True))


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def root_from_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    assert index < size
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn > 0
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return r


def consistent(old: Checkpoint, new: Checkpoint, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2."""
    if old.size == new.size:
        return old.root == new.root and not path
    if old.size == 0:
        return not path
    if old.size & (old.size - 1) == 0:
        path = [old.root, *path]
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr, sn) == (old.root, new.root, 0)


@dataclass
class Receipt:
    batch: bytes
    device: bytes
    first: int
    last: int
    received_ms: int
    label: int
    index: int
    checkpoint: Checkpoint


def receipt(text: str, name: str, public: bytes) -> Receipt:
    assert len(text.encode()) <= 16 << 10
    head, _, signed = text.partition("\n\n")
    title, extra, index, *hashes = head.split("\n")
    assert title == "c2sp.org/tlog-proof@v1"
    assert len(hashes) <= 64
    leaf = base64.b64decode(extra.removeprefix("extra "), validate=True)
    assert len(leaf) == 73
    found = checkpoint(signed, name, public)
    place = int(index.removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in hashes]
    assert root_from_inclusion(sha256(b"\0" + leaf).digest(), place, found.size, path) == found.root
    first, last, at = (int.from_bytes(leaf[n : n + 8], "big") for n in (48, 56, 64))
    return Receipt(leaf[:32], leaf[32:48], first, last, at, leaf[72], place, found)


# --- the office pack and a device made from it (office-pack.md)


@dataclass
class Pack:
    data: dict[str, Any]

    @classmethod
    def read(cls, data: bytes, signer: bytes) -> Pack:
        assert len(data) <= 4 << 20
        found = uncose(data, "application/sala-office-pack+cbor", "sala/pack/v1", signer)
        assert (found["v"], found["signer"]) == (1, signer)
        assert uncbor(uncbor(data[1:])[0])[4] == key_id(signer)
        return cls(found)

    @property
    def log(self) -> LogKey:
        return self.data["log_name"], self.data["log_key"]


def six_groups(data: bytes) -> str:
    digits = f"{int.from_bytes(sha256(b'sala/words/v1' + bytes(1) + data).digest()[:16], 'big') % 10**30:030d}"
    return " ".join(digits[n : n + 5] for n in range(0, 30, 5))


@dataclass
class Op:
    data: bytes
    hash: bytes
    sealed: tuple[bytes, bytes, bytes] | None = None  # definition, seed, body


@dataclass
class Device:
    pack: Pack
    sign: SigningKey = field(default_factory=SigningKey.generate)
    seal: PrivateKey = field(default_factory=PrivateKey.generate)
    issuing: SigningKey = field(default_factory=SigningKey.generate)
    officer: SigningKey = field(default_factory=SigningKey.generate)
    officer_id: bytes = field(default_factory=lambda: os.urandom(16))
    boot: bytes = field(default_factory=lambda: os.urandom(8))
    seed: bytes = field(default_factory=lambda: os.urandom(32))
    ops: list[Op] = field(default_factory=list)
    hub_ms: int = 0
    known: Checkpoint | None = None

    @property
    def public(self) -> bytes:
        return bytes(self.sign.verify_key)

    @property
    def id(self) -> bytes:
        return key_id(self.public)

    def request(self) -> bytes:
        """The enrolment request."""
        slot, code = self.pack.data["slot"], self.pack.data["code"]
        payload = {
            1: 1, 2: slot, 3: self.pack.data["office"]["code"], 4: self.public, 5: bytes(self.seal.public_key),
            6: bytes(self.issuing.verify_key),
            7: [[self.officer_id, "ភ្ញៀវ", "Stranger", "receiving", bytes(self.officer.verify_key)]], 8: _now(), 9: b"",
        }  # fmt: skip
        signed = cose(self.sign, cbor(payload), "application/sala-enrol+cbor", "sala/enrol/v1", self.id)
        key = argon2id.kdf(32, code.encode(), slot, opslimit=2, memlimit=64 << 20)
        return cbor([signed, hmac.digest(key, signed, "sha256")])

    def certified(self, certificate: bytes) -> int:
        """The number that the certificate gives, if it is for this device."""
        found = uncose(certificate, "application/sala-device+cbor", "sala/device/v1", self.pack.data["signer"])
        assert (found[2], found[3], found[5]) == (
            self.public, bytes(self.seal.public_key), self.pack.data["office"]["code"],
        )  # fmt: skip
        return int(found[6])

    # --- op.md

    def act(self, kind: str, form: str, body: dict[str, Any], *, definition: bytes = b"", sealed: bool = False) -> Op:
        op_id, plain, secret = _uuid7(), cbor(body), None
        stated: Any = body
        if sealed:
            salt = hmac.digest(self.seed, op_id, "sha256")[:16]
            kid = sha256(self.pack.data["agency_seal"]).digest()[:8]
            stated = [kid, sha256(b"sala/body/v1\0" + salt + plain).digest()]
            secret = (definition, self.seed, plain)
        data = cbor(
            {
                1: op_id, 2: kind, 3: form, 4: definition, 5: _now(), 6: time.monotonic_ns() // 1_000_000, 7: self.boot,
                8: self.hub_ms, 9: self.officer_id, 10: stated, 11: [], 12: [],
            }
        )  # fmt: skip
        parent = self.ops[-1].hash if self.ops else sha256(b"sala/genesis/v1\0" + self.public).digest()
        self.ops.append(Op(data, sha256(b"sala/op/v1\0" + parent + data).digest(), secret))
        return self.ops[-1]

    # --- batch.md

    def batch(self, first: int) -> bytes:
        """The ops from number ``first`` on."""
        chosen = self.ops[first - 1 :]
        before = self.ops[first - 2].hash if first > 1 else sha256(b"sala/genesis/v1\0" + self.public).digest()
        groups = self._groups(chosen, first)
        raw = b"".join([*(op.data for op in chosen), *groups])
        body = zstandard.ZstdCompressor(10).compress(raw)
        author = self.officer.sign(b"sala/author/v1\0" + chosen[-1].hash).signature
        recipients = [self.pack.data["agency_seal"], self.pack.data["recovery_seal"]] if groups else []
        payload = {
            1: 1, 2: first, 3: len(chosen), 4: before, 5: chosen[-1].hash, 6: 1, 7: len(body), 8: len(raw), 9: sha256(body).digest(),
            10: sorted(sha256(public).digest()[:8] for public in recipients),
            11: [[self.officer_id, len(chosen) - 1, author]], 12: "stranger 1", 13: 1,
            14: [self.known.size, self.known.root] if self.known else [0, sha256(b"").digest()], 15: self.public,
        }  # fmt: skip
        return cose(self.sign, cbor(payload), "application/sala-batch+cbor", "sala/batch/v1", self.id) + body

    def _groups(self, chosen: list[Op], first: int) -> list[bytes]:
        by_definition: dict[bytes, list[bytes]] = {}
        for op in chosen:
            if op.sealed is not None:
                by_definition.setdefault(op.sealed[0], []).append(op.sealed[2])
        made = []
        for definition, bodies in by_definition.items():
            key, nonce = os.urandom(32), os.urandom(24)
            inner = padme(zstandard.ZstdCompressor(10).compress(cbor([self.seed, [uncbor(body) for body in bodies]])))
            text = xchacha(inner, self.id + first.to_bytes(8, "big") + definition, nonce, key)
            boxes = [
                [sha256(public).digest()[:8], SealedBox(PublicKey(public)).encrypt(key)]
                for public in (self.pack.data["agency_seal"], self.pack.data["recovery_seal"])
            ]
            made.append(cbor({1: definition, 2: boxes, 3: nonce, 4: text}))
        return made

    # --- line.md

    def have(self, batches: list[bytes]) -> bytes:
        head = self.ops[-1].hash if self.ops else bytes(32)
        known = (self.known.epoch, self.known.size) if self.known else (0, 0)
        return cbor({1: batches, 2: [], 3: len(self.ops), 4: head, 5: known[0], 6: known[1]})

    def missing(self, data: bytes) -> tuple[list[bytes], dict[int, Any]]:
        """What the centre lacks, and its signed word about this device; its log may only have grown."""
        lacks, _, status, text, proof = uncbor(data).values()
        said = uncose(status, "application/sala-status+cbor", "sala/status/v1", self.pack.log[1])
        assert said[1] == self.id
        self.hub_ms = max(self.hub_ms, said[2])
        self.grown(text, proof)
        return lacks, said

    def grown(self, text: str, proof: list[bytes]) -> None:
        new = checkpoint(text, *self.pack.log)
        if self.known is not None and new.epoch == self.known.epoch:
            assert consistent(self.known, new, proof), "receipt.md: the log went back"
        self.known = new


def padme(data: bytes) -> bytes:
    e = len(data).bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return data + bytes(-len(data) % step)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _uuid7() -> bytes:
    raw = bytearray(_now().to_bytes(6, "big") + os.urandom(10))
    raw[6], raw[8] = raw[6] & 0x0F | 0x70, raw[8] & 0x3F | 0x80
    return bytes(raw)


# --- line.md


@dataclass
class Line:
    url: str
    device: Device
    nonce: bytes = b""

    def call(self, method: str, path: str, body: bytes = b"", *, signed: bool = False) -> tuple[int, bytes]:
        headers = {}
        if signed:
            message = b"sala/request/v1\0" + method.encode() + path.encode() + sha256(body).digest() + self.nonce
            headers = {
                "Sala-Device": self.device.id.hex(), "Sala-Nonce": self.nonce.hex(),
                "Sala-Signature": self.device.sign.sign(message).signature.hex(),
            }  # fmt: skip
        request = urllib.request.Request(self.url + path, body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, data, nonce = answer.status, answer.read(), answer.headers["Sala-Nonce"]
        except urllib.error.HTTPError as error:
            status, data, nonce = error.code, error.read(), error.headers["Sala-Nonce"]
        self.nonce = bytes.fromhex(nonce)
        return status, data


# --- courier.md


def courier(objects: list[tuple[str, str, bytes]]) -> bytes:
    whole = b"SALABATCH1\n"
    for kind, name, data in objects:
        whole += cbor([kind, name, sha256(data).digest(), len(data)]) + cbor(data)
    return whole + cbor(["end", str(len(objects)), sha256(whole).digest(), 0]) + cbor(b"")


def uncourier(data: bytes) -> list[tuple[str, str, bytes]]:
    """Every object of a whole courier file."""
    head, stream = b"SALABATCH1\n", io.BytesIO(data)
    assert stream.read(len(head)) == head
    decoder = cbor2.CBORDecoder(stream)
    found: list[tuple[str, str, bytes]] = []
    while True:
        at = stream.tell()
        kind, name, digest, size = decoder.decode()
        content = decoder.decode()
        if kind == "end":
            assert (int(name), digest, size, content) == (len(found), sha256(data[:at]).digest(), 0, b"")
            assert not stream.read()
            return found
        assert (sha256(content).digest(), len(content)) == (digest, size)
        found.append((kind, name, content))
