"""The page: the list of messages, and one of them with all its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.found import SIDE, FoundList
from desktop.kit.layout import column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Column, Record
from desktop.kit.table import Table
from i18n.catalog import text, tr
from i18n.dates import short_moment
from modules.contract import Changed
from modules.messages.view import looks
from modules.messages.view.campaign import CampaignView

SEARCH_WIDTH = 300
KINDS = {"messages.campaign", "messages.release", "messages.texts"}


class MessagesPage(Page):
    """``open_target``: "new", or the id of a campaign."""

    title = {"km": "សារ", "en": "Messages"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.new = Button(lambda: tr("New message"), kind="primary", icon="plus", key="Ctrl+M")
        self.search = Line(icon="search", hint="Ctrl+F")
        self.table = Table(
            [
                Column("title", {"km": "ចំណងជើង", "en": "Title"}),
                Column(
                    "good", {"km": "អ្នកទទួល", "en": "Recipients"}, 110, kind="number", show=lambda n: shown.number(n)
                ),
                Column("cost", {"km": "តម្លៃ", "en": "Cost"}, 130, kind="number", show=lambda n: shown.riel(n)),
                Column(
                    "changed_ms",
                    {"km": "កែចុងក្រោយ", "en": "Last changed"},
                    170,
                    kind="soft",
                    show=lambda ms: shown.plain(short_moment(ms)),
                ),
                Column("look", {"km": "ស្ថានភាព", "en": "State"}, 190, kind="state"),
            ],
            name={"km": "បញ្ជីសារ", "en": "List of messages"},
        )
        self.empty = Empty(
            "messages", lambda: tr("No message yet"),
            lambda: tr("Write one text with fields, add a list of people, let a second officer approve it."),
            action=lambda: tr("New message"), key="Ctrl+M",
        )  # fmt: skip
        self.nothing = Empty(
            "search", lambda: tr("Nothing found"), lambda: tr("Try another word of the title or the text.")
        )
        self.campaign = CampaignView(desk)
        self.list = FoundList(
            desk, "messages.list", self.table, asked=self._asked, look=_look, empty=self.empty, nothing=self.nothing
        )
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        tools = row(self.search, None, self.new, spacing=12)
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        self._tools = holder(tools)
        board = column(self._tools, spacing=12)
        board.addWidget(self.list, 1)
        self._board = holder(board)
        self.setLayout(column(self._board, self.campaign, margins=(SIDE, 12, SIDE, 12)))
        self.campaign.hide()

    def _connect(self) -> None:
        self.list.follow(self.search)
        self.list.arrived.connect(self._arrived)
        self.table.opened.connect(self.open_campaign)
        self.new.clicked.connect(self.begin)
        self.empty.acted.connect(self.begin)
        self.campaign.closed.connect(self.close_campaign)

    # --- the list

    def _asked(self) -> dict[str, Any]:
        return {"text": self.search.plain()}

    def read(self) -> None:
        """Read the list again; what is chosen stays chosen."""
        self.list.read()

    def _arrived(self, answer: Mapping[str, Any]) -> None:
        self._tools.setVisible(int(answer["total"]) > 0 or bool(self.search.plain()))

    # --- one campaign

    def begin(self) -> None:
        """A new message."""
        self._show_campaign()
        self.campaign.begin()

    def open_campaign(self, id: str) -> None:
        self._show_campaign()
        self.campaign.open(id)

    def close_campaign(self) -> None:
        self.campaign.hide()
        self._board.show()
        self.read()
        self.table.setFocus()

    def _show_campaign(self) -> None:
        if self.campaign.isVisible():
            self.campaign.keep_now()
        self._board.hide()
        self.campaign.show()

    # --- the shell's side

    def page_title(self) -> str:
        return tr("Message") if not self.campaign.isHidden() else text(self.title)

    def refresh(self, change: Changed | None = None) -> None:
        if change is not None and not KINDS & change.kinds:
            return
        if self.campaign.isHidden():
            self.read()
        else:
            self.campaign.read()

    def open_target(self, target: str) -> None:
        if target == "new":
            self.begin()
        elif target:
            self.open_campaign(target)
        elif not self.campaign.isHidden():
            self.close_campaign()

    def primary(self) -> None:
        if self.campaign.isHidden():
            self.begin()
        else:
            self.campaign.primary()

    def leave(self) -> None:
        self.campaign.keep_now()

    def find(self) -> None:  # type: ignore[override]
        """Ctrl+F: the search of the list."""
        if not self.campaign.isHidden():
            self.close_campaign()
        self.search.setFocus()

    def retranslate(self) -> None:
        self.search.setPlaceholderText(tr("Title or words of the text"))
        self.search.setAccessibleName(tr("Search the messages"))

    def retheme(self) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))


def _look(message: Record) -> Record:
    return {**message, "title": message["title"] or tr("Without a title"), "look": looks.state_key(message)}
