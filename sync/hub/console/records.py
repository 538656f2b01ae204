"""One record: what an op says, who made it, where it hangs, and what the centre decided about it."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from i18n.catalog import Text
from sync import batch as formats
from sync.errors import SalaError
from sync.hub import decisions
from sync.hub.centre import Centre
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Tx
from sync.ops import Op, SealedRef

_OWN: Final = {
    "sync.officer": {"km": "មន្ត្រីនៃកុំព្យូទ័រ", "en": "Officer of a laptop"},
    "sync.audit_checkpoint": {"km": "ចំណុចពិនិត្យកំណត់ហេតុ", "en": "Checkpoint of the audit log"},
    "sync.rekey": {"km": "សោថ្មីនៃកុំព្យូទ័រ", "en": "New key of a laptop"},
}


def kind_title(centre: Centre, kind: str) -> Text:
    """What a kind is called, from its module's manifest; an unknown kind is called by its name."""
    for manifest in centre.manifests:
        for found in manifest.get("kind", ()):
            if found["name"] == kind:
                title: Text = found["title"]
                return title
    return _OWN.get(kind, {"km": kind, "en": kind})


def officers(stored: str | None) -> dict[str, str]:
    """Officer id → name, as the laptop said at its enrolment."""
    return {one["id"]: one["name"] for one in json.loads(stored or "[]")}


def summary(centre: Centre, op: Op, label: str, names: dict[str, str]) -> dict[str, Any]:
    """One line about an op."""
    fields = op.fields
    return {
        "seq": op.seq, "kind": fields.kind, "title": kind_title(centre, fields.kind), "form": fields.form, "wall_ms": fields.wall_ms,
        "hash": op.hash.hex(), "label": label, "sealed": isinstance(fields.body, SealedRef),
        "officer": names.get(fields.officer.hex(), fields.officer.hex()[:8]),
    }  # fmt: skip


def one(request: Request, visit: Visit) -> Response:
    """The page of one record."""
    return _one(request, visit, None)


def decide(request: Request, visit: Visit, form: Form) -> Response:
    """Accept, send back or release a record."""
    centre, digest = centre_of(request), _digest(request)
    decision = form.get("decision", 20)
    if digest is None or decision not in decisions.DECISIONS:
        return missing(request, visit)
    now = centre.clock.wall_ms()
    try:
        centre.storage.write(lambda tx: decisions.decide(tx, digest, decision, form.get("reason"), visit.admin, now))
    except SalaError as error:
        return _one(request, visit, error, 422)
    centre.wake()
    return RedirectResponse(request.url.path, 303)


def _one(request: Request, visit: Visit, error: SalaError | None, status: int = 200) -> Response:
    centre, digest = centre_of(request), _digest(request)
    found = centre.storage.read(lambda tx: _read(tx, digest)) if digest else None
    if found is None or digest is None:
        return missing(request, visit)
    op = next(op for op in formats.parse(found["row"]["raw"]).ops if op.hash == digest)
    values = {
        **found, **summary(centre, op, found["row"]["label"], officers(found["row"]["officers"])), "seq": found["row"]["seq"],
        "fields": op.fields, "body": None if isinstance(op.fields.body, SealedRef) else [*lines(op.fields.body)],
        "refs": [ref.hex() for ref in op.fields.refs], "attach": [blob.hex() for blob in op.fields.attach], "error": error,
        "releasable": found["row"]["label"] in ("q:fork", "q:revoked"), "own": op.fields.kind.startswith("sync."),
    }  # fmt: skip
    return page(request, "record.html", values, visit=visit, status=status)


def _read(tx: Tx, digest: bytes) -> dict[str, Any] | None:
    row = tx.one(
        """SELECT o.hash, o.parent, o.device, o.seq, o.label, o.batch, b.raw, b.received_ms, d.office, d.number, d.officers,
               f.name_km, f.name_en
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           WHERE o.hash = :hash""",
        {"hash": digest},
    )
    if row is None:
        return None
    siblings = tx.query(
        "SELECT hash, label FROM op WHERE device = :device AND seq = :seq AND parent = :parent AND hash <> :hash",
        {**row, "raw": None},
    )
    return {"row": row, "siblings": siblings, "decisions": decisions.of_op(tx, digest)}


def lines(value: Any, depth: int = 0, name: str = "") -> list[tuple[int, str, str]]:
    """A plain body as lines (depth, name, value) that a page can show."""
    if isinstance(value, dict):
        found = [(depth, name, "")] if name else []
        for key, item in value.items():
            found += lines(item, depth + bool(name), str(key))
        return found
    if isinstance(value, list):
        return [
            (depth, name, ""),
            *(line for place, item in enumerate(value, 1) for line in lines(item, depth + 1, str(place))),
        ]
    return [(depth, name, value.hex() if isinstance(value, bytes) else "–" if value is None else str(value))]


def _digest(request: Request) -> bytes | None:
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
