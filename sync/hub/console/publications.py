"""What the centre sends down: by name, who signed it and until when, what waits for a signature, who signs which part."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync import naming
from sync.errors import SalaError
from sync.hub import announce, formnames, publish, signers, signing
from sync.hub.centre import Centre
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row
from sync.limits import MAX_PUBLICATION

MOST: Final = MAX_PUBLICATION + 64 * 1024  # bytes of the form with its file
HERE: Final = "/console/publications"
_HEX = re.compile(r"^(leases|inbox)/([0-9a-f]{32})\.cbor$")
_SMALL: Final = 1 << 20  # bytes: a larger one is not looked into for its title


def listing(request: Request, visit: Visit) -> Response:
    """Everything that is published now."""
    return _listing(request, visit, None)


def put(request: Request, visit: Visit, form: Form) -> Response:
    """Publish one file, or lay it ready for its signer."""
    centre = centre_of(request)
    if form.file is None:
        return _listing(request, visit, None, 422, no_file=True)
    data, now = form.file.file.read(), centre.clock.wall_ms()
    name = formnames.target_name(form.get("under", 40), (form.file.filename or "").rpartition("/")[2], data)
    try:
        centre.storage.write(lambda tx: announce.put(tx, {name: data}, now))
    except SalaError as error:
        return _listing(request, visit, error, 422)
    centre.publish()
    return RedirectResponse(HERE, 303)


def withdraw(request: Request, visit: Visit, form: Form) -> Response:
    """Take a publication back."""
    centre, now = centre_of(request), centre_of(request).clock.wall_ms()
    try:
        centre.storage.write(lambda tx: announce.withdraw(tx, [form.get("name")], now))
    except SalaError as error:
        return _listing(request, visit, error, 422)
    centre.publish()
    return RedirectResponse(HERE, 303)


def prepare(request: Request, _: Visit) -> Response:
    """The file that a keeper signs elsewhere, as a download."""
    name = request.path_params["role"]
    data = signing.prepare(centre_of(request), name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.to-sign"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def accept(request: Request, visit: Visit, form: Form) -> Response:
    """Take a signed file back."""
    if form.file is None:
        return _listing(request, visit, None, 422, no_file=True)
    try:
        signing.accept(centre_of(request), form.file.file.read())
    except SalaError as error:
        return _listing(request, visit, error, 422)
    return RedirectResponse(HERE, 303)


def signer(request: Request, visit: Visit, form: Form) -> Response:
    """Add a signer, change a key, end a delegation."""
    centre, act, name = centre_of(request), form.get("act", 20), form.get("name", 60)
    now, typed, stolen = centre.clock.wall_ms(), form.get("public", 80), form.get("stolen", 3) == "yes"
    try:
        public = _public(typed, name)
        if act == "add":
            kind, subject, holder = form.get("kind", 20), form.get("subject", 20), form.get("holder", 120)
            centre.storage.write(lambda tx: signers.add(tx, centre.folder, kind, subject, holder, public, now))
        elif act == "rotate":
            centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, name, public, now, stolen=stolen))
        else:
            centre.storage.write(lambda tx: signers.remove(tx, name, now, stolen=stolen))
    except SalaError as error:
        return _listing(request, visit, error, 422)
    centre.publish()
    return RedirectResponse(HERE, 303)


def _public(typed: str, name: str) -> bytes | None:
    try:
        return bytes.fromhex(typed) if typed else None
    except ValueError:
        from sync.errors import Refused

        raise Refused("HB-181", role=name) from None


def _listing(
    request: Request, visit: Visit, error: SalaError | None, status: int = 200, *, no_file: bool = False
) -> Response:
    centre = centre_of(request)
    listed, now = centre.repository.listing(), centre.clock.wall_ms()
    by_hand, devices, rows = centre.storage.read(
        lambda tx: (
            announce.by_hand(tx),
            {row["device"].hex(): row for row in tx.query("SELECT device, office, number FROM device")},
            signers.listing(tx),
        )
    )
    holders = {row["name"]: row["holder"] for row in rows}
    shared: list[dict[str, Any]] = []
    private: list[dict[str, Any]] = []
    for target in listed.targets:
        row = {"name": target.name, "size": target.size, "sha256": target.sha256, "by_hand": by_hand.get(target.name)}
        found = _HEX.match(target.name)
        if found:
            private.append({**row, "folder": found[1], "device": devices.get(found[2])})
        else:
            data = (
                centre.repository.target(target)
                if target.size < _SMALL and target.name.startswith(("forms/", "prices/"))
                else None
            )
            title, who = naming.title(target.name, data), naming.signer(target.role, holders.get(target.role, ""))
            shared.append({**row, "title": title, "signer": who, "version": listed.roles[target.role][0]})
    values = {
        "listing": listed, "shared": shared, "private": private, "error": error, "no_file": no_file, "now": now,
        "folders": _folders(rows),
        "root_days": (listed.root_expires_ms - now) // 86_400_000, "signers": _signers(centre, listed, rows),
        "waiting": [] if all(row["online"] for row in rows) else _waiting(centre, holders),
    }  # fmt: skip
    return page(request, "publications.html", values, visit=visit, status=status)


def _folders(rows: list[Row]) -> list[dict[str, Any]]:
    """Where a file can be laid: the centre's own places, and the forms of the agencies that sign theirs."""
    agencies = [f"forms/{row['subject']}" for row in rows if row["kind"] == "forms"]
    return [{"name": name, "title": naming.folder(name)} for name in (*sorted(publish.FOLDERS), *agencies)]


def _signers(centre: Centre, listed: publish.Listing, rows: list[Row]) -> list[dict[str, Any]]:
    """Who signs which part: the top role first."""
    version, expires_ms = listed.roles.get("targets", (0, 0))
    found = [{
        "name": "targets", "title": naming.signer("targets"), "online": True, "own": True, "version": version, "expires_ms": expires_ms,
        "key": bytes(centre.keys.targets.verify_key).hex(),
    }]  # fmt: skip
    for row in rows:
        version, expires_ms = listed.roles.get(row["name"], (0, 0))
        found.append({
            "name": row["name"], "title": naming.signer(row["name"], row["holder"]), "online": bool(row["online"]),
            "own": row["name"] in signers.OWN, "certifies": row["kind"] == "province",
            "version": version, "expires_ms": expires_ms, "key": row["public"].hex(),
        })  # fmt: skip
    return found


def _waiting(centre: Centre, holders: dict[str, str]) -> list[dict[str, Any]]:
    """What waits for the signature of a keeper elsewhere."""
    wanted = signing.parts_elsewhere(centre)
    found = []
    for name, changes in sorted(signing.waiting(centre, wanted).items()):
        rows = [
            {"what": change.what, "size": change.size, "title": _change(change, wanted.get(name, {}).get(change.name))}
            for change in changes
        ]
        found.append({"name": name, "title": naming.signer(name, holders.get(name, "")), "changes": rows})
    return found


def _change(change: signing.Change, data: bytes | None) -> Any:
    if change.what == "laptop":
        return {"km": f"កុំព្យូទ័រថ្មី · {change.name}", "en": f"New laptop · {change.name}"}
    return naming.title(change.name, data)
