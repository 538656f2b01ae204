"""What of ODK's expressions Sala knows, as a table: for ``docs/formats/expressions.md``, which a test holds against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modules.forms.xpath.functions import FUNCTIONS

GROUPS: Final = {
    "strings": "Text", "logic": "Decisions", "numbers": "Numbers", "nodes": "Questions and rows", "time": "Dates and times",
    "choices": "Choices and language", "geo": "Places on Earth",
}  # fmt: skip


def markdown() -> str:
    """One table a group, in the order of the names."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for group, title in GROUPS.items():
        yield f"### {title}\n"
        yield "| Function | Gives | Meaning | From |"
        yield "|---|---|---|---|"
        for name in sorted(FUNCTIONS):
            made = FUNCTIONS[name]
            if made.group == group:
                yield f"| `{made.signature}` | {made.returns.value} | {made.meaning} | {made.since} |"
        yield ""
