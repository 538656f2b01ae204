"""``sala-hub admin …``: who may log in, by the command line; every verb stands in the audit, and the audit is checked there too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.clock import SystemClock
from sync.hub import centre as centres
from sync.hub import cli, watch
from sync.hub.console import admins
from tests.hub import tables

PASSPHRASE = "ទន្លេសាប ឆ្នាំនេះ"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The folder of a hub with one owner."""
    folder = tmp_path / "hub"
    centres.create(tables.lay(folder), SystemClock(), name="hub", log_name="hub").close()
    (tmp_path / "passphrase").write_text(PASSPHRASE, "utf-8")
    return folder


def run(capsys: pytest.CaptureFixture[str], hub: Path, *arguments: str, code: int = 0) -> Any:
    assert cli.main(["--data", str(hub), "--json", "admin", *arguments]) == code
    return json.loads(capsys.readouterr().out)


def add(capsys: pytest.CaptureFixture[str], hub: Path, name: str, *more: str) -> Any:
    return run(capsys, hub, "add", name, "--passphrase-file", str(hub.parent / "passphrase"), *more)


def test_the_first_admin_is_an_owner_and_others_are_what_one_says(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(capsys, hub, "សុខា") == {"admin": "សុខា", "role": "owner"}
    assert add(capsys, hub, "ដារា") == {"admin": "ដារា", "role": "viewer"}
    assert add(capsys, hub, "ដារា", "--role", "operator") == {"admin": "ដារា", "role": "operator"}
    assert add(capsys, hub, "ដារា")["role"] == "operator"  # a new passphrase changes no role
    assert [(row["name"], row["role"]) for row in run(capsys, hub, "list")] == [("ដារា", "operator"), ("សុខា", "owner")]
    assert run(capsys, hub, "role", "ដារា", "auditor")["role"] == "auditor"
    assert run(capsys, hub, "role", "សុខា", "viewer", code=1)["error"]["code"] == "HB-202"
    assert run(capsys, hub, "remove", "ដារា") == {"removed": "ដារា"}
    assert run(capsys, hub, "remove", "ដារា", code=1)["error"]["code"] == "HB-161"
    (hub.parent / "passphrase").write_text("ខ្លី", "utf-8")
    wrong = run(capsys, hub, "add", "x", "--passphrase-file", str(hub.parent / "passphrase"), code=1)
    assert wrong["error"]["code"] == "HB-160"


def test_somebody_is_shut_out_signed_out_and_loses_an_authenticator(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(capsys, hub, "សុខា")
    add(capsys, hub, "ដារា")
    assert run(capsys, hub, "shut-out", "ដារា")["shut_out"] is True
    assert run(capsys, hub, "list")[0]["disabled_ms"] is not None
    assert run(capsys, hub, "shut-out", "ដារា", "--undo")["shut_out"] is False
    assert run(capsys, hub, "sign-out", "ដារា") == {"admin": "ដារា", "ended": 0}
    centre = centres.open_(hub, SystemClock())
    centre.storage.write(lambda tx: admins.set_factor(tx, "ដារា", b"sealed", 1, "[]"))
    centre.close()
    assert run(capsys, hub, "list")[0]["factor"] == 1
    run(capsys, hub, "reset-authenticator", "ដារា")
    assert run(capsys, hub, "list")[0]["factor"] == 0


def test_the_rule_about_authenticators(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, hub, "rule") == {"authenticator": "owners"}
    assert run(capsys, hub, "rule", "everybody") == {"authenticator": "everybody"}
    assert run(capsys, hub, "rule") == {"authenticator": "everybody"}


def test_verbs_stand_in_the_audit_which_can_be_checked_and_taken_away(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(capsys, hub, "សុខា")
    run(capsys, hub, "rule", "nobody")
    rows = run(capsys, hub, "audit")
    assert [row["subject"] for row in rows] == ["admin rule", "admin add"] and PASSPHRASE not in json.dumps(rows)
    verdict = run(capsys, hub, "verify-audit")
    assert (verdict["ok"], verdict["rows"]) == (True, 2)
    assert run(capsys, hub, "verify-audit", "--rows", "2", "--head", verdict["head"])["ok"]
    assert run(capsys, hub, "verify-audit", "--rows", "3", code=1)["ok"] is False  # rows at the end were taken away
    assert run(capsys, hub, "verify-audit", "--rows", "2", "--head", "00" * 32, code=1)["wrong_row"] == 2
    out = hub.parent / "audit.jsonl"
    assert run(capsys, hub, "audit", "--out", str(out))["rows"] == 2
    assert len(out.read_text("utf-8").splitlines()) == 2
    assert run(capsys, hub, "audit", "--out", str(hub.parent / "no" / "such"), code=1)["error"]["code"] == "HB-106"

    centre = centres.open_(hub, SystemClock())
    centre.storage.write(lambda tx: tx.execute("DROP TRIGGER look_no_delete"))
    centre.storage.write(lambda tx: tx.execute("DELETE FROM look WHERE idx = 1"))
    assert not centre.storage.read(watch.verify).ok
    centre.close()
    assert run(capsys, hub, "verify-audit", code=1)["wrong_row"] == 1


@pytest.mark.parametrize(
    ("said", "code", "what"),
    [
        ("admin add a --passphrase-file {junk}", 1, "HB-106"), ("admin verify-audit --rows 99999999999999999999", 2, "usage"),
        ("admin verify-audit --rows -5", 2, "usage"), ("webhook add http://x/ --kind nobodys", 2, "usage"),
        ("webhook add http://[ ", 1, "HB-235"), ("webhook add http://169.254.169.254/", 1, "HB-235"), ("webhook on 7", 1, "HB-236"),
        ("token add a --table none", 1, "HB-230"), ("table export links {folder}/no/x.csv", 1, "HB-106"),
        ("table export links {folder}/x.docx", 1, "HB-231"), ("renew-root {junk}", 1, "HB-106"), ("forks zz", 1, "HB-141"),
        ("serve --port 99999", 1, "HB-105"), ("rebuild --from https://[", 1, "HB-168"), ("import-unsent {junk} --key {junk}", 1, "HB-106"),
        ("publish {junk} --under ../x", 1, "HB-130"), ("import {junk}", 1, "SY-372"), ("revoke zz", 1, "HB-120"),
    ],
)  # fmt: skip
def test_a_verb_with_wrong_words_is_refused_in_words(
    hub: Path, capsys: pytest.CaptureFixture[str], said: str, code: int, what: str
) -> None:
    junk = hub.parent / "junk"
    junk.write_bytes(b"\xff\xfe\x00junk")
    words = said.format(junk=junk, folder=hub.parent).split()
    assert cli.main(["--data", str(hub), "--json", *words]) == code
    assert json.loads(capsys.readouterr().out)["error"]["code"] == what
