"""``sala-cli messages …``: a notice from the text to the hand-over, with two officers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEXT = "ជូនចំពោះ {{ឈ្មោះ}}៖ សូមអញ្ជើញប្រជុំ"


def test_a_notice_on_the_command_line(sala_cli: Any, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("ឈ្មោះ,លេខទូរស័ព្ទ\nលឹម ស្រីមុំ,012345678\nចាន់,12\n", "utf-8")
    text = tmp_path / "text.txt"
    text.write_text(TEXT, "utf-8")
    assert sala_cli("messages", "segments", "ក" * 71)["segments"] == 2
    checked = sala_cli("messages", "check", f"@{text}", "--recipients", str(people), code=1)
    assert (checked["good"], [row["row"] for row in checked["bad_rows"]]) == (1, [3])
    made = sala_cli(
        "messages", "draft", "--title", "ប្រជុំ", "--template", TEXT, "--recipients", str(people), "--leave-out-bad"
    )
    assert made["state"] == "checked"
    assert sala_cli("messages", "approve", made["id"], code=1)["error"]["code"] == "MS-034"
    assert sala_cli("messages", "rows", made["id"], "--only", "bad")["total"] == 1
    assert sala_cli("messages", "handover", made["id"], code=1)["error"]["code"] == "MS-033"

    second = tmp_path / "second"
    second.write_text("ពាក្យសម្ងាត់ទីពីរ", "utf-8")
    sala_cli(
        "officers", "add", "លឹម ដារ៉ា", "--latin", "Lim Dara", "--role", "chief", "--new-passphrase-file", str(second)
    )
    assert (
        sala_cli("messages", "approve", made["id"], officer="លឹម ដារ៉ា", secret_of="ពាក្យសម្ងាត់ទីពីរ")["state"] == "approved"
    )
    assert sala_cli("messages", "handover", made["id"], officer="លឹម ដារ៉ា")["state"] == "released"
    assert sala_cli("messages", "opt-out", "012345678", officer="លឹម ដារ៉ា")["opted_out"]
    assert sala_cli("messages", "list", "--state", "released", officer="លឹម ដារ៉ា")["total"] == 1
    assert len(sala_cli("messages", "show", made["id"], officer="លឹម ដារ៉ា")["history"]) == 2
