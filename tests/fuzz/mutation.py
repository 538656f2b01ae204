"""Ways to spoil valid bytes: by byte, and inside their CBOR, so that what is spoiled still passes the outer checks."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import cbor2
from hypothesis import strategies as st

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 53, 1 << 63, -(1 << 63), 0.5, "", "a", "ក", "\u200b", "x" * 300, b"", b"\0", b"\xff" * 32, b"k" * 33,
    [], [[]], {}, {1: 1}, {"": {}}, [0] * 70,
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with some of its bytes changed, cut, doubled or moved."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(changed)))
        width = draw(st.integers(0, 40))
        piece = bytes(changed[place : place + width])
        match draw(st.sampled_from(("flip", "set", "cut", "end", "double", "insert"))):
            case "flip" if place < len(changed):
                changed[place] ^= 1 << draw(st.integers(0, 7))
            case "set" if place < len(changed):
                changed[place] = draw(
                    st.sampled_from((0x00, 0x1B, 0x5F, 0x7F, 0x9F, 0xBF, 0xC2, 0xD8, 0xF6, 0xFB, 0xFF))
                )
            case "cut":
                del changed[place : place + width]
            case "end":
                del changed[place:]
            case "double":
                changed[place:place] = piece * draw(st.integers(1, 3))
            case "insert":
                changed[place:place] = draw(st.binary(max_size=12))
            case _:
                pass
    return bytes(changed)


@st.composite
def misshapen(draw: st.DrawFn, data: bytes) -> bytes:
    """The CBOR of ``data`` with one of its values exchanged, removed or added, encoded canonically again."""
    value = cbor2.loads(data)
    places = list(_places(value, ()))
    path = draw(st.sampled_from(places)) if places else ()
    odd = draw(st.sampled_from(ODD))
    how = draw(st.sampled_from(("exchange", "remove", "add")))
    value = _changed(value, path, odd, how)
    written = BytesIO()
    cbor2.dump(value, written, canonical=True)
    return written.getvalue()


def _places(value: Any, path: tuple[Any, ...]) -> Any:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(min(len(value), 8)):
            yield from _places(value[index], (*path, index))


def _changed(value: Any, path: tuple[Any, ...], odd: Any, how: str) -> Any:
    if path:
        head, *rest = path
        inner = _changed(value[head], tuple(rest), odd, how)
        if isinstance(value, dict):
            return {**value, head: inner}
        return [*value[:head], inner, *value[head + 1 :]]
    if how == "add" and isinstance(value, dict):
        return {**value, 99: odd}
    if how == "add" and isinstance(value, list):
        return [*value, odd]
    if how == "remove" and isinstance(value, dict) and value:
        return dict(list(value.items())[1:])
    if how == "remove" and isinstance(value, list) and value:
        return value[1:]
    return odd
