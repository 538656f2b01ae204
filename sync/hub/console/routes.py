"""All addresses of the console and what answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.routing import BaseRoute, Route

from sync.hub import paths  # noqa: F401  numbers in addresses
from sync.hub.console import (
    account,
    again,
    auditing,
    batches,
    board,
    conflicts,
    devices,
    effects,
    entrance,
    held,
    logbook,
    numbers,
    officers,
    outlets,
    publications,
    quarantine,
    records,
    roles,
    sticks,
    tables,
    users,
)  # fmt: skip
from sync.hub.console.doors import Doors
from sync.limits import MAX_COURIER

MAX_UPLOAD: Final = MAX_COURIER + (1 << 20)


def routes() -> Sequence[BaseRoute]:
    """All routes below ``/console``, with their own log-ins."""
    doors = Doors()
    inside, posted = doors.inside, doors.posted
    return [
        Route("/login", entrance.show),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", entrance.leave, methods=["POST"]),
        Route("/code", entrance.ask_code),
        Route("/code", entrance.enter_code, methods=["POST"]),
        Route("/begin", account.set_up),
        Route("/begin", account.posted_set_up, methods=["POST"]),
        Route("/language/{language}", entrance.language),
        Route("/static/{name}", entrance.static),
        Route("/font/{name}", entrance.font),
        Route("/held", inside(held.show)),
        Route("/held", posted(held.leave, roles.LOOK), methods=["POST"]),
        Route("/me", inside(account.show)),
        Route("/me", posted(account.act, roles.LOOK), methods=["POST"]),
        Route("/users", inside(users.listing, roles.USERS)),
        Route("/users", posted(users.add, roles.USERS), methods=["POST"]),
        Route("/users/rule", posted(users.rule, roles.USERS), methods=["POST"]),
        Route("/user", inside(users.one, roles.USERS)),
        Route("/user", posted(users.act, roles.USERS), methods=["POST"]),
        Route("/audit", inside(auditing.show, roles.AUDIT)),
        Route("/audit/verify", posted(auditing.verify, roles.AUDIT), methods=["POST"]),
        Route("/audit/export", inside(auditing.export, roles.AUDIT)),
        Route("/", inside(board.board, kept=False)),
        Route("/fresh", inside(board.board, quiet=True)),
        Route("/offices", inside(board.offices)),
        Route("/office/{code}", inside(board.office)),
        Route("/batches", inside(batches.listing)),
        Route("/batches/courier", posted(batches.upload, roles.CARRY, MAX_UPLOAD), methods=["POST"]),
        Route("/batches/courier/{name}", inside(batches.reply, roles.CARRY)),
        Route("/sticks", inside(sticks.show)),
        Route("/sticks/file", posted(sticks.take_file, roles.CARRY, MAX_UPLOAD), methods=["POST"]),
        Route("/sticks/picture", posted(sticks.take_picture, roles.CARRY, sticks.MOST), methods=["POST"]),
        Route("/sticks/text", posted(sticks.take_text, roles.CARRY), methods=["POST"]),
        Route("/sticks/seal", posted(sticks.admit, roles.PUBLISH), methods=["POST"]),
        Route("/batch/{idx:number}", inside(batches.one)),
        Route("/batch/{idx:number}/receipt", inside(batches.receipt)),
        Route("/batch/{idx:number}/raw", inside(batches.raw, roles.CHECK)),
        Route("/batch/{idx:number}/again", inside(again.question, roles.DECIDE)),
        Route("/batch/{idx:number}/again", posted(again.ask, roles.DECIDE), methods=["POST"]),
        Route("/conflicts", inside(conflicts.show)),
        Route("/leases", inside(numbers.show)),
        Route("/log/refused/{digest}", inside(logbook.refused, roles.CHECK)),
        Route("/records", inside(records.listing)),
        Route("/record/{digest}", inside(records.one)),
        Route("/record/{digest}", posted(records.decide, roles.DECIDE), methods=["POST"]),
        Route("/tables", inside(tables.overview)),
        Route("/table/{name}", inside(tables.one)),
        Route("/table/{name}/rebuild", posted(tables.rebuild, roles.CHECK), methods=["POST"]),
        Route("/outlets", inside(outlets.show, roles.EXPORT)),
        Route("/outlets/{name}.{format}", inside(outlets.download, roles.EXPORT)),
        Route("/outlets/token", posted(outlets.add_token, roles.EXPORT), methods=["POST"]),
        Route("/outlets/token/end", posted(outlets.end_token, roles.EXPORT), methods=["POST"]),
        Route("/outlets/webhook", posted(outlets.add_webhook, roles.EXPORT), methods=["POST"]),
        Route("/outlets/webhook/change", posted(outlets.change_webhook, roles.EXPORT), methods=["POST"]),
        Route("/outlets/desk", posted(outlets.change_desk, roles.LAPTOPS), methods=["POST"]),
        Route("/quarantine", inside(quarantine.quarantine)),
        Route("/fork/{digest}", inside(quarantine.compare)),
        Route("/fork/{digest}", posted(quarantine.decide, roles.DECIDE), methods=["POST"]),
        Route("/devices", inside(devices.listing)),
        Route("/devices/offices", inside(devices.suggest, quiet=True)),
        Route("/devices/enrol", posted(devices.enrol, roles.LAPTOPS), methods=["POST"]),
        Route("/devices/{device}/revoke", inside(devices.ask_revoke, roles.LAPTOPS)),
        Route("/devices/{device}/revoke", posted(devices.revoke, roles.LAPTOPS), methods=["POST"]),
        Route("/devices/code", posted(officers.code, roles.LAPTOPS), methods=["POST"]),
        Route("/officers", inside(officers.listing)),
        Route("/officers/move", posted(officers.move, roles.LAPTOPS), methods=["POST"]),
        Route("/officers/{idx:number}/statement", inside(officers.statement, roles.LAPTOPS)),
        Route("/publications/prepare/{role}", inside(publications.prepare, roles.PUBLISH)),
        Route("/publications/accept", posted(publications.accept, roles.PUBLISH, publications.MOST), methods=["POST"]),
        Route("/publications/signer", posted(publications.signer, roles.PUBLISH), methods=["POST"]),
        Route("/publications", inside(publications.listing)),
        Route("/publications", posted(publications.put, roles.PUBLISH, publications.MOST), methods=["POST"]),
        Route("/publications/withdraw", posted(publications.withdraw, roles.PUBLISH), methods=["POST"]),
        Route("/dispatch", inside(effects.waiting)),
        Route("/dispatch", posted(effects.finish, roles.HAND_OVER), methods=["POST"]),
        Route("/log", inside(logbook.log)),
        Route("/log/verify", posted(logbook.verify, roles.CHECK), methods=["POST"]),
    ]
