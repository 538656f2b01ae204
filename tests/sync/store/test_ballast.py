"""Room kept aside, and small files that are whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync import ballast, durable
from sync.errors import Known


@pytest.fixture(autouse=True)
def two_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ballast.VARIABLE, "2")


def test_64_mib_unless_somebody_says_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ballast.size() == 2 << 20
    monkeypatch.delenv(ballast.VARIABLE)
    assert ballast.size() == 64 << 20
    monkeypatch.setenv(ballast.VARIABLE, "0")
    ballast.lay(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not ballast.drop(tmp_path)
    ballast.lay_again(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_is_dropped_once_and_laid_again(tmp_path: Path) -> None:
    ballast.lay(tmp_path)
    assert ballast.drop(tmp_path)
    assert not ballast.drop(tmp_path)
    ballast.lay_again(tmp_path)
    assert (tmp_path / "ballast").stat().st_size == 2 << 20
    ballast.lay_again(tmp_path)


def test_without_fallocate_the_file_is_made_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    ballast.lay(tmp_path)
    assert (tmp_path / "ballast").stat().st_size == 2 << 20


def test_no_room_for_it_is_a_full_disk_at_setup_and_nothing_at_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(Known, match="SY-104"):
        ballast.lay(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "ballast").touch()
    ballast.lay_again(tmp_path)


def test_a_durable_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    durable.replace(path, b"one")

    def power_cut(_: int) -> None:
        raise OSError

    with monkeypatch.context() as cut:
        cut.setattr(os, "fsync", power_cut)
        with pytest.raises(OSError):
            durable.replace(path, b"two")
    assert path.read_bytes() == b"one"
    monkeypatch.delattr(os, "O_DIRECTORY")  # as on Windows
    durable.replace(path, b"two")
    assert path.read_bytes() == b"two"
