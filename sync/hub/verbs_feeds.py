"""``sala-hub table | token | webhook``: what leaves the centre as data for other programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from i18n import catalog
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

_ID = click.IntRange(1, 2**31)


@root.group()
@everywhere
def table() -> None:
    """Tables as files: CSV, XLSX, Parquet."""


@table.command("list")
@everywhere
@click.pass_obj
def table_list(desk: Desk) -> None:
    """Which tables there are."""
    from sync.hub.feeds import tables

    centre = desk.centre()
    found = tables.listed(centre.runner.projections)
    counts = centre.storage.read(lambda tx: [one.count(tx) for one in found])
    desk.show([{"table": one.name, "title": one.title["en"], "rows": n} for one, n in zip(found, counts, strict=True)])


@table.command("export")
@everywhere
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "format_", help="csv, xlsx or parquet; without it, what OUT ends in.")
@click.pass_obj
def table_export(desk: Desk, name: str, out: Path, format_: str | None) -> None:
    """Write the table NAME to the file OUT. Column heads are in the language of --language."""
    from sync.hub.feeds import files, tables

    centre = desk.centre()
    found = tables.find(centre.runner.projections, name)
    written = files.write(centre.storage, found, format_ or out.suffix.lstrip(".").lower(), out, catalog.language())
    desk.show(asdict(written))


@root.group()
@everywhere
def token() -> None:
    """Programs that may read the OData feed (/odata/) and the metrics."""


@token.command("add")
@everywhere
@click.argument("name")
@click.option(
    "--table", "tables_", multiple=True, help='Only this table; several times for more. "metrics": the metrics.'
)
@click.pass_obj
def token_add(desk: Desk, name: str, tables_: tuple[str, ...]) -> None:
    """Make a token for the program NAME; it is shown once."""
    from sync.hub.feeds import tables, tokens
    from sync.hub.gate import METRICS

    centre = desk.centre()
    for one in set(tables_) - {METRICS}:
        tables.find(centre.runner.projections, one)
    made = centre.storage.write(
        lambda tx: tokens.add(tx, name, tables_ or (tokens.EVERY_TABLE,), centre.clock.wall_ms())
    )
    desk.show({"name": name, "token": made})


@token.command("list")
@everywhere
@click.pass_obj
def token_list(desk: Desk) -> None:
    """Who may read, and when they last did."""
    from sync.hub.feeds import tokens

    desk.show(desk.centre().storage.read(tokens.listed))


@token.command("remove")
@everywhere
@click.argument("name")
@click.pass_obj
def token_remove(desk: Desk, name: str) -> None:
    """Take the token of the program NAME away."""
    from sync.hub.feeds import tokens

    desk.centre().storage.write(lambda tx: tokens.remove(tx, name))
    desk.show({"removed": name})


@root.group()
@everywhere
def webhook() -> None:
    """Programs that are told of every accepted record, signed (Standard Webhooks)."""


@webhook.command("add")
@everywhere
@click.argument("url")
@click.option("--kind", "kinds", multiple=True, help="Only records of this kind; several times for more.")
@click.option("--from-beginning", is_flag=True, help="Also everything that was accepted before.")
@click.pass_obj
def webhook_add(desk: Desk, url: str, kinds: tuple[str, ...], from_beginning: bool) -> None:
    """Tell URL of what is accepted. The secret that it checks signatures with is shown once."""
    from sync.hub.feeds import webhooks

    centre = desk.centre()
    if unknown := sorted(set(kinds) - centre.kinds):  # it would never hear of anything, and nobody would know why
        raise click.BadParameter(f"no such kind: {unknown[0]}; known are {', '.join(sorted(centre.kinds))}")
    now = centre.clock.wall_ms()
    desk.show(centre.storage.write(lambda tx: webhooks.add(tx, url, kinds, now, from_beginning=from_beginning)))


@webhook.command("list")
@everywhere
@click.pass_obj
def webhook_list(desk: Desk) -> None:
    """Every receiver, how far behind it is and how it answered last."""
    from sync.hub.feeds import webhooks

    desk.show(desk.centre().storage.read(webhooks.listed))


@webhook.command("on")
@everywhere
@click.argument("id", type=_ID)
@click.pass_obj
def webhook_on(desk: Desk, id: int) -> None:
    """Tell receiver ID again; it hears what it missed."""
    _switch(desk, id, on=True)


@webhook.command("off")
@everywhere
@click.argument("id", type=_ID)
@click.pass_obj
def webhook_off(desk: Desk, id: int) -> None:
    """Tell receiver ID nothing until it is on again."""
    _switch(desk, id, on=False)


@webhook.command("remove")
@everywhere
@click.argument("id", type=_ID)
@click.pass_obj
def webhook_remove(desk: Desk, id: int) -> None:
    """Forget receiver ID."""
    from sync.hub.feeds import webhooks

    desk.centre().storage.write(lambda tx: webhooks.remove(tx, id))
    desk.show({"removed": id})


def _switch(desk: Desk, id: int, *, on: bool) -> None:
    from sync.hub.feeds import webhooks

    centre = desk.centre()
    centre.storage.write(lambda tx: webhooks.set_state(tx, id, on=on, now_ms=centre.clock.wall_ms()))
    desk.show({"id": id, "state": "on" if on else "off"})
