"""The national board, the list of offices, one office's timeline."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from i18n import gazetteer
from i18n.normalise import fold
from sync.hub import contacts, heartbeats, needs, reports
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row, Tx

MOST_NEEDS: Final = 12
# Where each province stands on the map, column and row: the lake in the middle, the sea in the south-west.
PLACES: Final = {
    "22": (2, 0), "13": (3, 0), "19": (4, 0), "16": (5, 0),
    "01": (1, 1), "17": (2, 1), "06": (3, 1), "10": (4, 1), "11": (5, 1),
    "24": (0, 2), "02": (1, 2), "15": (2, 2), "04": (3, 2), "03": (4, 2), "25": (5, 2),
    "09": (1, 3), "05": (2, 3), "12": (3, 3), "08": (4, 3), "14": (5, 3),
    "18": (1, 4), "07": (2, 4), "21": (3, 4), "20": (5, 4),
    "23": (2, 5),
}  # fmt: skip
ONLY: Final = {
    "silent": "late", "missing": "gaps", "quarantine": "quarantined", "old": "old", "waiting": "waiting", "outstanding": "outstanding",
    "today": "today",
}  # fmt: skip


def board(request: Request, visit: Visit) -> Response:
    """Every office as one cell, by province; what wants a person beside it."""
    centre = centre_of(request)
    now, root_ms = centre.clock.wall_ms(), centre.repository.listing().root_expires_ms

    def read(tx: Tx) -> tuple[list[Row], list[needs.Need]]:
        offices = reports.board(tx, now)
        return offices, needs.needs(tx, offices, now, root_ms)

    offices, waiting = centre.storage.read(read)
    values = {
        "as_map": request.query_params.get("as") != "list", "places": PLACES,
        "provinces": _provinces(offices), "offices": offices, "figures_today": _figures(offices), "needs": waiting[:MOST_NEEDS],
        "more_needs": max(0, len(waiting) - MOST_NEEDS),
    }  # fmt: skip
    return page(request, "board.html", values, visit=visit)


def offices(request: Request, visit: Visit) -> Response:
    """All offices as a table, filtered by what is typed."""
    centre = centre_of(request)
    rows = centre.storage.read(lambda tx: reports.board(tx, centre.clock.wall_ms()))
    wanted = fold(request.query_params.get("q", "")[:80])
    if wanted:
        rows = [
            row
            for row in rows
            if wanted
            in fold(f"{row['code']} {row['name_km']} {row['name_en']} {row['province_km']} {row['province_en']}")
        ]
    only = request.query_params.get("only", "")
    if only in ONLY:
        rows = [row for row in rows if row[ONLY[only]]]
    values = {"offices": rows, "q": request.query_params.get("q", "")[:80], "only": only if only in ONLY else ""}
    return page(request, "offices.html", values, visit=visit)


def office(request: Request, visit: Visit) -> Response:
    """What happened with one office, its laptops, what is missing."""
    centre, code = centre_of(request), request.path_params["code"]
    now = centre.clock.wall_ms()

    def read(tx: Tx) -> dict[str, Any] | None:
        row = next((row for row in reports.board(tx, now) if row["code"] == code), None)
        if row is None:
            return None
        return {
            "office": row,
            "devices": reports.devices(tx, code),
            "slots": tx.query(
                "SELECT number, made_ms, not_after_ms FROM slot WHERE office = :c AND device IS NULL ORDER BY number",
                {"c": code},
            ),
            "gaps": reports.gaps(tx, code),
            "daily": reports.daily(tx, code, now),
            "timeline": reports.timeline(tx, code),
            "doubled": reports.doubled(tx, code),
            "told": contacts.ages(tx, now),
            "texts": [row for row in heartbeats.outstanding(tx) if row["office"] == code],
        }

    found = centre.storage.read(read)
    if found is None:
        return missing(request, visit)
    values = {**found, "now_ms": now, "people": _people(found["devices"])}
    return page(request, "office.html", values, visit=visit)


def _people(devices: list[Row]) -> list[dict[str, Any]]:
    """Every officer of the office's laptops, with the laptops that know them."""
    found: dict[str, dict[str, Any]] = {}
    for device in devices:
        for one in json.loads(device["officers"]):
            person = found.setdefault(one["id"], {**one, "numbers": []})
            person["numbers"].append(device["number"])
    return sorted(found.values(), key=lambda person: str(person["name"]))


def _provinces(rows: list[Row]) -> list[dict[str, Any]]:
    """Offices by province, in the order of the official codes."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["code"][:2]].append(row)
    found = []
    for code, members in sorted(grouped.items()):
        seen = [row["last_seen_ms"] for row in members if row["last_seen_ms"] is not None]
        found.append(
            {
                "code": code, "name": _province_name(code, members[0]), "offices": members, "today": sum(row["today"] for row in members),
                "batches": sum(row["batches"] for row in members), "records": sum(row["records"] for row in members),
                "last_seen_ms": max(seen, default=None),
            }
        )  # fmt: skip
    return found


def _province_name(code: str, office: Row) -> dict[str, str]:
    try:
        unit = gazetteer.unit(code)
    except KeyError:
        return {"km": office["province_km"], "en": office["province_en"]}
    return {"km": unit.km, "en": unit.en}


def _name(office: Row) -> dict[str, str]:
    return {"km": office["name_km"], "en": office["name_en"]}


def _figures(rows: list[Row]) -> dict[str, int]:
    """The figures at the top."""
    return {
        "today": sum(row["today"] for row in rows),
        "silent": sum(1 for row in rows if row["late"]),
        "old": sum(1 for row in rows if row["old"]),
        "waiting": sum(row["waiting"] for row in rows),
        "missing": sum(row["gaps"] for row in rows),
        "gap_offices": sum(1 for row in rows if row["gaps"]),
        "quarantined": sum(row["quarantined"] for row in rows),
        "quarantine_offices": sum(1 for row in rows if row["quarantined"]),
    }
