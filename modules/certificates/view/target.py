"""The one large target: drop, paste, choose. And the line into which a handheld scanner types."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import QWidget

from desktop.kit import icons, theme
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.field import Line
from desktop.kit.layout import column, holder, row
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Label
from i18n.catalog import tr
from modules.certificates import kh1, wedge

SETTLED_MS = 450  # a scanner that sends no Enter has finished when nothing came for so long


class ScanLine(Line):
    """Takes what a scanner types. ``scanned(text)`` on Enter, or when a whole KH1 text stands there and typing rests.

    Ctrl+V with a picture or files on the clipboard emits ``pasted``.
    """

    scanned = Signal(str)
    pasted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(icon="scan", parent=parent)
        self._rest = single_shot(self, SETTLED_MS, self._settled)
        self.textEdited.connect(lambda _text: self._rest.start())
        self.returnPressed.connect(self._send)
        self.retranslate()

    def retranslate(self) -> None:
        self.setPlaceholderText(tr("Scan the code, or type its text"))
        self.setAccessibleName(tr("Scanner"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _send(self) -> None:
        self._rest.stop()
        if text := self.text().strip("\r\n\t "):
            self.clear()
            self.scanned.emit(text)

    def _settled(self) -> None:
        try:
            kh1.read(wedge.repair(self.text())[0].rstrip(" "))
        except kh1.Damaged:
            return  # not whole yet, or typed by hand: Enter will say
        self._send()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste) and not holds_text(QGuiApplication.clipboard().mimeData()):
            self.pasted.emit()
        else:
            super().keyPressEvent(event)


class Target(Card):
    """A large card that takes files, pictures and text. ``chosen_file``, ``chosen_folder``, ``paste`` are its buttons."""

    chosen_file = Signal()
    chosen_folder = Signal()
    paste = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(fill="surface", line="", parent=parent)
        self._over = False
        self._medal = _Medal()
        self.heading = Label(lambda: tr("Drop a certificate here"), size="title", bold=True)
        self.note = Label(lambda: tr("PDF, picture, folder, or the text of its code"), size="body", tone="soft")
        self.file = Button(lambda: tr("Choose a file"), icon="file", key="Ctrl+O")
        self.folder = Button(lambda: tr("Choose a folder"), icon="folder")
        self.clip = Button(lambda: tr("Paste"), icon="copy", key="Ctrl+V")
        self.file.clicked.connect(self.chosen_file)
        self.folder.clicked.connect(self.chosen_folder)
        self.clip.clicked.connect(self.paste)
        block = column(spacing=4)
        middle = Qt.AlignmentFlag.AlignHCenter
        block.addStretch(1)
        block.addWidget(self._medal, 0, middle)
        block.addSpacing(8)
        for label in (self.heading, self.note):
            label.setAlignment(middle)
            block.addWidget(label, 0, middle)
        block.addSpacing(16)
        block.addWidget(holder(row(None, self.file, self.folder, self.clip, None, spacing=12)))
        block.addStretch(1)
        block.setContentsMargins(24, 16, 24, 16)
        self.setLayout(block)

    def show_busy(self, busy: bool) -> None:
        """Say that a check is under way."""
        self.heading.say((lambda: tr("Checking…")) if busy else (lambda: tr("Drop a certificate here")))

    def show_over(self, over: bool) -> None:
        """Something is held over the page."""
        self._over = over
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.tone("blue" if self._over else "edge"), 2 if self._over else 1.4)
        pen.setStyle(Qt.PenStyle.DashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(theme.tone("blue_soft" if self._over else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.radius(), theme.radius())
        painter.end()


class _Medal(QWidget):
    """The seal on its soft disc."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(88, 88)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("blue_soft"))
        painter.drawEllipse(QRectF(self.rect()))
        icons.draw(painter, QRectF(22, 22, 44, 44), "certificates", "blue")
        painter.end()


class Taker(QWidget):
    """A page part that anything may be dropped on: ``taken(source)`` gets a text or bytes, ``files(paths)`` the files."""

    taken = Signal(object)
    files = Signal(list)
    over = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)

    def take(self, data: QMimeData) -> bool:
        """Take what a drop or the clipboard holds; False when there is nothing for us."""
        paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if paths:
            self.files.emit([Path(path) for path in paths])
        elif data.hasImage():
            self.taken.emit(_png(QImage(data.imageData())))
        elif data.hasText() and data.text().strip():
            self.taken.emit(data.text())
        else:
            return False
        return True

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if data.hasUrls() or data.hasImage() or data.hasText():
            event.acceptProposedAction()
            self.over.emit(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.over.emit(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.over.emit(False)
        if self.take(event.mimeData()):
            event.acceptProposedAction()


def holds_text(data: QMimeData | None) -> bool:
    """Whether the clipboard holds plain text and neither files nor a picture."""
    return (
        data is not None
        and data.hasText()
        and not data.hasImage()
        and not any(url.isLocalFile() for url in data.urls())
    )


def _png(image: QImage) -> bytes:
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(held.data())
