"""``sala-cli flows …``."""

from __future__ import annotations

from pathlib import Path

import click

from modules.cli import call


def commands() -> click.Group:
    """The verbs of the flows module."""

    @click.group()
    def flows() -> None:
        """Work that follows by itself, exactly once."""

    @flows.command("list")
    @click.pass_context
    def list_(ctx: click.Context) -> None:
        """The flows of this laptop and those that come with the program."""
        call(ctx, "flows.list")

    @flows.command("import")
    @click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @click.pass_context
    def import_(ctx: click.Context, file: Path) -> None:
        """Take a flow from FILE; it is switched off until somebody enables it."""
        call(ctx, "flows.import", file=str(file))

    @flows.command()
    @click.argument("flow")
    @click.pass_context
    def enable(ctx: click.Context, flow: str) -> None:
        """Switch FLOW on."""
        call(ctx, "flows.enable", flow=flow)

    @flows.command()
    @click.argument("flow")
    @click.pass_context
    def disable(ctx: click.Context, flow: str) -> None:
        """Switch FLOW off."""
        call(ctx, "flows.disable", flow=flow)

    @flows.command("set")
    @click.argument("flow")
    @click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")
    @click.pass_context
    def set_(ctx: click.Context, flow: str, values: tuple[str, ...]) -> None:
        """Set values that FLOW leaves to the office."""
        pairs = dict(value.partition("=")[::2] for value in values)
        call(ctx, "flows.configure", flow=flow, settings=pairs)

    @flows.command("dry-run")
    @click.argument("flow")
    @click.option(
        "--on", default="sample", help="A past event, submission or receipt number (default: the trigger's sample)."
    )
    @click.pass_context
    def dry_run(ctx: click.Context, flow: str, on: str) -> None:
        """Show what FLOW would do; nothing of it is kept."""
        call(ctx, "flows.dry_run", flow=flow, on=on)

    @flows.command()
    @click.argument("flow")
    @click.option("--on", required=True, help="A past event, submission or receipt number.")
    @click.pass_context
    def run(ctx: click.Context, flow: str, on: str) -> None:
        """Run FLOW on a past event, unless it ran on it already."""
        call(ctx, "flows.run", flow=flow, on=on)

    @flows.command()
    @click.argument("run_", metavar="RUN")
    @click.pass_context
    def resume(ctx: click.Context, run_: str) -> None:
        """Continue a stopped RUN at the step that was refused."""
        call(ctx, "flows.resume", run=run_)

    @flows.command()
    @click.option("--flow", help="Only runs of this flow.")
    @click.option("--limit", type=click.IntRange(1, 1000), default=100)
    @click.pass_context
    def runs(ctx: click.Context, flow: str | None, limit: int) -> None:
        """The runs, newest first."""
        call(ctx, "flows.runs", flow=flow, limit=limit)

    @flows.command()
    @click.argument("run_", metavar="RUN")
    @click.pass_context
    def show(ctx: click.Context, run_: str) -> None:
        """One RUN: why each branch was taken and what each step did."""
        call(ctx, "flows.show_run", run=run_)

    return flows
