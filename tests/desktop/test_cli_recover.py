"""A forgotten passphrase: the province's key gives a new one, and what was not sent is still there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.cli import main
from modules.session import Session

NEW = "ផ្លូវទៅវត្ត ឆ្លងស្ពានឈើ ២៨"


@pytest.fixture
def cli(
    open_office: Callable[..., Session],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Any]:
    """Runs ``sala-cli`` on a profile with one link that nobody sent; its passphrase file holds the new passphrase."""
    session = open_office()
    session.commands.run("links.create", url="https://www.interior.gov.kh/news")
    session.close()
    (tmp_path / "new").write_text(NEW, "utf-8")
    monkeypatch.setenv("SALA_PASSPHRASE_FILE", str(tmp_path / "new"))

    def run(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        done = main(["--home", str(tmp_path / "home"), "--json", *words])
        printed = capsys.readouterr()
        assert done == code, printed.out + printed.err
        return json.loads(printed.out)

    return run


def recover(cli: Callable[..., Any], key: Path, new: Path, code: int = 0) -> Any:
    return cli("officers", "recover", "ចាន់ សុខា", "--key", str(key), "--new-passphrase-file", str(new), code=code)


def test_the_provinces_key_gives_a_new_passphrase(cli: Callable[..., Any], centre_folder: Path, tmp_path: Path) -> None:
    before = cli("status", code=1)["error"]["code"]
    assert before.startswith("SY-11")
    done = recover(cli, centre_folder / "offline" / "recovery.key", tmp_path / "new")
    assert done["name"] == "ចាន់ សុខា"
    assert cli("status")["waiting"] >= 1
    assert cli("links", "list")
    assert cli("audit", "verify")["ok"]


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "00" * 33])
def test_a_file_without_a_key_is_refused(cli: Callable[..., Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.key").write_text(text, "ascii")
    assert recover(cli, tmp_path / "wrong.key", tmp_path / "new", code=1)["error"]["code"] == "CL-004"


def test_another_key_opens_nothing(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "other.key").write_text("11" * 32 + "\n", "ascii")
    assert recover(cli, tmp_path / "other.key", tmp_path / "new", code=1)["error"]["code"] == "SY-116"
