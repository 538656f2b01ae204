"""Space and soundness: what is kept here, what was let go of because the centre holds it twice, when all was last checked."""

from __future__ import annotations

from typing import Any

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.layout import Wrapped, column
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr


class HealthBlock:
    """Hangs its card into ``pane``."""

    def __init__(self, pane: Pane) -> None:
        self._bridge: Bridge = pane.bridge
        self._found: dict[str, Any] | None = None
        self.kept = Label(self._kept, wrap=True)
        self.freed = Label(self._freed, wrap=True)
        self.checked = Label(self._checked, wrap=True)
        self.check = Button(lambda: tr("Check everything now"), icon="shield")
        self.tidy = Button(lambda: tr("Free space now"), icon="disk")
        self.told = Banner()
        self.check.clicked.connect(self._check)
        self.tidy.clicked.connect(self._tidy)
        pane.block(
            lambda: tr("Space and soundness"),
            lambda: tr(
                "Once a week, and after every power cut, Sala checks every page, chain and attachment by itself. Old records "
                "that the centre keeps in two places leave only a line here; pages and search stay as they are."
            ),
            column(
                self.kept, self.freed, self.checked, Wrapped(self.check, self.tidy, spacing=12), self.told, spacing=8
            ),
        )
        self.refresh()

    def refresh(self) -> None:
        from modules import housekeeping

        session = self._bridge.session
        self._bridge.work(lambda: housekeeping.standing(session), then=self._show)

    def _show(self, found: dict[str, Any]) -> None:
        self._found = found
        for label, words in ((self.kept, self._kept), (self.freed, self._freed), (self.checked, self._checked)):
            label.say(words)

    def _kept(self) -> str:
        if self._found is None:
            return ""
        return tr(
            "Whole on this laptop: {ops} · of older ones a line: {lines}",
            ops=shown.number(self._found["ops"]), lines=shown.number(self._found["lines"]),
        )  # fmt: skip

    def _freed(self) -> str:
        if self._found is None:
            return ""
        return tr("Freed so far: {size} MB", size=shown.number(round(self._found["freed"] / 1_000_000)))

    def _checked(self) -> str:
        if self._found is None:
            return ""
        if self._found["checked_ms"] == 0:
            return tr("Everything is checked for the first time within a week.")
        when = shown.moment(self._found["checked_ms"], self._bridge.session.clock.wall_ms())
        if self._found["faults"]:
            return tr(
                "Last checked: {when}. Something was wrong: {n}", when=when, n=shown.number(self._found["faults"])
            )
        return tr("Last checked: {when}. Everything was sound.", when=when)

    def _check(self) -> None:
        from modules import housekeeping

        session = self._bridge.session
        self.check.setEnabled(False)
        self.told.show_words("info", lambda: tr("Checking every page and attachment…"))
        self._bridge.work(lambda: housekeeping.check(session), then=self._was_checked, failed=self._failed)

    def _was_checked(self, found: list[str]) -> None:
        self.check.setEnabled(True)
        if found:
            self.told.show_words(
                "error", lambda: tr("Something is damaged. Make a backup now and call IT."), "\n".join(found[:3])
            )
        else:
            self.told.show_words("good", lambda: tr("Everything is sound."))
        self.refresh()

    def _tidy(self) -> None:
        from modules import housekeeping

        session = self._bridge.session
        self.tidy.setEnabled(False)
        self._bridge.work(lambda: housekeeping.tidy(session), then=self._was_tidied, failed=self._failed)

    def _was_tidied(self, done: dict[str, Any]) -> None:
        self.tidy.setEnabled(True)
        size = done["bytes"]
        if size:
            self.told.show_words(
                "good", lambda: tr("Freed now: {size} MB", size=shown.number(max(1, round(size / 1_000_000))))
            )
        else:
            self.told.show_words(
                "info",
                lambda: tr("Nothing may go yet: it is not old enough, or the centre has not confirmed a second copy."),
            )
        self.refresh()

    def _failed(self, error: Any) -> None:
        self.check.setEnabled(True)
        self.tidy.setEnabled(True)
        self.told.show_error(error)
