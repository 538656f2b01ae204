"""Photos and scans of one question: what is attached, a button and a place to drop more, each one can be taken away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit.button import Button, IconButton
from desktop.kit.card import Card
from desktop.kit.field import Field
from desktop.kit.files import open_files
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label, Words
from i18n.catalog import tr
from modules.forms.attachments import megabytes
from modules.forms.view.side import clear

PATTERNS = ("*.jpg", "*.jpeg", "*.png", "*.pdf")


class FileRow(QWidget):
    """One attached file: its name, its size, and taking it away."""

    taken_away = Signal(str)

    def __init__(self, file: dict[str, Any]) -> None:
        super().__init__()
        picture = Picture("file" if file["media"] == "application/pdf" else "image", "blue", 20)
        name = Label(file["name"], size="note")
        name.setMinimumWidth(40)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name.setToolTip(file["name"])
        size = Label(f"{megabytes(max(file['size'], 100_000))} MB", size="small", tone="soft")
        self.button = IconButton("close", lambda: tr("Take {file} away", file=file["name"]))
        self.button.clicked.connect(lambda: self.taken_away.emit(file["blob"]))
        layout = row(picture, spacing=8, margins=(4, 0, 0, 0))
        layout.addWidget(name, 1)
        layout.addWidget(size)
        layout.addWidget(self.button)
        self.setLayout(layout)


class FilesField(Field):
    """Value: the list of files as the draft holds them. ``wanted(paths)`` asks for attaching, ``unwanted(blob)`` for removal."""

    wanted = Signal(list)
    unwanted = Signal(str)

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        self._files: list[dict[str, Any]] = []
        self._rows = column(spacing=2)
        self.button = Button(lambda: tr("Attach a picture or scan"), icon="attach", small=True, key="Space")
        self._drop = Label(lambda: tr("or drop it here"), size="small", tone="soft")
        frame = Card(
            column(self._rows, row(self.button, self._drop, None, spacing=12), spacing=6, margins=(10, 8, 10, 8))
        )
        frame.setAcceptDrops(True)
        super().__init__(label, frame, note=note, required=required)
        self.setFocusProxy(self.button)
        self.button.installEventFilter(self)
        self.button.clicked.connect(self.choose)

    def stops(self) -> list[QWidget]:
        return [self.button]

    def value(self) -> Any:
        return self._files or None

    def set_value(self, value: Any) -> None:
        self._files = list(value or ())
        clear(self._rows)
        for file in self._files:
            shown = FileRow(file)
            shown.taken_away.connect(self.unwanted)
            self._rows.addWidget(shown)
        self.set_error("")

    def choose(self) -> None:
        """Ask which files."""
        open_files(self, lambda: tr("Attach a picture or scan"), PATTERNS, self._chosen)

    def _chosen(self, paths: Sequence[Path]) -> None:
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.wanted.emit([str(path) for path in paths])

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if watched is self.editor and event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            if event.mimeData().hasUrls():
                event.acceptProposedAction()
            return True
        if watched is self.editor and event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.wanted.emit([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
            event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)
