"""Why a certificate is revoked, suspended or reinstated: a coded reason or a few words, said in place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.choices import ChoiceField, Option
from desktop.kit.dialogs import confirm
from desktop.kit.fields import LineField
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label
from i18n.catalog import tr
from modules.certificates.register import REASONS
from modules.certificates.view import looks

_CHOICES = {
    "revoke": ("error", "request", "ended", "breach", "fraud", "other"),
    "suspend": ("error", "request", "breach", "other"),
    "reinstate": (),
}


class Reason(Card):
    """``given(verb, reason)`` when the officer is sure. Hidden until it asks."""

    given = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._verb, self._number = "", ""
        self.heading = Label("", size="label", bold=True, wrap=True)
        options = [Option(code, dict(REASONS[code])) for code in _CHOICES["revoke"]]
        self.choice = ChoiceField({"km": "មូលហេតុ", "en": "Reason"}, options)
        self.words = LineField({"km": "ពាក្យរបស់អ្នក", "en": "In your words"}, longest=200)
        self.back = Button(lambda: tr("Go back"), small=True)
        self.go = Button("", kind="danger", small=True)
        super().__init__(
            column(
                self.heading,
                self.choice,
                self.words,
                row(self.back, None, self.go, spacing=8),
                spacing=10,
                margins=(14, 10, 14, 12),
            ),
            fill="surface",
            parent=parent,
        )
        self.hide()
        self.choice.changed.connect(lambda value: self.words.setVisible(value == "other"))
        self.back.clicked.connect(self.hide)
        self.go.clicked.connect(self._go)

    def ask(self, verb: str, number: str) -> None:
        """Ask why ``verb`` is to be done with certificate ``number``."""
        self._verb, self._number = verb, number
        titles = {
            "revoke": lambda: tr("Revoke certificate {number}", number=looks.digits(number)),
            "suspend": lambda: tr("Suspend certificate {number}", number=looks.digits(number)),
            "reinstate": lambda: tr("Reinstate certificate {number}", number=looks.digits(number)),
        }
        verbs = {"revoke": lambda: tr("Revoke"), "suspend": lambda: tr("Suspend"), "reinstate": lambda: tr("Reinstate")}
        self.heading.say(titles[verb])
        self.go.say(verbs[verb])
        coded = bool(_CHOICES[verb])
        self.choice.set_value(None)
        self.words.set_value(None)
        self.choice.setVisible(coded)
        self.words.setVisible(not coded)
        self.show()
        (self.choice if coded else self.words).setFocus()

    def _reason(self) -> str:
        """What was chosen or typed; "" when it is not enough, and the field says so."""
        if self.choice.isVisible() and self.choice.value() not in (None, "other"):
            return str(self.choice.value())
        if self.choice.isVisible() and self.choice.value() is None:
            self.choice.set_error(tr("Choose a reason"))
            return ""
        words = str(self.words.value() or "")
        if len(words) < 3:
            self.words.set_error(tr("A few words are needed"))
            self.words.setFocus()
            return ""
        return words

    def _go(self) -> None:
        reason = self._reason()
        if not reason:
            return
        verb, number = self._verb, self._number
        if verb != "revoke":
            self.given.emit(verb, reason)
            return
        confirm(
            self,
            lambda: tr("Revoke certificate {number}?", number=looks.digits(number)),
            lambda: tr(
                "A revoked certificate never comes back into force. Everybody who checks it will see that it is revoked."
            ),
            lambda: tr("Revoke"),
            lambda: self.given.emit(verb, reason),
        )
