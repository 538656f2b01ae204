"""A newer program: offered to who looks after the laptop, fetched in pieces, used from the next start on."""

from __future__ import annotations

from typing import Any

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.files import choose_folder
from desktop.kit.layout import Wrapped, column
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from modules.permissions import ROLES


class UpdateCard:
    """The card of a pane."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._found: dict[str, Any] = {}
        self._may = "settings.office" in ROLES.get(pane.bridge.session.officer.role, frozenset())
        self.state = Label(self._state_words, bold=True, wrap=True)
        self.fetch = Button(lambda: tr("Fetch it over the line"), icon="receive")
        self.stick = Button(lambda: tr("Fetch it from a stick…"), icon="usb")
        self.install = Button(lambda: tr("Install at the next start"), kind="primary", icon="check")
        self.fetch.clicked.connect(lambda: self._fetch(None))
        self.stick.clicked.connect(lambda: choose_folder(pane, lambda: tr("Choose the stick"), self._fetch))
        self.install.clicked.connect(self._install)
        self.told = Banner()
        self.card = pane.block(
            lambda: tr("The program"),
            lambda: tr(
                "A newer Sala comes from the centre in pieces. Only the release key signs it. It is unpacked beside this one; what "
                "waits to be sent is not touched, and an older version is never taken."
            ),
            column(self.state, Wrapped(self.fetch, self.stick, self.install, spacing=12), self.told, spacing=12),
        )
        for button in (self.fetch, self.stick, self.install):
            button.hide()

    def refresh(self) -> None:
        """Look what is offered."""
        from modules import updating

        session = self._pane.bridge.session
        self._pane.bridge.work(lambda: updating.status(session), then=self._show)

    def _show(self, found: dict[str, Any]) -> None:
        self._found = found
        self.state.say(self._state_words)
        offered, missing = found["offered"], found["missing"]
        self.fetch.setVisible(bool(offered and missing))
        self.stick.setVisible(bool(offered and missing))
        self.install.setVisible(bool(offered and not missing and found["next"] is None))
        self.install.setEnabled(self._may)
        for button in (self.fetch, self.stick):
            button.setEnabled(True)

    def _state_words(self) -> str:
        found = self._found
        if not found:
            return ""
        here = shown.plain(found["version"])
        if not found["offered"]:
            return tr("Sala {version} is the newest that the centre has sent.", version=here)
        version = shown.plain(found["offered"])
        if found["next"] is not None:
            return tr("Sala {version} is used from the next start on.", version=version)
        if found["missing"]:
            megabytes = shown.number(max(1, round(found["missing"] / 1_000_000)))
            return tr(
                "Sala {version} is offered: {size} MB to fetch. This is {here}.",
                version=version,
                size=megabytes,
                here=here,
            )
        if not self._may:
            return tr("Sala {version} is here. The chief or the IT officer installs it.", version=version)
        return tr("Sala {version} is here and verified. This is {here}.", version=version, here=here)

    def _fetch(self, folder: Any) -> None:
        from modules import updating

        session = self._pane.bridge.session
        for button in (self.fetch, self.stick):
            button.setEnabled(False)
        self.told.show_words("info", lambda: tr("Fetching; what is here already is not fetched again."))
        self._pane.bridge.work(lambda: updating.fetch(session, folder), then=self._fetched, failed=self._failed)

    def _fetched(self, found: dict[str, Any]) -> None:
        self.told.close_banner()
        self._show(found)

    def _install(self) -> None:
        from modules import updating

        session = self._pane.bridge.session
        self.install.setEnabled(False)
        self._pane.bridge.work(lambda: updating.install(session), then=self._installed, failed=self._failed)

    def _installed(self, done: dict[str, Any]) -> None:
        self.told.show_words(
            "good", lambda: tr("Installed. Close Sala and open it again when it suits you."), done["folder"]
        )
        self.refresh()

    def _failed(self, error: Any) -> None:
        self.told.show_error(error)
        self.refresh()
