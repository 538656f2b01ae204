"""``sala-cli links …``: one JSON document a run, exit codes, refusals in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TARGET = "https://www.kampongcham.gov.kh/market"


def test_links_on_the_command_line(sala_cli: Any, tmp_path: Path) -> None:
    made = sala_cli("links", "create", TARGET, "--title", "ទីផ្សារ", "--expires", "31/12/2099")
    own = sala_cli("links", "create", TARGET, "--code", "market")
    assert own["code"] == "0306-market" and [one["code"] for one in own["known"]] == [made["code"]]
    assert [row["code"] for row in sala_cli("links", "list", "--text", "ផ្សារ")["rows"]] == [made["code"]]
    assert sala_cli("links", "disable", made["code"])["state"] == "disabled"
    assert sala_cli("links", "enable", made["code"])["state"] == "active"
    assert len(sala_cli("links", "show", made["code"])["history"]) == 3
    sheet = tmp_path / "sheet.pdf"
    assert sala_cli("links", "sheet", made["code"], own["code"], str(sheet))["labels"] == 2
    assert sheet.read_bytes().startswith(b"%PDF-")
    assert Path(sala_cli("links", "qr", made["code"], str(tmp_path / "a.svg"))["path"]).exists()


def test_refusals_have_a_code_and_words(sala_cli: Any) -> None:
    checked = sala_cli("links", "check", "http://verify.gov.kh.evil.com/", code=1)
    assert [problem["code"] for problem in checked["problems"]] == ["LN-102", "LN-114"]
    refused = sala_cli("links", "create", "http://verify.gov.kh.evil.com/", code=1)["error"]
    assert refused["code"] == "LN-001" and "https" in refused["message"] and refused["next"]
    assert sala_cli("links", "show", "nothere", code=1)["error"]["code"] == "LN-004"
    assert sala_cli("links", "list")["total"] == 0
