"""Answers as they come at a counter: one person a number, names, dates, places and numbers all differ."""

from __future__ import annotations

import random
from typing import Any

LATIN = ("Sok", "Chan", "Dara", "Bopha", "Vichet", "Sreymom", "Rattana", "Pisith", "Lida", "Makara", "Heng", "Kalyan")


def varied(number: int) -> dict[str, Any]:
    """The answers of ``birth-extract-copy`` of the person ``number``: always the same ones."""
    from desktop.day import samples
    from i18n import gazetteer

    dice = random.Random(number)
    villages = [unit.code for unit in gazetteer.search("ភូមិ", level="village", within="0306", limit=20)] or ["03060101"]
    given, family = dice.choice(samples.NAMES).split(), dice.choice(samples.NAMES).split()
    return {
        **samples.BIRTH,
        "applicant": {"km": f"{family[0]} {given[1]}", "latin": f"{dice.choice(LATIN)} {dice.choice(LATIN)}"},
        "child": {"km": f"{family[0]} {family[1]}", "latin": f"{dice.choice(LATIN)} {dice.choice(LATIN)}"},
        "dob": f"{dice.randint(1, 28):02}/{dice.randint(1, 12):02}/{dice.randint(1950, 2004)}",
        "child_dob": f"{dice.randint(2008, 2025)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "id_card": f"{dice.randint(10_000_000, 999_999_999):09d}",
        "phone": f"01{dice.randint(1_000_000, 9_999_999)}",
        "address": {"code": dice.choice(villages), "house": str(dice.randint(1, 400))},
        "copies": dice.randint(1, 5),
    }
