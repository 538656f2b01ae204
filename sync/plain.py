"""Values of a record as JSON can carry them."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """``value`` with bytes in hexadecimal and names as texts; what JSON has no word for, as its text."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)
