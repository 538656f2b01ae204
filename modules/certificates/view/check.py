"""Check: one target takes everything, the verdict fills the page, the next scan is always possible."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from desktop.kit import files
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.layout import column, row
from desktop.kit.timers import single_shot
from i18n.catalog import tr
from i18n.errors import SalaError
from modules.certificates.sources import SUFFIXES
from modules.certificates.view.batch import Batch
from modules.certificates.view.pile import Pile
from modules.certificates.view.target import ScanLine, Taker, Target
from modules.certificates.view.verdict import VerdictView
from modules.certificates.view.waiting import Waiting

BUSY_MS = 200  # a check that takes longer says that it is under way


class CheckPane(Taker):
    """The default pane of the page."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._turn = 0
        self.target = Target()
        self.verdict = VerdictView()
        self.batch = Batch(desk)
        self.waiting = Waiting(desk)
        self.stack = Pile()
        for part in (self.target, self.verdict, self.batch, self.waiting):
            self.stack.addWidget(part)
        self.scan = ScanLine()
        self.again = Button(lambda: tr("Check another"), kind="primary", key="F9")
        self.list = Button("", icon="question")
        self.again.clicked.connect(self.begin)
        self.list.clicked.connect(self.show_waiting)
        foot = row(self.again, self.list, spacing=12)
        foot.addWidget(self.scan, 1)
        self.setLayout(column(self.stack, foot, spacing=12))
        self._busy = single_shot(self, BUSY_MS, lambda: self.target.show_busy(True))
        self._connect()
        self.list.setVisible(False)
        self._show(self.target)

    def _connect(self) -> None:
        self.scan.scanned.connect(self.check)
        self.scan.pasted.connect(self._paste)
        self.taken.connect(self.check)
        self.files.connect(self._files)
        self.over.connect(self.target.show_over)
        self.target.chosen_file.connect(self._choose_file)
        self.target.chosen_folder.connect(self._choose_folder)
        self.target.paste.connect(self._paste)
        self.verdict.compared.connect(
            lambda check, same: self._desk.run("certificates.compared", check=check, same=same)
        )
        self.batch.opened.connect(self.check)
        self.waiting.counted.connect(self._counted)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Open), self, self._choose_file)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self, self._paste)

    # What is shown

    def _show(self, part: QWidget) -> None:
        self.stack.setCurrentWidget(part)
        self.again.setVisible(part is not self.target)
        self.scan.setFocus()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.scan.setFocus()

    def begin(self) -> None:
        """Ready for the next one."""
        self._turn += 1  # an answer that is still under way is not wanted any more
        self._busy.stop()
        self.target.show_busy(False)
        self.scan.clear()
        self._show(self.target)

    def show_waiting(self) -> None:
        """The addresses that wait for an online check."""
        self._show(self.waiting)
        self.waiting.read()

    def read(self) -> None:
        """The page comes to the front, or something changed."""
        self.waiting.read()

    def _counted(self, count: int) -> None:
        from desktop.kit import shown

        figure = shown.number(count)
        self.list.say(
            lambda: (
                tr("{count} waits for an online check", count=figure)
                if count == 1
                else tr("{count} wait for an online check", count=figure)
            )
        )
        self.list.setVisible(count > 0 and self.stack.currentWidget() is not self.waiting)

    # What is taken

    def check(self, source: object) -> None:
        """Check one text, path or picture."""
        if not isinstance(source, str | bytes):
            return
        self._turn += 1
        turn = self._turn
        self._desk.idle_touch()
        self._busy.start()
        if self.stack.currentWidget() is self.verdict:
            self._show(self.target)
        self._desk.run(
            "certificates.check",
            then=lambda report: self._judged(turn, report),
            failed=lambda error: self._refused(turn, error),
            source=source,
        )

    def _judged(self, turn: int, report: Mapping[str, Any]) -> None:
        if turn != self._turn:
            return
        self._busy.stop()
        self.target.show_busy(False)
        self.verdict.show_report(report)
        self._show(self.verdict)
        self.waiting.read()
        if report["sound"]:
            _sound(report["level"])

    def _refused(self, turn: int, error: SalaError) -> None:
        if turn == self._turn:
            self.begin()
            self._desk.show_error(error)

    def _files(self, paths: list[Path]) -> None:
        if len(paths) == 1 and not paths[0].is_dir():
            self.check(str(paths[0]))
        elif len(paths) == 1:
            self._folder(paths[0])
        else:
            self._many([path for path in paths if path.is_file()])

    def _many(self, paths: list[Path]) -> None:
        self._turn += 1
        self._show(self.batch)
        self.batch.start(paths)

    def _folder(self, folder: Path) -> None:
        self._desk.run(
            "certificates.folder",
            then=lambda found: self._many([Path(path) for path in found["paths"]]),
            folder=str(folder),
        )

    def _choose_file(self) -> None:
        patterns = [f"*{suffix}" for suffix in sorted(SUFFIXES)]
        files.open_file(self, lambda: tr("Check a certificate"), patterns, lambda path: self.check(str(path)))

    def _choose_folder(self) -> None:
        files.choose_folder(self, lambda: tr("Check a folder"), self._folder)

    def _paste(self) -> None:
        data = QGuiApplication.clipboard().mimeData()
        if not isinstance(data, QMimeData) or not self.take(data):
            self._desk.show_note(tr("There is nothing on the clipboard to check"))


def _sound(level: str) -> None:
    """One tone for green, two for everything else: heard without looking."""
    QApplication.beep()
    if level != "green":
        QTimer.singleShot(250, QApplication.beep)
