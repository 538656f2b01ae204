"""Khmer catalogues: read the areas' .po files, find every fault, write the one .mo that runs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KHMER = ROOT / "i18n" / "locale" / "km"
COMPILED = KHMER / "LC_MESSAGES" / "sala.mo"

Entry = tuple[str, str, str]  # area, English sentence, Khmer sentence


def sources() -> list[Path]:
    """The .po file of every area."""
    return sorted(KHMER.glob("*.po"))


def read(paths: list[Path]) -> tuple[list[Entry], list[str]]:
    """All entries, and the faults that only the file shows (fuzzy, plural, context)."""
    from babel.messages.pofile import read_po

    entries: list[Entry] = []
    faults: list[str] = []
    for path in paths:
        with path.open("rb") as opened:
            catalogue = read_po(opened, locale="km", abort_invalid=True)
        for message in catalogue:
            if not message.id:
                continue
            if message.fuzzy or message.pluralizable or message.context:
                faults.append(
                    f"{path.name}: {message.id!r}: fuzzy, plural or with a context: say it in one plain sentence"
                )
            else:
                entries.append((path.stem, str(message.id), str(message.string or "")))
    return entries, faults


def fields(text: str) -> list[str]:
    """The ``{placeholders}`` of a sentence, sorted."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def faults_of(entries: list[Entry]) -> list[str]:
    """What is wrong: no Khmer, other placeholders, not normalised, two Khmer sentences for one English."""
    from i18n.normalise import store

    faults: list[str] = []
    first: dict[str, Entry] = {}
    for area, english, khmer in entries:
        place = f"{area}.po: {english!r}"
        if not khmer.strip():
            faults.append(f"{place}: no Khmer")
            continue
        try:
            if fields(english) != fields(khmer):
                faults.append(f"{place}: the placeholders differ: {fields(english)} and {fields(khmer)}")
        except ValueError as error:
            faults.append(f"{place}: {error}")
        if store(khmer) != khmer:
            faults.append(f"{place}: not in normal order; write: {store(khmer)}")
        if "\u200b" in khmer:
            faults.append(f"{place}: holds a zero-width space")
        known = first.setdefault(english, (area, english, khmer))
        if known[2] != khmer:
            faults.append(f"{place}: {khmer!r} here and {known[2]!r} in {known[0]}.po")
    return faults


def faults() -> list[str]:
    """Every fault of every area: empty when the catalogue can be shipped."""
    entries, found = read(sources())
    return found + faults_of(entries)


def build() -> None:
    """Write the compiled catalogue, or stop with the list of faults."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    entries, found = read(sources())
    found += faults_of(entries)
    if found:
        raise SystemExit("the Khmer catalogue has faults:\n  " + "\n  ".join(found))
    always = datetime(2026, 1, 1, tzinfo=UTC)  # the same sources give the same bytes
    merged: Any = Catalog(locale="km", project="Sala", charset="utf-8", creation_date=always)
    for _, english, khmer in entries:
        merged.add(english, khmer)
    fresh = COMPILED.with_suffix(f".{os.getpid()}")
    with fresh.open("wb") as opened:
        write_mo(opened, merged)
    fresh.replace(COMPILED)
