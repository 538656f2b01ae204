"""A code that the centre reads out: typed here, it asks for enrolment when the pack's own code has expired or never was."""

from __future__ import annotations

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import LineField
from desktop.kit.layout import Beside, column
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError, explain


class CodeCard:
    """The card of a pane: one field, one button, then the digits to compare."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self.code = LineField(
            {"km": "កូដចុះឈ្មោះ", "en": "Enrolment code"},
            note=lambda: tr("10 signs, such as AB3CD-EF4GH. It is good for 72 hours and five tries."), icon="key", longest=24,
        )  # fmt: skip
        self.ask = Button(lambda: tr("Ask for enrolment"), icon="send")
        self.ask.clicked.connect(self._ask)
        self.told = Banner()
        self.card = pane.block(
            lambda: tr("A code from the centre"),
            lambda: tr("If the pack had no code, or its code is too old, call the centre: they read one to you."),
            column(Beside(self.code, self.ask), self.told, spacing=12),
        )

    def _ask(self) -> None:
        from sync import enrol

        code, unlocked = str(self.code.value() or ""), self._pane.bridge.session.unlocked
        self.code.set_error("" if code else tr("This is needed."))
        if not code:
            return
        self.ask.setEnabled(False)
        self._pane.bridge.work(lambda: enrol.take_code(unlocked, code), then=self._asked, failed=self._refused)

    def _asked(self, words: str) -> None:
        self.ask.setEnabled(True)
        self.code.set_value(None)
        self.told.show_words(
            "good", lambda: tr("The request is ready and goes at the next contact."),
            lambda: tr("Read these digits to the centre: {words}", words=shown.plain(words)),
        )  # fmt: skip
        self._pane.refresh()

    def _refused(self, error: SalaError) -> None:
        self.ask.setEnabled(True)
        if error.code == "SY-475":
            words = explain(error)
            self.code.set_error(f"{words.what} {words.next}")
        else:
            self.told.show_error(error)
