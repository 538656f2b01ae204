"""Banners instead of pop-ups: what happened, what was kept, what to do, the code, and "copy details"."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.kit.button import Button, IconButton
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import Wrapped, column, row
from desktop.kit.wrap import Label, Words, say
from i18n.catalog import tr
from i18n.errors import Known, SalaError, explain

Kind = Literal["info", "good", "warning", "error"]

_KINDS: dict[str, tuple[str, str]] = {  # icon, tone
    "info": ("info", "blue"),
    "good": ("check-circle", "green"),
    "warning": ("warning", "amber"),
    "error": ("error", "red"),
}


class Banner(Card):
    """A message inside the page. Hidden until something is shown; it stays until it is closed or replaced."""

    closed = Signal()
    acted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self._picture = Picture("info", "blue", 24)
        self._what = Label("", bold=True, wrap=True)
        self._more = Label("", size="note", wrap=True)
        self._code = Label("", size="small", tone="soft")
        self._act = Button("", small=True)
        self._copy = Button(lambda: tr("Copy details"), kind="quiet", icon="copy", small=True)
        self._close = IconButton("close", lambda: tr("Close this message"))
        feet = Wrapped(self._code, self._act, self._copy, spacing=8)
        words = column(self._what, self._more, feet, spacing=4)
        top = Qt.AlignmentFlag.AlignTop
        layout = row(spacing=12, margins=(16, 10, 10, 10))
        layout.addWidget(self._picture, 0, top)
        layout.addLayout(words, 1)
        layout.addWidget(self._close, 0, top)
        super().__init__(layout, fill="blue_soft", line="", bar="blue", parent=parent)
        self._error: SalaError | None = None
        self._words: tuple[Words, Words] = ("", "")
        self._copy.clicked.connect(self._copy_details)
        self._close.clicked.connect(self.close_banner)
        self._act.clicked.connect(self.acted)
        self.setFocusProxy(self._close)
        self.setVisible(False)

    def show_error(self, error: SalaError) -> None:
        """The three sentences of a refusal or a known failure."""
        self._error = error
        self._act.setVisible(False)
        self._paint("warning" if isinstance(error, Known) else "error")
        self._speak()

    def show_words(self, kind: Kind, what: Words, more: Words = "", *, action: Words = "") -> None:
        """Own words; ``action`` puts a button there that emits ``acted``."""
        self._error = None
        self._words = (what, more)
        self._act.say(action)
        self._act.setVisible(bool(say(action)))
        self._paint(kind)
        self._speak()

    def close_banner(self) -> None:
        if not self.isHidden():
            self._hand_back_focus()
            self.setVisible(False)
            self.closed.emit()

    def _hand_back_focus(self) -> None:
        """Whoever works by keyboard goes on at what stands before the message, and not from nowhere."""
        for _ in range(4):  # its own buttons are three
            if not self.isAncestorOf(self.window().focusWidget()) or not self.focusNextPrevChild(False):
                return

    def details(self) -> str:
        """What "copy details" copies: code and sentences, no personal data."""
        if self._error is None:
            return "\n".join(part for part in (say(self._words[0]), say(self._words[1])) if part)
        words = explain(self._error)
        return f"{words.code}\n{words.what}\n{words.kept}\n{words.next}"

    def _paint(self, kind: Kind) -> None:
        icon, tone = _KINDS[kind]
        self._picture.show_icon(icon, tone)
        self.set_tones(fill=f"{tone}_soft", line="", bar=tone)

    def _speak(self) -> None:
        if self._error is not None:
            words = explain(self._error)
            self._what.say(words.what)
            self._more.say(" ".join(part for part in (words.kept, words.next) if part))
            self._code.say(words.code)
        else:
            self._what.say(say(self._words[0]))
            self._more.say(say(self._words[1]))
            self._code.say("")
        self._more.setVisible(bool(self._more.words()))
        self._code.setVisible(self._error is not None)
        self._copy.setVisible(self._error is not None)
        self.setAccessibleName(self._what.words())
        self.setAccessibleDescription(self._more.words())
        self.setVisible(True)

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self.details())
        self._copy.say(lambda: tr("Copied"), icon="check")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_banner()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and not self.isHidden():
            self._speak()
        super().changeEvent(event)
