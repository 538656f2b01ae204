"""Texts that show values: ``Born on ${/data/dob}`` is the text «Born on » and an expression. The letters ``${`` themselves are
the expression that is only them: ``${'${'}``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

Part = tuple[str, bool]  # text, and whether it is an expression
_LETTERS: Final = "'${'"


def parts(text: str) -> list[Part]:
    """The pieces of ``text`` in order. ``ValueError`` when an expression has no end."""
    found: list[Part] = []
    plain, place = "", 0
    while (start := text.find("${", place)) >= 0:
        plain += text[place:start]
        end = _end(text, start + 2)
        place = end + 1
        if (expression := text[start + 2 : end].strip()) == _LETTERS:
            plain += "${"
            continue
        if plain:
            found.append((plain, False))
        found.append((expression, True))
        plain = ""
    plain += text[place:]
    if plain:
        found.append((plain, False))
    return found


def join(pieces: list[Part]) -> str:
    """The text of ``pieces``. ``ValueError`` when an expression cannot stand in a text: a quote of it has no end."""
    made = "".join(
        "${" + text + "}" if is_expression else text.replace("${", "${" + _LETTERS + "}")
        for text, is_expression in pieces
    )
    if [piece for piece in parts(made) if piece[1]] != [(text.strip(), True) for text, inside in pieces if inside]:
        raise ValueError("an expression in a text does not end")
    return made


def change(text: str, rewrite: Callable[[str], str]) -> str:
    """``text`` with every expression rewritten."""
    if "${" not in text:
        return text
    return join([(rewrite(piece) if inside else piece, inside) for piece, inside in parts(text)])


def expressions(text: str) -> Iterator[str]:
    """The expressions of ``text``."""
    return (piece for piece, inside in parts(text) if inside) if "${" in text else iter(())


def _end(text: str, place: int) -> int:
    """Where the brace that closes an expression stands: not inside a quoted string, nor inside braces of its own (``${name}``)."""
    quote, depth = "", 0
    for at in range(place, len(text)):
        letter = text[at]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "{":
            depth += 1
        elif letter == "}" and depth:
            depth -= 1
        elif letter == "}":
            return at
    raise ValueError("an expression in a text does not end")
