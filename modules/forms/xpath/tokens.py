"""An expression's text as tokens, by the lexical rules of XPath 1.0 and ``${name}`` as XLSForm writes it.

A ``*`` and the words ``and or mod div`` are operators where an operand has just ended, and a wildcard or a name elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from modules.contract import Refused

LONGEST: Final = 40_000  # characters of one expression: more than a cell of a workbook holds
_START: Final = (
    r"A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_NC: Final = rf"[{_START}][{_START}0-9.\-\u00B7\u0300-\u036F\u203F-\u2040]*"  # a name of XML, Khmer ones as well
_TOKEN: Final = re.compile(
    rf"""(?P<space>[ \t\r\n\f]+)
    |(?P<number>\d+(?:\.\d*)?|\.\d+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<field>\$\{{\s*{_NC}(?::{_NC})?\s*\}})
    |(?P<sign>\.\.|::|//|!=|<=|>=|[()\[\].@,/|+\-=<>*])
    |(?P<name>{_NC}(?::(?!:){_NC})?)""",
    re.VERBOSE | re.ASCII,
)
_WORDS: Final = frozenset({"and", "or", "mod", "div"})
_NO_OPERAND_BEFORE: Final = frozenset(
    {"(", "[", ",", "@", "::", "/", "//", "|", "+", "-", "=", "!=", "<", "<=", ">", ">="}
)


class Kind(Enum):
    NUMBER = "number"
    TEXT = "text"
    FIELD = "field"
    NAME = "name"
    SIGN = "sign"  # punctuation
    OPERATOR = "operator"  # * and or mod div between two operands
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """``place`` is where it begins, counted from 1."""

    kind: Kind
    text: str
    place: int


def tokens(source: str) -> list[Token]:
    """Every token and one END. ``Refused``: FM-303 a character that begins nothing, FM-304 too long."""
    if len(source) > LONGEST:
        raise Refused("FM-304", length=len(source), longest=LONGEST)
    made: list[Token] = []
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise Refused("FM-303", place=at + 1, found=source[at : at + 12])
        group, text = str(found.lastgroup), found.group()
        if group != "space":
            made.append(_token(group, text, at + 1, made))
        at = found.end()
    made.append(Token(Kind.END, "", len(source) + 1))
    return made


def _token(group: str, text: str, place: int, before: list[Token]) -> Token:
    if group == "text":
        return Token(Kind.TEXT, text[1:-1], place)
    if group == "field":
        return Token(Kind.FIELD, text[2:-1].strip(), place)
    if (text == "*" or text in _WORDS) and before and not _wants_operand(before[-1]):
        return Token(Kind.OPERATOR, text, place)
    return Token(Kind(group), text, place)


def _wants_operand(token: Token) -> bool:
    return token.kind is Kind.OPERATOR or (token.kind is Kind.SIGN and token.text in _NO_OPERAND_BEFORE)
