"""The door: who is it, the passphrase, and how long to wait after wrong ones. Shown at start and whenever Sala is locked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.fields import PassphraseField
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.bar import LanguageSwitch
from i18n.catalog import language, tr
from i18n.errors import Refused, SalaError

MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody who may unlock: id in hex, Khmer and Latin name."""

    id: str
    km: str
    latin: str


class OfficerButton(QAbstractButton):
    """One name of the list, with the other script under it."""

    def __init__(self, name: Name) -> None:
        super().__init__()
        self.name = name
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{name.km} {name.latin}")

    def sizeHint(self) -> QSize:
        return QSize(
            300, max(theme.height("control"), round(theme.line_height("body") + theme.line_height("small") + 6))
        )

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, focus = self.isChecked(), self.hasFocus()
        painter.setPen(
            QPen(theme.tone("focus" if focus else "line"), 2 if focus else 1) if focus else Qt.PenStyle.NoPen
        )
        painter.setBrush(theme.tone("blue_soft" if on else "hover" if self.underMouse() else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.radius(), theme.radius())
        side = theme.scaled(24)
        icons.draw(painter, QRectF(12, (self.height() - side) / 2, side, side), "person", "blue" if on else "soft")
        large, small = (self.name.km, self.name.latin) if language() == "km" else (self.name.latin, self.name.km)
        tall, low = theme.line_height("body"), theme.line_height("small")
        top = (self.height() - tall - low) / 2
        left = side + 24.0
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setFont(theme.font("body", bold=on))
        painter.setPen(theme.tone("blue" if on else "ink"))
        painter.drawText(QRectF(left, top, self.width() - left, tall), flags, large)
        if small != large:
            painter.setFont(theme.font("small"))
            painter.setPen(theme.tone("soft"))
            painter.drawText(QRectF(left, top + tall, self.width() - left, low), flags, small)
        if on:
            icons.beside(painter, self.width() - theme.scaled(20) - 14, 0, self.height(), "check", "blue")
        painter.end()

    def enterEvent(self, _event: object) -> None:
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self.update()


class UnlockPage(QWidget):
    """``tried(id, passphrase)`` when somebody wants in; then call ``opening``, ``refused`` or go on to the window."""

    tried = Signal(str, str)
    language_wanted = Signal()
    restore_wanted = Signal()
    reset_wanted = Signal()

    def __init__(self, wait_s: Callable[[str], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wait_s = wait_s
        self._names: list[Name] = []
        self._buttons: dict[str, OfficerButton] = {}
        self._group = QButtonGroup(self)
        self._until = 0
        self.heading = Label(lambda: tr("Who is working?"), size="title", bold=True)
        self.list = QVBoxLayout()
        self.list.setSpacing(4)
        self.passphrase = PassphraseField({"km": "ឃ្លាសម្ងាត់", "en": "Passphrase"})
        self.go = Button(lambda: tr("Unlock"), kind="primary", key="Enter")
        self.forgotten = Button(lambda: tr("Forgotten?"), kind="quiet")
        self.forgotten.clicked.connect(self.reset_wanted)
        self.banner = Banner()
        self.language = LanguageSwitch()
        self.waiting = Label("", tone="amber", wrap=True)
        self.waiting.setVisible(False)
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._count_down)
        self.banner.closed.connect(self.retheme)
        self.go.clicked.connect(self._try)
        self.passphrase.on_enter = self._try
        self.language.clicked.connect(self.language_wanted)
        self._group.buttonToggled.connect(self._chosen)
        self._lay_out()

    def _lay_out(self) -> None:
        names = QWidget()
        names.setLayout(self.list)
        self.list.setContentsMargins(0, 0, 0, 0)
        self.names = Scroll(names)
        inner = column(
            self.heading,
            self.names,
            self.passphrase,
            self.waiting,
            row(self.forgotten, None, self.go),
            spacing=12,
            margins=(28, 20, 28, 20),
        )
        card = Card(inner)
        self.card = card
        brand = column(
            row(
                Label("សាលា", size="display", bold=True, tone="blue"),
                Label("Sala", size="title", tone="soft"),
                None,
                self.language,
                spacing=10,
            ),
            self.banner,
            card,
            spacing=12,
        )
        keeper = holder(brand)
        self._keeper = keeper
        inside = holder(column(None, row(None, keeper, None), None, margins=(24, 16, 24, 16)))
        self.setLayout(column(Scroll(inside), spacing=0))
        self.retheme()

    def retheme(self) -> None:
        wide = (
            440 if self.banner.isHidden() else 640
        )  # what a banner says needs room, and may name a file with its folders
        self._keeper.setFixedWidth(min(theme.scaled(wide), max(320, self.window().width() - 60)))
        self._fit_names()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()

    def show_only(self, error: SalaError) -> None:
        """Nobody can open this laptop: nothing asks for a passphrase."""
        self.banner.show_error(error)
        self.card.setVisible(bool(self.chosen()))
        self.retheme()

    def _fit_names(self) -> None:
        shown_ = min(len(self._buttons), MOST_LISTED) or 1
        tall = next((button.sizeHint().height() for button in self._buttons.values()), theme.height("control"))
        self.names.setFixedHeight(shown_ * (tall + 4))

    def show_names(self, names: Sequence[Name], chosen: str = "") -> None:
        """Who may unlock; ``chosen`` (an id) is put first in mind, else the first of the list."""
        for button in self._buttons.values():
            self._group.removeButton(button)
            button.deleteLater()
        self._names, self._buttons = list(names), {}
        for name in self._names:
            button = OfficerButton(name)
            self._buttons[name.id] = button
            self._group.addButton(button)
            self.list.addWidget(button)
        if self._names:
            first = self._buttons.get(chosen) or self._buttons[self._names[0].id]
            first.setChecked(True)
        self._fit_names()
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def chosen(self) -> str:
        """The id of the chosen officer, "" when there is none."""
        return next((id for id, button in self._buttons.items() if button.isChecked()), "")

    def opening(self, on: bool) -> None:
        """While the passphrase is being tried nothing can be typed."""
        self.go.say((lambda: tr("Opening…")) if on else (lambda: tr("Unlock")))
        self.go.setEnabled(not on)
        self.passphrase.set_locked(on)
        self.names.setEnabled(not on)

    def refused(self, error: SalaError) -> None:
        """Say why not; count down when the next try must wait."""
        self.opening(False)
        self.passphrase.set_value(None)
        wait = error.values.get("wait_s")
        if isinstance(error, Refused) and isinstance(wait, int):
            self.passphrase.set_error(
                tr("This passphrase is not right. What is stored is unchanged.") if wait == 0 else ""
            )
            if wait:
                self._wait(wait)
        else:
            self.banner.show_error(error)
            self.retheme()
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def _wait(self, seconds: int) -> None:
        self._until = seconds
        self.go.setEnabled(False)
        self._say_wait()
        self._second.start()

    def _count_down(self) -> None:
        self._until -= 1
        if self._until <= 0:
            self._second.stop()
            self.waiting.setVisible(False)
            self.go.setEnabled(True)
            return
        self._say_wait()

    def _say_wait(self) -> None:
        minutes, seconds = divmod(self._until, 60)
        left = shown.plain(f"{minutes}:{seconds:02}")
        self.waiting.say(
            lambda: tr("Too many wrong tries. The next one is possible in {time} (minutes:seconds).", time=left)
        )
        self.waiting.setVisible(True)

    def _chosen(self, _button: object, on: bool) -> None:
        if on:
            self._second.stop()
            self.waiting.setVisible(False)
            self.go.setEnabled(True)
            self.passphrase.set_error("")
            if seconds := self._wait_s(self.chosen()):
                self._wait(seconds)

    def _try(self) -> None:
        words = self.passphrase.value()
        if words and self.chosen() and self.go.isEnabled():
            self.banner.close_banner()
            self.tried.emit(self.chosen(), words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._try()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.language.speak()
            for button in self._buttons.values():
                button.update()
            if self._second.isActive():
                self._say_wait()
        super().changeEvent(event)


def read_names(home: Path) -> list[Name]:
    """Who may unlock the profile in ``home``."""
    from sync import keys

    return [Name(*entry) for entry in keys.names(home)]
