"""``sala-cli flows …``: import, try, switch on, run, look back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLOW = "barber-licence"


def test_flows_on_the_command_line(
    sala_cli: Any, answers: dict[str, Any], write: Callable[..., str], tmp_path: Path
) -> None:
    assert [flow["id"] for flow in sala_cli("flows", "list")["flows"]] == [FLOW]
    assert sala_cli("flows", "dry-run", FLOW)["mode"] == "description"
    assert (
        sala_cli("flows", "set", FLOW, "verify_page=https://check.gov.kh/c/")["settings"][0]["value"]
        == "https://check.gov.kh/c/"
    )
    given = tmp_path / "answers.json"
    given.write_text(json.dumps(answers), "utf-8")
    case = sala_cli("forms", "fill", FLOW, "--answers", str(given), "--finish")
    tried = sala_cli("flows", "dry-run", FLOW, "--on", case["receipt"])
    assert [step["state"] for step in tried["steps"]] == ["done"] * 3 and sala_cli("links", "list")["total"] == 0
    done = sala_cli("flows", "run", FLOW, "--on", case["id"])
    assert (done["state"], done["already"]) == ("done", False)
    assert sala_cli("flows", "run", FLOW, "--on", case["id"])["already"]
    assert sala_cli("links", "list")["rows"][0]["target"].startswith("https://check.gov.kh/c/0306-")
    assert sala_cli("flows", "runs")["total"] == 1
    assert sala_cli("flows", "show", done["id"])["steps"][2]["says"]["km"]
    assert not sala_cli("flows", "import", write())["enabled"]
    assert sala_cli("flows", "enable", "trial")["enabled"] and not sala_cli("flows", "disable", "trial")["enabled"]
    assert sala_cli("flows", "resume", done["id"], code=1)["error"]["code"] == "FL-018"
    assert sala_cli("flows", "dry-run", "nothere", code=1)["error"]["code"] == "FL-016"
