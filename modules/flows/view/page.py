"""The page: the flows of this laptop, and one of them with its dry run and its history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import ActionCard
from desktop.kit.desk import Desk
from desktop.kit.icons import Picture
from desktop.kit.layout import Scroll, Wrapped, column, holder, row
from desktop.kit.page import Page
from desktop.kit.states import Chip
from desktop.kit.wrap import Label
from i18n.catalog import text, tr
from i18n.dates import short_moment
from modules.contract import Changed
from modules.flows.view import looks
from modules.flows.view.detail import FlowView

KINDS = {"flows.flow", "flows.run"}


class FlowCard(ActionCard):
    """One flow of the list: what it is for, whether it is on, when it last ran."""

    def __init__(self, flow: Mapping[str, Any]) -> None:
        self.id = str(flow["id"])
        chips: list[QWidget] = [Chip(looks.run_key("on" if flow["enabled"] else "off"))]
        if flow["last_state"]:
            chips.append(Chip(looks.run_key(flow["last_state"])))
        words = column(
            Label(dict(flow["title"]), bold=True, wrap=True),
            Label(dict(flow["summary"]), size="note", tone="soft", wrap=True),
            spacing=2,
        )
        words.addWidget(Label(_history(flow), size="note", tone="soft", wrap=True))
        line = row(spacing=16, margins=(18, 14, 16, 14))
        line.addWidget(Picture("flows", "blue", 28), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        line.addWidget(holder(Wrapped(*chips)), 0, Qt.AlignmentFlag.AlignTop)
        super().__init__(line, name=dict(flow["title"]))


class FlowsPage(Page):
    """``open_target``: the id of a flow."""

    title = {"km": "លំហូរ", "en": "Flows"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.teach = Label(
            lambda: tr("A flow does by itself what always follows: once, in one go, with its record."),
            tone="soft",
            wrap=True,
        )
        self.take = Button(lambda: tr("Import a flow"), icon="folder", small=True)
        self.cards: list[FlowCard] = []
        self._cards = column(spacing=12)
        self.flow = FlowView(desk)
        head = row(spacing=16)
        head.addWidget(self.teach, 1)
        head.addWidget(self.take)
        self._board = holder(column(head, Scroll(holder(column(self._cards, None, margins=(0, 0, 10, 0)))), spacing=14))
        self.setLayout(column(self._board, self.flow, margins=(24, 14, 24, 12)))
        self.flow.hide()
        self.take.clicked.connect(self._choose_file)
        self.flow.closed.connect(self.close_flow)

    def read(self) -> None:
        """Read the list again."""
        self.desk.run("flows.list", then=self._show)

    def _show(self, found: Mapping[str, Any]) -> None:
        focused = next((card.id for card in self.cards if card.hasFocus()), "")
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = []
        for flow in found["flows"]:
            card = FlowCard(flow)
            card.pressed.connect(lambda id=flow["id"]: self.open_flow(id))
            self._cards.addWidget(card)
            self.cards.append(card)
            if card.id == focused:
                card.setFocus()

    def open_flow(self, id: str) -> None:
        """Show the flow ``id``."""
        self._board.hide()
        self.flow.show()
        self.flow.open(id)
        self.flow.back.setFocus()

    def close_flow(self) -> None:
        self.flow.hide()
        self._board.show()
        self.read()
        if self.cards:
            self.cards[0].setFocus()

    def _choose_file(self) -> None:
        from desktop.kit.files import open_file

        open_file(self, lambda: tr("Import a flow"), ("*.json",), self.take_file)

    def take_file(self, path: Path) -> None:
        """Take a flow from a file; it is off until somebody switches it on."""
        self.desk.run("flows.import", then=lambda flow: self.open_flow(flow["id"]), file=str(path))

    # --- the shell's side

    def page_title(self) -> str:
        return (self.flow.title() if not self.flow.isHidden() else "") or text(self.title)

    def refresh(self, change: Changed | None = None) -> None:
        if change is not None and not KINDS & change.kinds:
            return
        if self.flow.isHidden():
            self.read()
        else:
            self.flow.read()

    def open_target(self, target: str) -> None:
        if target:
            self.open_flow(target)
        elif not self.flow.isHidden():
            self.close_flow()

    def primary(self) -> None:
        if not self.flow.isHidden():
            self.flow.primary()
        elif self.cards:
            self.open_flow(self.cards[0].id)


def _history(flow: Mapping[str, Any]) -> Any:
    if not flow["runs"]:
        return lambda: tr("It has not run yet")
    return lambda: tr(
        "{count} runs, the last {time}",
        count=shown.number(flow["runs"]),
        time=shown.plain(short_moment(flow["last_ms"])),
    )
