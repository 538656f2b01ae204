"""Sealed courier files: only who holds the key reads them; damage costs what it hits; nothing tells what is inside."""

from __future__ import annotations

import io
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from sync import sealedfile, volume
from sync.errors import Known
from sync.limits import MAX_RECIPIENTS
from sync.sealedfile import BLOCK, MAGIC, Reader, Writer
from sync.sealing import padded
from sync.volume import Object, Volume

KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
PUBLIC = bytes(KEY.public_key)


def sealed(data: bytes, *publics: bytes) -> bytes:
    made = io.BytesIO()
    writer = Writer(made, publics or (PUBLIC,))
    for start in range(0, len(data), 50_000):
        writer.write(data[start : start + 50_000])
    writer.finish()
    return made.getvalue()


def opened(data: bytes, *keys: PrivateKey) -> Reader:
    return Reader(io.BytesIO(data), len(data), keys or (KEY,))


@given(st.integers(0, 3 * BLOCK), st.integers(0, 3 * BLOCK), st.integers(0, BLOCK))
def test_any_place_reads_back(size: int, place: int, length: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    with opened(sealed(data)) as reader:
        reader.seek(place)
        assert reader.read(length) == data.ljust(padded(size), b"\0")[place : place + length]
        assert reader.size == padded(size)


@given(st.integers(2, 1 << 40))
def test_padding_is_small_and_hides(size: int) -> None:
    assert size <= padded(size) <= size * 1.12 + 1
    assert padded(padded(size)) == padded(size)


def test_several_may_open_it_and_nobody_else() -> None:
    data = sealed(b"secret" * 99, PUBLIC, bytes(OTHER.public_key))
    for key in (KEY, OTHER):
        assert opened(data, key).read(6) == b"secret"
    for strangers in ((), (PrivateKey.generate(),)):
        with pytest.raises(Known) as known:
            Reader(io.BytesIO(data), len(data), strangers)
        assert known.value.code == "SY-440"
    assert b"secret" not in data
    for wrong in ((), tuple(bytes([n]) * 32 for n in range(MAX_RECIPIENTS + 1))):
        with pytest.raises(ValueError, match="seal to"):
            Writer(io.BytesIO(), wrong)


def test_a_damaged_block_costs_only_itself() -> None:
    data = os.urandom(3 * BLOCK)
    raw = bytearray(sealed(data))
    raw[len(raw) - 2 * (BLOCK + 16) + 5] ^= 1  # in the second block
    reader = opened(bytes(raw))
    found = reader.read()
    assert found[:BLOCK] == data[:BLOCK] and found[2 * BLOCK : 3 * BLOCK] == data[2 * BLOCK :]
    assert found[BLOCK : 2 * BLOCK] == bytes(BLOCK) and reader.damaged == 1
    assert opened(bytes(raw[:-10])).read()[:BLOCK] == data[:BLOCK]  # and a cut-off end costs the last block


def test_a_broken_head_is_no_courier_file() -> None:
    data = sealed(b"x")
    for broken in (
        MAGIC,
        MAGIC + b"\xff" * 50,
        MAGIC + b"\x80" + data[30:],
        MAGIC + b"\x81\x01" + data[30:],
        b"?" * 200,
    ):
        with pytest.raises(Known) as known:
            Reader(io.BytesIO(broken), len(broken), [KEY])
        assert known.value.code in ("SY-372", "SY-440")
    altered = bytearray(data)
    altered[len(MAGIC) + 40] ^= 1  # in the box of the file's key
    with pytest.raises(Known) as known:
        opened(bytes(altered))
    assert known.value.code == "SY-372"


def test_reading_is_from_the_start_only() -> None:
    reader = opened(sealed(b"abc"))
    assert reader.readable() and reader.seekable() and reader.tell() == 0
    for place, whence in ((-1, 0), (0, 2)):
        with pytest.raises(ValueError, match="start"):
            reader.seek(place, whence)


def test_sealed_volumes_are_split_read_back_and_hold_the_same(tmp_path: Path) -> None:
    objects = [Object("batch", sha256(bytes([n])).hexdigest(), os.urandom(9_000)) for n in range(20)]
    paths = volume.write(tmp_path, "x", objects, limit=60_000, seal=[PUBLIC])
    assert len(paths) > 2 and all(path.stat().st_size <= 60_000 for path in paths)
    found: list[bytes] = []
    for path in paths:
        with pytest.raises(Known) as known:
            Volume(path)
        assert known.value.code == "SY-440"
        with Volume(path, [OTHER, KEY]) as held:
            assert held.sealed and held.whole
            found += [data for _, data in held.of("batch")]
    assert found == [one.data for one in objects]


def test_damage_in_a_sealed_volume_costs_the_objects_that_it_hits(tmp_path: Path) -> None:
    objects = [Object("chunk", sha256(bytes([n])).hexdigest(), os.urandom(100_000)) for n in range(6)]
    (path,) = volume.write(tmp_path, "x", objects, seal=[PUBLIC])
    raw = bytearray(path.read_bytes())
    raw[2 * (BLOCK + 16) + 200_000 % BLOCK] ^= 1
    path.write_bytes(bytes(raw))
    with Volume(path, [KEY]) as held:
        sound = [data for _, data in held.of("chunk")]
        assert 4 <= len(sound) < 6 and set(sound) <= {one.data for one in objects}


def test_too_little_room_is_said_with_numbers(tmp_path: Path) -> None:
    with pytest.raises(Known) as known:
        volume.require_room(tmp_path, 1 << 60)
    assert known.value.code == "SY-441"
    assert known.value.values["needed_mib"] == 1 << 40 and int(str(known.value.values["free_mib"])) >= 0
    volume.require_room(tmp_path / "new", 1)
    with pytest.raises(Known) as known:
        volume.require_room(Path("/proc/none"), 1)
    assert known.value.code == "SY-371"


def test_a_small_file_in_memory(tmp_path: Path) -> None:
    objects = [Object("enrol", "aa" * 16, b"request")]
    for seal, keys in (([], []), ([PUBLIC], [KEY])):
        data = volume.pack(objects, seal=seal)
        with Volume(data, keys) as held:
            assert held.whole and [one for _, one in held.of("enrol")] == [b"request"]
            assert held.sealed is bool(seal)


def test_a_stranger_learns_only_the_rough_size() -> None:
    sizes = {len(sealed(b"a" * size)) for size in range(100_000, 101_000, 50)}
    assert len(sizes) <= 2 and sealedfile.MAGIC == b"SALASEALED1\n"
