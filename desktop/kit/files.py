"""Choosing files and folders, in our words. Nothing waits: the answer comes by ``then``, and only when there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.kit.wrap import Words, say
from i18n.catalog import tr

Then = Callable[[Path], None]


def _dialog(parent: QWidget, title: Words, patterns: Sequence[str]) -> QFileDialog:
    dialog = QFileDialog(parent.window(), say(title))
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # the system's own speaks the system's language, not Khmer
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if patterns:
        dialog.setNameFilters([f"{tr('Fitting files')} ({' '.join(patterns)})", f"{tr('All files')} (*)"])
    return dialog


def open_file(parent: QWidget, title: Words, patterns: Sequence[str], then: Then) -> QFileDialog:
    """Ask for one existing file, such as ``("*.xlsx", "*.csv")``."""
    dialog = _dialog(parent, title, patterns)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.open()
    return dialog


def open_files(
    parent: QWidget, title: Words, patterns: Sequence[str], then: Callable[[list[Path]], None]
) -> QFileDialog:
    """Ask for one or more existing files."""
    dialog = _dialog(parent, title, patterns)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(lambda names: then([Path(name) for name in names]))
    dialog.open()
    return dialog


def save_file(parent: QWidget, title: Words, name: str, then: Then) -> QFileDialog:
    """Ask where to write ``name``; the dialog asks before it replaces a file."""
    dialog = _dialog(parent, title, ())
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.selectFile(name)
    if suffix := Path(name).suffix:
        dialog.setDefaultSuffix(suffix[1:])
    dialog.fileSelected.connect(lambda chosen: then(Path(chosen)))
    dialog.open()
    return dialog


def choose_folder(parent: QWidget, title: Words, then: Then) -> QFileDialog:
    """Ask for a folder, such as a USB stick."""
    dialog = _dialog(parent, title, ())
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.open()
    return dialog
