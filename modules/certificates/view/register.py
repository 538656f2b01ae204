"""Register: what this office issued, found by typing; revoke, suspend, replace, print again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.layout import column, row
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from desktop.kit.timers import single_shot
from i18n.catalog import text, tr
from modules.certificates.register import STATE_WORDS
from modules.certificates.view import looks
from modules.certificates.view.detail import Detail
from modules.certificates.view.pile import Pile

SEARCH_MS = 180
DETAIL_FROM = 880  # pixels at 100 %: below that the details take the list's place


_NAMED = (
    Column("number", {"km": "លេខ", "en": "Number"}, 150, show=looks.digits),
    Column("name", {"km": "ឈ្មោះ", "en": "Name"}),
)
_MORE = (
    Column("title", {"km": "ប្រភេទ", "en": "Kind"}, 170, kind="soft", show=text),
    Column("issued_s", {"km": "ចេញថ្ងៃ", "en": "Issued"}, 110, show=looks.day),
)
_STATE = Column("state", {"km": "ស្ថានភាព", "en": "State"}, 160, kind="state")
_SENDING = Column("sync", {"km": "ការផ្ញើ", "en": "Sending"}, 170, kind="state")


class RegisterPane(QWidget):
    """List and details. ``replace(id)``: issue a successor."""

    replace = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._wanted = ""
        self.search = Line(icon="search")
        self.states = Tabs(
            [("all", lambda: tr("All")), *((state, dict(words)) for state, words in STATE_WORDS.items())],
            name={"km": "ស្ថានភាព", "en": "State"},
        )
        name = {"km": "បញ្ជីវិញ្ញាបនបត្រ", "en": "Register of certificates"}
        self.table = Table([*_NAMED, *_MORE, _STATE, _SENDING], name=name)
        self.short = Table([*_NAMED, _STATE], name=name)  # beside the details
        self.empty = Empty(
            "certificates",
            lambda: tr("No certificate here yet"),
            lambda: tr(
                "What this office issues on this laptop is listed here, with its state and what the centre has received."
            ),
        )
        self.nothing = Empty("search", lambda: tr("Nothing found"), lambda: tr("Try a number, a name or a place."))
        self.detail = Detail(desk)
        self._shown: dict[str, Any] | None = None  # what the list was asked for
        self._total = 0
        self.parts = Pile()
        for part in (self.table, self.short, self.empty, self.nothing):
            self.parts.addWidget(part)
        self._list = Card(column(self.parts, margins=(1, 4, 1, 4)))
        body = row(spacing=16)
        body.addWidget(self._list, 5)
        body.addWidget(self.detail, 4)
        top = row(spacing=12)
        top.addWidget(self.search, 1)
        main = column(top, self.states, spacing=10)
        main.addLayout(body, 1)
        self.setLayout(main)
        self.detail.hide()
        self._soon = single_shot(self, SEARCH_MS, self.read)
        self._connect()
        self.retranslate()

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _: self._soon.start())
        self.search.returnPressed.connect(lambda: self._listed().setFocus())
        self.states.chosen.connect(lambda _: self.read())
        for table in (self.table, self.short):
            table.opened.connect(self.open)
        self.short.chosen.connect(self._chosen)
        self.detail.closed.connect(self._close)
        self.detail.replace.connect(self.replace)
        self.detail.changed.connect(self.read)

    def retranslate(self) -> None:
        self.search.setPlaceholderText(tr("Number, name or place"))
        self.search.setAccessibleName(tr("Search the register"))

    def _asked(self) -> dict[str, Any]:
        state = self.states.current()
        return {"filter": self.search.plain()} | ({} if state == "all" else {"status": state})

    def read(self) -> None:
        """Read the list again; what is chosen stays chosen."""
        asked = self._asked()
        self._desk.run("certificates.register", then=lambda result: self._take(asked, result), limit=1, **asked)
        if self.detail.isVisible():
            self.detail.read()

    def _take(self, asked: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        if asked != self._asked():
            return  # the person has typed on
        same, self._shown, self._total = asked == self._shown, dict(asked), result["total"]
        self._fit()
        for table in (self.table, self.short):
            if same:
                table.rows.refresh(self._total)
            else:
                table.show(self._total, lambda first, count, deliver: self._fetch(asked, first, count, deliver))

    def _fetch(self, asked: Mapping[str, Any], first: int, count: int, deliver: Any) -> None:
        def arrived(result: Mapping[str, Any]) -> None:
            deliver([_row(row) for row in result["rows"]])
            if self.short.isVisible() and not self.short.current_id():
                self.short.choose(self.detail.id())

        self._desk.run("certificates.register", then=arrived, offset=first, limit=count, **asked)

    # Details

    def _listed(self) -> Table:
        """The list as it is shown now."""
        return self.table if self.detail.isHidden() else self.short

    def open(self, id: str) -> None:
        """Show certificate ``id`` beside the list (instead of it where there is no room)."""
        self.detail.show_certificate(id)
        self.detail.setVisible(True)
        self._fit()
        self.short.choose(id)
        self.detail.setFocus()

    def _chosen(self, id: str) -> None:
        if id and self.detail.isVisible() and self._list.isVisible():
            self.detail.show_certificate(id)

    def _close(self) -> None:
        self.detail.hide()
        self._fit()
        self.table.choose(self.short.current_id())
        self.table.setFocus()

    def _fit(self) -> None:
        room = self.width() >= theme.scaled(DETAIL_FROM)
        asked = self._shown or self._asked()
        empty = self.nothing if asked["filter"] or "status" in asked else self.empty
        self.parts.setCurrentWidget(self._listed() if self._total or self._shown is None else empty)
        self._list.setVisible(room or self.detail.isHidden())
        for part in (self.search, self.states):
            part.setVisible(not self._list.isHidden())

    def retheme(self) -> None:
        self._fit()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def changeEvent(self, event: Any) -> None:
        if event.type() == event.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "state": looks.state_key(row["state"])}
