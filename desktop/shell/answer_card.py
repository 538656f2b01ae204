"""At the province: two custodians open a locked-out officer's request with their shares. The key is made in memory only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import PassphraseField
from desktop.kit.files import open_file, save_file
from desktop.kit.layout import column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.reset import ANSWER, REQUEST
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError, explain


class AnswerCard:
    """The card of a pane: the request, who it is about, two shares, the answer."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._request = b""
        self.choose = Button(lambda: tr("Open a request…"), icon="folder")
        self.choose.clicked.connect(
            lambda: open_file(pane, lambda: tr("Choose the request"), (f"*{REQUEST}",), self.take)
        )
        self.who = Label("", size="heading", bold=True, wrap=True)
        self.digits = Label("", bold=True, wrap=True)
        self.shares = tuple(
            PassphraseField(
                {"km": f"ចំណែករបស់អ្នករក្សាម្នាក់{which[0]}", "en": f"Share of {which[1]} custodian"},
                note=lambda: tr("Typed from the sheet, or scanned from its QR code. It is kept nowhere."),
            )
            for which in (("", "one"), ("ទៀត", "another"))
        )
        self.answer = Button(lambda: tr("Answer the request…"), kind="primary", icon="key")
        self.answer.clicked.connect(self._answer)
        self._form = holder(
            column(
                self.who, Label(lambda: tr("Compare by telephone with the digits on that laptop:"), size="note", tone="soft", wrap=True),
                self.digits, *self.shares, row(self.answer, None), spacing=8,
            )
        )  # fmt: skip
        self._form.hide()
        self.told = Banner()
        self.card = pane.block(
            lambda: tr("A laptop whose passphrase is forgotten"),
            lambda: tr(
                "In the provincial hall: open the request that came from the district. Two of the three custodians type their shares; "
                "the answer goes back. The passphrase itself is chosen there and never seen here."
            ),
            column(row(self.choose, None), self._form, self.told, spacing=12),
        )

    def take(self, file: Path) -> None:
        """Show whose request it is."""
        from modules import people
        from sync import reset

        self._form.hide()
        try:
            data = people.read(file)
            asked = reset.read(data)
        except SalaError as error:
            self.told.show_error(error)
            return
        self.told.close_banner()
        self._request = data
        self.who.say(f"{asked.name} · {asked.latin}")
        self.digits.say(lambda: shown.plain(reset.spoken(data)))
        self._form.show()
        self.shares[0].setFocus()

    def _answer(self) -> None:
        typed = [str(share.value() or "") for share in self.shares]
        for share, text in zip(self.shares, typed, strict=True):
            share.set_error("" if text else tr("This is needed."))
        if all(typed):
            save_file(
                self._pane, lambda: tr("Where to save the answer"), f"sala{ANSWER}", lambda out: self.write(typed, out)
            )

    def write(self, typed: list[str], out: Path) -> None:
        """Answer into ``out``."""
        from modules import people
        from sync import reset, shares

        request, session = self._request, self._pane.bridge.session
        parts = []
        for field, text in zip(self.shares, typed, strict=True):
            try:
                parts.append(shares.read(text))
            except SalaError as error:
                words = explain(error)
                field.set_error(f"{words.what} {words.next}")
                return

        def work() -> None:
            people.write(out, reset.answer(request, shares.join(parts)))
            people.note_answered(session, request)

        self.answer.setEnabled(False)
        self._pane.bridge.work(work, then=lambda _: self._answered(out), failed=self._refused)

    def _answered(self, out: Path) -> None:
        self.answer.setEnabled(True)
        for share in self.shares:
            share.set_value(None)
        self._form.hide()
        self.told.show_words(
            "good",
            lambda: tr("The answer is saved: {name}", name=out.name),
            lambda: tr("Send it back to the district."),
        )

    def _refused(self, error: Any) -> None:
        self.answer.setEnabled(True)
        self.told.show_error(error)
