"""Is the hub well? ``/healthz``: the process answers. ``/readyz``: it can store what is sent, each part by name."""

from __future__ import annotations

import shutil
from typing import Any, Final

from sync.errors import SalaError
from sync.hub.centre import Centre
from sync.hub.storage import Tx

LEAST_FREE: Final = 1 << 30  # bytes on the hub's disk: below, somebody must make room
_PROJECTION_LAG: Final = 50_000  # accepted ops that a projection may be behind


def readiness(centre: Centre) -> dict[str, Any]:
    """``{"ok", "checks": {name: {"ok", …}}}``. Nothing in it names a person or an office."""
    checks = {"database": _database(centre), "disk": _disk(centre), "publications": _publications(centre)}
    if checks["database"]["ok"]:
        checks["projections"] = centre.storage.read(_projections)
    return {"ok": all(check["ok"] for check in checks.values()), "checks": checks}


def _database(centre: Centre) -> dict[str, Any]:
    try:
        centre.storage.read(lambda tx: tx.query("SELECT value FROM meta ORDER BY name LIMIT 1"))
        centre.storage.write(
            lambda tx: tx.execute(
                "INSERT INTO meta (name, value) VALUES ('alive', :now) ON CONFLICT (name) DO UPDATE SET value = :now",
                {"now": str(centre.clock.wall_ms())},
            )
        )
    except Exception as error:  # noqa: BLE001  whatever it is, the hub cannot store
        return {"ok": False, "why": error.code if isinstance(error, SalaError) else type(error).__name__}
    return {"ok": True}


def _disk(centre: Centre) -> dict[str, Any]:
    free = shutil.disk_usage(centre.folder).free
    return {"ok": free >= LEAST_FREE, "free_bytes": free}


def _publications(centre: Centre) -> dict[str, Any]:
    listing = centre.repository.listing()
    now = centre.clock.wall_ms()
    return {
        "ok": listing.expires_ms > now and listing.root_expires_ms > now,
        "version": listing.version, "expires_ms": listing.expires_ms, "root_expires_ms": listing.root_expires_ms,
    }  # fmt: skip


def _projections(tx: Tx) -> dict[str, Any]:
    last = int(tx.query("SELECT coalesce(max(idx), 0) AS last FROM accepted")[0]["last"])
    rows = tx.query("SELECT projection, accepted_idx, failure FROM cursor ORDER BY projection")
    lag = {row["projection"]: last - row["accepted_idx"] for row in rows}
    stopped = [row["projection"] for row in rows if row["failure"] is not None]
    return {"ok": not stopped and all(n <= _PROJECTION_LAG for n in lag.values()), "behind": lag, "stopped": stopped}
