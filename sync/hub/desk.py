"""One run of the command line: where the hub is, how results are printed, the options that every verb takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from i18n import catalog
from sync.clock import SystemClock
from sync.plain import plain

if TYPE_CHECKING:
    from sync.hub.centre import Centre

Verb = TypeVar("Verb", bound=Callable[..., Any])


class Desk:
    """The state of one run."""

    def __init__(self) -> None:
        self.folder = Path("hub-data")
        self.as_json = False
        self._centre: Centre | None = None

    def centre(self) -> Centre:
        """The hub, opened at the first asking."""
        from sync.hub.centre import open_

        if self._centre is None:
            self._centre = open_(self.folder, SystemClock())
        return self._centre

    def close(self) -> None:
        if self._centre is not None:
            self._centre.close()
            self._centre = None

    def show(self, result: Any) -> None:
        """Print a result: one JSON document, or plain lines."""
        if self.as_json:
            click.echo(json.dumps(plain(result), ensure_ascii=False))
            return
        for row in result if isinstance(result, list) else [result]:
            shown = [f"{name}: {_words(value)}" for name, value in row.items()]
            click.echo("  ".join(shown) if isinstance(result, list) else "\n".join(shown))


def _words(value: Any) -> str:
    value = plain(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def everywhere(verb: Verb) -> Verb:
    """Options that stand before or after the verb, as people type them."""

    def data(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.ensure_object(Desk).folder = value

    def as_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(Desk).as_json = True

    def language(_ctx: click.Context, _: click.Parameter, value: catalog.Language | None) -> None:
        if value is not None:
            catalog.use(value)

    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option(
            "--data", type=folder, envvar="SALA_HUB", callback=data, expose_value=False, help="The hub's folder."
        ),
        click.option(
            "--json", is_flag=True, callback=as_json, expose_value=False, help="Print exactly one JSON document."
        ),
        click.option("--language", type=click.Choice(["km", "en"]), callback=language, expose_value=False),
    ):
        verb = option(verb)
    return verb
