"""All addresses of the console and what answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.routing import BaseRoute, Route

from sync.hub.console import batches, board, devices, effects, logbook, publications, quarantine, records, tables
from sync.hub.console.doors import Doors
from sync.hub.console.entrance import Entrance, font, language, static
from sync.hub.console.login import Visits
from sync.limits import MAX_COURIER

MAX_UPLOAD: Final = MAX_COURIER + (1 << 20)


def routes() -> Sequence[BaseRoute]:
    """All routes below ``/console``, with their own log-ins."""
    visits = Visits()
    entrance, doors = Entrance(visits), Doors(visits)
    inside, posted = doors.inside, doors.posted
    return [
        Route("/login", entrance.show),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", entrance.leave, methods=["POST"]),
        Route("/language/{language}", language),
        Route("/static/{name}", static),
        Route("/font/{name}", font),
        Route("/", inside(board.board)),
        Route("/offices", inside(board.offices)),
        Route("/office/{code}", inside(board.office)),
        Route("/batches", inside(batches.listing)),
        Route("/batches/courier", posted(batches.upload, MAX_UPLOAD), methods=["POST"]),
        Route("/batches/courier/{name}", inside(batches.reply)),
        Route("/batch/{idx:int}", inside(batches.one)),
        Route("/batch/{idx:int}/receipt", inside(batches.receipt)),
        Route("/record/{digest}", inside(records.one)),
        Route("/record/{digest}", posted(records.decide), methods=["POST"]),
        Route("/tables", inside(tables.overview)),
        Route("/table/{name}", inside(tables.one)),
        Route("/table/{name}/rebuild", posted(tables.rebuild), methods=["POST"]),
        Route("/quarantine", inside(quarantine.quarantine)),
        Route("/devices", inside(devices.listing)),
        Route("/devices/offices", inside(devices.suggest)),
        Route("/devices/enrol", posted(devices.enrol), methods=["POST"]),
        Route("/devices/{device}/revoke", inside(devices.ask_revoke)),
        Route("/devices/{device}/revoke", posted(devices.revoke), methods=["POST"]),
        Route("/publications", inside(publications.listing)),
        Route("/publications", posted(publications.put, publications.MOST), methods=["POST"]),
        Route("/publications/withdraw", posted(publications.withdraw), methods=["POST"]),
        Route("/dispatch", inside(effects.waiting)),
        Route("/dispatch", posted(effects.finish), methods=["POST"]),
        Route("/log", inside(logbook.log)),
        Route("/log/verify", posted(logbook.verify), methods=["POST"]),
    ]
