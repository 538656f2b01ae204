"""What the command line does with the second site: make a whole hub anew, or prove that one could be made."""

from __future__ import annotations

from dataclasses import asdict

from sync.clock import SystemClock
from sync.errors import Known
from sync.hub.desk import Desk
from sync.hub.site import Site


def restore(desk: Desk, place: str, bucket: str | None = None) -> bool:
    """Make the hub of ``--data`` from the second site at ``place``, its raw bytes in ``bucket``; it opens in the next life of its log."""
    from sync.hub import epochs, whole

    centre, built = whole.restore(desk.folder, source(desk, place), SystemClock(), bucket)
    try:
        centre.settle()
        note = centre.storage.read(lambda tx: epochs.note_of(tx, centre.log.epoch))
        desk.show({"folder": str(desk.folder), **asdict(built), "epoch": centre.log.epoch, "note": note})
    finally:
        centre.close()
    return True


def compare(desk: Desk, place: str) -> bool:
    """Prove that the hub of ``--data`` could be made from ``place``."""
    from sync.hub import whole

    found = whole.prove(desk.centre(), source(desk, place))
    desk.show(found)
    return bool(found["same"])


def source(desk: Desk, place: str) -> Site:
    """The second site at ``place``. Known HB-106 when there is none."""
    from sync.hub import site

    found = site.at(place, desk.folder)
    if isinstance(found, site.FolderSite) and not found.root.is_dir():
        raise Known("HB-106", file=place)
    return found
