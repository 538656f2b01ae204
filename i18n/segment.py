"""Words and places to break a line in text that is written without spaces.

ICU's dictionary finds the words; our own terms (``terms.txt``) are never cut; nothing is ever cut inside an
orthographic cluster. Pieces joined give the text back. :func:`display` adds zero-width spaces where Qt may wrap: for
the eye only, never stored, copied, compared or signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from i18n.normalise import ZWSP

TERMS = Path(__file__).with_name("terms.txt")

_KHMER = re.compile("[\u1780-\u17ff]")
_CLUSTER = re.compile(
    "(?:\u17d2[\u1780-\u17b3]|.)(?:\u17d2[\u1780-\u17b3]?|[\u17b4-\u17d1\u17d3\u17dd\u200c\u200d\u0300-\u036f])*",
    re.DOTALL,
)
_HANGS_ON: Final = frozenset(
    map(chr, (*range(0x17B4, 0x17D4), 0x17DD, 0x200C, 0x200D, *range(0x300, 0x370)))
)  # no cut before these
_NOT_OF_A_WORD: Final = " \n\t\u200b\u00a0។៕៖ៗ៘៙៚!?,.;:)]}»”’"
_COENG: Final = "\u17d2"
_NO_LINE_START: Final = frozenset("។៕៖ៗ៘៙៚!?,.;:)]}»”’")
_NO_LINE_END: Final = frozenset("([{«“‘")


def clusters(text: str) -> list[str]:
    """What the eye counts as letters: a base with its subscripts, vowels and signs. Joined they give ``text``."""
    return _CLUSTER.findall(text)


@cache
def _terms() -> tuple[frozenset[str], frozenset[str]]:
    """The terms, and every beginning of a term; coeng DA counts as coeng TA."""
    lines = TERMS.read_text("utf-8").splitlines()
    terms = frozenset(_same(line.strip()) for line in lines if line.strip() and not line.startswith("#"))
    return terms, frozenset(term[:end] for term in terms for end in range(1, len(term) + 1))


def _same(text: str) -> str:
    return text.replace("\u17d2\u178a", "\u17d2\u178f")


def _whole_clusters(pieces: Iterator[str]) -> Iterator[str]:
    """ICU's pieces, joined where a cut would fall inside a cluster."""
    held = ""
    for piece in pieces:
        if held and (piece[0] in _HANGS_ON or held[-1] == _COENG):
            held += piece
        else:
            if held:
                yield held
            held = piece
    yield held


def _whole_terms(pieces: list[str]) -> list[str]:
    """Pieces joined where together they are one of our terms (the longest that fits)."""
    terms, beginnings = _terms()
    joined: list[str] = []
    at = 0
    while at < len(pieces):
        best, grown = at + 1, ""
        for end in range(at, len(pieces)):
            grown += _same(pieces[end])
            word = grown.rstrip(_NOT_OF_A_WORD)
            if end > at and word in terms and pieces[end].rstrip(_NOT_OF_A_WORD):
                best = end + 1
            if grown != word or grown not in beginnings:
                break
        joined.append("".join(pieces[at:best]))
        at = best
    return joined


def _split(text: str, breaker: str) -> list[str]:
    from icu4py import breakers

    found: Iterator[str] = iter(getattr(breakers, breaker)(text, "km"))
    return _whole_terms(list(_whole_clusters(found)))


def _whole_lines(pieces: list[str]) -> list[str]:
    """Pieces joined where a line would start with a closing mark or end with an opening one."""
    joined = pieces[:1]
    for piece in pieces[1:]:
        before = joined[-1][-1]
        if before in _NO_LINE_END or (piece[0] in _NO_LINE_START and not before.isspace() and before != ZWSP):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def segments(text: str) -> list[str]:
    """Words and everything between them (spaces, punctuation), in order."""
    return _split(text, "WordBreaker") if text else []


def line_pieces(text: str) -> list[str]:
    """Pieces between which a line may end; spaces and closing marks stay with the piece before them."""
    return _whole_lines(_split(text, "LineBreaker")) if text else []


@lru_cache(maxsize=8192)
def display(text: str) -> str:
    """``text`` with zero-width spaces between Khmer words, so that Qt can wrap it."""
    if not _KHMER.search(text):
        return text
    pieces = line_pieces(text)
    shown = pieces[:1]
    for before, piece in pairwise(pieces):
        if _KHMER.match(piece[0]) and not before[-1].isspace() and before[-1] != ZWSP:
            shown.append(ZWSP)
        shown.append(piece)
    return "".join(shown)
