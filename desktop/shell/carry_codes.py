"""QR codes instead of a stick: the outbox shown on the screen, the centre's answer read, and the status as a text message."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QGuiApplication

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.files import save_file
from desktop.kit.layout import Wrapped, column, row
from desktop.kit.wrap import Label
from desktop.shell.codes_in import CodesIn
from desktop.shell.qrview import QrView
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr


class CodesPane(Pane):
    """Out, in, and the text message."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._make_out()
        self._make_in()
        self._make_text()
        self.end()

    # Out

    def _make_out(self) -> None:
        self.show_outbox = Button(lambda: tr("Show my outbox as QR codes"), icon="qr", kind="primary")
        self.save = Button(lambda: tr("Save as a picture…"), icon="image")
        self.hide_codes = Button(lambda: tr("Hide"), kind="quiet")
        self.view = QrView()
        self.view.show_texts([])
        self.show_outbox.clicked.connect(self.show_codes)
        self.save.clicked.connect(self._save)
        self.hide_codes.clicked.connect(lambda: self._shown([]))
        self.out_told = Banner()
        self.block(
            lambda: tr("Out by QR code"),
            lambda: tr(
                "For a few records when there is no stick: the centre films the screen, or takes the saved picture. "
                "Attachments stay here until there is a line or a stick."
            ),
            column(
                Wrapped(self.show_outbox, self.save, self.hide_codes, spacing=8), row(self.view, None), self.out_told, spacing=12
            ),
        )  # fmt: skip
        self._shown([])

    def show_codes(self) -> None:
        """The outbox, code after code."""
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: carry.outbox_codes(session), then=self._shown, failed=self.out_told.show_error)

    def _shown(self, texts: list[str]) -> None:
        self.view.show_texts(texts)
        for button in (self.save, self.hide_codes):
            button.setVisible(bool(texts))
        if texts:
            self.view.setFocus()

    def _save(self) -> None:
        from modules import carry

        texts = self.view.texts()
        name = "sala-outbox.gif" if len(texts) > 1 else "sala-outbox.png"
        save_file(
            self, lambda: tr("Where to save the picture"), name,
            lambda out: self.bridge.work(
                lambda: carry.save_codes(texts, out), then=self._saved, failed=self.out_told.show_error
            ),
        )  # fmt: skip

    def _saved(self, place: Any) -> None:
        self.out_told.show_words("good", lambda: tr("Saved: {name}", name=place.name))

    # In

    def _make_in(self) -> None:
        from sync import qrframes

        self.codes = CodesIn(
            self.bridge,
            {"km": "ស្កេនកូដនៅទីនេះ", "en": "Scan a code here"},
            wants=lambda text: text.startswith(qrframes.PREFIX),
        )
        self.in_told = Banner()
        self.codes.failed.connect(self.in_told.show_error)
        self.codes.read.connect(self._take)
        self.block(
            lambda: tr("In by QR code"),
            lambda: tr("The centre's answer: receipts and this laptop's certificate."),
            column(self.codes, self.in_told, spacing=12),
        )

    def _take(self, texts: list[str]) -> None:
        from modules import replicate

        session = self.bridge.session
        self.bridge.work(
            lambda: replicate.import_codes(session, texts), then=self._taken, failed=self.in_told.show_error
        )

    def _taken(self, report: dict[str, Any]) -> None:
        count = shown.number(int(report["receipts"]))
        self.in_told.show_words("good", lambda: tr("Taken. New receipts: {count}", count=count))

    # The text message

    def _make_text(self) -> None:
        self.copy = Button(lambda: tr("Copy the status text"), icon="copy")
        self.copy.clicked.connect(self.copy_text)
        self.text = Label("", size="note", wrap=True)
        self.text.setVisible(False)
        self.text_code = QrView(200)
        self.text_code.show_texts([])
        self.text_told = Banner()
        self.block(
            lambda: tr("Status by text message"),
            lambda: tr(
                "One SMS tells the centre what is outstanding here. It carries no personal data and is signed; send it from any telephone."
            ),
            column(row(self.copy, None), self.text, row(self.text_code, None), self.text_told, spacing=12),
        )

    def copy_text(self) -> None:
        """The text of one message, into the clipboard and onto the screen."""
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: carry.status_text(session), then=self._made, failed=self.text_told.show_error)

    def _made(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.text.say(text)
        self.text.setVisible(True)
        self.text_code.show_texts([text])
        count = shown.number(len(text))
        self.text_told.show_words("good", lambda: tr("Copied: {count} characters, one message.", count=count))
