"""What the command line does about the log: audit logs of laptops, witnesses, cosignatures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from sync import durable
from sync.audit_export import verifier_key
from sync.errors import Known, Refused
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

BY: Final = "sala-hub"  # who decided, when it was typed on the hub's own machine


@root.group()
@everywhere
def audit() -> None:
    """The audit logs of laptops, as far as the centre has cosigned them."""


@audit.command("list")
@everywhere
@click.option("--office", default="", help="Only laptops of this office.")
@click.pass_obj
def audit_list(desk: Desk, office: str) -> None:
    """Every laptop's newest checkpoint, the worst first. Exit code 1 when a log shrank, was rewritten or is not proven yet."""
    from sync.hub import audits

    centre = desk.centre()
    centre.runner.run()
    found = centre.storage.read(lambda tx: audits.listing(tx, office))
    desk.show(found)
    if any(row["verdict"] in audits.WRONG for row in found):
        click.get_current_context().exit(1)


@audit.command("note")
@everywhere
@click.argument("device")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the note there, for an inspector.")
@click.pass_obj
def audit_note(desk: Desk, device: str, out: Path | None) -> None:
    """The centre's last cosignature for DEVICE: what an inspector holds the laptop's own export against."""
    from sync.hub import audits

    centre = desk.centre()
    centre.runner.run()
    try:
        note = centre.storage.read(lambda tx: audits.note(tx, centre.log, bytes.fromhex(device)))
    except ValueError:
        note = None
    if note is None:
        raise Refused("HB-120", device=device[:40])
    if out is not None:
        try:
            durable.replace(out, note.encode())
        except OSError as error:
            raise Known("HB-106", file=str(out)) from error
    desk.show({"device": device, "note": note, "key": verifier_key(centre.log.note_key), "file": str(out or "")})


@audit.command("key")
@everywhere
@click.pass_obj
def audit_key(desk: Desk) -> None:
    """The centre's key as inspectors type it."""
    desk.show({"key": verifier_key(desk.centre().log.note_key)})


@root.group()
@everywhere
def witness() -> None:
    """Province relays that cosign the log."""


@witness.command("add")
@everywhere
@click.argument("name")
@click.argument("province")
@click.argument("key")
@click.pass_obj
def witness_add(desk: Desk, name: str, province: str, key: str) -> None:
    """Make the relay NAME of PROVINCE (two digits) known; KEY is what ``sala-hub relay init`` has shown."""
    from sync.hub import cosignatures

    centre = desk.centre()
    try:
        public = bytes.fromhex(key)
    except ValueError:
        raise Refused("HB-192", name=name[:60]) from None
    now = centre.clock.wall_ms()
    centre.storage.write(lambda tx: cosignatures.add(tx, name, province, public, BY, now))
    desk.show({"witness": name, "province": province, "changed": centre.settle()})


@witness.command("remove")
@everywhere
@click.argument("name")
@click.pass_obj
def witness_remove(desk: Desk, name: str) -> None:
    """Believe NAME no longer."""
    from sync.hub import cosignatures

    centre = desk.centre()
    centre.storage.write(lambda tx: cosignatures.remove(tx, name, BY, centre.clock.wall_ms()))
    desk.show({"removed": name, "changed": centre.settle()})


@witness.command("list")
@everywhere
@click.pass_obj
def witness_list(desk: Desk) -> None:
    """Every relay: what it has cosigned, when it was seen, how much of it still waits."""
    from sync.hub import cosignatures

    desk.show(desk.centre().storage.read(cosignatures.relays))
