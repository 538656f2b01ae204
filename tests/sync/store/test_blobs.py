"""Attachments: encrypted pieces that are all there or said to be missing."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import cbor, durable, line
from sync.blobs import Blobs
from sync.errors import Known, Refused
from sync.keys import Unlocked
from sync.limits import CHUNK, CHUNK_SLOW, MAX_BLOB
from sync.marks import GOODPUT, set_mark
from sync.store import Connection, Store

MIB = 1 << 20


@pytest.fixture
def blobs(store: Store) -> Blobs:
    """On a line that is known to be fast."""
    store.write(lambda conn: set_mark(conn, GOODPUT, 1 << 20))
    return Blobs(store, store.folder / "blobs", b"s" * 32)


@pytest.mark.parametrize(
    ("goodput", "metered", "size"),
    [(0, False, CHUNK_SLOW), (31_999, False, CHUNK_SLOW), (32_000, False, CHUNK), (1 << 20, True, CHUNK_SLOW)],
)
def test_pieces_are_small_where_a_cut_would_cost_seconds(
    store: Store, blobs: Blobs, goodput: int, metered: bool, size: int
) -> None:
    def work(conn: Connection) -> None:
        set_mark(conn, GOODPUT, goodput)
        line.keep(conn, line.Settings(metered=metered))

    store.write(work)
    assert len(blobs.chunks(blobs.add(bytes(CHUNK), "x/y"))) == CHUNK // size


def files(blobs: Blobs) -> list[Path]:
    return sorted(path for path in blobs._folder.rglob("*") if path.is_file())


def code(call: Callable[[], object]) -> str:
    with pytest.raises((Refused, Known)) as refused:
        call()
    return refused.value.code


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_it_comes_back_as_it_was(blobs: Blobs, size: int) -> None:
    data = random.Random(size).randbytes(size)
    blob = blobs.add(data, "application/pdf")
    assert blobs.read(blob) == data
    assert len(blobs.chunks(blob)) == max(1, -(-size // CHUNK))
    assert sha256(blobs.manifest(blob)).hexdigest() == blob
    assert cbor.decode(blobs.manifest(blob)) == {1: size, 2: "application/pdf", 3: blobs.chunks(blob)}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2_000), st.integers(1, 300))
def test_any_content_in_any_chunks(blobs: Blobs, data: bytes, chunk_size: int) -> None:
    assert blobs.read(blobs.add(data, "x/y", chunk_size=chunk_size)) == data


def test_a_file_is_read_from_the_disk(blobs: Blobs, tmp_path: Path) -> None:
    path = tmp_path / "ស្កេន.pdf"
    path.write_bytes(b"content")
    assert blobs.read(blobs.add(path, "application/pdf")) == b"content"


def test_the_same_file_is_kept_once(blobs: Blobs) -> None:
    assert blobs.add(b"same" * 100_000, "x/y") == blobs.add(b"same" * 100_000, "x/y")
    assert len(files(blobs)) == 2


def test_two_laptops_and_two_chunkings_share_nothing(store: Store, blobs: Blobs) -> None:
    """Other pieces of one content under the same key and nonce would give the content away."""
    data = bytes(CHUNK)
    other = Blobs(store, store.folder / "others", b"t" * 32)
    pieces = [
        made.chunk(name)
        for made, size in ((blobs, CHUNK), (blobs, CHUNK_SLOW), (other, CHUNK))
        for name in made.chunks(made.add(data, "x/y", chunk_size=size))
    ]
    starts = {piece[:16] for piece in pieces}
    assert len(starts) == len(pieces) == 6


def test_nothing_readable_is_on_the_disk(blobs: Blobs) -> None:
    blobs.add("ប្រាក់ខែ canary".encode() * 50_000, "text/plain")
    for path in files(blobs):
        assert b"canary" not in path.read_bytes()
        assert sha256(path.read_bytes()).hexdigest() == path.name


@pytest.mark.parametrize("size", [MAX_BLOB + 1, 50 * MIB])
def test_a_file_over_the_limit_is_refused_before_it_is_read(blobs: Blobs, tmp_path: Path, size: int) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    path.chmod(0o000)  # reading it would fail in another way (unless root runs the tests)
    with pytest.raises(Refused) as refused:
        blobs.add(path, "video/mp4")
    assert (refused.value.code, refused.value.values["most_mib"]) == ("SY-140", 20)
    assert files(blobs) == []


def test_bytes_over_the_limit_and_files_that_grow_are_refused(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code(lambda: blobs.add(bytes(MAX_BLOB + 1), "x/y")) == "SY-140"
    path = tmp_path / "grows"
    path.write_bytes(bytes(MAX_BLOB + 1))
    monkeypatch.setattr(Path, "stat", lambda self, **_: type("small", (), {"st_size": 1})())
    assert code(lambda: blobs.add(path, "x/y")) == "SY-140"


def test_a_file_of_the_limit_is_taken(blobs: Blobs) -> None:
    blob = blobs.add(bytes(MAX_BLOB), "x/y")
    assert len(blobs.chunks(blob)) == 80


def test_a_file_that_is_not_there_is_said(blobs: Blobs, tmp_path: Path) -> None:
    assert code(lambda: blobs.add(tmp_path / "none.pdf", "x/y")) == "SY-142"
    assert code(lambda: blobs.add(tmp_path, "x/y")) == "SY-142"


def test_a_media_type_is_short(blobs: Blobs) -> None:
    with pytest.raises(ValueError, match="media type"):
        blobs.add(b"x", "x" * 128)


def test_unknown_blobs_are_lookup_errors(blobs: Blobs) -> None:
    for call in (blobs.read, blobs.manifest, blobs.chunks):
        with pytest.raises(LookupError):
            call("00" * 32)


def test_missing_and_damaged_pieces_are_said(blobs: Blobs) -> None:
    blob = blobs.add(b"x" * (CHUNK + 5), "x/y")
    path = files(blobs)[0]
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    assert code(lambda: blobs.read(blob)) == "SY-141"
    path.unlink()
    assert code(lambda: blobs.read(blob)) == "SY-141"
    path.mkdir()  # whatever else the disk says of it
    assert code(lambda: blobs.read(blob)) == "SY-141"
    path.rmdir()
    blobs.add(b"x" * (CHUNK + 5), "x/y")  # attaching the file again heals it
    assert len(blobs.read(blob)) == CHUNK + 5


def test_pieces_cannot_be_swapped(store: Store, blobs: Blobs) -> None:
    """Even with the manifest changed in the database: place and number belong to each piece."""
    blob = blobs.add(b"a" * CHUNK + b"b" * CHUNK, "x/y")
    fields = cbor.decode(blobs.manifest(blob))
    fields[3].reverse()
    store.write(lambda conn: conn.execute("UPDATE blob SET manifest = ?", (cbor.encode(fields),)))
    assert code(lambda: blobs.read(blob)) == "SY-141"


def test_a_full_disk_is_known_and_leaves_no_entry(blobs: Blobs, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(durable, "replace", full)
        assert code(lambda: blobs.add(b"x", "x/y")) == "SY-104"
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM blob").fetchone()[0]) == 0
    blobs.add(b"x", "x/y")


def test_it_joins_the_write_of_its_caller(blobs: Blobs, store: Store) -> None:
    def work(conn: object) -> None:
        blob = blobs.add(b"x", "x/y")
        assert blobs.read(blob) == b"x"
        raise Refused("SY-112", name="x")

    with pytest.raises(Refused):
        store.write(work)
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM chunk").fetchone()[0]) == 0


def test_the_profile_brings_its_own(profile: Unlocked) -> None:
    assert profile.blobs.read(profile.blobs.add(b"x", "x/y")) == b"x"
    assert (profile.home / "blobs").is_dir()
