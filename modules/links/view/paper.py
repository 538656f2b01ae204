"""Paper of links as it will be printed: a poster of one, or label sheets of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.layout import column, row
from desktop.kit.preview import Preview
from desktop.kit.wrap import Label
from i18n.catalog import tr


class Paper(QWidget):
    """``closed`` when the person goes back to the list."""

    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._codes: list[str] = []
        self._poster = False
        self._pdf = b""
        self.what = Label("", size="heading", bold=True)
        self.back = Button(lambda: tr("Back to the list"), icon="arrow-left", key="Esc")
        self.save = Button(lambda: tr("Save as PDF"), icon="file")
        self.print = Button(lambda: tr("Print"), kind="primary", icon="print", key="Ctrl+P")
        self.preview = Preview(name=lambda: tr("Preview"))
        self.back.clicked.connect(self.closed)
        self.save.clicked.connect(self._save)
        self.print.clicked.connect(self._print)
        page = column(row(self.back, 8, self.what, None, self.save, self.print, spacing=12), spacing=12)
        page.addWidget(self.preview, 1)
        self.setLayout(page)

    def show_labels(self, codes: Sequence[str]) -> None:
        """Label sheets of ``codes``."""
        self._codes, self._poster = list(codes), False
        self.what.say(lambda: tr("Labels of {count} links", count=len(self._codes)))
        self._make()

    def show_poster(self, code: str) -> None:
        """A poster of ``code``."""
        self._codes, self._poster = [code], True
        self.what.say(lambda: tr("Poster of {code}", code=code))
        self._make()

    def _make(self) -> None:
        self._pdf = b""
        self.preview.clear()
        for button in (self.save, self.print):
            button.setEnabled(False)
        self._desk.run("links.paper", then=self._take, codes=self._codes, poster=self._poster)

    def _take(self, pdf: bytes) -> None:
        self._pdf = pdf
        self.preview.show_pdf(pdf)
        for button in (self.save, self.print):
            button.setEnabled(True)
        self.print.setFocus()

    def _save(self) -> None:
        from desktop.kit.files import save_file

        name = f"{self._codes[0]}.pdf" if self._poster else "links.pdf"
        save_file(self, lambda: tr("Save as PDF"), name, self._write)

    def _write(self, out: Path) -> None:
        def done(made: Mapping[str, Any]) -> None:
            self._desk.show_note(tr("Saved: {path}", path=made["path"]))

        if self._poster:
            self._desk.run("links.qr", then=done, code=self._codes[0], out=str(out))
        else:
            self._desk.run("links.sheet", then=done, codes=self._codes, out=str(out))

    def _print(self) -> None:
        from desktop.kit.printing import print_pdf

        if self._pdf:
            print_pdf(self, self._pdf)
