"""What the shell gives to every page: commands to run, banners to show, other pages to open. No page sees more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from i18n.errors import SalaError
from modules.contract import Officer


class Desk(Protocol):
    """The page's desk. All calls happen on the GUI thread, all callbacks too."""

    def run(
        self,
        command: str,
        /,
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[SalaError], None] | None = None,
        **params: object,
    ) -> None:
        """Run ``command`` off the GUI thread; ``then`` gets its result. A refusal becomes a banner unless ``failed``
        takes it.
        """
        ...

    def run_now(self, command: str, /, **params: object) -> Any:
        """Run and wait: only for commands that take under 16 ms (a draft, a setting). Raises Refused or Known."""
        ...

    def open(self, page: str, target: str = "") -> None:
        """Show a page (module id, or "home", "outbox", "settings") at ``target`` (a record id, a draft id, a verb of
        the page).
        """
        ...

    def show_error(self, error: SalaError) -> None: ...
    def show_note(self, words: str) -> None:
        """One quiet line in the status strip for a few seconds: what was done, and its undo when there is one."""
        ...

    def officer(self) -> Officer: ...
    def idle_touch(self) -> None: ...
