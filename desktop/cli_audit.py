"""``sala-cli audit``: the tamper-evident log, for the laptop itself and for an inspector."""

from __future__ import annotations

from pathlib import Path

import click

from modules.cli import Desk


@click.group()
def audit() -> None:
    """The tamper-evident log."""


@audit.command("verify")
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Recompute the whole chain; exit code 1 names the first row that does not fit."""
    from dataclasses import asdict

    from sync import audit as log_of_events

    desk: Desk = ctx.obj
    report = desk.session().store.read(log_of_events.verify)
    desk.print(asdict(report))
    if not report.ok:
        ctx.exit(1)


@audit.command("witnesses")
@click.pass_obj
def witnesses(desk: Desk) -> None:
    """How far the centre has cosigned this log, and which provinces cosigned the centre's; exit code 1 when two logs disagree."""
    from dataclasses import asdict

    from sync import audit_marks, witnesses
    from sync.marks import SPLIT, mark

    store = desk.session().store
    own = store.read(audit_marks.cosigned)
    split = store.read(lambda conn: mark(conn, SPLIT))
    seen = [asdict(one) for one in store.read(witnesses.newest)]
    desk.print({"cosigned_rows": own.size if own else 0, "witnesses": seen, "split_ms": split})
    if split:
        click.get_current_context().exit(1)


@audit.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def export(desk: Desk, file: Path) -> None:
    """Write the whole log for an inspector, who checks it elsewhere with auditverify."""
    from sync import audit_export as exports

    desk.print(exports.write(desk.session().unlocked, file))
