"""The page: make a link in one line, find one, see and print its QR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.layout import column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Deliver
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from desktop.kit.timers import single_shot
from i18n.catalog import tr
from modules.contract import Changed
from modules.links.view import looks
from modules.links.view.detail import Detail
from modules.links.view.maker import Maker
from modules.links.view.paper import Paper

SEARCH_MS = 180
DETAIL_FROM = 1100  # pixels at 100 %: below that an open link takes the place of the list and of the line above
SEARCH_WIDTH = 300
LABELS_MOST = 2_000


class LinksPage(Page):
    """``open_target``: "new", or the code of a link."""

    title = {"km": "តំណ", "en": "Links"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.maker = Maker(desk)
        self.search = Line(icon="search", hint="Ctrl+F")
        self.states = Tabs(
            [
                ("all", lambda: tr("All")),
                ("active", {"km": "បើក", "en": "On"}),
                ("disabled", {"km": "បិទ", "en": "Off"}),
                ("expired", {"km": "ផុតកំណត់", "en": "Expired"}),
            ],
            name={"km": "ស្ថានភាព", "en": "State"},
        )
        self.labels = Button(lambda: tr("Label sheets"), icon="print", small=True)
        self.table = Table(
            [
                Column("code", {"km": "លេខកូដ", "en": "Code"}, 140),
                Column("title", {"km": "អំពី", "en": "About"}),
                Column("host", {"km": "នាំទៅ", "en": "Leads to"}, 180, kind="soft"),
                Column("created_ms", {"km": "បានបង្កើត", "en": "Made"}, 115, kind="soft", show=looks.day),
                Column("look", {"km": "ស្ថានភាព", "en": "State"}, 110, kind="state"),
                Column("sync", {"km": "ការផ្ញើ", "en": "Sending"}, 180, kind="state"),
            ],
            name={"km": "បញ្ជីតំណ", "en": "List of links"},
        )
        self.empty = Empty(
            "links",
            lambda: tr("No link yet"),
            lambda: tr("Paste a long address above. The short link and its QR are ready at once, also without a line."),
        )
        self.nothing = Empty(
            "search", lambda: tr("Nothing found"), lambda: tr("Try a code, a word or a part of the address.")
        )
        self.detail = Detail(desk)
        self.paper = Paper(desk)
        self._shown: dict[str, Any] | None = None
        self._total = 0
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        self._list = Card(column(self.table, self.empty, self.nothing, margins=(1, 4, 1, 4)))
        body = row(spacing=16)
        body.addWidget(self._list, 3)
        body.addWidget(self.detail, 2)
        tools = row(self.states, None, self.search, self.labels, spacing=12)
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        self._tools = holder(tools)
        board = column(self.maker, self._tools, spacing=10)
        board.addLayout(body, 1)
        self._board = holder(board)
        self.setLayout(column(self._board, self.paper, margins=(24, 12, 24, 12)))
        self.detail.hide()
        self.paper.hide()
        self.empty.hide()
        self.nothing.hide()

    def _connect(self) -> None:
        self._soon = single_shot(self, SEARCH_MS, self.read)
        self.search.textChanged.connect(lambda _: self._soon.start())
        self.search.returnPressed.connect(self.table.setFocus)
        self.states.chosen.connect(lambda _: self.read())
        self.table.opened.connect(self.open_link)
        self.table.chosen.connect(self._chosen)
        self.maker.made.connect(self.open_link)
        self.maker.open_wanted.connect(self.open_link)
        self.detail.closed.connect(self.close_link)
        self.detail.paper.connect(self._show_poster)
        self.labels.clicked.connect(self._show_labels)
        self.paper.closed.connect(self._close_paper)

    # --- the list

    def _asked(self) -> dict[str, Any]:
        state = self.states.current()
        return {"text": self.search.plain(), "state": "" if state == "all" else state}

    def read(self) -> None:
        """Read the list again; what is chosen stays chosen."""
        asked = self._asked()
        self.desk.run("links.list", then=lambda result: self._take(asked, result), limit=1, **asked)

    def _take(self, asked: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        if asked != self._asked():
            return  # the person has typed on
        self._total = total = int(result["total"])
        plain = not asked["text"] and not asked["state"]
        self.table.setVisible(total > 0)
        self.empty.setVisible(total == 0 and plain)
        self.nothing.setVisible(total == 0 and not plain)
        self.labels.setEnabled(0 < total <= LABELS_MOST)
        if asked == self._shown:
            self.table.rows.refresh(total)
            return
        self._shown = dict(asked)
        self.table.show(total, lambda first, count, deliver: self._fetch(asked, first, count, deliver))

    def _fetch(self, asked: Mapping[str, Any], first: int, count: int, deliver: Deliver) -> None:
        def done(result: Mapping[str, Any]) -> None:
            deliver([{**row, "look": looks.state_key(row["state"])} for row in result["rows"]])

        self.desk.run("links.list", then=done, offset=first, limit=count, **asked)

    # --- one link

    def open_link(self, code: str) -> None:
        """Show the link of ``code`` beside the list (instead of it where there is no room)."""
        self.detail.show_link(code)
        self.detail.show()
        self._fit()
        self.table.choose(code)
        self.detail.copy.setFocus()

    def close_link(self) -> None:
        self.detail.hide()
        self._fit()
        self.table.setFocus()

    def _chosen(self, code: str) -> None:
        if code and self.detail.isVisible() and self._list.isVisible():
            self.detail.show_link(code)

    def _fit(self) -> None:
        room = self.width() >= theme.scaled(DETAIL_FROM)
        beside = not self.detail.isHidden()
        for part in (self._list, self._tools, self.maker):
            part.setVisible(room or not beside)
        narrow = ("code", "title", "host", "look", "sync")
        self.table.show_columns(*(("code", "title", "look") if beside else () if room else narrow))

    # --- paper

    def _show_labels(self) -> None:
        def done(result: Mapping[str, Any]) -> None:
            self._open_paper()
            self.paper.show_labels([row["code"] for row in result["rows"]])

        self.desk.run("links.list", then=done, limit=LABELS_MOST // 2, **self._asked())

    def _show_poster(self, code: str) -> None:
        self._open_paper()
        self.paper.show_poster(code)

    def _open_paper(self) -> None:
        self._board.hide()
        self.paper.show()

    def _close_paper(self) -> None:
        self.paper.hide()
        self._board.show()
        (self.detail.poster if self.detail.isVisible() else self.labels).setFocus()

    # --- the shell's side

    def refresh(self, change: Changed | None = None) -> None:
        if change is not None and not {"links.created", "links.state"} & change.kinds:
            return
        self.read()
        self.maker.read()
        if not self.detail.isHidden():
            self.detail.read()

    def open_target(self, target: str) -> None:
        self._close_paper()
        if target == "new":
            self.close_link()
            self.maker.begin()
        elif target:
            self.open_link(target)

    def primary(self) -> None:
        if self.paper.isVisible():
            self.paper.print.click()
        else:
            self.maker.go()

    def find(self) -> None:  # type: ignore[override]
        """Ctrl+F: the search of the list."""
        self.close_link()
        self.search.setFocus()

    def retranslate(self) -> None:
        self.search.setPlaceholderText(tr("Code, word or address"))
        self.search.setAccessibleName(tr("Search the links"))

    def retheme(self) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        self._fit()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()
