"""``sala-cli line``: what the settings page says about the line, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modules.cli import read_passphrase

if TYPE_CHECKING:
    from modules.cli import Desk


@click.group("line")
def line_group() -> None:
    """The line to the centre: proxy, speed, hours for scans."""


@line_group.command("show")
@click.pass_obj
def show(desk: Desk) -> None:
    """The settings, when it is tried next, and what is wrong."""
    from dataclasses import asdict

    from sync import line, runs

    session = desk.session()
    now_ms = session.clock.wall_ms()
    outlook = session.store.read(lambda conn: runs.outlook(conn, now_ms))
    desk.print({**line.shown(session.store.read(line.read)), **asdict(outlook)})


@line_group.command("set")
@click.option("--proxy", help="system, none, or host:port.")
@click.option("--proxy-user", help="Who asks the proxy; empty: nobody need say.")
@click.option(
    "--proxy-password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="First line: the password.",
)
@click.option("--cap", type=int, help="kB/s in each direction; 0: no bound.")
@click.option("--metered/--not-metered", default=None, help="Every megabyte is paid: pack smaller, small pieces.")
@click.option("--hours", help='When scans may go: "12:00-13:30, 17:00-07:00"; empty: at any hour.')
@click.pass_obj
def set_(
    desk: Desk, proxy: str | None, proxy_user: str | None, proxy_password_file: Path | None, cap: int | None,
    metered: bool | None, hours: str | None,
) -> None:  # fmt: skip
    """Change what is named, keep the rest."""
    from sync import line

    store = desk.session().store
    changes: dict[str, Any] = {}
    if proxy is not None:
        named = proxy in ("system", "none")
        changes["proxy"] = proxy if named else "manual"
        changes["proxy_url"] = "" if named else line.proxy_address(proxy)
    if proxy_user is not None:
        changes["proxy_user"] = proxy_user
    if proxy_password_file is not None:
        changes["proxy_password"] = read_passphrase(proxy_password_file)
    if cap is not None:
        changes["cap_kb"] = cap
    if metered is not None:
        changes["metered"] = metered
    if hours is not None:
        changes["hours"] = line.parse_hours(hours)
    store.write(lambda conn: line.keep(conn, replace(line.read(conn), **changes)))
    desk.print(line.shown(store.read(line.read)))


@line_group.command("test")
@click.pass_context
def test(ctx: click.Context) -> None:
    """Look whether the centre answers; sends nothing. Exit code 1 when it does not."""
    from sync import linetest

    desk: Desk = ctx.obj
    found = linetest.look(desk.session().unlocked)
    desk.print(found)
    if not found["ok"]:
        ctx.exit(1)
