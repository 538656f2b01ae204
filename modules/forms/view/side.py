"""The cards at the right of the capture page: fee and time with the legal rule, why something is asked, what must be brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from desktop.kit import shown, theme
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import column, holder, row
from desktop.kit.wrap import Label, Words
from i18n.catalog import Text, text, tr


def days_words(days: int) -> str:
    """``7 working days``."""
    return tr("1 working day") if days == 1 else tr("{days} working days", days=shown.number(days))


def bullet(words: Words) -> QWidget:
    """One line of a list, its dot beside the first line of the words."""
    line = row(spacing=6)
    line.addLayout(column(round(theme.line_height("note") / 2) - 7, Picture("dot", "soft", 14), None, spacing=0))
    line.addWidget(Label(words, size="note", wrap=True), 1)
    return holder(line)


def clear(layout: QLayout) -> None:
    """Take every widget out of ``layout`` for good; they are deleted when the present event is over, never in its middle."""
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()


class FeeCard(Card):
    """What it costs, how long it takes, by which rule; an amount that must still be confirmed says so."""

    def __init__(self) -> None:
        self._service: Mapping[str, Any] | None = None
        self._fee, self._due = 0, ""
        self.amount = Label(self._amount, size="display", bold=True)
        self._unit = Label(self._units, size="small", tone="soft", wrap=True)
        self._terms = Label(self._term, size="small", tone="soft", wrap=True)
        self._last = Label(self._day, size="small", tone="soft", wrap=True)
        self._open = Label(
            lambda: tr("Indicative amount: check the price table"), size="small", tone="amber", wrap=True
        )
        self._warning = row(Picture("warning", "amber", 16), spacing=6)
        self._warning.addWidget(self._open, 1)
        title = Label(lambda: tr("Fee · time"), size="note", tone="soft")
        super().__init__(
            column(
                title,
                self.amount,
                self._unit,
                self._terms,
                self._last,
                self._warning,
                spacing=1,
                margins=(14, 10, 14, 10),
            )
        )

    def show_service(self, service: Mapping[str, Any], fee: int, due: str) -> None:
        self._service, self._fee, self._due = service, fee, due
        self.speak()

    def show_fee(self, fee: int) -> None:
        if fee != self._fee:
            self._fee = fee
            self.speak()

    def speak(self) -> None:
        self.amount.say(self._amount)
        self._unit.say(self._units)
        self._terms.say(self._term)
        self._last.say(self._day)
        unsure = self._service is not None and not self._service["published"]
        for at in range(self._warning.count()):
            item = self._warning.itemAt(at)
            if item is not None and (part := item.widget()) is not None:
                part.setVisible(unsure)
        self.setAccessibleName(" · ".join((self._amount(), self._term())))

    def _amount(self) -> str:
        return shown.riel(self._fee)

    def _units(self) -> str:
        if self._service is None:
            return ""
        unit = text(self._service["unit"])
        return unit if self._fee == self._service["fee"] else f"{shown.riel(self._service['fee'])} {unit}"

    def _term(self) -> str:
        if self._service is None:
            return ""
        return f"{days_words(self._service['days'])} · {text(self._service['legal']['short'])}"

    def _day(self) -> str:
        return tr("Due {day}", day=shown.date(self._due)) if self._due else ""


class WhyCard(Card):
    """Why the question with the focus is asked."""

    def __init__(self) -> None:
        self._title = Label(lambda: tr("Why is this asked?"), size="label", bold=True)
        self._why = Label("", size="note", tone="soft", wrap=True)
        super().__init__(column(self._title, self._why, spacing=2, margins=(14, 10, 14, 10)))

    def show_why(self, why: Text | None) -> None:
        """None hides the card."""
        self.setVisible(why is not None)
        if why is not None:
            self._why.say(why)


class PapersCard(Card):
    """What the applicant must bring."""

    def __init__(self) -> None:
        self._lines: QVBoxLayout = column(spacing=2)
        title = Label(lambda: tr("Documents"), size="label", bold=True)
        super().__init__(column(title, self._lines, spacing=4, margins=(14, 10, 14, 10)))

    def show_papers(self, papers: Sequence[Words]) -> None:
        clear(self._lines)
        for paper in papers:
            self._lines.addWidget(bullet(paper))
