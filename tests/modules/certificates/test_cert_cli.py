"""``sala-cli certificates …``: one JSON document, right exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from modules.certificates.cli import commands
from modules.cli import Desk
from modules.contract import Refused


@pytest.fixture
def cli(siem: Any, tmp_path: Path) -> Callable[..., Result]:
    """``cli(*arguments, input=None, as_json=True)`` on the hall's session."""

    def run(*arguments: str, input: str | None = None, as_json: bool = True) -> Result:
        desk = Desk(tmp_path, as_json=as_json, officer=None)
        desk._session = siem.session
        return CliRunner().invoke(commands(), arguments, obj=desk, input=input, catch_exceptions=False)

    return run


def test_issue_check_revoke_register(cli: Any, siem: Any, tmp_path: Path, barber: dict[str, Any]) -> None:
    data = tmp_path / "data.json"
    data.write_text(json.dumps(barber, ensure_ascii=False), "utf-8")
    done = cli("issue", "barber-licence", "--data", str(data), "--out", str(tmp_path / "out"))
    made = json.loads(done.stdout)
    assert done.exit_code == 0 and made["number"] == "0306-7-000038" and made["print"]["copy"] == 1
    pdf = made["print"]["path"]
    assert Path(pdf).name == "0306-7-000038.pdf"

    checked = cli("check", pdf)
    assert checked.exit_code == 0 and json.loads(checked.stdout)["overall"] == "valid"
    piped = cli("check", "-", input=made["text"] + "\n")
    assert piped.exit_code == 0 and json.loads(piped.stdout)["certificate"]["number"] == "0306-7-000038"

    assert json.loads(cli("suspend", made["number"], "--reason", "breach").stdout)["status"] == "suspended"
    assert json.loads(cli("reinstate", made["number"], "--reason", "mistake").stdout)["status"] == "valid"
    assert json.loads(cli("revoke", made["id"], "--reason", "error").stdout)["status"] == "revoked"
    again = cli("check", pdf)
    assert again.exit_code == 1 and json.loads(again.stdout)["overall"] == "revoked"
    listed = json.loads(cli("register", "--status", "revoked").stdout)
    assert listed["total"] == 1 and listed["rows"][0]["number"] == "0306-7-000038"
    assert json.loads(cli("pdf", made["number"], str(tmp_path / "b.pdf")).stdout)["copy"] == 2


def test_words_for_people(cli: Any, siem: Any) -> None:
    result = cli("check", siem.issue()["text"], as_json=False)
    assert "ពិតប្រាកដ" in result.stdout and "លឹម ស្រីមុំ" in result.stdout and "[101]" in result.stdout


def test_folder(cli: Any, siem: Any, tmp_path: Path) -> None:
    siem.run("pdf", id=siem.issue()["id"], out=str(tmp_path))
    (tmp_path / "x.pdf").write_bytes(b"%PDF-")
    result = cli("check", str(tmp_path))
    assert result.exit_code == 1 and [row["overall"] for row in json.loads(result.stdout)["rows"]] == [
        "valid",
        "unreadable",
    ]


def test_bad_data_is_refused(cli: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    for content in ("[]", "{", '"x"'):
        bad.write_text(content)
        with pytest.raises(Refused, match="CL-002"):
            cli("issue", "barber-licence", "--data", str(bad))
    bad.write_text("{}")
    with pytest.raises(Refused, match="CT-111"):
        cli("issue", "barber-licence", "--data", str(bad))
