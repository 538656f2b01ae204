"""Who may do what: roles of an office and the permissions that commands ask for (users.md personas P1 to P5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modules.contract import Command, Manifest, Officer, Permission, Refused, Text

_WORK: frozenset[Permission] = frozenset({"records.read", "records.write", "net.sync", "files.export"})

ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    # A hall of two people needs its receiving officer to print the licence: the office seal shows integrity, not authority.
    "receiving": _WORK | {"keys.sign"},
    "cashier": _WORK,
    "competent": _WORK | {"keys.sign"},
    "chief": _WORK | {"keys.sign", "records.approve", "settings.office", "officers"},
    "it": frozenset({"records.read", "net.sync", "files.export", "settings.office", "officers"}),
    # At an agency's own desk: opens what offices sealed to it and decides on it; takes no applications itself.
    "reader": frozenset({"records.read", "net.sync", "files.export", "agency.open"}),
}

ROLE_TITLES: Final[Mapping[str, Text]] = {
    "receiving": {"km": "មន្ត្រីទទួល", "en": "Receiving officer"},
    "cashier": {"km": "បេឡាករ", "en": "Cashier"},
    "competent": {"km": "មន្ត្រីជំនាញ", "en": "Competent officer"},
    "chief": {"km": "ប្រធានការិយាល័យ", "en": "Chief of office"},
    "it": {"km": "មន្ត្រីព័ត៌មានវិទ្យា", "en": "IT officer"},
    "reader": {"km": "មន្ត្រីអានរបស់ទីភ្នាក់ងារ", "en": "Agency reader"},
}


def may_see(officer: Officer, manifest: Manifest) -> bool:
    """Whether a module's page stands in the rail of ``officer``."""
    return manifest.view is not None and not manifest.view_needs - ROLES.get(officer.role, frozenset())


def check(officer: Officer, command: Command) -> None:
    """``Refused("MD-010")`` when ``officer``'s role lacks a permission that ``command`` needs."""
    missing = command.needs - ROLES.get(officer.role, frozenset())
    if missing:
        raise Refused("MD-010", command=command.id, role=officer.role, missing=", ".join(sorted(missing)))
