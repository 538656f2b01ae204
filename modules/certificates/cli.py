"""``sala-cli certificates …``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from i18n.catalog import language
from modules.certificates.sources import MAX_TEXT
from modules.cli import Desk, call, read_json
from modules.contract import Refused

_HANDFUL: Final = 20  # files of one command: the list can be stopped between two


def commands() -> click.Group:
    """The verbs of the certificates module."""

    @click.group()
    def certificates() -> None:
        """Issue and check certificates, offline."""

    @certificates.command()
    @click.argument("source")
    @click.pass_context
    def check(ctx: click.Context, source: str) -> None:
        """Check SOURCE: a PDF, a picture, a text, a folder, or - for text on standard input.

        Exit code 1 unless all is genuine.
        """
        given = sys.stdin.read(MAX_TEXT + 1) if source == "-" else source
        if Path(source).is_dir():
            _check_folder(ctx, source)
            return
        if call(ctx, "certificates.check", words=_verdict_words, source=given)["overall"] != "valid":
            ctx.exit(1)

    @certificates.command()
    @click.argument("template")
    @click.option(
        "--data", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Values as JSON, by field name."
    )
    @click.option("--source", help="Take the values from this finished form instead.")
    @click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the PDF into this folder.")
    @click.option("--valid-until", help="Last day, like 31/12/2027.")
    @click.option("--clock-confirmed", is_flag=True, help="The date of this machine is right although it seems not.")
    @click.pass_context
    def issue(
        ctx: click.Context, template: str, data: Path | None, source: str | None, out: Path | None, valid_until: str | None,
        clock_confirmed: bool,
    ) -> None:  # fmt: skip
        """Issue a certificate after TEMPLATE."""
        values: Any = read_json(data) if data else None
        if values is not None and not isinstance(values, dict):
            raise Refused("CL-002", file=data.name if data else "", reason="not an object")
        desk = ctx.ensure_object(Desk)
        run = desk.session().commands.run
        given = {"data": values, "source": source, "valid_until": valid_until}
        given = {name: value for name, value in given.items() if value is not None}
        result = run("certificates.issue", template=template, clock_confirmed=clock_confirmed, **given)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            result |= {"print": run("certificates.pdf", id=result["id"], out=str(out))}
        desk.print(result)

    for verb, help in (
        ("revoke", "Revoke certificate ID (id or number) for good."),
        ("suspend", "Put certificate ID out of force for a time."),
        ("reinstate", "End the suspension of certificate ID."),
    ):
        certificates.add_command(_change(verb, help))

    @certificates.command()
    @click.argument("id")
    @click.argument("out", type=click.Path(path_type=Path))
    @click.pass_context
    def pdf(ctx: click.Context, id: str, out: Path) -> None:
        """Write the sheet of certificate ID to OUT (a file or a folder) and count the copy."""
        call(ctx, "certificates.pdf", id=id, out=str(out))

    @certificates.command()
    @click.option("--filter", help="Only certificates whose number, name or place holds this.")
    @click.option("--status", type=click.Choice(["valid", "suspended", "revoked", "expired"]))
    @click.option("--limit", type=click.IntRange(1, 10_000), default=100)
    @click.option("--offset", type=click.IntRange(0), default=0)
    @click.pass_context
    def register(ctx: click.Context, filter: str | None, status: str | None, limit: int, offset: int) -> None:
        """What this office issued on this laptop, newest first."""
        call(ctx, "certificates.register", filter=filter, status=status, limit=limit, offset=offset)

    return certificates


def _check_folder(ctx: click.Context, folder: str) -> None:
    """Every file of a folder, in handfuls, as one list."""
    desk = ctx.ensure_object(Desk)
    run = desk.session().commands.run
    paths = run("certificates.folder", folder=folder)["paths"]
    rows: list[dict[str, Any]] = []
    for start in range(0, len(paths), _HANDFUL):
        rows += run("certificates.check_files", paths=paths[start : start + _HANDFUL])["rows"]
    desk.print({"rows": rows}, _rows_words)
    if any(row["overall"] != "valid" for row in rows):
        ctx.exit(1)


def _rows_words(result: dict[str, Any]) -> str:
    here = language()
    return "\n".join(f"{row['file']}: {row['title'][here]} {row['number']}" for row in result["rows"])


def _change(verb: str, help: str) -> click.Command:
    @click.command(verb, help=help)
    @click.argument("id")
    @click.option(
        "--reason", required=True, help="Why: error, request, ended, breach, fraud, replaced, or in your words."
    )
    @click.pass_context
    def change(ctx: click.Context, id: str, reason: str) -> None:
        call(ctx, f"certificates.{verb}", id=id, reason=reason)

    return change


def _verdict_words(report: dict[str, Any]) -> str:
    """The verdict as a person reads it at a terminal."""
    here = language()
    lines = [report["title"][here], report["advice"][here], ""]
    lines += [f"{part['name'][here]}: {part['words'][here]} [{part['code']}]" for part in report["fragments"]]
    if certificate := report["certificate"]:
        lines += ["", f"{certificate['title'][here]} {certificate['number']}"]
        lines += [f"{row['label'][here]}: {row['value'][here]}" for row in certificate["rows"]]
    if report["notice"]:
        lines += ["", report["notice"][here]]
    return "\n".join(lines)
