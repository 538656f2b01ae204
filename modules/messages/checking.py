"""Every recipient's own text, its segments and cost, and everything that is wrong with a row: all rows, all reasons, at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from i18n import phones
from i18n.numbers import ascii_digits
from modules.contract import Refused
from modules.messages import segments
from modules.messages.recipients import Table
from modules.messages.template import Template, value

Problem = tuple[str, dict[str, Any]]  # code MS-1nn and the values of its words
_SEPARATORS: Final = re.compile(r"[\s.()\-/\u200b\u00a0]+")
_NATIONAL: Final = re.compile(r"(?:\+855|00855|855(?=\d{8,9}$)|0)?([1-9][0-9]{7,8})")


@dataclass(frozen=True, slots=True)
class Rules:
    """What an office has decided: network profile, longest message, and who asked not to be written to."""

    bits: segments.Bits = 8
    most_segments: int = 10
    opted_out: Collection[str] = frozenset()
    strip_breaks: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """One row: ``phone`` in E.164 or as it was written, the merged ``text``, its ``segments``, and what is wrong."""

    row: int
    phone: str
    text: str
    segments: int
    problems: tuple[Problem, ...]
    values: dict[str, str]


def check(template: Template, table: Table, rules: Rules) -> list[Recipient]:
    """All recipients of ``table`` in order. ``Refused("MS-030")`` when the table lacks columns that the text asks for."""
    keys, place = table.keys, table.phone_column()
    absent = [field.name for field in template.fields if field.key not in keys]
    if absent:
        raise Refused("MS-030", fields=", ".join(absent), header=", ".join(table.header)[:200])
    first: dict[str, int] = {}
    return [
        _recipient(template, keys, place, number, cells, first, rules)
        for number, cells in zip(table.numbers, table.rows, strict=True)
    ]


def _recipient(
    template: Template,
    keys: tuple[str, ...],
    place: int,
    number: int,
    cells: tuple[str, ...],
    first: dict[str, int],
    rules: Rules,
) -> Recipient:
    problems: list[Problem] = []
    while len(cells) > len(keys) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(keys):
        problems.append(("MS-106", {"cells": len(cells), "columns": len(keys)}))
    values = {name: value(cell) for name, cell in zip(keys, cells, strict=False)}
    written = values.get(keys[place], "")
    phone, fault = mobile(written)
    if fault:
        problems.append((fault, {"phone": written[:40]}))
    else:
        earlier = first.setdefault(phone, number)
        if earlier != number:
            problems.append(("MS-104", {"row": earlier}))
        if phone in rules.opted_out:
            problems.append(("MS-105", {}))
    problems.extend(("MS-101", {"field": name}) for name in template.missing(values))
    text = template.render(values)
    if rules.strip_breaks:
        text = segments.without_breaks(text)
    count = segments.count(text, rules.bits).segments
    if count > rules.most_segments:
        problems.append(("MS-107", {"segments": count, "limit": rules.most_segments}))
    return Recipient(number, phone or written, text, count, tuple(problems), values)


def mobile(text: str) -> tuple[str, str]:
    """The E.164 form of a Cambodian mobile number and "", or "" and the code of what is wrong with ``text``."""
    digits = _SEPARATORS.sub("", ascii_digits(text))
    if not digits:
        return "", "MS-109"
    found = _NATIONAL.fullmatch(digits)
    if found and _mobile_numbers().fullmatch(found[1]):
        return f"+855{found[1]}", ""
    try:
        parsed = phones.parse_phone(text)
    except Refused:
        return "", "MS-102"
    return "", "MS-103" if parsed.startswith("+855") else "MS-108"


@cache
def _mobile_numbers() -> re.Pattern[str]:
    """The numbering plan of Cambodian mobile networks, as the library knows it; asking it for each row is 40 times slower."""
    import phonenumbers

    plan = phonenumbers.PhoneMetadata.metadata_for_region("KH")
    if plan is None or plan.mobile is None or not plan.mobile.national_number_pattern:
        raise RuntimeError("no numbering plan for KH")
    return re.compile(plan.mobile.national_number_pattern)


@dataclass(frozen=True, slots=True)
class Sum:
    """Totals over the rows that can be sent."""

    good: int
    bad: int
    segments: int
    longest: int  # segments of the longest text
    segments_without_breaks: int


def total(recipients: list[Recipient], bits: segments.Bits) -> Sum:
    """What a campaign is in numbers."""
    good = [one for one in recipients if not one.problems]
    return Sum(
        good=len(good),
        bad=len(recipients) - len(good),
        segments=sum(one.segments for one in good),
        longest=max((one.segments for one in good), default=0),
        segments_without_breaks=sum(_without_breaks(good, bits)),
    )


def _without_breaks(recipients: list[Recipient], bits: segments.Bits) -> Iterator[int]:
    for one in recipients:
        bare = segments.without_breaks(one.text)
        yield one.segments if len(bare) == len(one.text) else segments.count(bare, bits).segments
