"""The list of files that verify or parse what others sent names only what is there, and holds every one of them to 100 %."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import trust


def test_every_file_and_test_of_the_list_is_there() -> None:
    found = trust.table()
    assert len(found) > 30 and all(found.values())
    run, report = trust.commands(found)
    assert {test for named in found.values() for test in named} <= set(run)
    assert "--fail-under=100" in report
    assert set(
        next(one for one in report if one.startswith("--include=")).removeprefix("--include=").split(",")
    ) == set(found)


def test_a_name_that_is_nowhere_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "trust.toml").write_text('[tests]\n"sync/cbor.py" = ["tests/sync/test_nowhere.py"]\n', "utf-8")
    with pytest.raises(ValueError, match="test_nowhere"):
        trust.table(tmp_path / "trust.toml")
    assert trust.main(["sync/nowhere.py"]) == 2
    assert "sync/nowhere.py" in capsys.readouterr().err
