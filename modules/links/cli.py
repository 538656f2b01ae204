"""``sala-cli links …``."""

from __future__ import annotations

from pathlib import Path

import click

from modules.cli import call


def commands() -> click.Group:
    """The verbs of the links module."""

    @click.group()
    def links() -> None:
        """Short links and QR codes, made offline."""

    @links.command()
    @click.argument("url")
    @click.option("--code", help="A code of your own; it stands in the office's name space (0306-market).")
    @click.option("--title", help="What the link is about.")
    @click.option("--expires", help="Last day, like 31/12/2027 or 2027-12-31.")
    @click.pass_context
    def create(ctx: click.Context, url: str, code: str | None, title: str | None, expires: str | None) -> None:
        """Make a short link to URL."""
        call(ctx, "links.create", url=url, code=code, title=title, expires=expires)

    @links.command()
    @click.argument("url")
    @click.pass_context
    def check(ctx: click.Context, url: str) -> None:
        """Say everything that is wrong with URL; exit code 1 when something is."""
        if not call(ctx, "links.check", url=url)["ok"]:
            ctx.exit(1)

    @links.command("list")
    @click.option("--text", help="Only links whose code, title or address holds this.")
    @click.option("--state", type=click.Choice(["active", "disabled", "expired"]))
    @click.option("--limit", type=click.IntRange(1, 1000), default=200)
    @click.pass_context
    def list_(ctx: click.Context, text: str | None, state: str | None, limit: int) -> None:
        """The links of this laptop, newest first."""
        call(ctx, "links.list", text=text, state=state, limit=limit)

    @links.command()
    @click.argument("code")
    @click.pass_context
    def show(ctx: click.Context, code: str) -> None:
        """One link with its history."""
        call(ctx, "links.show", code=code)

    @links.command()
    @click.argument("code")
    @click.pass_context
    def disable(ctx: click.Context, code: str) -> None:
        """Turn a link off."""
        call(ctx, "links.disable", code=code)

    @links.command()
    @click.argument("code")
    @click.pass_context
    def enable(ctx: click.Context, code: str) -> None:
        """Turn a link on again."""
        call(ctx, "links.enable", code=code)

    @links.command()
    @click.argument("code")
    @click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
    @click.pass_context
    def qr(ctx: click.Context, code: str, out: Path) -> None:
        """Write the QR of CODE to OUT (.png, .svg or .pdf)."""
        call(ctx, "links.qr", code=code, out=str(out))

    @links.command()
    @click.argument("codes", nargs=-1, required=True)
    @click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
    @click.pass_context
    def sheet(ctx: click.Context, codes: tuple[str, ...], out: Path) -> None:
        """Write A4 sheets of QR labels of CODES to OUT.pdf."""
        call(ctx, "links.sheet", codes=list(codes), out=str(out))

    return links
