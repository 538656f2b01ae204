"""Texts that ship with the program: ready to be filled, chosen on the page or named by a flow."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from modules.contract import Refused

FILE: Final = Path(__file__).resolve().parents[2] / "assets" / "messages" / "notices.json"


@cache
def shipped() -> tuple[dict[str, Any], ...]:
    """Every notice: ``{"id", "title": {km, en}, "text"}``."""
    return tuple(json.loads(FILE.read_text("utf-8"))["notices"])


def text(id: str) -> str:
    """The text of the notice ``id``. ``Refused("MS-013")`` when none is called that."""
    for notice in shipped():
        if notice["id"] == id:
            return str(notice["text"])
    raise Refused("MS-013", notice=id[:60])
