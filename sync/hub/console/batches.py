"""Batches: the newest, one opened to its records with its proof, and the way in for courier files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from sync import batch as formats
from sync import devices, merkle, notes, receipts
from sync.errors import Known, SalaError
from sync.hub import acts, askagain, marks, raws, reports
from sync.hub.console import records, uploads
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row, Tx
from sync.volume import SUFFIX

ROWS: Final = 100
RECORDS: Final = 100


def listing(request: Request, visit: Visit) -> Response:
    """The newest batches, page by page."""
    return _listing(request, visit, {})


def one(request: Request, visit: Visit) -> Response:
    """One batch: who, when, its records, and the proof that it stands in the log."""
    centre, idx = centre_of(request), request.path_params["idx"]
    start = _number(request.query_params.get("from"))
    marks.quickly(centre.storage)  # officers that the batch itself declares are known too

    def read(tx: Tx) -> dict[str, Any] | None:
        row = tx.one(
            """SELECT b.*, d.office, d.number, d.officers, d.revoked_ms, f.name_km, f.name_en, l.idx AS leaf, l.receipt FROM batch b
               LEFT JOIN device d ON d.device = b.device LEFT JOIN office f ON f.code = d.office
               JOIN leaf l ON l.batch = b.idx WHERE b.idx = :idx""",
            {"idx": idx},
        )
        if row is None:
            return None
        found = {r["hash"]: r for r in tx.query("SELECT hash, label, batch FROM op WHERE batch = :idx", {"idx": idx})}
        return {"row": {**row, "raw": _raw(tx, row)}, "labels": found, "asked": askagain.asked(tx, idx),
                "names": records.names(tx, row["device"], row["officers"]),
                "keys": records.officer_keys(tx, row["device"], row["officers"])}  # fmt: skip

    found = centre.storage.read(read)
    if found is None:
        return missing(request, visit)
    row = found["row"]
    parsed = formats.parse(row["raw"]) if row["raw"] else None
    shown = [
        records.summary(centre, op, found["labels"].get(op.hash, {}).get("label", ""), found["names"])
        for op in (parsed.ops[start : start + RECORDS] if parsed else ())
    ]
    values = {
        **found, "records": shown, "start": start, "step": RECORDS, "gone": parsed is None,
        "authors": [found["names"].get(id, id[:8]) for id in (records.signers(parsed, found["keys"]) if parsed else ())],
        "proof": _proof(row["receipt"], centre.log.note_key),
        "askable": row["via"] != acts.VIA and row["office"] is not None and row["revoked_ms"] is None,
    }  # fmt: skip
    return page(request, "batch.html", values, visit=visit)


def _raw(tx: Tx, row: Row) -> bytes:
    """The raw bytes; none when the storage has lost or altered them. Known HB-166: it does not answer."""
    try:
        return raws.whole(tx, row)
    except Known as error:
        if error.code != "HB-167":
            raise
        return b""


def receipt(request: Request, visit: Visit) -> Response:
    """The receipt as a file: it can be verified anywhere, without this hub."""
    centre, idx = centre_of(request), request.path_params["idx"]
    row = centre.storage.read(lambda tx: tx.one("SELECT receipt FROM leaf WHERE batch = :idx", {"idx": idx}))
    if row is None:
        return missing(request, visit)
    headers = {"Content-Disposition": f'attachment; filename="batch-{idx}.tlog-proof"'}
    return Response(row["receipt"], media_type="text/plain; charset=utf-8", headers=headers)


def raw(request: Request, visit: Visit) -> Response:
    """The batch as it came: with it, the receipt and the laptop's key anybody can check everything again."""
    centre, idx = centre_of(request), request.path_params["idx"]
    row = centre.storage.read(lambda tx: tx.one("SELECT raw, hash FROM batch WHERE idx = :idx", {"idx": idx}))
    if row is None:
        return missing(request, visit)
    headers = {"Content-Disposition": f'attachment; filename="{bytes(row["hash"]).hex()}.batch"'}
    data = centre.storage.read(lambda tx: raws.whole(tx, row))
    return Response(data, media_type="application/octet-stream", headers=headers)


def upload(request: Request, visit: Visit, form: Form) -> Response:
    """A courier file from an admin's stick; what goes back can be downloaded from the page that follows."""
    if form.file is None:
        return _listing(request, visit, {"no_file": True}, 422)
    try:
        taken = uploads.take(centre_of(request), form.file)
    except SalaError as error:
        return _listing(request, visit, {"error": error}, 422)
    return _listing(request, visit, {"taken": taken, "back": [Path(name).name for name in taken.back]})


def reply(request: Request, visit: Visit) -> Response:
    """A file to carry home."""
    name = request.path_params["name"]
    place = centre_of(request).folder / uploads.REPLIES / name
    if not name.endswith(SUFFIX) or place.name != name or name.startswith(".") or not place.is_file():
        return missing(request, visit)
    return FileResponse(place, media_type="application/octet-stream", filename=name)


def _listing(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    centre = centre_of(request)
    before, office = _number(request.query_params.get("before")), request.query_params.get("office", "")[:8]
    rows = centre.storage.read(lambda tx: reports.batches(tx, limit=ROWS + 1, office=office, before=before))
    values = {
        "batches": rows[:ROWS],
        "more": len(rows) > ROWS,
        "office": office,
        "taken": None,
        "back": [],
        "error": None,
        "no_file": False,
    }
    return page(request, "batches.html", {**values, **more}, visit=visit, status=status)


def _proof(text: str, key: notes.NoteKey) -> dict[str, Any]:
    """The receipt checked step by step, as the page shows it: from the leaf up to the signed root."""
    verified = receipts.verify(text, key)
    proof = notes.read_proof(text)
    reached = merkle.leaf_hash(verified.leaf.data())
    place, last = proof.index, verified.checkpoint.size - 1
    steps = []
    for other in proof.hashes:
        left = bool(place & 1) or place == last
        if left:
            reached = merkle.node_hash(other, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = merkle.node_hash(reached, other)
        place, last = place >> 1, last >> 1
        steps.append({"other": other.hex(), "left": left, "reached": reached.hex()})
    return {
        "leaf_hash": merkle.leaf_hash(verified.leaf.data()).hex(), "steps": steps, "root": verified.checkpoint.root.hex(),
        "size": verified.checkpoint.size, "origin": verified.checkpoint.origin, "index": verified.index, "note": proof.note,
        "words": devices.words(verified.leaf.batch_hash).split(),
        "received_ms": verified.leaf.received_ms, "state": verified.leaf.state.name.lower(),
    }  # fmt: skip


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else 0
