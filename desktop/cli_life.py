"""Verbs of ``sala-cli`` for the health of the laptop itself: check, prune, how it stands."""

from __future__ import annotations

import click

from modules.cli import Desk


def add(root: click.Group) -> None:
    """Hang the verbs into ``sala-cli``."""
    for verb in (check, prune, health):
        root.add_command(verb)


@click.command()
@click.pass_obj
def check(desk: Desk) -> None:
    """Check every page, row, chain and attachment; exit code 1 names what is wrong."""
    from modules import housekeeping

    found = housekeeping.check(desk.session())
    desk.print({"ok": not found, "problems": found})
    if found:
        click.get_current_context().exit(1)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Go on until nothing more may go, not only a bounded round.")
@click.pass_obj
def prune(desk: Desk, everything: bool) -> None:
    """Let go of whole old records that the centre holds in two places; their lines, search and pages stay."""
    from modules import housekeeping

    session = desk.session()
    total = housekeeping.tidy(session)
    while everything and (more := housekeeping.tidy(session))["ops"] + more["pieces"] + more["audit_rows"]:
        total = {name: total[name] + more[name] for name in total}
    desk.print({**total, "freed_in_all": housekeeping.standing(session)["freed"]})


@click.command()
@click.pass_obj
def health(desk: Desk) -> None:
    """What is kept, how much was freed, when everything was last checked, and what is known of the clock."""
    from modules import housekeeping

    desk.print(housekeeping.standing(desk.session()))
