"""``sala-cli line``: the line's settings, its state and a look at it, without a window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.cli import main
from modules.session import Session
from tests.conftest import PASSPHRASE

Cli = Callable[..., Any]


@pytest.fixture
def cli(
    open_office: Callable[..., Session],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """Runs ``sala-cli`` on a profile that has never reached a hub."""
    open_office().close()
    (tmp_path / "passphrase").write_text(PASSPHRASE, "utf-8")
    monkeypatch.setenv("SALA_PASSPHRASE_FILE", str(tmp_path / "passphrase"))

    def run(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        done = main(["--home", str(tmp_path / "home"), "--json", *words])
        printed = capsys.readouterr()
        assert done == code, printed.out + printed.err
        return json.loads(printed.out)

    return run


def test_settings_are_changed_one_by_one_and_the_rest_is_kept(cli: Cli, tmp_path: Path) -> None:
    assert cli("line", "show")["proxy"] == "system"
    (tmp_path / "secret").write_text("សម្ងាត់", "utf-8")
    cli(
        "line",
        "set",
        "--proxy",
        "10.0.0.1:3128",
        "--proxy-user",
        "office",
        "--proxy-password-file",
        str(tmp_path / "secret"),
    )
    told = cli("line", "set", "--cap", "40", "--metered", "--hours", "12:00-13:30, 17:00-07:00")
    assert told == {
        "proxy": "manual", "proxy_url": "http://10.0.0.1:3128", "proxy_user": "office", "has_password": True, "cap_kb": 40,
        "metered": True, "hours": "12:00-13:30, 17:00-07:00",
    }  # fmt: skip
    assert cli("line", "set", "--proxy", "none", "--not-metered", "--hours", "")["hours"] == ""
    shown = cli("line", "show")
    assert (shown["proxy"], shown["cap_kb"], shown["metered"], shown["next_try_ms"], shown["trouble"]) == (
        "none",
        40,
        False,
        0,
        "",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--hours", "noon"), "SY-427"), (("--cap", "-4"), "SY-429"), (("--proxy", "ftp://x"), "SY-426")],
)
def test_what_cannot_be_read_is_refused(words: tuple[str, str], code: str, cli: Cli) -> None:
    assert cli("line", "set", *words, code=1)["error"]["code"] == code


def test_a_look_at_the_line_and_what_a_failed_run_leaves(cli: Cli) -> None:
    cli("line", "set", "--proxy", "none")
    found = cli("line", "test", code=1)
    assert (found["ok"], found["code"], found["proxy"], found["tls"]) == (False, "SY-350", "", "none")
    assert cli("sync", "--once", code=1)["error"]["code"] == "SY-350"
    shown = cli("line", "show")
    assert (shown["trouble"], shown["tries"]) == ("SY-350", 1)
