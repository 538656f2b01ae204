"""The ways by which codes come in: picture files, a picture in the clipboard, a hand-held scanner that types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QBuffer, QIODevice, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.fields import LineField
from desktop.kit.files import open_files
from desktop.kit.layout import Wrapped, column
from desktop.kit.wrap import Label, Words
from i18n.catalog import tr
from i18n.errors import SalaError

PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.bmp")


class Works(Protocol):
    """Who runs a call off the GUI thread: the desk, or the door while Sala is locked."""

    def work(
        self, call: Callable[[], Any], *, then: Callable[[Any], None] | None = None,
        failed: Callable[[SalaError], None] | None = None,
    ) -> None: ...  # fmt: skip


class CodesIn(QWidget):
    """``read`` carries the texts that were found; ``failed`` why none were. Frames of a set are gathered until it is whole."""

    read = Signal(list)
    failed = Signal(object)  # SalaError

    def __init__(self, bridge: Works, label: Words, *, wants: Callable[[str], bool]) -> None:
        super().__init__()
        self.bridge, self._wants = bridge, wants
        self.open = Button(lambda: tr("Read from pictures…"), icon="image")
        self.paste = Button(lambda: tr("Paste a picture or text"), icon="copy")
        self.open.clicked.connect(self._ask)
        self.paste.clicked.connect(self._take_clipboard)
        self.scan = LineField(label, icon="scan", longest=4_400, required=False)
        self.scan.on_enter = self._typed
        self.heard = Label("", size="note", tone="soft", wrap=True)
        self.heard.setVisible(False)
        self._texts: list[str] = []
        self.setLayout(column(Wrapped(self.open, self.paste, spacing=8), self.scan, self.heard, spacing=8))

    def _ask(self) -> None:
        open_files(self, lambda: tr("Choose the pictures"), PICTURES, self.take_files)

    def take_files(self, files: list[Path]) -> None:
        """Look for codes in picture files."""
        from modules import carry

        self.bridge.work(lambda: carry.picture_texts(files), then=self.take_texts, failed=self.failed.emit)

    def _take_clipboard(self) -> None:
        board = QGuiApplication.clipboard()
        image = board.image()
        if image.isNull():
            self.take_texts(board.text().splitlines() if board.text().startswith("SALA:Q1:") else [board.text()])
            return
        from sync import qrpicture

        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]
        data = bytes(buffer.data().data())
        self.bridge.work(lambda: qrpicture.texts(data), then=self.take_texts, failed=self.failed.emit)

    def _typed(self) -> None:
        text = self.scan.text()
        self.scan.set_value(None)
        if text:
            self.take_texts([text])

    def take_texts(self, texts: list[str]) -> None:
        """What codes said. When a set is whole, ``read``; else how many are still missing."""
        from sync import qrframes

        wanted = [text for text in texts if self._wants(text)]
        if not wanted:
            self.failed.emit(SalaError("SY-452"))
            return
        if not all(text.startswith(qrframes.PREFIX) for text in wanted):
            self.read.emit(wanted[:1])
            return
        self._texts += wanted
        collector = qrframes.Collector()
        for text in self._texts:
            collector.add(text)
        missing, total = collector.missing, collector.total
        self.heard.say(
            lambda: tr(
                "{missing} of {total} codes are still missing.",
                missing=shown.number(missing),
                total=shown.number(total),
            )
        )
        self.heard.setVisible(bool(missing))
        if not missing:
            texts, self._texts = self._texts, []
            self.read.emit(texts)
