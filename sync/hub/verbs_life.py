"""Verbs of ``sala-hub`` for the life of laptops: copies of one, and what a withdrawn one has put aside."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from nacl.public import PrivateKey

from sync.errors import Known, Refused
from sync.hub import courier, forks
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@root.command("import-unsent")
@everywhere
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option(
    "--key", required=True, type=_FILE, help="The agency's or the recovery private key, brought by its keeper."
)
@click.pass_obj
def import_unsent(desk: Desk, files: tuple[Path, ...], key: Path) -> None:
    """Take the FILES that a withdrawn laptop has put aside: its records go into quarantine, receipted."""
    try:
        private = PrivateKey(bytes.fromhex(key.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise Known("HB-106", file=key.name) from error
    desk.show(asdict(courier.take_sealed(desk.centre(), files, private)))


@root.command("forks")
@everywhere
@click.argument("op", required=False)
@click.pass_obj
def show_forks(desk: Desk, op: str | None) -> None:
    """Laptops of which copies were at work; with OP (the first record of a branch) both branches side by side."""
    centre = desk.centre()
    if op is None:
        desk.show(centre.storage.read(forks.listing))
        return
    try:
        raw = bytes.fromhex(op)
    except ValueError:
        raw = b""
    found = centre.storage.read(lambda tx: forks.view(centre, tx, raw))
    if found is None:
        raise Refused("HB-141")
    desk.show(found)
