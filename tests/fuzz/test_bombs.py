"""A few bytes that want to become gigabytes are stopped by size before memory grows: measured, not believed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2
import pytest
import zstandard
from nacl.public import SealedBox

from i18n.errors import SalaError
from sync import batch, cbor, cose, foreign, qrframes, sealing, volume
from sync.limits import MAX_QR, MAX_RAW, MAX_WINDOW, MIB
from tests.fuzz.parsers import BOX, _header
from tests.sync.samples import DEF_HASH, Desk

MOST = 3 * MAX_RAW  # bytes of memory: the bound itself, a copy, and the reader's own room
BOMB = 512 * MIB


def stopped(attempt: Callable[[], Any]) -> None:
    """``attempt`` is refused in words, in little time and memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(SalaError):
            attempt()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak >> 20} MiB"
    assert time.process_time() - began < 5


def squeezed(size: int, *, declare: bool, window: int = 20) -> bytes:
    """A zstd frame of ``size`` zeros; made in slices, so that the test itself stays small."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3, window_log=window, write_content_size=declare, enable_ldm=window > 23
    )
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=size if declare else -1)
    made = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*made, packer.flush()])


def carrying(body: bytes, raw: int) -> bytes:
    """A rightly signed batch whose body is ``body`` and says it unpacks to ``raw`` bytes."""
    header = {**cbor2.loads(_header()), 7: len(body), 8: raw, 9: sha256(body).digest()}
    key = Desk().key
    payload = cbor2.dumps(header, canonical=True)
    name = batch.device_id(bytes(key.verify_key))
    return cose.sign(key, payload, content_type=batch.CONTENT_TYPE, key_id=name, aad=b"sala/batch/v1") + body


@pytest.mark.parametrize("declare", [True, False])
@pytest.mark.parametrize("raw", [100, MAX_RAW, BOMB])
def test_bombs_zstd_in_a_signed_batch(declare: bool, raw: int) -> None:
    data = carrying(squeezed(BOMB, declare=declare), raw)
    assert len(data) < 100_000
    stopped(lambda: batch.parse(data))


def test_bombs_zstd_with_a_huge_window() -> None:
    data = squeezed(16 * MIB, declare=False, window=27)
    assert MAX_WINDOW < 1 << 27
    stopped(lambda: cbor.unzip(data, 64 * MIB))


def test_bombs_zstd_many_frames() -> None:
    data = squeezed(MIB, declare=True) * 100
    raw, rest = cbor.unzip(data, 2 * MIB)
    assert len(raw) == MIB and rest  # one frame is read; what follows is the caller's to refuse
    stopped(lambda: batch.parse(carrying(data, MIB)))


def test_bombs_zstd_in_a_sealed_group() -> None:
    """What a device seals for an agency is as foreign as the rest."""
    desk = Desk()
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

    key, nonce = bytes(32), bytes(24)
    context = sealing._context(batch.device_id(desk.public), 1, DEF_HASH)
    text = encrypt(sealing.padme(squeezed(BOMB, declare=False)), context, nonce, key)
    boxes = [[desk.agency_id, bytes(SealedBox(desk.agency.public_key).encrypt(key))]]
    group = sealing.read_group({1: DEF_HASH, 2: boxes, 3: nonce, 4: text})
    stopped(lambda: sealing.open_group(group, batch.device_id(desk.public), 1, desk.agency))


def test_bombs_zstd_between_laptops_of_an_office() -> None:
    data = SealedBox(BOX.public_key).encrypt(squeezed(BOMB, declare=False))
    stopped(lambda: foreign.open_bodies(data, BOX))


def test_bombs_zstd_in_qr_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames whose set is rightly named, around a frame of zstd that wants to be half a gigabyte."""
    packed = squeezed(BOMB, declare=False)
    assert len(packed) < MAX_QR
    monkeypatch.setattr(cbor, "zip_bytes", lambda _data, _level: packed)
    texts = qrframes.encode(b"")
    monkeypatch.undo()
    assert len(texts) > 1
    stopped(lambda: qrframes.collect(texts))


PROBES = {
    "array of 2^62 items": b"\x9b\x3f" + b"\xff" * 7,
    "map of 2^62 items": b"\xbb\x3f" + b"\xff" * 7,
    "bytes of 2^40": b"\x5b\0\0\1\0\0\0\0\0" + b"x" * 10,
    "text of 2^62": b"\x7b\x3f" + b"\xff" * 7,
    "depth 100,000": b"\x81" * 100_000 + b"\0",
    "depth 17": b"\x81" * 17 + b"\0",
    "a regular expression": b"\xd8\x23" + cbor2.dumps("(a+)+$"),
    "a cycle": b"\xd8\x1c\x81\xd8\x1d\x00",
    "a number of a megabyte": b"\xc2" + cbor2.dumps(b"\xff" * 1_000_000),
    "a million empty lists": b"\x9a\x00\x0f\x42\x40" + b"\x80" * 1_000_000,
    "a text of a megabyte": cbor2.dumps("x" * (1 << 20)),
    "not a number": bytes.fromhex("f97e00"),
    "undefined": b"\xf7",
}


@pytest.mark.parametrize("what", [name for name in PROBES if name != "a million empty lists"])
def test_bombs_cbor(what: str) -> None:
    stopped(lambda: cbor.decode(PROBES[what]))


def test_bombs_cbor_of_small_parts() -> None:
    """A list of a million lists fits its bound of bytes: it costs time in proportion and is still no message of ours."""
    from sync import wire

    began = time.process_time()
    with pytest.raises(SalaError):
        wire.read_have(PROBES["a million empty lists"])
    assert time.process_time() - began < 5


def test_bombs_volume_heads(tmp_path: Path) -> None:
    """An object of a gigabyte in a file of a hundred bytes; a file of nothing but heads."""
    place = tmp_path / "x.salabatch"
    place.write_bytes(volume.MAGIC + cbor.encode(["batch", "00" * 32, bytes(32), 1 << 30]) + b"\x5a\x40\0\0\0")
    tracemalloc.start()
    try:
        with volume.Volume(place) as found:
            assert not found.whole and not found.entries
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    place.write_bytes(volume.MAGIC + (cbor.encode(["batch", "00" * 32, bytes(32), 0]) + b"\x40") * 50_000)
    began = time.process_time()
    with volume.Volume(place) as found:
        assert not found.whole and all(found.read(entry) is None for entry in found.entries[:100])
    assert time.process_time() - began < 10


def test_bombs_pictures() -> None:
    """A picture of 900 million points in a few hundred kilobytes, held against the checking of certificates."""
    import zlib

    from modules.certificates import sources

    width = 30_000
    row = b"\0" + bytes(width // 8)
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(row) for _ in range(width)), packer.flush()])

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") * 2
    picture = BytesIO()
    picture.write(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x01\0\0\0\0") + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )
    assert picture.tell() < 1_000_000
    began = time.process_time()
    try:
        found = sources.open_source(picture.getvalue(), lambda _: False)
        assert not [one for one in found.found if one.text]
    except SalaError:
        pass
    assert time.process_time() - began < 10
