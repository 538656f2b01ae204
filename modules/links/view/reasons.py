"""The verdict on an address: where it leads, or every reason against it, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.icons import Picture
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.wrap import Label, Words
from i18n.catalog import text, tr

TALLEST = 220  # pixels at 100 %: more reasons scroll


class Reasons(QWidget):
    """``chosen(code)``: the person wants to see the link that leads there already."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = column(spacing=6)
        self._scroll = Scroll(holder(self._lines))
        self.setLayout(column(self._scroll))
        self.hide()

    def clear(self) -> None:
        self._empty()
        self.hide()

    def show_verdict(self, verdict: Mapping[str, Any]) -> None:
        """What ``links.check`` has found."""
        self._empty()
        for problem in verdict["problems"]:
            self._line("error", "red", _what(problem), _next(problem))
        if verdict["ok"]:
            host = verdict["domain"] if verdict["domain"] == verdict["host"] else verdict["host"]
            self._line("check", "green", lambda: tr("Leads to {host}", host=host), "")
        for known in verdict["known"]:
            self._known(known)
        self.show()
        self._fit()
        self.setAccessibleName("; ".join(label.words() for label in self.findChildren(Label)))

    def _line(self, icon: str, tone: str, what: Words, more: Words) -> None:
        words = column(Label(what, size="note", wrap=True, bold=tone == "red"), spacing=0)
        if more:
            words.addWidget(Label(more, size="note", tone="soft", wrap=True))
        line = row(spacing=10)
        line.addWidget(Picture(icon, tone, 20), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self._lines.addWidget(holder(line))

    def _known(self, known: Mapping[str, Any]) -> None:
        code = str(known["code"])
        open_it = Button(lambda: tr("Use it"), kind="quiet", small=True)
        open_it.clicked.connect(lambda: self.chosen.emit(code))
        line = row(spacing=10)
        line.addWidget(Picture("info", "amber", 20))
        line.addWidget(Label(lambda: tr("The link {code} leads there already", code=code), size="note", wrap=True), 1)
        line.addWidget(open_it)
        self._lines.addWidget(holder(line))

    def _empty(self) -> None:
        box = self._lines
        assert isinstance(box, QVBoxLayout)
        while (item := box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()

    def _fit(self) -> None:
        wanted = (
            self._lines.heightForWidth(max(self.width(), 200))
            if self._lines.hasHeightForWidth()
            else self._lines.sizeHint().height()
        )
        self._scroll.setFixedHeight(min(wanted + 2, theme.scaled(TALLEST)))

    def retheme(self) -> None:
        if not self.isHidden():
            self._fit()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if not self.isHidden():
            self._fit()


def _what(problem: Mapping[str, Any]) -> Words:
    return lambda: f"{text({language: problem[language]['what'] for language in ('km', 'en')})}  {problem['code']}"


def _next(problem: Mapping[str, Any]) -> Words:
    return lambda: text({language: problem[language]["next"] for language in ("km", "en")})
