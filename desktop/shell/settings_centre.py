"""What came down from the centre: how fresh its word is, each publication by name, who signed it, whether it is in use."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.icons import Picture
from desktop.kit.layout import Rule, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from desktop.shell.update_card import UpdateCard
from i18n import dates
from i18n.catalog import text, tr
from i18n.errors import Refused, explain

_TONES: Final = {"fresh": "green", "amber": "amber", "red": "red", "never": "amber"}
_ICONS: Final = {"fresh": "check-circle", "amber": "clock", "red": "warning", "never": "clock"}
_PRIVATE: Final = ("leases/", "inbox/")  # they are counted elsewhere


class CentrePane(Pane):
    """Read only: publications are taken by themselves at every contact, by line or stick."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._found: dict[str, Any] = {}
        self.picture = Picture("clock", "amber", 28)
        self.state = Label(self._state_words, bold=True, wrap=True)
        self.age = Label(self._age_words, tone="soft", wrap=True)
        head = row(self.picture, spacing=12)
        head.addLayout(column(self.state, self.age, spacing=2), 1)
        self.block(
            lambda: tr("From the centre"),
            lambda: tr(
                "Forms, prices, lists and numbers come at every contact, over the line or from a stick. Only what the centre, a "
                "province or an agency has signed is taken. An old list never stops work."
            ),
            head,
        )
        self.list: QVBoxLayout = column(spacing=4)
        self.block(lambda: tr("What is here"), "", self.list)
        self.update_card = UpdateCard(self)
        self.end()
        bridge.sync_ended.connect(lambda _report, _error: self.refresh())

    def refresh(self) -> None:
        from modules import publications

        session = self.bridge.session
        self.bridge.work(lambda: publications.listing(session), then=self._show)
        self.update_card.refresh()

    def _show(self, found: dict[str, Any]) -> None:
        self._found = found
        state = found["state"]
        self.picture.show_icon(_ICONS[state], _TONES[state])
        self.state.say(self._state_words)
        self.state.set_tone(_TONES[state])
        self.age.say(self._age_words)
        while (item := self.list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        rows = [one for one in found["publications"] if not one["name"].startswith(_PRIVATE)]
        for number, one in enumerate(rows):
            if number:
                self.list.addWidget(Rule())
            self.list.addWidget(self._row(one))
        if not rows:
            self.list.addWidget(Label(lambda: tr("Nothing has come yet."), tone="soft"))

    def _row(self, one: dict[str, Any]) -> QWidget:
        code, title, signer = one["code"], one["title"], one["signer"]
        if code:
            why = Label(lambda: explain(Refused(code, name=one["name"])).what, size="small", tone="red", wrap=True)
        else:
            why = Label(lambda: self._came(one, text(signer)), size="small", tone="soft", wrap=True)
        line = row(Picture("error" if code else "check", "red" if code else "green"), spacing=12, margins=(0, 4, 0, 4))
        line.addLayout(column(Label(lambda: text(title), wrap=True), why, spacing=0), 1)
        line.addWidget(Label(lambda: _size(one["size"]), size="small", tone="soft"))
        return holder(line)

    def _came(self, one: dict[str, Any], signer: str) -> str:
        day = shown.date(dates.moment(one["received_ms"]).date().isoformat())
        if not one["version"]:
            return tr("came with the office pack, {day}", day=day)
        return tr("signed by {name} · version {n} · {day}", name=signer, n=shown.number(one["version"]), day=day)

    def _state_words(self) -> str:
        if not self._found:
            return ""
        return {
            "fresh": tr("The centre's word is current."),
            "amber": tr("The centre's word is old."),
            "red": tr("The centre's word is very old."),
            "never": tr("Nothing was fetched from the centre yet."),
        }[self._found["state"]]

    def _age_words(self) -> str:
        if not self._found or not self._found["checked_ms"]:
            return tr("What came with the office pack is in use.") if self._found else ""
        checked, now = self._found["checked_ms"], self.bridge.session.clock.wall_ms()
        days = max(0, now - checked) // 86_400_000
        when = shown.moment(checked, now)
        if days < 1:
            return tr("Checked today: {when}", when=when)
        return tr(
            "Checked {n} days ago: {when}. Connect, or bring a stick from the centre.", n=shown.number(days), when=when
        )


def _size(size: int) -> str:
    return f"{shown.number(max(1, round(size / 1024)))} kB"
