"""The console's pages and forms. Every page but the log-in asks for a visit, every form for its token."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sync import batch as batches
from sync import merkle, notes, receipts
from sync.errors import Refused
from sync.hub import dispatch, enrolment, reports
from sync.hub.centre import Centre
from sync.hub.console import login
from sync.hub.console.login import Visit, Visits
from sync.hub.console.pages import HERE, LANGUAGE_COOKIE, page
from sync.hub.storage import Tx
from sync.ops import SealedRef

FONTS: Final = Path(__file__).parents[3] / "assets" / "fonts"
PAGE_ROWS: Final = 100
MAX_FORM: Final = 64 * 1024

Handler = Callable[[Request, Visit], Response]


def routes(centre: Centre) -> Sequence[BaseRoute]:
    """All routes below ``/console``."""
    visits = Visits()

    def inside(handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            visit = visits.of(request)
            if visit is None:
                return RedirectResponse("/console/login", 303)
            return await run_in_threadpool(handler, request, visit)

        return endpoint

    def posted(handler: Callable[[Request, Visit, dict[str, str]], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            visit, fields = visits.of(request), await form(request)
            if visit is None:
                return RedirectResponse("/console/login", 303)
            if not login.token_holds(visit, fields.get("token")):
                return PlainTextResponse("this form is too old", 403)
            return await run_in_threadpool(handler, request, visit, fields)

        return endpoint

    async def log_in(request: Request) -> Response:
        fields = await form(request)
        return await run_in_threadpool(_log_in, request, visits, fields)

    async def log_out(request: Request) -> Response:
        visits.end(request)
        return RedirectResponse("/console/login", 303)

    return [
        Route("/login", lambda request: page(request, "login.html", {"wait": 0, "wrong": False}, visit=None)),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/language/{language}", _language),
        Route("/", inside(_board)),
        Route("/office/{code}", inside(_office)),
        Route("/batch/{idx:int}", inside(_batch)),
        Route("/devices", inside(_devices)),
        Route("/devices/enrol", posted(_enrol), methods=["POST"]),
        Route("/devices/revoke", posted(_revoke), methods=["POST"]),
        Route("/publications", inside(_publications)),
        Route("/quarantine", inside(_quarantine)),
        Route("/dispatch", inside(_dispatch)),
        Route("/dispatch/done", posted(_dispatched), methods=["POST"]),
        Route("/table/{name}", inside(_table)),
        Route("/font/{name}", _font),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


async def form(request: Request) -> dict[str, str]:
    """A small url-encoded form; anything larger is cut off and so refused by its missing token."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))


def _centre(request: Request) -> Centre:
    centre: Centre = request.app.state.centre
    return centre


def _log_in(request: Request, visits: Visits, fields: dict[str, str]) -> Response:
    name, passphrase = fields.get("name", "")[:100], fields.get("passphrase", "")[:1000]
    if wait := visits.wait_s(name):
        return page(request, "login.html", {"wait": wait, "wrong": True}, visit=None, status=429)
    if not _centre(request).storage.read(lambda tx: login.passphrase_holds(tx, name, passphrase)):
        visits.failed(name)
        return page(request, "login.html", {"wait": visits.wait_s(name), "wrong": True}, visit=None, status=403)
    response = RedirectResponse("/console/", 303)
    visits.begin(name, response, secure=request.url.scheme == "https")
    return response


def _language(request: Request) -> Response:
    back = request.query_params.get("back", "/console/")
    response = RedirectResponse(back if back.startswith("/console/") else "/console/", 303)
    response.set_cookie(LANGUAGE_COOKIE, request.path_params["language"], max_age=31_536_000, path="/console", samesite="strict")
    return response


def _board(request: Request, visit: Visit) -> Response:
    centre = _centre(request)
    now = centre.clock.wall_ms()
    offices, totals, refused = centre.storage.read(
        lambda tx: (reports.board(tx, now), reports.totals(tx), tx.query("SELECT * FROM refused ORDER BY idx DESC LIMIT 5"))
    )
    return page(request, "board.html", {"offices": offices, "totals": totals, "refused": refused}, visit=visit)


def _office(request: Request, visit: Visit) -> Response:
    code = request.path_params["code"]

    def read(tx: Tx) -> dict[str, Any] | None:
        office = tx.one("SELECT * FROM office WHERE code = :c", {"c": code})
        if office is None:
            return None
        devices = tx.query("SELECT * FROM device WHERE office = :c ORDER BY number", {"c": code})
        return {
            "office": office,
            "devices": devices,
            "slots": tx.query("SELECT number, not_after_ms FROM slot WHERE office = :c AND device IS NULL ORDER BY number", {"c": code}),
            "batches": reports.batches(tx, office=code),
            "gaps": [row for row in reports.gaps(tx) if row["office"] == code],
        }

    found = _centre(request).storage.read(read)
    return _missing(request, visit) if found is None else page(request, "office.html", found, visit=visit)


