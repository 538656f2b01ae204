"""The file of a courier: whole or absent, damage costs only what it hits."""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import volume
from sync.errors import Known
from sync.volume import MAGIC, Object, Volume, VolumeSource

OBJECTS = [
    Object("batch", "aa" * 32, b"first" * 100), Object("chunk", "bb" * 32, b""), Object("metadata", "1.root.json", b"{}"),
    Object("target", "forms/x.y", bytes(70_000)), Object("receipt", "cc" * 32, "បង្កាន់ដៃ".encode()),
]  # fmt: skip


def contents(path: Path) -> list[Object]:
    with Volume(path) as found:
        return [Object(entry.type, entry.name, _whole(found.read(entry))) for entry in found.entries]


def _whole(data: bytes | None) -> bytes:
    assert data is not None
    return data


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    (path,) = volume.write(tmp_path / "stick", "sala-1", OBJECTS)
    assert path.name == "sala-1.salabatch"
    assert contents(path) == OBJECTS
    assert [item.name for item in (tmp_path / "stick").iterdir()] == [path.name]
    with Volume(path) as found:
        assert found.whole
        assert [data for _, data in found.of("receipt")] == [OBJECTS[4].data]
        assert b"".join(VolumeSource(found).read("targets/forms/x.y")) == bytes(70_000)
        assert b"".join(VolumeSource(found).read("metadata/1.root.json")) == b"{}"
        for path_ in ("metadata/2.root.json", "targets/1.root.json"):
            with pytest.raises(FileNotFoundError):
                list(VolumeSource(found).read(path_))


def test_the_end_holds_the_hash_of_all_before_it(tmp_path: Path) -> None:
    (path,) = volume.write(tmp_path, "x", OBJECTS[:1])
    data = path.read_bytes()
    assert data.startswith(b"SALABATCH1\n")
    digest = data[data.index(b"cend") :][6 + 2 :]
    assert sha256(data[: data.index(b"\x84cend")]).digest() in digest


def test_volumes_split_at_their_limit(tmp_path: Path) -> None:
    made = [Object("batch", f"{number:064x}", os.urandom(10_000)) for number in range(20)]
    paths = volume.write(tmp_path, "big", made, limit=50_000)
    assert [path.name for path in paths[:3]] == ["big.salabatch", "big-2.salabatch", "big-3.salabatch"]
    assert all(path.stat().st_size <= 50_000 for path in paths)
    assert [item for path in paths for item in contents(path)] == made
    (empty,) = volume.write(tmp_path, "empty", [])
    with Volume(empty) as found:
        assert (found.entries, found.whole) == ([], True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_costs_only_what_it_hits(data: st.DataObject, tmp_path: Path) -> None:
    (path,) = volume.write(tmp_path, "x", OBJECTS)
    whole = path.read_bytes()
    place = data.draw(st.integers(len(MAGIC), len(whole) - 1))
    bent = bytearray(whole)
    bent[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "bent.salabatch").write_bytes(bent)
    with Volume(tmp_path / "bent.salabatch") as found:
        assert not found.whole
        read = {entry.name: found.read(entry) for entry in found.entries}
    with Volume(path) as sound:
        hit = next(
            (number for number, entry in enumerate(sound.entries) if place < entry.offset + entry.length), len(OBJECTS)
        )
        in_content = hit < len(OBJECTS) and place >= sound.entries[hit].offset
    expected = {item.name: item.data for item in OBJECTS}
    for number, item in enumerate(OBJECTS):
        if number < hit or (in_content and number != hit):
            assert read[item.name] == expected[item.name]
        elif in_content:
            assert read[item.name] is None
    assert all(value is None or value in expected.values() for value in read.values())  # names are not trusted


def test_a_cut_off_file_gives_what_came_before(tmp_path: Path) -> None:
    (path,) = volume.write(tmp_path, "x", OBJECTS)
    whole = path.read_bytes()
    for end in range(len(MAGIC), len(whole), 997):
        (tmp_path / "cut.salabatch").write_bytes(whole[:end])
        with Volume(tmp_path / "cut.salabatch") as found:
            assert not found.whole
            assert [found.read(entry) for entry in found.entries] == [item.data for item in OBJECTS][
                : len(found.entries)
            ]


def test_what_is_no_courier_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.salabatch").write_bytes(b"PK\3\4 something else")
    for call, code in (
        (lambda: Volume(tmp_path / "x.salabatch"), "SY-372"), (lambda: Volume(tmp_path / "none"), "SY-371"),
        (lambda: volume.find(tmp_path / "empty"), None), (lambda: volume.find(tmp_path.parent / "nothing" / "there"), None),
    ):  # fmt: skip
        if code is None:
            continue
        with pytest.raises(Known) as refused:
            call()
        assert refused.value.code == code
    (tmp_path / "folder").mkdir()
    with pytest.raises(Known, match="SY-374"):
        volume.find(tmp_path / "folder")
    assert volume.find(tmp_path) == [tmp_path / "x.salabatch"]


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "SY-370"), (errno.EROFS, "SY-371"), (errno.EIO, "SY-371")])
def test_a_full_or_locked_stick_leaves_nothing_half(
    number: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, iter(range(10))

    def fails(handle: int) -> None:
        if next(calls) == 2:  # the second volume; the first took one for the file and one for the folder
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(Known) as refused:
        volume.write(
            tmp_path / "stick", "x", [Object("batch", "a", bytes(5000)), Object("batch", "b", bytes(5000))], limit=6_000
        )
    assert refused.value.code == code
    assert list((tmp_path / "stick").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Known, match="SY-371"):
        volume.write(tmp_path / "file" / "stick", "x", OBJECTS)


def test_a_stick_that_does_not_keep_data_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def lies(self: Path, target: Path) -> Path:
        data = bytearray(self.read_bytes())
        data[len(data) // 2] ^= 1
        self.write_bytes(data)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", lies)
    with pytest.raises(Known, match="SY-373"):
        volume.write(tmp_path, "x", OBJECTS)
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_is_pulled_out_while_it_is_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    objects = [Object("batch", "a", bytes(5_000)), Object("batch", "b", bytes(5_000))]
    paths = volume.write(tmp_path / "sound", "x", objects, limit=6_000)
    assert volume.size(paths) == sum(len(path.read_bytes()) for path in paths)
    monkeypatch.setattr(os, "fsync", gone)
    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(Known, match="SY-371"):
        volume.write(tmp_path / "stick", "x", objects)
    with pytest.raises(Known, match="SY-371"):
        volume.size([tmp_path / "stick" / "x.salabatch"])


def test_nothing_is_written_through_a_link_that_stands_on_the_stick(tmp_path: Path) -> None:
    stick, precious = tmp_path / "stick", tmp_path / "precious"
    stick.mkdir()
    precious.write_bytes(b"precious")
    for name in ("x.salabatch.part", "x.salabatch"):
        (stick / name).symlink_to(precious)
    (path,) = volume.write(stick, "x", OBJECTS)
    assert contents(path) == OBJECTS and not path.is_symlink()
    assert precious.read_bytes() == b"precious"


def test_only_files_of_a_stick_are_opened(tmp_path: Path) -> None:
    volume.write(tmp_path, "sound", OBJECTS)
    (tmp_path / "folder.salabatch").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.salabatch")
    assert [path.name for path in volume.find(tmp_path)] == ["sound.salabatch"]
