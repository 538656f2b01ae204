"""A newer program for this laptop: what is offered, fetching its pieces, having it used from the next start on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modules.contract import Refused
from modules.people import require
from sync import updates
from sync.version import VERSION

if TYPE_CHECKING:
    from modules.session import Session
    from sync.updates import Release

Progress = Callable[[str, int, int], None]


def status(session: Session) -> dict[str, Any]:
    """``{"version", "platform", "offered", "bytes", "missing", "refused", "packaged", "next"}``."""
    found, refused = session.store.read(lambda conn: (updates.offered(conn), updates.refused(conn)))
    program = _program()
    waiting = updates.successor(program) if program else None
    return {
        "version": VERSION, "platform": updates.here(), "offered": found.version if found else None,
        "bytes": found.size if found else 0, "missing": updates.missing(session.unlocked.home, found) if found else 0,
        "refused": refused, "packaged": program is not None, "next": str(waiting.parent) if waiting else None,
    }  # fmt: skip


def fetch(
    session: Session, folder: Path | None = None, *, progress: Progress | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:  # fmt: skip
    """Bring the pieces over the line, or from a ``folder`` of publications on a stick."""
    from sync import line, office, pins
    from sync.refreshing import Folder
    from sync.transport import Transport

    release, home = _offered(session), session.unlocked.home
    if folder is not None:
        updates.fetch(home, Folder(folder), release, progress=progress, cancel=cancel)
        return status(session)
    centre = session.store.read(office.centre)
    if centre is None:
        raise Refused("SY-303")
    believed, _ = session.store.read(lambda conn: pins.known(conn, session.clock.wall_ms()))
    settings = session.store.read(line.read)
    with Transport(
        centre.urls, session.unlocked.device, cancel=cancel, settings=settings, log=centre.log, pins=believed
    ) as hub:
        updates.fetch(home, hub, release, progress=progress, cancel=cancel)
    return status(session)


def install(session: Session, program: Path | None = None) -> dict[str, Any]:
    """Have the fetched release used from the next start on. For the chief and the IT officer."""
    from sync import audit

    require(session, "settings.office")
    release, place = _offered(session), program or (_program() or Path()).parent
    if not program and _program() is None:
        raise Refused("SY-479")
    target = updates.install(session.unlocked.home, release, place)
    event = {"what": "program installed", "version": release.version, "by": session.officer.id}
    session.store.write(lambda conn: audit.append(conn, session.clock, event))
    return {"version": release.version, "folder": str(target)}


def _offered(session: Session) -> Release:
    found = session.store.read(updates.offered)
    if found is None:
        raise Refused("SY-466", version="–", here=VERSION)
    return found


def _program() -> Path | None:
    """The packaged executable that runs, None when Sala runs from its source."""
    return Path(sys.executable) if getattr(sys, "frozen", False) else None
