"""``sala-cli officers``: who may unlock this laptop, who forgot the passphrase, who moves to another office."""

from __future__ import annotations

from pathlib import Path

import click

from desktop.cli_trust import SECRET, key_of
from modules.cli import Desk, new_passphrase
from modules.permissions import ROLES

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)


@click.group()
def officers() -> None:
    """The officers who may unlock this laptop."""


@officers.command("list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """Names and roles."""
    desk.print(
        [
            {"id": one.id, "name": one.name, "latin": one.latin, "role": one.role}
            for one in desk.session().unlocked.officers()
        ]
    )


@officers.command("add")
@click.argument("name")
@click.option("--latin", default="")
@click.option("--role", required=True, type=click.Choice(list(ROLES)))
@SECRET
@click.pass_obj
def add(desk: Desk, name: str, latin: str, role: str, new_passphrase_file: Path | None) -> None:
    """Give another officer a key and a passphrase of their own."""
    from modules import people
    from sync.officer import Officer

    if not people.may_add(desk.session()):
        people.require(desk.session(), "officers")  # before a passphrase is asked for
    added = people.add(desk.session(), Officer("", name, latin, role), new_passphrase(new_passphrase_file))
    desk.print({"id": added.id, "name": added.name, "role": added.role})


@officers.command("recover")
@click.argument("name")
@click.option("--key", required=True, type=_FILE, help="The province's recovery key (recovery.key).")
@SECRET
@click.pass_obj
def recover(desk: Desk, name: str, key: Path, new_passphrase_file: Path | None) -> None:
    """Give NAME, who forgot the passphrase, a new one with the province's key. Nothing that was not sent is lost."""
    from sync import keys
    from sync.clock import SystemClock

    private = key_of(key)
    unlocked = keys.recover(desk.home, name, new_passphrase(new_passphrase_file), recovery=private, clock=SystemClock())
    try:
        desk.print({"id": unlocked.officer.id, "name": unlocked.officer.name, "role": unlocked.officer.role})
    finally:
        unlocked.lock()


@officers.command()
@click.argument("officer")
@click.pass_obj
def outstanding(desk: Desk, officer: str) -> None:
    """What of OFFICER still must be sent or finished before they can move to another office."""
    from dataclasses import asdict

    from modules import people

    session = desk.session()
    found = people.outstanding(session, _id(desk, officer))
    desk.print({**asdict(found), "ready": found.nothing})


@officers.command()
@click.argument("officer")
@click.option("--to", "to_office", required=True, help="Code of the new office.")
@click.option("--role", required=True, type=click.Choice(list(ROLES)), help="Their role there.")
@click.option("--at", help="From this day on (YYYY-MM-DD); without it from now on.")
@click.option("--out", required=True, type=_NEW, help="The statement to carry to the new office.")
@click.pass_obj
def move(desk: Desk, officer: str, to_office: str, role: str, at: str | None, out: Path) -> None:
    """Move OFFICER to another office. Nothing of theirs may be outstanding."""
    from i18n.dates import midnight_ms
    from modules import people

    session = desk.session()
    at_ms = midnight_ms(at) if at else session.clock.wall_ms()
    desk.print(people.move(session, _id(desk, officer), to_office, role, at_ms, out))


@officers.command()
@click.argument("statement", type=_FILE)
@SECRET
@click.pass_obj
def arrive(desk: Desk, statement: Path, new_passphrase_file: Path | None) -> None:
    """Take an officer who comes from another office with a STATEMENT; they choose a passphrase of their own."""
    from modules import people

    added = people.arrive(desk.session(), statement, new_passphrase(new_passphrase_file))
    desk.print({"id": added.id, "name": added.name, "role": added.role})


def _id(desk: Desk, name_or_id: str) -> str:
    from sync import slots

    return slots.read(desk.home).of(name_or_id).officer.hex()
