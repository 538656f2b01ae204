"""One dialog: the decision that cannot be undone. Everything else is a banner or stands on the page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.fields import LineField
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label, Words, say
from i18n.catalog import tr


class Confirm(QDialog):
    """What will happen, and two buttons: the quiet way out has the focus. ``type_word`` must be typed for very large
    deeds.
    """

    def __init__(
        self, parent: QWidget, title: Words, words: Words, verb: Words, then: Callable[[], None], *, type_word: str = ""
    ) -> None:
        super().__init__(parent)
        self._then, self._type_word = then, type_word
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(say(title))
        self.setAccessibleName(say(title))
        heading = Label(title, size="heading", bold=True, wrap=True)
        body = Label(words, wrap=True)
        body.setMinimumWidth(theme.scaled(360))
        self.typed = LineField(lambda: tr("Type {word} to go on", word=type_word), longest=40)
        if not type_word:
            self.typed.hide()
        self.typed.edited.connect(self._look)
        self.back = Button(lambda: tr("Go back"), key="Esc")
        self.go = Button(verb, kind="danger")
        self.go.setEnabled(not type_word)
        self.back.clicked.connect(self.reject)
        self.go.clicked.connect(self._done)
        top = row(spacing=16)
        top.addWidget(Picture("warning", "red", 28), 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(column(heading, body, self.typed, spacing=8), 1)
        self.setLayout(column(top, 8, row(None, self.back, self.go, spacing=12), spacing=12, margins=(24, 20, 24, 20)))
        self.back.setFocus()

    def _look(self) -> None:
        self.go.setEnabled(self.typed.text() == self._type_word)

    def _done(self) -> None:
        self.accept()
        self._then()


def confirm(
    parent: QWidget, title: Words, words: Words, verb: Words, then: Callable[[], None], *, type_word: str = ""
) -> Confirm:
    """Ask before a deed that cannot be undone; ``then`` runs when the person agrees. Returns at once."""
    dialog = Confirm(parent.window(), title, words, verb, then, type_word=type_word)
    dialog.open()
    return dialog
