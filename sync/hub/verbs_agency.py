"""``sala-hub agency``: which laptops may read what is sealed to the agency, and the same by stick."""

from __future__ import annotations

from pathlib import Path

import click

from sync.errors import Refused
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

_BY = "sala-hub"


@root.group()
@everywhere
def agency() -> None:
    """Desks of the agency: laptops that may read sealed answers. The hub itself cannot."""


@agency.command()
@everywhere
@click.argument("device")
@click.pass_obj
def allow(desk: Desk, device: str) -> None:
    """Let the enrolled laptop DEVICE read sealed batches."""
    from sync.hub import agency as desks

    centre = desk.centre()
    centre.storage.write(lambda tx: desks.allow(tx, _device(device), _BY, centre.clock.wall_ms()))
    desk.show({"desk": device})


@agency.command()
@everywhere
@click.argument("device")
@click.pass_obj
def end(desk: Desk, device: str) -> None:
    """Laptop DEVICE may read no more; what it has read stays with it."""
    from sync.hub import agency as desks

    centre = desk.centre()
    centre.storage.write(lambda tx: desks.end(tx, _device(device), _BY, centre.clock.wall_ms()))
    desk.show({"ended": device})


@agency.command("list")
@everywhere
@click.pass_obj
def list_(desk: Desk) -> None:
    """Every desk."""
    from sync.hub import agency as desks

    desk.show(desk.centre().storage.read(desks.desks))


@agency.command()
@everywhere
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--after", default=0, type=click.IntRange(0), help="Only what was accepted behind this place.")
@click.pass_obj
def export(desk: Desk, folder: Path, after: int) -> None:
    """Write sealed batches into FOLDER as courier files for a desk without a line; prints the place to go on from."""
    from sync.hub import agency as desks

    files, last = desks.export(desk.centre(), folder, after)
    desk.show({"files": [str(file) for file in files], "after": last})


def _device(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused("HB-240", device=text[:40]) from None
