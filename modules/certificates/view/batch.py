"""Many files at once: a quiet list that fills while it is read, and can be stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.layout import column, row
from desktop.kit.states import STATES, State
from desktop.kit.table import Column, Table
from desktop.kit.wrap import Label
from i18n.catalog import Text, text, tr
from i18n.errors import SalaError
from modules.certificates.view import looks

HANDFUL = 5  # files of one command: the list moves on, and stopping takes no time

_WORDS: Mapping[str, Text] = {
    "green": {"km": "ពិតប្រាកដ", "en": "genuine"},
    "amber": {"km": "ពិតប្រាកដ មានកំណត់ចំណាំ", "en": "genuine, with a reserve"},
    "red": {"km": "មិនទទួលយក", "en": "not to be accepted"},
    "grey": {"km": "មិនបានពិនិត្យ", "en": "not checked"},
}
_SIGNS = {"green": "check-circle", "amber": "clock", "red": "error", "grey": "question"}
for _level, _word in _WORDS.items():
    STATES.setdefault(f"verdict.{_level}", State(_SIGNS[_level], _level, f"{_level}_soft", _word))


class Batch(QWidget):
    """Checks a list of files. ``opened(path)``: show this one whole."""

    opened = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._waiting: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._total = 0
        self.words = Label("", size="heading", bold=True)
        self.counts = Label("", size="note", tone="soft")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.stop = Button(lambda: tr("Stop"), icon="stop", small=True)
        self.stop.clicked.connect(self._stop)
        self.table = Table(
            [
                Column("level", {"km": "លទ្ធផល", "en": "Result"}, 190, kind="state"),
                Column("words", {"km": "អំពី", "en": "About"}),
                Column("number", {"km": "លេខ", "en": "Number"}, 135),
                Column("name", {"km": "ឈ្មោះ", "en": "Name"}, 135),
                Column("file", {"km": "ឯកសារ", "en": "File"}, 135, kind="soft"),
            ],
            name={"km": "លទ្ធផលពិនិត្យ", "en": "Results of the check"},
        )
        self.table.opened.connect(self.opened)
        head = row(column(self.words, self.counts, spacing=0), None, self.stop, spacing=12)
        self.setLayout(column(head, self.bar, Card(column(self.table, margins=(1, 4, 1, 4))), spacing=10))

    def start(self, paths: Sequence[Path]) -> None:
        """Check ``paths``, a few at a time."""
        self._waiting, self._rows, self._total = [str(path) for path in paths], [], len(paths)
        self.table.show_records([])
        self.stop.setVisible(True)
        self.bar.setVisible(True)
        self._say()
        self._next()
        self.table.setFocus()

    def _next(self) -> None:
        handful, self._waiting = self._waiting[:HANDFUL], self._waiting[HANDFUL:]
        if handful:
            self._desk.run("certificates.check_files", then=self._take, failed=self._failed, paths=handful)
        else:
            self._done()

    def _take(self, result: Mapping[str, Any]) -> None:
        self._rows += [self._row(row) for row in result["rows"]]
        chosen = self.table.current_id()
        self.table.show_records(self._rows)
        self.table.choose(chosen) if chosen else self.table.choose_row(0)
        self._say()
        self._next()

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        number = looks.digits(row["number"])
        return {
            **row,
            "id": row["path"],
            "level": f"verdict.{row['level']}",
            "number": number,
            "words": looks.digits(text(row["title"])),
        }

    def _failed(self, error: SalaError) -> None:
        self._stop()
        self._desk.show_error(error)

    def _stop(self) -> None:
        self._waiting = []
        self._done()

    def _done(self) -> None:
        self.stop.setVisible(False)
        self.bar.setVisible(False)
        self._say()

    def _say(self) -> None:
        done, total = len(self._rows), self._total
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        self.bar.setAccessibleName(tr("Checked {done} of {total}", done=done, total=total))
        self.words.say(lambda: tr("Checked {done} of {total}", done=shown.number(done), total=shown.number(total)))
        self.counts.say(self._summary)

    def _summary(self) -> str:
        parts = []
        for level, word in _WORDS.items():
            count = sum(row["level"] == f"verdict.{level}" for row in self._rows)
            if count:
                parts.append(f"{text(word)} {shown.number(count)}")
        return " · ".join(parts)
