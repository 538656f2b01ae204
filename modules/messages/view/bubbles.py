"""One recipient's message as it arrives: each part in its own frame, so that one sees where networks cut it and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import shown
from desktop.kit.card import Card
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.wrap import Label
from i18n.catalog import tr
from i18n.segment import clusters


class Bubbles(QWidget):
    """``show_preview`` takes what ``messages.preview`` gives."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = Label("", size="label", bold=True)
        self.sum = Label("", size="note", tone="soft")
        self.breaks = Label("", size="note", tone="amber", wrap=True)
        self._parts = column(spacing=6)
        content = column(self._parts, None, spacing=0, margins=(0, 0, 8, 0))
        page = column(row(self.head, None, self.sum, spacing=12), self.breaks, spacing=6)
        page.addWidget(Scroll(holder(content)), 1)
        self.setLayout(page)
        self.clear()

    def clear(self) -> None:
        self._empty()
        self.head.say(lambda: tr("Choose a row to see its message"))
        self.sum.say("")
        self.breaks.hide()

    def show_preview(self, row_number: int, preview: Mapping[str, Any]) -> None:
        self._empty()
        self.head.say(lambda: tr("Row {row} as it arrives", row=shown.number(row_number)))
        self.sum.say(
            lambda: tr(
                "{units} signs ({encoding}) · {cost}",
                units=shown.number(preview["units"]), encoding=preview["encoding"], cost=shown.riel(preview["cost"]),
            )
        )  # fmt: skip
        self.breaks.setVisible(preview["saving"] > 0)
        self.breaks.say(
            lambda: tr(
                "{count} invisible breaks make it longer: {saving} more.",
                count=shown.number(preview["breaks"]),
                saving=shown.riel(preview["saving"]),
            )
        )
        parts = whole_clusters(preview["parts"])
        for number, part in enumerate(parts, 1):
            self._parts.addWidget(_part(number, len(parts), part))

    def _empty(self) -> None:
        box = self._parts
        assert isinstance(box, QVBoxLayout)
        while (item := box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()


def whole_clusters(parts: Sequence[str]) -> list[str]:
    """``parts`` cut where a reader can see it: networks cut between code units, also between a letter and its vowel."""
    ends, at = [], 0
    for part in parts[:-1]:
        at += len(part)
        ends.append(at)
    text, cuts, at = "".join(parts), [0], 0
    for cluster in clusters(text):
        at += len(cluster)
        while ends and ends[0] <= at:
            cuts.append(at)
            ends.pop(0)
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]


def _part(number: int, of: int, words: str) -> Card:
    place = Label(lambda: f"{shown.number(number)}/{shown.number(of)}", size="small", tone="blue", bold=True)
    line = row(spacing=10, margins=(10, 6, 10, 6))
    line.addWidget(place)
    line.addWidget(Label(words, size="note", wrap=True), 1)
    return Card(line, fill="blue_soft", line="")
