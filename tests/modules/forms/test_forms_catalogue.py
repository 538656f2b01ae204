"""The service catalogue: real services, found by part of a name in either script, prices by day, terms in working days."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms.catalogue import Catalogue
from modules.forms.library import ASSETS, Library

library = Library()
catalogue = library.catalogue
holidays = library.holidays

FEASTS_OF_2026 = "0101 0107 0308 0414 0415 0416 0501 0505 0514 0618 0924 1010 1011 1012 1015 1029 1109 1123 1124 1125"
KHMER = {
    "កាត់សក់": "barber-shop-2-4", "ជាងកាត": "barber-shop-2-4", "កំណើត": "birth-extract-copy", "ចម្លង កំណើត": "birth-extract-copy",
    "អាពាហ៍": "marriage-extract-copy", "មរណភាព": "death-extract-copy", "បញ្ជាក់ឯកសារ": "copy-legalisation",
    "សណ្ឋាគារ": "hotel-licence-legalisation",
    "ហត្ថលេខា": "signature-legalisation", "ផ្ទះសំណាក់": "guesthouse-15", "ភោជនីយដ្ឋាន": "restaurant-50", "ម៉ាស្សា": "massage-5",
    "ម៉ាសា": "massage-5", "អនាម័យ": "food-hygiene", "ភ្លើង": "generator-25", "កិនស្រូវ": "rice-mill-small", "ជួសជុលម៉ូតូ": "motorbike-repair",
    "ស្លាកលេខ": "motorbike-registration", "សំណង់": "house-construction", "សំបុត្រកំណើត": "birth-extract-copy", "ប៉ាណូ": "advertising-board",
    "ទូរស័ព្ទ": "phone-shop", "អណ្ដូងទឹក": "well-permit", "១២": "barber-shop-2-4", "លីវ": "single-status",
}  # fmt: skip
ENGLISH = {
    "barber": "barber-shop-2-4", "birth": "birth-extract-copy", "copy birth": "birth-extract-copy",
    "legalisation of a copy": "copy-legalisation",
    "hotel": "hotel-licence-legalisation", "guesthouse": "guesthouse-15", "restarant": "restaurant-50",
    "food hygiene": "food-hygiene",
    "rice mill": "rice-mill-small", "garage": "garage-small", "fence": "fence-permit", "pharmacy": "pharmacy-depot",
    "12": "barber-shop-2-4",
    "massage": "massage-5", "karaoke": "karaoke-small",
}  # fmt: skip


def reciprocal_rank(query: str, wanted: str) -> float:
    found = [service.id for service in catalogue.find(query)]
    return 1 / (found.index(wanted) + 1) if wanted in found else 0.0


def test_there_are_real_services_with_all_that_a_card_shows() -> None:
    assert len(catalogue.services) >= 30
    assert len({service.sector for service in catalogue.services}) >= 15
    assert [service.number for service in catalogue.services] == list(range(1, len(catalogue.services) + 1))
    for service in catalogue.services:
        assert service.prices and service.days > 0 and service.documents
        library.current(service.form)
    barber = catalogue.service("barber-shop-2-4")
    assert (barber.price(date(2026, 11, 22)), barber.days, barber.published) == (20_000, 7, True)
    assert "14342" in barber.legal["title"]["en"]
    with pytest.raises(Refused, match="FM-004"):
        catalogue.service("passport")


def test_search_reaches_the_bar_of_the_published_study() -> None:
    khmer = [reciprocal_rank(query, wanted) for query, wanted in KHMER.items()]
    every = khmer + [reciprocal_rank(query, wanted) for query, wanted in ENGLISH.items()]
    assert sum(khmer) / len(khmer) >= 0.9, {q: r for q, r in zip(KHMER, khmer, strict=True) if r < 1}
    assert sum(every) / len(every) >= 0.9


def test_search_knows_every_spelling_and_is_quiet_about_nonsense() -> None:
    assert catalogue.find("កណ្ដាល") == []
    assert catalogue.find("qqqq") == []
    assert catalogue.find("") == list(catalogue.services)
    assert catalogue.find("\u200bកាត់\u200bសក់") == catalogue.find("កាត់សក់")
    assert catalogue.find("ស្រ្តី") == catalogue.find("ស្ត្រី")


@given(st.sampled_from(catalogue.services), st.integers(0, 30), st.integers(2, 30))
def test_any_part_of_a_name_finds_it(service: object, start: int, length: int) -> None:
    from i18n.segment import clusters

    letters = clusters(service.title["km"])  # type: ignore[attr-defined]
    part = "".join(letters[start % len(letters) :][:length]).strip()
    if len(clusters(part)) >= 2 and any("\u1780" <= letter <= "\u17b3" for letter in part) and not part[0].isdecimal():
        assert service in catalogue.find(part)


@given(st.text(max_size=30))
def test_no_query_breaks_the_search(query: str) -> None:
    assert len(catalogue.find(query)) <= len(catalogue.services)


def test_a_price_is_that_of_the_day() -> None:
    data = json.loads((ASSETS / "services/catalogue.json").read_text("utf-8"))
    row = next(row for row in data["services"] if row["id"] == "barber-shop-2-4")
    row["prices"].append({"from": "2026-12-01", "riel": 25_000})
    service = Catalogue(data).service("barber-shop-2-4")
    assert [service.price(date(*day)) for day in ((2010, 1, 1), (2026, 11, 30), (2026, 12, 1))] == [
        20_000,
        20_000,
        25_000,
    ]


def test_a_term_skips_weekends_feasts_and_the_day_of_receiving() -> None:
    received = date(2026, 11, 22)  # a Sunday before the Water Festival of 23 to 25 November
    assert holidays.name(date(2026, 11, 24)) is not None
    assert holidays.due(received, 7) == date(2026, 12, 4)
    assert holidays.due(date(2026, 4, 13), 1) == date(2026, 4, 17)  # the New Year feast
    assert holidays.left(date(2026, 12, 4), date(2026, 12, 4)) == 0
    assert holidays.left(date(2026, 12, 7), date(2026, 12, 4)) == -1


def test_the_holidays_of_2026_are_those_of_the_calendar() -> None:
    days = [date(2026, 1, 1) + timedelta(step) for step in range(365)]
    assert [day.strftime("%m%d") for day in days if holidays.name(day)] == (FEASTS_OF_2026.split(" "))


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(1, 40))
def test_the_due_day_is_a_working_day_and_exactly_so_many_away(received: date, days: int) -> None:
    due = holidays.due(received, days)
    assert due.weekday() < 5 and holidays.name(due) is None
    assert holidays.left(received, due) == days
