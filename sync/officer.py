"""Who is unlocked: the one description of a person that every layer passes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Officer:
    """A person of the office. ``id`` is 16 random bytes in hex."""

    id: str
    name: str  # Khmer, surname given-name
    latin: str
    role: str  # receiving | cashier | competent | chief | it
