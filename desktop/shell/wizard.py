"""The first run, Khmer first: office pack, officer, passphrase, keys. No network; a cut at any step loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.kit import theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.steps import Steps
from desktop.kit.wrap import Label
from desktop.shell.bar import LanguageSwitch
from desktop.shell.wizard_steps import MakingStep, OfficerStep, PackStep, PassphraseStep
from i18n.catalog import text, tr
from i18n.errors import Refused, SalaError, explain


@dataclass(frozen=True, slots=True)
class Answers:
    """What the wizard has found out."""

    pack: Path
    spoken: str | None  # the signer's groups of digits, when this machine does not know the signer
    name: str
    latin: str
    role: str
    passphrase: str
    code: str | None = None  # that the centre read out, for a pack without one


class Wizard(QWidget):
    """Four steps. ``finished(answers)`` asks for the profile to be made; then call ``made`` or ``refused``."""

    finished = Signal(object)  # Answers
    entered = Signal()
    language_wanted = Signal()
    restore_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pack, self.officer, self.secret, self.making = PackStep(), OfficerStep(), PassphraseStep(), MakingStep()
        self.steps = Steps((lambda: tr("Office"), lambda: tr("Officer"), lambda: tr("Passphrase"), lambda: tr("Keys")))
        self.stack = QStackedWidget()
        for step in (self.pack, self.officer, self.secret, self.making):
            step.setContentsMargins(0, 0, 14, 0)  # room for the scroll bar on small screens
            self.stack.addWidget(Scroll(step))
        self.back = Button(lambda: tr("Back"))
        self.next = Button(lambda: tr("Next"), kind="primary", key="Ctrl+Enter")
        self.restore = Button(lambda: tr("Restore from a backup instead…"), kind="quiet")
        self.language = LanguageSwitch()
        self.banner = Banner()
        self.back.clicked.connect(lambda: self._go(self.stack.currentIndex() - 1))
        self.next.clicked.connect(self.primary)
        self.restore.clicked.connect(self.restore_wanted)
        self.language.clicked.connect(self.language_wanted)
        for step in (self.pack, self.officer, self.secret):
            step.ready.connect(self._look)
        self._lay_out()
        self._go(0)

    def _lay_out(self) -> None:
        brand = row(
            Label("សាលា", size="display", bold=True, tone="blue"),
            Label("Sala", size="title", tone="soft"),
            None,
            self.language,
            spacing=10,
        )
        feet = row(self.back, self.restore, None, self.next, spacing=12, margins=(0, 0, 14, 0))
        inner = column(self.steps, 4, self.banner, self.stack, feet, spacing=12, margins=(28, 18, 14, 18))
        inner.setStretch(3, 1)
        self._card = Card(inner)
        self._keeper = holder(column(brand, self._card, spacing=12))
        self._keeper.layout().setStretch(1, 1)  # type: ignore[union-attr]
        self.setLayout(row(None, self._keeper, None, margins=(24, 16, 24, 20)))
        self.retheme()

    def retheme(self) -> None:
        self._keeper.setFixedWidth(min(theme.scaled(680), max(320, self.window().width() - 48)))
        self._keeper.setMaximumHeight(theme.scaled(620))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()

    def primary(self) -> None:
        """Next, or the last step's own effect."""
        at = self.stack.currentIndex()
        if at == 2:
            self.secret.say_difference()
        if not self._complete(at):
            return
        if at < 2:
            self._go(at + 1)
        elif at == 2:
            self._go(3)
            self.finished.emit(self.answers())
        else:
            self.entered.emit()

    def answers(self) -> Answers:
        if self.pack.path is None:
            raise RuntimeError("the pack step is not complete")
        return Answers(
            self.pack.path, self.pack.spoken, self.officer.name.value(), self.officer.latin.value(),
            self.officer.role.value(), self.secret.first.value(), self.pack.code.value() or None,
        )  # fmt: skip

    def made(self, codes: list[str], digits: str) -> None:
        """The profile is there. ``codes``: its request to the centre as QR code, ``digits``: what names the request."""
        self.making.offer(codes, digits)
        office: Any = self.pack.pack.office if self.pack.pack else {"name": {"km": "", "en": ""}}
        self.making.done(text(office["name"]))
        self.next.setEnabled(True)
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)
        self._say_next()

    def not_restored(self, error: SalaError) -> None:
        """The backup could not be taken; the first step stays."""
        self.banner.show_error(error)

    def refused(self, error: SalaError) -> None:
        """It could not be made: back to the passphrase with the reason."""
        self._go(2)
        if error.code == "SY-475":
            self._go(0)
            words = explain(error)
            self.pack.code.set_error(f"{words.what} {words.next}")
        elif isinstance(error, Refused) and error.code == "SY-113":
            self.secret.first.set_error(explain(error).what)
        else:
            self.banner.show_error(error)

    def _complete(self, at: int) -> bool:
        if at == 0:
            return self.pack.pack is not None
        if at == 1:
            return self.officer.complete()
        if at == 2:
            return self.secret.complete()
        return self.next.isEnabled()

    def _go(self, at: int) -> None:
        self.banner.close_banner()
        self.stack.setCurrentIndex(at)
        self.steps.set_now(at)
        self.back.setVisible(at in (1, 2))
        self.restore.setVisible(at == 0)
        self._say_next()
        if at == 1 and self.pack.pack is not None and self.pack.pack.officers and not self.officer.name.value():
            expected = self.pack.pack.officers[0]
            self.officer.name.set_value(expected.get("name"))
            self.officer.latin.set_value(expected.get("latin"))
            self.officer.role.set_value(expected.get("role", "receiving"))
        self._look()
        first: tuple[QWidget, ...] = (self.pack.choose, self.officer.name, self.secret.first, self.next)
        first[at].setFocus(Qt.FocusReason.OtherFocusReason)

    def _say_next(self) -> None:
        words: tuple[Callable[[], str], ...] = (
            lambda: tr("Next"), lambda: tr("Next"), lambda: tr("Make the keys"), lambda: tr("Begin to work"),
        )  # fmt: skip
        self.next.say(words[self.stack.currentIndex()])

    def _look(self) -> None:
        """May one go on? On the passphrase step also to be told that the two are not the same."""
        at = self.stack.currentIndex()
        if at < 2:
            self.next.setEnabled(self._complete(at))
        elif at == 2:
            self.next.setEnabled(self.secret.complete() or bool(self.secret.again.value()))
        else:
            self.next.setEnabled(False)  # until the keys are made

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.next.isEnabled():
            self.primary()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.language.speak()
        super().changeEvent(event)
