"""The service catalogue: what a hall offers, for how much, how fast, under which rule; and finding one by part of its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from i18n.catalog import Text
from i18n.normalise import fold
from i18n.search import index_text
from modules.contract import Json, Refused


@dataclass(frozen=True, slots=True)
class Price:
    """``riel`` for one unit of the service from the day ``since`` on."""

    since: date
    riel: int


@dataclass(frozen=True, slots=True)
class Service:
    """One public service. ``days`` are working days at most; ``published`` False marks an amount still to be confirmed."""

    id: str
    number: int
    sector: str
    title: Text
    words: tuple[str, ...]  # other names that people type
    prices: tuple[Price, ...]
    published: bool
    unit: Text
    days: int
    validity: Text
    documents: tuple[Text, ...]
    legal: Json  # {"title", "short"}
    form: str

    def price(self, day: date) -> int:
        """Riel of one unit for a case opened on ``day``: the price list in force then (before all lists: the first)."""
        valid = [price for price in self.prices if price.since <= day]
        return valid[-1].riel if valid else self.prices[0].riel


class Catalogue:
    """Services by id and by what people type. Built from the pinned data, never changed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.note: Text = data["note"]
        self.sectors: Mapping[str, Text] = {sector["id"]: sector["title"] for sector in data["sectors"]}
        self.services: Sequence[Service] = [_service(row, data["legal"]) for row in data["services"]]
        self._by_id = {service.id: service for service in self.services}

    def service(self, id: str) -> Service:
        """``Refused("FM-004")`` when the catalogue has none of that id."""
        try:
            return self._by_id[id]
        except KeyError:
            raise Refused("FM-004", service=id) from None

    def find(self, query: str) -> list[Service]:
        """Best first; everything in catalogue order for an empty query.

        A number finds the service of that number. Words find by clusters: a part of a name counts anywhere in it, several
        parts in any order, and a misspelt part still counts by the neighbouring clusters that it shares.
        """
        wanted = index_text(query)
        if not wanted:
            return list(self.services)
        if wanted.isdecimal() and (number := [each for each in self.services if each.number == int(wanted)]):
            return number
        parts = [index_text(part) for part in fold(query).split()]
        scored = [(_score(wanted, [part for part in parts if part], entry), entry) for entry in self._entries]
        best = max(score for score, _ in scored)
        floor = max(_WEAK, best * _NEAR)
        hits = [(-score, entry.place) for score, entry in scored if score >= floor]
        return [self.services[place] for _, place in sorted(hits)]

    @cached_property
    def _entries(self) -> list[_Entry]:
        return [_entry(place, service, self.sectors[service.sector]) for place, service in enumerate(self.services)]


_WEAK: Final = 0.34  # share of a query that must be found at all
_NEAR: Final = 0.45  # of the best hit: what lies below is noise


@dataclass(frozen=True, slots=True)
class _Entry:
    """The searchable text of a service: each field as " cluster cluster … " and the neighbours it holds."""

    place: int
    titles: tuple[str, ...]
    more: str
    pairs: frozenset[str]


def _entry(place: int, service: Service, sector: Text) -> _Entry:
    titles = [service.title["km"], service.title["en"], *service.words]
    more = [sector["km"], sector["en"], *(document[side] for document in service.documents for side in ("km", "en"))]
    clusters = tuple(f" {index_text(title)} " for title in titles)
    return _Entry(place, clusters, "  ".join(index_text(words) for words in more), _pairs(" ".join(clusters)))


def _pairs(text: str) -> frozenset[str]:
    """Neighbouring clusters; a Latin word counts by its three-letter pieces."""
    clusters = text.split()
    khmer = {f"{a} {b}" for a, b in pairwise(clusters) if not (a.isascii() or b.isascii())}
    latin = {word[at : at + 3] for word in clusters if word.isascii() for at in range(max(1, len(word) - 2))}
    return frozenset(khmer | latin)


def _score(whole: str, parts: list[str], entry: _Entry) -> float:
    """2–3: the whole query stands in a name; 1–2: all its parts do; below 1: the share of it that is found."""
    for title in entry.titles:
        at = title.find(f" {whole}")  # the last cluster may be unfinished
        if at >= 0:
            return 2 + (0.5 if at == 0 else 0.25) + 0.2 * len(whole) / len(title)
    found = Counter(any(f" {part}" in title for title in entry.titles) for part in parts)
    if len(parts) > 1 and found[True] == len(parts):
        return 1.5
    pairs = _pairs(whole)
    shared = len(pairs & entry.pairs) / len(pairs) if pairs else 0.0
    in_names = max(shared, found[True] / len(parts) if parts else 0.0)
    in_more = 0.5 if f" {whole}" in f" {entry.more}" else 0.0
    return max(in_names, in_more) * 0.99


def _service(row: Mapping[str, Any], legal: Mapping[str, Any]) -> Service:
    prices = sorted(
        (Price(date.fromisoformat(price["from"]), int(price["riel"])) for price in row["prices"]), key=lambda p: p.since
    )
    return Service(
        id=row["id"], number=row["number"], sector=row["sector"], title=row["title"], words=tuple(row["words"]),
        prices=tuple(prices), published=row["amounts"] == "published", unit=row["unit"], days=row["days"],
        validity=row["validity"], documents=tuple(row["documents"]), legal=legal[row["legal"]], form=row["form"],
    )  # fmt: skip
