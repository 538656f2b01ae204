"""What a module's command-line verbs share: one unlocked session, one way to print, one way to fail.

A verb calls ``call(ctx, "links.create", url=url)``: the command runs on the unlocked session and its result is printed, as
exactly one JSON document with ``--json``, else as words.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from modules.contract import Known, Refused
from modules.session import Session


class Desk:
    """The state of one run of the command line: the profile folder, the output form, the session once it is needed."""

    def __init__(self, home: Path, *, as_json: bool, officer: str | None) -> None:
        self.home = home
        self.as_json = as_json
        self.officer = officer
        self._session: Session | None = None

    def session(self) -> Session:
        """Unlock with ``SALA_PASSPHRASE_FILE``, else by asking at the terminal."""
        if self._session is None:
            from sync import keys
            from sync.clock import SystemClock

            officer = self.officer or _only_officer(keys.names(self.home))
            unlocked = keys.unlock(self.home, officer, self.passphrase(), SystemClock())
            self._session = Session.open(unlocked)
        return self._session

    def passphrase(self, *, confirm: bool = False) -> str:
        if file := os.environ.get("SALA_PASSPHRASE_FILE"):
            return read_passphrase(Path(file))
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))

    def print(self, result: Any, words: Callable[[Any], str] | None = None) -> None:
        if self.as_json:
            click.echo(json.dumps(result, ensure_ascii=False, default=str))
        else:
            click.echo(words(result) if words else _words(result))

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


def _only_officer(names: Sequence[tuple[str, str, str]]) -> str:
    """The id of the one officer of a profile; with several, the person must say who unlocks."""
    if len(names) != 1:
        raise click.UsageError("several officers use this laptop: say --officer NAME")
    return names[0][0]


def call(ctx: click.Context, command: str, /, *, words: Callable[[Any], str] | None = None, **params: Any) -> Any:
    """Run ``command`` with ``params`` (those that are None are left out), print its result, return it."""
    desk = ctx.find_object(Desk)
    if desk is None:
        raise click.UsageError("run this through sala-cli")
    result = desk.session().commands.run(
        command, **{name: value for name, value in params.items() if value is not None}
    )
    desk.print(result, words)
    return result


def read_passphrase(file: Path) -> str:
    """The first line of a passphrase file; ``Known("CL-001")`` when it cannot be read or is empty."""
    try:
        line = file.read_text("utf-8").split("\n", 1)[0].strip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Known("CL-001", file=file.name) from error
    if not line:
        raise Known("CL-001", file=file.name)
    return line


def new_passphrase(file: Path | None) -> str:
    """A passphrase that somebody chooses: the first line of ``file``, else asked twice at the terminal."""
    if file:
        return read_passphrase(file)
    return str(click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True))


def read_json(file: Path, *, limit: int = 5_000_000) -> Any:
    """A JSON file from outside, at most ``limit`` bytes; ``Refused("CL-002")`` for anything else."""
    try:
        if file.stat().st_size > limit:
            raise Refused("CL-002", file=file.name, reason=f"> {limit} bytes")
        return json.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Refused("CL-002", file=file.name, reason=str(error)) from error


def _words(result: Any, indent: str = "") -> str:
    """A plain reading of a result: lines of name and value, lists as dashes."""
    if isinstance(result, dict):
        return "\n".join(f"{indent}{name}: {_inline(value, indent)}" for name, value in result.items())
    if isinstance(result, list):
        return "\n".join(f"{indent}- {_words(item, indent + '  ').lstrip()}" for item in result)
    return f"{indent}{'' if result is None else result}"


def _inline(value: Any, indent: str) -> str:
    return "\n" + _words(value, indent + "  ") if isinstance(value, dict | list) and value else _words(value)
