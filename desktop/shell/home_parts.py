"""What Home is made of: lines that wait, big first actions, the three steps of a new office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.card import ActionCard, Card
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label, Words, say
from desktop.shell.rail import Place
from i18n.catalog import tr

if TYPE_CHECKING:
    from modules.contract import Command


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits. ``rank``: the lowest stands first."""

    icon: str
    tone: str
    title: Words
    note: Words
    when: Words
    verb: Words
    page: str
    target: str
    rank: int = 50

    def told(self) -> tuple[str, ...]:
        """What it shows just now, and where it leads."""
        spoken = [say(words) for words in (self.title, self.note, self.when, self.verb)]
        return (self.icon, self.tone, *spoken, self.page, self.target)


def words(value: object) -> Words:
    """Words out of a command's result: text data or ``{"km", "en"}``."""
    if isinstance(value, Mapping) and {"km", "en"} <= set(value):
        return {"km": str(value["km"]), "en": str(value["en"])}
    return "" if value is None else str(value)


class Disc(QWidget):
    """A small icon on its soft disc."""

    def __init__(self, icon: str, tone: str) -> None:
        super().__init__()
        self._icon, self._tone = icon, tone
        self.retheme()

    def retheme(self) -> None:
        side = theme.scaled(32)
        self.setFixedSize(side, side)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone(f"{self._tone}_soft"))
        painter.drawEllipse(self.rect())
        inset = self.width() * 0.22
        icons.draw(painter, QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), self._icon, self._tone)
        painter.end()


class LineCard(ActionCard):
    """One line of the list: press it, and its page opens there."""

    def __init__(self, line: Line) -> None:
        self.line = line
        title = Label(line.title, cut=True)
        note = Label(line.note, size="small", tone="soft", cut=True)
        texts = column(title, note, spacing=0)
        layout = row(spacing=14, margins=(14, 5, 16, 5))
        layout.addWidget(Disc(line.icon, line.tone))
        layout.addLayout(texts, 1)
        layout.addWidget(Label(line.when, size="note", tone=line.tone))
        layout.addWidget(Label(line.verb, size="note", tone="blue", bold=True))
        super().__init__(layout, name=lambda: f"{say(line.title)}. {say(line.note)} {say(line.when)}", line="")
        note.setVisible(bool(say(line.note)))


class FirstAction(ActionCard):
    """A big first action: icon, what it does, a word about it, its key."""

    def __init__(self, place: Place, command: Command) -> None:
        self.module = place.id
        self.command = command
        self.note = Label("", size="small", tone="soft", cut=True)
        self.title = Label(command.title, size="heading", bold=True, wrap=True)
        texts = column(self.title, self.note, spacing=0)
        layout = row(spacing=12, margins=(16, 8, 14, 8))
        layout.addWidget(Picture(place.icon, "blue", 30))
        layout.addLayout(texts, 1)
        self.key = Label((command.shortcut or "").replace("+", " "), size="hint", tone="faint")
        layout.addWidget(self.key)
        super().__init__(layout, name=command.title)
        self._narrow = False
        self.setMinimumHeight(theme.scaled(72))

    def set_note(self, note: Words) -> None:
        self.note.say(note)
        self._fit()

    def set_narrow(self, narrow: bool) -> None:
        """Where four stand in little room only icon and title are shown; the key is in the tool tip."""
        self._narrow = narrow
        self.setToolTip(self.command.shortcut or "" if narrow else "")
        self._fit()

    def _fit(self) -> None:
        self.note.setVisible(bool(self.note.words()) and not self._narrow)
        self.key.setVisible(not self._narrow)


class Nothing(QWidget):
    """Nothing waits: said in a friendly line."""

    def __init__(self) -> None:
        super().__init__()
        words_ = Label(lambda: tr("Nothing waits for you. Everything is done or on its way."), tone="soft", wrap=True)
        layout = row(spacing=14, margins=(14, 14, 16, 14))
        layout.addWidget(Picture("check-circle", "green", 24))
        layout.addWidget(words_, 1)
        self.setLayout(layout)


class FirstSteps(Card):
    """A new office sees how to begin: three steps with their keys."""

    def __init__(self) -> None:
        steps = (
            (
                lambda: tr("Take the first application"),
                lambda: tr("Choose a service and type; everything is kept at once."),
            ),
            (lambda: tr("Finish it"), lambda: tr("It gets its number and receipt, and waits here to be sent.")),
            (lambda: tr("Send"), lambda: tr("By itself when there is a line, or by USB from the Outbox.")),
        )
        layout = column(
            Label(lambda: tr("Three steps to begin"), size="heading", bold=True), 4, spacing=8, margins=(20, 14, 20, 16)
        )
        for number, (title, note) in enumerate(steps, 1):
            line = row(spacing=14)
            line.addWidget(_Number(number), 0, Qt.AlignmentFlag.AlignTop)
            line.addLayout(
                column(Label(title, bold=True, wrap=True), Label(note, size="note", tone="soft", wrap=True), spacing=0),
                1,
            )
            layout.addLayout(line)
        super().__init__(layout)
        self.setVisible(False)


class _Number(QWidget):
    """A step's number on a disc."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.retheme()

    def retheme(self) -> None:
        side = theme.scaled(32)
        self.setFixedSize(side, side)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("blue_soft"))
        painter.drawEllipse(self.rect())
        painter.setFont(theme.font("label", bold=True))
        painter.setPen(theme.tone("blue"))
        area = QRectF(self.rect()).translated(0, theme.drop("label"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), shown.number(self._number))
        painter.end()
