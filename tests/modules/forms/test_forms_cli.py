"""``sala-cli forms …`` as a real process: one JSON document, exit codes, the day's work without a window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PASSPHRASE = "ពាក្យសម្ងាត់នៃសាលា"


@pytest.fixture
def cli(tmp_path: Path, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from sync import enrol, keys
    from sync.clock import SystemClock

    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    home = tmp_path / "home"
    enrol.setup(
        home, office_pack, officer_name="ចាន់ សុខា", passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP
    ).lock()
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE, "utf-8")

    def run(*words: str, code: int = 0) -> Any:
        made = subprocess.run(
            [sys.executable, "-m", "desktop.cli", "--home", str(home), "--json", "forms", *words], cwd=ROOT, text=True,
            capture_output=True, timeout=60, env={**os.environ, "SALA_PASSPHRASE_FILE": str(secret)},
        )  # fmt: skip
        assert made.returncode == code, made.stderr + made.stdout
        run.said = made.stderr  # type: ignore[attr-defined]
        return json.loads(made.stdout)

    return run


def test_a_day_on_the_command_line(cli: Any, sheet: Any, tmp_path: Path, scan: Path) -> None:
    assert cli("services", "កាត់សក់")["services"][0]["id"] == "barber-shop-2-4"
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({**sheet("barber-licence"), "id_scan": [scan.name]}), "utf-8")
    made = cli("fill", "barber-licence", "--answers", str(answers), "--finish")
    assert made["fee"] == 20_000
    assert [row["id"] for row in cli("list", "--filter", "ស្រីមុំ")["rows"]] == [made["id"]]
    assert cli("case", made["receipt"])["id"] == made["id"]
    assert cli("show", made["id"])["answers"]["chairs"] == 3
    assert cli("receipt", made["id"], str(tmp_path / "r.pdf"))["copy"] == 0
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert cli("export", "barber-licence", "--format", "csv", str(tmp_path / "x.csv"))["rows"] == 1
    changes = tmp_path / "changes.json"
    changes.write_text('{"workers": 6}', "utf-8")
    assert cli("correct", made["id"], "--changes", str(changes), "--reason", "រាប់ខុស")["changed"] == ["workers"]
    assert cli("withdraw", made["id"], "--reason", "x")["state"] == "withdrawn"
    assert cli("withdraw", made["id"], "--reason", "x", code=1)["error"]["code"] == "FM-031"


def test_a_draft_step_by_step_and_every_problem_said(cli: Any, sheet: Any, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({**sheet("barber-licence"), "chairs": 9}), "utf-8")
    refused = cli("fill", "barber-licence", "--answers", str(answers), "--finish", code=1)
    assert refused["error"]["code"] == "FM-013" and "chairs: " in cli.said and "FM-103" in cli.said
    assert cli("drafts")["drafts"] == []
    draft = cli("fill", "barber-licence", "--answers", str(answers))["draft"]
    assert not cli("check", draft, code=1)["ready"]
    assert cli("finish", draft, code=1)["error"]["code"] == "FM-013"
    assert cli("discard", draft)["discarded"]
    answers.write_text("[1]", "utf-8")
    assert cli("fill", "barber-licence", "--answers", str(answers), code=1)["error"]["code"] == "CL-002"
