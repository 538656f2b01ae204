"""Every key of the window in one table: it binds them, the palette offers them, and F1 lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.kit.wrap import Words
from i18n.catalog import tr

if TYPE_CHECKING:
    from modules.contract import Command


@dataclass(frozen=True, slots=True)
class Deed:
    """Something the window itself can do. ``keys`` as QKeySequence reads them; the first one is shown."""

    words: Words
    keys: tuple[str, ...]
    act: Callable[[], None]
    icon: str = "chevron-right"
    palette: bool = True


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One line of F1."""

    key: str
    words: Words


def field_keys() -> list[HelpLine]:
    """Keys that belong to fields and lists, not to a command."""
    return [
        HelpLine("Enter", lambda: tr("To the next field; in a list: open")),
        HelpLine("Shift+Enter", lambda: tr("Back to the field before")),
        HelpLine("F4", lambda: tr("Show the list of a field: places, answers")),
        HelpLine("1 … 9", lambda: tr("Choose an answer of round buttons")),
        HelpLine("Alt+Enter", lambda: tr("New line in a long text")),
        HelpLine("Esc", lambda: tr("Close a list or a message; nothing typed is lost")),
    ]


def command_keys(commands: Sequence[Command]) -> list[HelpLine]:
    """The shortcuts that the modules' commands carry."""
    return [HelpLine(command.shortcut, command.title) for command in commands if command.shortcut]
