"""``sala-cli agency …``."""

from __future__ import annotations

from pathlib import Path

import click

from modules.cli import Desk, call

_FILE = click.Path(path_type=Path, exists=True)


def commands() -> click.Group:
    """The verbs of the agency module."""

    @click.group()
    def agency() -> None:
        """The agency's desk: open what offices sealed to the agency, and decide."""

    @agency.command("add-key")
    @click.argument("file", type=_FILE)
    @click.pass_context
    def add_key(ctx: click.Context, file: Path) -> None:
        """Keep the agency's private key of FILE (agency.key), encrypted, on this laptop."""
        call(ctx, "agency.add_key", text=file.read_text("ascii", "replace")[:200])

    @agency.command()
    @click.pass_context
    def keys(ctx: click.Context) -> None:
        """Which keys this desk opens with."""
        call(ctx, "agency.keys")

    @agency.command("remove-key")
    @click.argument("id")
    @click.pass_context
    def remove_key(ctx: click.Context, id: str) -> None:
        """Forget the key ID; what was opened with it stays."""
        call(ctx, "agency.remove_key", id=id)

    @agency.command()
    @click.pass_obj
    def fetch(desk: Desk) -> None:
        """Read what is new at the centre over the line."""
        from modules import agency_feed

        desk.print(agency_feed.fetch(desk.session()))

    @agency.command()
    @click.argument("path", type=_FILE)
    @click.pass_obj
    def take(desk: Desk, path: Path) -> None:
        """Read what the centre wrote onto a stick (a .salabatch file or a folder)."""
        from modules import agency_feed

        desk.print(agency_feed.take(desk.session(), path))

    @agency.command("list")
    @click.option("--text", help="Only those about somebody, or with this receipt number.")
    @click.option("--state", type=click.Choice(["new", "accepted", "sent_back", "withdrawn"]))
    @click.option("--form")
    @click.option("--office")
    @click.option("--limit", type=click.IntRange(1, 500), default=100)
    @click.pass_context
    def list_(
        ctx: click.Context, text: str | None, state: str | None, form: str | None, office: str | None, limit: int
    ) -> None:
        """Submissions on the desk, newest first."""
        call(ctx, "agency.list", text=text, state=state, form=form, office=office, limit=limit)

    @agency.command()
    @click.argument("op")
    @click.pass_context
    def show(ctx: click.Context, op: str) -> None:
        """One submission with its answers."""
        call(ctx, "agency.show", op=op)

    @agency.command()
    @click.argument("op")
    @click.argument("decision", type=click.Choice(["accepted", "sent_back"]))
    @click.option("--reason", help="Needed for sending back: what the office must do.")
    @click.pass_context
    def decide(ctx: click.Context, op: str, decision: str, reason: str | None) -> None:
        """Accept the submission OP, or send it back with a reason."""
        call(ctx, "agency.decide", op=op, decision=decision, reason=reason)

    @agency.command()
    @click.argument("op")
    @click.argument("blob")
    @click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
    @click.pass_obj
    def attachment(desk: Desk, op: str, blob: str, out: Path) -> None:
        """Fetch an attachment of the submission OP from the centre and write it to OUT."""
        from modules import agency_feed
        from sync import durable

        data = agency_feed.attachment(desk.session(), op, blob)
        durable.replace(out, data)
        desk.print({"path": str(out), "bytes": len(data)})

    @agency.command()
    @click.argument("out", type=click.Path(dir_okay=False))
    @click.option("--form", help="Only submissions of this form.")
    @click.option("--format", "format_", type=click.Choice(["csv", "jsonl"]), default="csv")
    @click.pass_context
    def export(ctx: click.Context, out: str, form: str | None, format_: str) -> None:
        """Write every submission to OUT."""
        call(ctx, "agency.export", form=form, out=out, format=format_)

    return agency
