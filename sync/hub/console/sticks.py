"""Sticks and everything else that comes without a line: courier files, QR codes, status texts; and what goes back."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from sync import durable, qrframes, qrpicture
from sync.errors import Refused, SalaError
from sync.hub import contacts, courier, couriers, heartbeats
from sync.hub.console import uploads
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Tx
from sync.limits import MAX_PICTURE
from sync.volume import SUFFIX

MOST: Final = MAX_PICTURE + 64 * 1024  # bytes of the form with a picture
_PASTED: Final = 60_000  # characters
_SHOWN: Final = 60  # codes: an answer of more goes home as a file only


def show(request: Request, visit: Visit) -> Response:
    """The ways in, and the laptops that are heard of by text message."""
    return _page(request, visit, {})


def take_file(request: Request, visit: Visit, form: Form) -> Response:
    """A courier file from an admin's stick."""
    if form.file is None:
        return _page(request, visit, {"forgot": "file"}, 422)
    try:
        taken = uploads.take(centre_of(request), form.file)
    except SalaError as error:
        return _page(request, visit, {"error": error}, 422)
    return _page(request, visit, {"taken": taken, "back": [Path(name).name for name in taken.back]})


def take_picture(request: Request, visit: Visit, form: Form) -> Response:
    """A picture of QR codes: a photograph, a screen shot, a moving picture."""
    if form.file is None:
        return _page(request, visit, {"forgot": "picture"}, 422)
    data = form.file.file.read(MAX_PICTURE + 1)
    try:
        return _codes(request, visit, qrpicture.texts(data))
    except SalaError as error:
        return _page(request, visit, {"error": error}, 422)


def take_text(request: Request, visit: Visit, form: Form) -> Response:
    """What a hand-held scanner has typed, code by code, or the text message of a laptop."""
    text = form.get("text", _PASTED)
    try:
        if text.startswith(qrframes.PREFIX):
            return _codes(request, visit, text.splitlines())
        centre = centre_of(request)
        now = centre.clock.wall_ms()
        told = centre.storage.write(lambda tx: _told(tx, text, now))
        return _page(request, visit, {"told": told})
    except SalaError as error:
        return _page(request, visit, {"error": error, "typed": text}, 422)


def _told(tx: Tx, text: str, now_ms: int) -> dict[str, Any]:
    found = heartbeats.take(tx, text, now_ms)
    contacts.heard(tx, found["device"], None, now_ms)
    return found


def _codes(request: Request, visit: Visit, texts: list[str]) -> Response:
    centre = centre_of(request)
    taken, answer = courier.take_bytes(centre, qrframes.collect(texts))
    centre.wake()
    values: dict[str, Any] = {"taken": taken}
    if answer is not None:
        name = f"{courier.STEM}-{centre.clock.wall_ms()}{SUFFIX}"
        durable.replace(uploads.replies(centre) / name, answer)
        values["back"] = [name]
        frames = qrframes.encode_small(answer)
        if len(frames) <= _SHOWN:
            picture = qrpicture.moving(frames) if len(frames) > 1 else qrpicture.png(frames[0])
            kind = "gif" if len(frames) > 1 else "png"
            values["picture"] = f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
            values["codes"] = len(frames)
    return _page(request, visit, values)


def admit(request: Request, visit: Visit, form: Form) -> Response:
    """Let laptops seal sticks to one more relay, or no longer."""
    centre, name = centre_of(request), form.get("name", 100)
    try:
        if form.get("act") == "dismiss":
            centre.storage.write(lambda tx: couriers.dismiss(tx, name))
        else:
            public = bytes.fromhex(form.get("key", 200))
            centre.storage.write(lambda tx: couriers.admit(tx, name, public))
    except SalaError as error:
        return _page(request, visit, {"error": error}, 422)
    except ValueError:
        return _page(request, visit, {"error": Refused("SY-450", name=name)}, 422)
    centre.publish()
    return _page(request, visit, {})


def _page(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    centre = centre_of(request)
    told, relays, offices = centre.storage.read(
        lambda tx: (
            heartbeats.outstanding(tx),
            couriers.admitted(tx),
            {row["code"]: row for row in tx.query("SELECT code, name_km, name_en FROM office")},
        )
    )
    values: dict[str, Any] = {
        "texts": told, "offices": offices, "relays": {name: key.hex() for name, key in sorted(relays.items())},
        "own_key": bytes(couriers.private(centre.keys).public_key).hex(), "taken": None, "back": [], "picture": None, "codes": 0,
        "told": None, "error": None, "forgot": None, "typed": "",
    }  # fmt: skip
    return page(request, "sticks.html", {**values, **more}, visit=visit, status=status)