def _batch(request: Request, visit: Visit) -> Response:
    idx = request.path_params["idx"]
    centre = _centre(request)

    def read(tx: Tx) -> dict[str, Any] | None:
        row = tx.one(
            """SELECT b.*, d.office, l.idx AS leaf, l.receipt FROM batch b LEFT JOIN device d ON d.device = b.device
               JOIN leaf l ON l.batch = b.idx WHERE b.idx = :idx""",
            {"idx": idx},
        )
        if row is None:
            return None
        labels = {bytes(op["hash"]): op["label"] for op in tx.query("SELECT hash, label FROM op WHERE batch = :idx", {"idx": idx})}
        return {"row": row, "labels": labels}

    found = centre.storage.read(read)
    if found is None:
        return _missing(request, visit)
    parsed = batches.parse(found["row"]["raw"])
    receipt = receipts.verify(found["row"]["receipt"], centre.log.note_key)
    proof = notes.read_proof(found["row"]["receipt"])
    records = [
        {
            "seq": op.seq, "kind": op.fields.kind, "form": op.fields.form, "wall_ms": op.fields.wall_ms, "hash": op.hash.hex(),
            "label": found["labels"].get(op.hash, ""), "sealed": isinstance(op.fields.body, SealedRef),
            "body": None if isinstance(op.fields.body, SealedRef) else json.dumps(
                op.fields.body, ensure_ascii=False, indent=1, default=lambda value: value.hex() if isinstance(value, bytes) else str(value)
            ),
        }
        for op in parsed.ops
    ]  # fmt: skip
    return page(
        request, "batch.html",
        {
            "row": found["row"], "records": records, "authors": len(parsed.authors), "receipt": receipt, "proof": proof,
            "leaf_hash": merkle.leaf_hash(receipt.leaf.data()).hex(),
        },
        visit=visit,
    )  # fmt: skip


def _devices(request: Request, visit: Visit) -> Response:
    rows, slots = _centre(request).storage.read(
        lambda tx: (reports.devices(tx), tx.query("SELECT * FROM slot WHERE device IS NULL ORDER BY office, number"))
    )
    problem = request.query_params.get("problem", "")
    return page(request, "devices.html", {"devices": rows, "slots": slots, "problem": problem}, visit=visit)


def _enrol(request: Request, visit: Visit, fields: dict[str, str]) -> Response:
    from sync.hub.cli import office_facts

    try:
        facts = office_facts(fields.get("office", "").strip())
    except Refused as error:
        return RedirectResponse(f"/console/devices?problem={error.code}", 303)
    url = fields.get("url", "").strip() or f"{request.url.scheme}://{request.url.netloc}"
    pack = _centre(request).enrol(facts, [url])
    name = f"office-{facts['code']}.pack"
    return Response(pack, media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _revoke(request: Request, visit: Visit, fields: dict[str, str]) -> Response:
    centre = _centre(request)
    try:
        device = bytes.fromhex(fields.get("device", ""))
        centre.storage.write(lambda tx: enrolment.revoke(tx, device, centre.clock.wall_ms()))
    except (ValueError, Refused):
        return RedirectResponse("/console/devices?problem=HB-120", 303)
    centre.wake()
    return RedirectResponse("/console/devices", 303)


def _publications(request: Request, visit: Visit) -> Response:
    listed = _centre(request).repository.listing()
    return page(request, "publications.html", {"listing": listed}, visit=visit)


def _quarantine(request: Request, visit: Visit) -> Response:
    rows, pending = _centre(request).storage.read(
        lambda tx: (reports.quarantine(tx), tx.query("SELECT hash, device, seq, kind, batch FROM op WHERE label = 'pending' ORDER BY batch DESC LIMIT 200"))
    )
    return page(request, "quarantine.html", {"rows": rows, "pending": pending}, visit=visit)


def _dispatch(request: Request, visit: Visit) -> Response:
    rows = _centre(request).storage.read(dispatch.waiting)
    return page(request, "dispatch.html", {"rows": rows}, visit=visit)


def _dispatched(request: Request, visit: Visit, fields: dict[str, str]) -> Response:
    centre = _centre(request)
    now = centre.clock.wall_ms()
    failed = fields.get("end") == "failed"
    try:
        centre.storage.write(lambda tx: dispatch.finish(tx, fields.get("id", ""), {"admin": visit.admin}, now, failed=failed))
    except Refused:
        return _missing(request, visit)
    return RedirectResponse("/console/dispatch", 303)


def _table(request: Request, visit: Visit) -> Response:
    centre, name = _centre(request), request.path_params["name"]
    projection = next((p for p in centre.runner.projections if p.name == name and hasattr(p, "console")), None)
    if projection is None:
        return _missing(request, visit)
    console = projection.console()  # type: ignore[attr-defined]
    after = request.query_params.get("from", "0")
    offset = int(after) if after.isascii() and after.isdecimal() and len(after) < 9 else 0
    query = f"SELECT * FROM ({console['query']}) AS listed LIMIT :limit OFFSET :offset"
    rows, cursor = centre.storage.read(
        lambda tx: (
            tx.query(query, {"limit": PAGE_ROWS + 1, "offset": offset}),
            tx.one("SELECT failure, failed_op FROM cursor WHERE projection = :p", {"p": name}),
        )
    )
    values = {"console": console, "rows": rows[:PAGE_ROWS], "more": len(rows) > PAGE_ROWS, "offset": offset, "cursor": cursor, "name": name}
    return page(request, "table.html", values, visit=visit)


def _font(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in {"SalaKhmer-Regular.ttf", "SalaKhmer-Bold.ttf"}:
        return PlainTextResponse("no such font", 404)
    return FileResponse(FONTS / name, media_type="font/ttf", headers={"Cache-Control": "public, max-age=604800"})


def _missing(request: Request, visit: Visit) -> Response:
    return page(request, "missing.html", {}, visit=visit, status=404)
