"""How an office names itself on a document: from the gazetteer by its code, else from the office pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from i18n import gazetteer
from i18n.gazetteer import WORDS


@dataclass(frozen=True, slots=True)
class Letterhead:
    """``heads``: the administrations from the province down; ``office``: the one that speaks; all in Khmer."""

    heads: Sequence[str]
    office: str
    place: str
    signatory: str


def letterhead(office: Any) -> Letterhead:
    """The letterhead of an office ``{"code", "name": {"km", "en"}, …}``."""
    try:
        chain = gazetteer.ancestry(office["code"])
    except KeyError:
        name = office["name"]["km"]
        return Letterhead([name], name, "", "ប្រធានការិយាល័យ")
    heads = [f"រដ្ឋបាល{unit.full_km()}" for unit in chain]
    last = chain[-1]
    return Letterhead(heads, heads[-1], last.full_km(), f"អភិបាល{WORDS[last.kind].km}")
