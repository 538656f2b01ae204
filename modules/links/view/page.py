"""The page: make a link in one line, find one, see and print its QR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.found import SIDE, BesideList, FoundList
from desktop.kit.layout import column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Record
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from i18n.catalog import tr
from modules.contract import Changed
from modules.links.view import looks
from modules.links.view.detail import Detail
from modules.links.view.maker import Maker
from modules.links.view.paper import Paper

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
                ("", lambda: tr("All")),
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
        self.list = FoundList(
            desk, "links.list", self.table, asked=self._asked, look=_look, empty=self.empty, nothing=self.nothing
        )
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        tools = holder(row(self.states, None, self.search, self.labels, spacing=12))
        self.body = BesideList(
            self.list, self.detail, show=self.detail.show_link, start=self.detail.copy, around=(tools, self.maker),
            beside=("code", "title", "look"), narrow=("code", "title", "host", "look", "sync"),
        )  # fmt: skip
        board = column(self.maker, tools, spacing=10)
        board.addWidget(self.body, 1)
        self._board = holder(board)
        self.setLayout(column(self._board, self.paper, margins=(SIDE, 12, SIDE, 12)))
        self.paper.hide()

    def _connect(self) -> None:
        self.list.follow(self.search, self.states)
        self.list.arrived.connect(self._arrived)
        self.maker.made.connect(self.open_link)
        self.maker.open_wanted.connect(self.open_link)
        self.detail.closed.connect(self.close_link)
        self.detail.paper.connect(self._show_poster)
        self.labels.clicked.connect(self._show_labels)
        self.paper.closed.connect(self._close_paper)

    # --- the list

    def _asked(self) -> dict[str, Any]:
        return {"text": self.search.plain(), "state": self.states.current()}

    def read(self) -> None:
        """Read the list again; what is chosen stays chosen."""
        self.list.read()

    def _arrived(self, answer: Mapping[str, Any]) -> None:
        self.labels.setEnabled(0 < int(answer["total"]) <= LABELS_MOST)

    # --- one link

    def open_link(self, code: str) -> None:
        """Show the link of ``code`` beside the list (instead of it where there is no room)."""
        self.body.open_record(code)

    def close_link(self) -> None:
        self.body.close_record()

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


def _look(link: Record) -> Record:
    return {**link, "look": looks.state_key(link["state"])}
