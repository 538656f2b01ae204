"""A look at the line without sending anything of the office: who answers, by which way, how fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sync import line, office, pins
from sync.errors import Known
from sync.limits import MAX_NOTE
from sync.transport import Transport

if TYPE_CHECKING:
    from sync.keys import Unlocked


def look(unlocked: Unlocked, settings: line.Settings | None = None) -> dict[str, Any]:
    """``{"ok", "code", "values", "url", "proxy", "tls", "ms"}`` of the centre by ``settings`` (default: those that are kept).

    ``tls``: none (plain HTTP), system, pinned, or old (the centre's list has expired); ``ms``: one round trip. Known SY-303
    before setup, SY-426 a proxy's address that cannot be read.
    """
    store = unlocked.store
    centre = store.read(office.centre)
    if centre is None:
        raise Known("SY-303")
    used = line.check(settings if settings is not None else store.read(line.read))
    believed, expired = store.read(lambda conn: pins.known(conn, store.clock.wall_ms()))
    connection = Transport(centre.urls, unlocked.device, settings=used, log=centre.log, pins=believed, timeout_s=10)
    found: dict[str, Any] = {"ok": True, "code": "", "values": {}, "ms": 0}
    try:
        with connection:
            began = time.monotonic()
            connection.call("GET", "/v1/log/checkpoint", limit=MAX_NOTE)
            found["ms"] = round((time.monotonic() - began) * 1000)
    except Known as error:
        found |= {"ok": False, "code": error.code, "values": {name: str(value) for name, value in error.values.items()}}
    secured = connection.url.startswith("https:")
    return found | {
        "url": connection.url, "proxy": connection.proxy.url if connection.proxy else "",
        "tls": "none" if not secured else "old" if expired else "pinned" if believed else "system",
    }  # fmt: skip
