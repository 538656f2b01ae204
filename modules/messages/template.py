"""The text of a campaign with its fields: ``ជូនចំពោះ {{ឈ្មោះ}} …``. Names only: no code, no conditions, nothing silently empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from i18n.normalise import fold
from i18n.normalise import store as normal
from modules.contract import Refused

LONGEST: Final = 4_000  # characters of a text with its fields
LONGEST_NAME: Final = 60
_FIELD: Final = re.compile(r"\{\{([^{}\n]*)\}\}")
_KHMER: Final = re.compile("[\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Field:
    """A place that each recipient's own value fills; ``key`` is what is compared, ``name`` what was written."""

    name: str
    key: str


@dataclass(frozen=True)
class Template:
    """A parsed text: literal pieces and fields in order."""

    parts: tuple[str | Field, ...]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Each field once, in order of first use."""
        return tuple({part.key: part for part in self.parts if isinstance(part, Field)}.values())

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """The names of fields for which ``values`` (by key) holds nothing."""
        return [field.name for field in self.fields if not values.get(field.key)]

    def render(self, values: Mapping[str, str]) -> str:
        """The text with ``values`` (by key); a missing one shows its name in brackets, for previews only."""
        return "".join(
            part if isinstance(part, str) else values.get(part.key) or f"[{part.name}]" for part in self.parts
        )


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What makes two field names the same: not case, nor spaces, hyphens, or the order in which Khmer signs were typed."""
    return re.sub(r"[\s_\-]+", "", fold(name))


@lru_cache(maxsize=65536)
def value(text: str) -> str:
    """A value as it is merged: in normal order, without blanks or invisible signs at its ends."""
    trimmed = text.strip(" \t\r\n\u00a0\u200b\ufeff")
    return normal(trimmed) if _KHMER.search(trimmed) else trimmed


def parse(text: str) -> Template:
    """The template that ``text`` is.

    Refused: MS-010 empty, MS-011 longer than allowed, MS-012 a brace pair that is no field (with its place).
    """
    text = normal(text.replace("\r\n", "\n"))
    if not text.strip():
        raise Refused("MS-010")
    if len(text) > LONGEST:
        raise Refused("MS-011", length=len(text), limit=LONGEST)
    parts: list[str | Field] = []
    end = 0
    for found in _FIELD.finditer(text):
        parts.append(_literal(text, end, found.start()))
        name = found[1].strip(" \u200b")
        if not key(name) or len(name) > LONGEST_NAME:
            raise Refused("MS-012", place=found.start() + 1, near=found[0][:40])
        parts.append(Field(name, key(name)))
        end = found.end()
    parts.append(_literal(text, end, len(text)))
    return Template(tuple(part for part in parts if part))


def _literal(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    for braces in ("{{", "}}"):
        if braces in piece:
            place = start + piece.index(braces)
            raise Refused("MS-012", place=place + 1, near=text[place : place + 20])
    return piece
