"""``sala-cli messages …``."""

from __future__ import annotations

from pathlib import Path

import click

from modules.cli import call

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def commands() -> click.Group:
    """The verbs of the messages module."""

    @click.group()
    def messages() -> None:
        """Mass messages, checked row by row and approved by a second officer."""

    @messages.command()
    @click.argument("text")
    @click.pass_context
    def segments(ctx: click.Context, text: str) -> None:
        """Count the parts of TEXT and show where it is cut."""
        call(ctx, "messages.segments", text=text)

    @messages.command()
    @click.argument("template")
    @click.option("--recipients", required=True, type=_FILE, help="CSV or TSV with a header.")
    @click.pass_context
    def check(ctx: click.Context, template: str, recipients: Path) -> None:
        """Check TEMPLATE (a text, or @FILE) with a list of recipients; exit code 1 when a row is bad."""
        if call(ctx, "messages.check", template=_text(template), recipients=str(recipients))["bad"]:
            ctx.exit(1)

    @messages.command()
    @click.option("--id", "id_", help="Edit this message instead of beginning a new one.")
    @click.option("--title")
    @click.option("--template", help="The text with its {{fields}}, or @FILE.")
    @click.option("--recipients", type=_FILE, help="CSV or TSV with a header.")
    @click.option("--leave-out-bad", is_flag=True, default=None, help="Send to the right rows only.")
    @click.option("--strip-breaks", is_flag=True, default=None, help="Remove invisible word breaks from the texts.")
    @click.pass_context
    def draft(
        ctx: click.Context,
        id_: str | None,
        title: str | None,
        template: str | None,
        recipients: Path | None,
        leave_out_bad: bool | None,
        strip_breaks: bool | None,
    ) -> None:
        """Begin or edit a message; it is checked at once."""
        call(
            ctx,
            "messages.draft",
            id=id_,
            title=title,
            template=None if template is None else _text(template),
            recipients=None if recipients is None else str(recipients),
            leave_out=leave_out_bad,
            strip_breaks=strip_breaks,
        )

    @messages.command()
    @click.argument("id_", metavar="ID")
    @click.pass_context
    def approve(ctx: click.Context, id_: str) -> None:
        """Approve a checked message as the second officer."""
        call(ctx, "messages.approve", id=id_)

    @messages.command()
    @click.argument("id_", metavar="ID")
    @click.pass_context
    def handover(ctx: click.Context, id_: str) -> None:
        """Hand an approved message over to the centre (sent when there is a line)."""
        call(ctx, "messages.handover", id=id_)

    @messages.command("list")
    @click.option("--text", help="Only messages whose title or text holds this.")
    @click.option("--state", type=click.Choice(["draft", "checked", "approved", "released"]))
    @click.pass_context
    def list_(ctx: click.Context, text: str | None, state: str | None) -> None:
        """The messages of this laptop, last changed first."""
        call(ctx, "messages.list", text=text, state=state)

    @messages.command()
    @click.argument("id_", metavar="ID")
    @click.pass_context
    def show(ctx: click.Context, id_: str) -> None:
        """One message with its numbers, approval and history."""
        call(ctx, "messages.show", id=id_)

    @messages.command()
    @click.argument("id_", metavar="ID")
    @click.option("--only", type=click.Choice(["bad", "good"]))
    @click.pass_context
    def rows(ctx: click.Context, id_: str, only: str | None) -> None:
        """The recipients of a message with every reason against a row."""
        call(ctx, "messages.rows", id=id_, only=only, limit=1000)

    @messages.command("opt-out")
    @click.argument("phone")
    @click.option("--reason")
    @click.pass_context
    def opt_out(ctx: click.Context, phone: str, reason: str | None) -> None:
        """Never write to PHONE again."""
        call(ctx, "messages.opt_out", phone=phone, reason=reason)

    return messages


def _text(given: str) -> str:
    """A text as it stands, or the contents of the file that ``@FILE`` names."""
    if not given.startswith("@"):
        return given
    path = Path(given[1:])
    try:
        if path.stat().st_size > 20_000:
            raise click.BadParameter(f"{path.name} is too large for a text")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path.name} cannot be read as UTF-8") from error
