"""``sala-hub objects``: raw batches and attachments in their places, checked and moved."""

from __future__ import annotations

from typing import Any

import click

from sync.errors import Refused
from sync.hub import objects
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root


@root.group("objects")
@everywhere
def group() -> None:
    """Where the raw bytes lie: files and database, or an object storage."""


@group.command("check")
@everywhere
@click.pass_obj
def check(desk: Desk) -> None:
    """Read every raw batch and every piece of an attachment and check its hash; exit code 1 names what does not fit."""
    from sync.hub import moving

    found = moving.check(desk.centre())
    desk.show({"batches": found.batches, "chunks": found.chunks, "faults": found.faults})
    if found.faults:
        click.get_current_context().exit(1)


@group.command("move")
@everywhere
@click.argument("url")
@click.pass_obj
def move(desk: Desk, url: str) -> None:
    """Move to the object storage URL (https://host/bucket) what lies in the database and in files; may be broken off and repeated.

    New batches go there from the first moment. Nothing is deleted before it was read back from there.
    """
    from sync.clock import SystemClock
    from sync.hub import moving
    from sync.hub.centre import keep, open_

    centre = desk.centre()
    present: Any = centre.settings.get(objects.SETTING)
    objects.address(url)
    if present not in (None, url):
        raise Refused("HB-169", url=str(present))
    wanted = {**centre.settings, objects.SETTING: url}
    objects.places(wanted, desk.folder).chunks.exists(bytes(32))  # whether it answers, before anything is written down
    if present is None:
        keep(desk.folder, wanted)
        desk.close()
    centre = open_(desk.folder, SystemClock())
    try:
        moved = moving.move(centre)
    finally:
        centre.close()
    desk.show({"batches": moved.batches, "chunks": moved.chunks})
