"""The hub's log: its newest signed checkpoint, what was refused, and checking it whole."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sync.hub import audits, cosignatures, suspects
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.log import size as log_size
from sync.hub.storage import Row, Tx


def log(request: Request, visit: Visit) -> Response:
    """The page of the log."""
    return _log(request, visit, None)


def verify(request: Request, visit: Visit, _: Form) -> Response:
    """Recompute everything from the raw batches."""
    centre = centre_of(request)
    return _log(request, visit, centre.storage.read(centre.log.verify))


def refused(request: Request, visit: Visit) -> Response:
    """The kept bytes of a damaged upload, for whoever investigates."""
    text = request.path_params["digest"]
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return missing(request, visit)
    data = centre_of(request).storage.read(lambda tx: suspects.raw(tx, digest))
    if data is None:
        return missing(request, visit)
    headers = {"Content-Disposition": f'attachment; filename="refused-{text[:16]}.bin"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def _epochs(tx: Tx) -> list[Row]:
    """The lives of the log, the newest first: by hops over the key, for there is a checkpoint for every commit."""
    found: list[Row] = []
    below = 1 << 62
    while last := tx.one(
        "SELECT epoch, size FROM checkpoint WHERE epoch < :below ORDER BY epoch DESC, size DESC LIMIT 1",
        {"below": below},
    ):
        below = last["epoch"]
        begun = "SELECT made_ms FROM checkpoint WHERE epoch = :e ORDER BY size LIMIT 1"
        found.append({**last, "since_ms": tx.query(begun, {"e": below})[0]["made_ms"]})
    return found


def _log(request: Request, visit: Visit, faults: list[str] | None) -> Response:
    centre = centre_of(request)

    def read(tx: Tx) -> dict[str, Any]:
        size = log_size(tx)
        made = tx.query("SELECT made_ms AS ms FROM checkpoint ORDER BY epoch DESC, size DESC LIMIT 1")[0]["ms"]
        return {
            "note": centre.log.latest(tx), "refused": suspects.listing(tx, 50), "signed_ms": made, "size": size,
            "relays": cosignatures.relays(tx), "cosigned": cosignatures.newest(tx, centre.log.epoch) is not None,
            "epochs": _epochs(tx),
            "laptop_logs": [row for row in audits.listing(tx) if row["verdict"] != audits.SOUND],
        }  # fmt: skip

    values = {**centre.storage.read(read), "faults": faults, "log_name": centre.log.name}
    return page(request, "log.html", values, visit=visit)
