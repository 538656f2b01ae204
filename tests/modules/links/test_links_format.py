"""The published vectors of link codes are what the program makes."""

from __future__ import annotations

import re
from pathlib import Path

from modules.links import codes

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "link-code.md"


def test_the_vectors_of_the_format_hold() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| `(\w+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    key = bytes(range(32))
    assert len(rows) == 4
    for counter, plain, prefixed in rows:
        assert codes.encode(int(counter), key) == plain
        assert codes.encode(int(counter), key, "kp") == prefixed
