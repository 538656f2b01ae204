"""An expression's text as tokens, by the lexical rules of XPath 1.0 and ``${name}`` as XLSForm writes it.

A ``*`` and the words ``and or mod div`` are operators where an operand has just ended, and a wildcard or a name elsewhere.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

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
    |(?P<field>\$\{{\s*(?:last-saved\#)?{_NC}(?::{_NC})?\s*\}})
    |(?P<sign>\.\.|::|//|!=|<=|>=|[()\[\].@,/|+\-=<>*])
    |(?P<name>{_NC}(?::(?!:){_NC})?)""",
    re.VERBOSE | re.ASCII,
)
_WORDS: Final = frozenset({"and", "or", "mod", "div"})
_ENDS_OPERAND: Final = frozenset({")", "]", ".", "..", "*"})  # a * that is a sign is a wildcard


class Kind(Enum):
    NUMBER = "number"
    TEXT = "text"
    FIELD = "field"
    NAME = "name"
    SIGN = "sign"  # punctuation
    OPERATOR = "operator"  # * and or mod div between two operands
    END = "end"


class Token(NamedTuple):
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
    operand = False  # whether an operand has just ended
    for found in iter(_TOKEN.scanner(source).match, None):  # type: ignore[attr-defined]  # typeshed does not know it
        group, text = found.lastgroup, found.group()
        if group == "sign":
            if text == "*" and operand:
                made.append(Token(Kind.OPERATOR, text, at + 1))
                operand = False
            else:
                made.append(Token(Kind.SIGN, text, at + 1))
                operand = text in _ENDS_OPERAND
        elif group == "name":
            if operand and text.lower() in _WORDS:  # JavaRosa takes AND and Or as well, and forms rely on it
                made.append(Token(Kind.OPERATOR, text.lower(), at + 1))
                operand = False
            else:
                made.append(Token(Kind.NAME, text, at + 1))
                operand = True
        elif group != "space":
            made.append(_literal(str(group), text, at + 1))
            operand = True
        at = found.end()
    if at < len(source):
        raise Refused("FM-303", place=at + 1, found=source[at : at + 12])
    made.append(Token(Kind.END, "", at + 1))
    return made


def _literal(group: str, text: str, place: int) -> Token:
    if group == "number":
        return Token(Kind.NUMBER, text, place)
    if group == "text":
        return Token(Kind.TEXT, text[1:-1], place)
    return Token(Kind.FIELD, text[2:-1].strip(), place)
