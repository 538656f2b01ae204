"""At the province: two custodians open a locked-out officer's request with their shares. The key is made in memory only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import PassphraseField
from desktop.kit.files import open_file, save_file
from desktop.kit.layout import Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.codes_in import PICTURES, CodesIn
from desktop.shell.qrview import QrView
from desktop.shell.reset import ANSWER, REQUEST
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError, explain


class AnswerCard:
    """The card of a pane: the request as picture or file, who it is about, two shares, the answer as picture or file."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._request = self._answered = b""
        self.choose = Button(lambda: tr("Open a request…"), icon="folder")
        self.choose.clicked.connect(
            lambda: open_file(pane, lambda: tr("Choose the request"), (f"*{REQUEST}", *PICTURES), self.take)
        )
        self.codes = CodesIn(
            pane.bridge, {"km": "ស្កេនសំណើនៅទីនេះ", "en": "Scan the request here"},
            wants=lambda text: text.startswith("SALA:Q1:"),
        )  # fmt: skip
        self.codes.read.connect(self._take_codes)
        self.told = Banner()
        self.codes.failed.connect(self.told.show_error)
        self._make_form()
        self._make_shown()
        self.card = pane.block(
            lambda: tr("A laptop whose passphrase is forgotten"),
            lambda: tr(
                "In the provincial hall: read the picture of the request that came from the district, or open its file. Two of the three "
                "custodians type their shares; the answer goes back. The passphrase itself is chosen there and never seen here."
            ),
            column(
                self.codes, row(self.choose, None), self._form, self.told, self._out, spacing=12
            ),
        )  # fmt: skip

    def _make_form(self) -> None:
        self.who = Label("", size="heading", bold=True, wrap=True)
        self.digits = Label("", bold=True, wrap=True)
        self.shares = tuple(
            PassphraseField(
                {"km": f"ចំណែករបស់អ្នករក្សាម្នាក់{which[0]}", "en": f"Share of {which[1]} custodian"},
                note=lambda: tr("Typed from the sheet, or scanned from its QR code. It is kept nowhere."),
            )
            for which in (("", "one"), ("ទៀត", "another"))
        )
        self.shares[1].on_enter = self.make
        self.answer = Button(lambda: tr("Answer the request"), kind="primary", icon="key")
        self.answer.clicked.connect(self.make)
        self._form = holder(
            column(
                self.who, Label(lambda: tr("Compare by telephone with the digits on that laptop:"), size="note", tone="soft", wrap=True),
                self.digits, *self.shares, row(self.answer, None), spacing=8,
            )
        )  # fmt: skip
        self._form.hide()

    def _make_shown(self) -> None:
        pane = self._pane
        self.view = QrView()
        self.view.show_texts([])
        self.picture = Button(lambda: tr("Save as a picture…"), icon="image")
        self.picture.clicked.connect(self._save_picture)
        self.save = Button(lambda: tr("Save the answer…"), icon="usb")
        self.save.clicked.connect(
            lambda: save_file(pane, lambda: tr("Where to save the answer"), f"sala{ANSWER}", self.write)
        )
        words = Label(
            lambda: tr(
                "Send a picture of this code back to the district, or the file. It is of use to that laptop alone."
            ),
            wrap=True,
        )
        self._out = holder(
            row(
                self.view,
                20,
                holder(column(words, Wrapped(self.picture, self.save, spacing=8), None, spacing=10)),
                spacing=0,
            )
        )
        self._out.hide()

    # The request

    def take(self, file: Path) -> None:
        """Show whose request is in ``file``, or in a picture of it."""
        from modules import people

        if file.suffix.lower() in people.PICTURES:
            self.codes.take_files([file])
            return
        try:
            self._show(people.read(file))
        except SalaError as error:
            self._form.hide()
            self.told.show_error(error)

    def _take_codes(self, texts: list[str]) -> None:
        from sync import qrframes

        try:
            self._show(qrframes.collect(texts))
        except SalaError as error:
            self._form.hide()
            self.told.show_error(error)

    def _show(self, data: bytes) -> None:
        from sync import reset

        asked = reset.read(data)
        self.told.close_banner()
        self._out.hide()
        self._request = data
        self.who.say(f"{asked.name} · {asked.latin}")
        self.digits.say(lambda: shown.plain(reset.spoken(data)))
        self._form.show()
        self.shares[0].setFocus()

    # The answer

    def make(self) -> None:
        """Answer with the shares that are typed."""
        from modules import people
        from sync import reset, shares

        request, session, parts = self._request, self._pane.bridge.session, []
        for field in self.shares:
            text = str(field.value() or "")
            try:
                field.set_error("" if text else tr("This is needed."))
                parts += [shares.read(text)] if text else []
            except SalaError as error:
                words = explain(error)
                field.set_error(f"{words.what} {words.next}")
        if len(parts) < len(self.shares):
            return

        def work() -> bytes:
            answer = reset.answer(request, shares.join(parts))
            people.note_answered(session, request)
            return answer

        self.answer.setEnabled(False)
        self._pane.bridge.work(work, then=self._made, failed=self._refused)

    def _made(self, answer: bytes) -> None:
        from sync import qrframes

        self._answered = answer
        self.answer.setEnabled(True)
        for share in self.shares:
            share.set_value(None)
        self._form.hide()
        self.view.show_texts(qrframes.encode_small(answer))
        self._out.show()
        self.told.show_words("good", lambda: tr("The answer is ready."))
        self.view.setFocus()

    def _refused(self, error: Any) -> None:
        self.answer.setEnabled(True)
        self.told.show_error(error)

    def write(self, out: Path) -> None:
        """Write the answer into ``out``."""
        from modules import people

        try:
            people.write(out, self._answered)
        except SalaError as error:
            self.told.show_error(error)
            return
        self.told.show_words(
            "good",
            lambda: tr("The answer is saved: {name}", name=out.name),
            lambda: tr("Send it back to the district."),
        )

    def _save_picture(self) -> None:
        from modules import carry

        texts = self.view.texts()
        save_file(
            self._pane, lambda: tr("Where to save the picture"), "sala-answer.png" if len(texts) == 1 else "sala-answer.gif",
            lambda out: self._pane.bridge.work(
                lambda: carry.save_codes(texts, out),
                then=lambda place: self.told.show_words("good", lambda: tr("Saved: {name}", name=place.name)),
                failed=self.told.show_error,
            ),
        )  # fmt: skip
