"""A flow as cards under each other: when … then … then; what each did stands inside it when there is a run to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import theme
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import Wrapped, column, holder, row
from desktop.kit.states import Chip
from desktop.kit.wrap import Label, Words
from i18n.catalog import text, tr
from modules.flows.view import looks


class Arrow(QWidget):
    """From one card to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(18)

    def sizeHint(self) -> QSize:
        return QSize(40, 18)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.tone("edge"), 1.5))
        painter.drawLine(QPointF(27, 0), QPointF(27, 12))
        painter.setBrush(theme.tone("edge"))
        painter.drawPolygon(QPolygonF([QPointF(23, 11), QPointF(31, 11), QPointF(27, 17)]))
        painter.end()


class Cards(QWidget):
    """``show_flow`` for a flow as it is, ``show_run`` for what a run or a dry run did."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards = column(spacing=0)
        self.setLayout(self._cards)

    def show_flow(self, flow: Mapping[str, Any]) -> None:
        """The definition: trigger, condition, steps with where each takes effect."""
        self._begin(flow["trigger_title"] or flow["trigger"], _conditions(flow["condition"]))
        for number, step in enumerate(flow["steps"], 1):
            self._step(number, step, ran=False)

    def show_run(self, title: Words, why: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> None:
        """The same with what happened: which tests held, what each step did or why it stopped."""
        self._begin(title, [(dict(test["says"]), bool(test["holds"])) for test in why if "says" in test])
        for number, step in enumerate(steps, 1):
            self._step(number, step, ran=True)

    def _begin(self, title: Words, tests: Sequence[tuple[Words, bool | None]]) -> None:
        while (item := self._cards.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        words = column(
            Label(lambda: tr("When this happens"), size="small", tone="soft"),
            Label(title, bold=True, wrap=True),
            spacing=0,
        )
        lines = column(words, spacing=4)
        for says, holds in tests:
            lines.addWidget(_test(says, holds))
        self._cards.addWidget(_card("clock", lines))

    def _step(self, number: int, step: Mapping[str, Any], *, ran: bool) -> None:
        chips: list[QWidget] = [Chip(looks.where_key(step["where"]))]
        if ran:
            chips.append(Chip(looks.run_key(step["state"])))
        head = column(
            Label(lambda: tr("Step {number}", number=number), size="small", tone="soft"),
            Label(step["title"], bold=True, wrap=True),
            spacing=0,
        )
        top = row(spacing=8)
        top.addLayout(head, 1)
        top.addWidget(holder(Wrapped(*chips)), 0, Qt.AlignmentFlag.AlignTop)
        lines = column(top, spacing=4)
        tests = (
            [(test["says"], test["holds"]) for test in step["why"] if "says" in test]
            if ran and step["why"]
            else _conditions(step["condition"])
        )
        for says, holds in tests:
            lines.addWidget(_test(says, holds))
        for words, tone in _outcome(step):
            lines.addWidget(Label(words, size="note", tone=tone, wrap=True))
        self._cards.addWidget(Arrow())
        self._cards.addWidget(
            _card(_icon(step["do"]), lines, bar={"done": "green", "stopped": "amber"}.get(step["state"] or "", ""))
        )


def _card(icon: str, lines: QVBoxLayout, bar: str = "") -> Card:
    line = row(spacing=12, margins=(16, 10, 14, 10))
    line.addWidget(Picture(icon, "blue", 22), 0, Qt.AlignmentFlag.AlignTop)
    line.addLayout(lines, 1)
    return Card(line, bar=bar)


def _test(says: Words, holds: bool | None) -> QWidget:
    icon, tone = ("filter", "soft") if holds is None else ("check", "green") if holds else ("close", "red")
    line = row(spacing=8)
    line.addWidget(Picture(icon, tone, 16), 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(Label(says, size="note", tone="soft" if holds is None else "ink", wrap=True), 1)
    return holder(line)


def _conditions(condition: Mapping[str, Any] | None) -> list[tuple[Words, bool | None]]:
    """The simple tests of a condition in words, not yet judged."""
    if condition is None:
        return []
    if "says" in condition:
        return [(dict(condition["says"]), None)]
    inner = [*condition.get("all", ()), *condition.get("any", ()), *([condition["not"]] if "not" in condition else ())]
    return [line for one in inner for line in _conditions(one)]


def _outcome(step: Mapping[str, Any]) -> list[tuple[Words, str]]:
    """What a step has to say for itself."""
    if step["error"]:
        error = step["error"]
        if error["km"] is None:
            return [(error["code"], "amber")]
        words = {
            language: f"{error[language]['what']} {error[language]['next']} {error['code']}"
            for language in ("km", "en")
        }
        return [(lambda: text(words), "amber")]
    if step["says"]:
        return [(dict(step["says"]), "ink")]
    if step["state"] == "untried":
        return [(value, "soft") for value in _given(step["with"])]
    return []


def _given(params: Mapping[str, Any]) -> list[str]:
    """The parameters of a step that is only described, one a line."""
    return [f"{name}: {value}" for name, value in params.items() if isinstance(value, str | int) and value != ""]


def _icon(command: str) -> str:
    """The icon of the module that does the step."""
    return (
        command.partition(".")[0]
        if command.partition(".")[0] in ("forms", "certificates", "links", "messages")
        else "play"
    )
