"""The answers of a case to read: section by section, attachments as buttons, then changes and the history of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.icons import Picture
from desktop.kit.layout import column, holder, row
from desktop.kit.states import Chip
from desktop.kit.wrap import Label, Words
from i18n.catalog import language, tr
from modules.forms import words
from modules.forms.definition import Definition, Field, trusted
from modules.forms.view.side import clear

DEEDS: Mapping[str, Mapping[str, str]] = {
    "forms.submission": {"km": "បានបញ្ចប់", "en": "Finished"},
    "forms.correction": {"km": "បានកែតម្រូវ", "en": "Corrected"},
    "forms.withdrawal": {"km": "បានដកវិញ", "en": "Withdrawn"},
}


class Answers(QWidget):
    """``show_case(case)`` builds it anew; ``file_wanted(file)`` when an attachment is to be seen."""

    file_wanted = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case: Mapping[str, Any] | None = None
        self._column = column(spacing=4, margins=(0, 4, 8, 8))
        self.setLayout(self._column)

    def show_case(self, case: Mapping[str, Any]) -> None:
        """A case as ``forms.show`` gives it."""
        self._case = case
        self.retranslate()

    def retranslate(self) -> None:
        """Everything again, in the present language."""
        clear(self._column)
        if self._case is None:
            return
        form = trusted(self._case["definition"])
        shown_ids = set(self._case["shown"])
        for section in form.sections:
            fields = [field for field in section.fields if field.id in shown_ids and field.type != "fee"]
            if any(self._case["answers"].get(field.id) is not None for field in fields):
                self._column.addWidget(_heading(section.title))
                for field in fields:
                    self._answer(field)
        self._changes(form)
        self._history()
        self._column.addStretch(1)

    def _answer(self, field: Field) -> None:
        assert self._case is not None
        value = self._case["answers"].get(field.id)
        if value is None:
            return
        if field.type != "attachment":
            self._column.addWidget(_line(field.label, words.shown(field, value, language(), shown.digits())))
            return
        for file in value:
            button = Button(
                file["name"], kind="quiet", icon="image" if file["media"] != "application/pdf" else "file", small=True
            )
            button.setToolTip(tr("Show {file}", file=file["name"]))
            button.clicked.connect(lambda _on=False, file=file: self.file_wanted.emit(dict(file)))
            self._column.addWidget(_line(field.label, button))

    def _changes(self, form: Definition) -> None:
        assert self._case is not None
        changes = [change for change in self._case["changes"] if change["kind"] == "correction"]
        if not changes:
            return
        self._column.addWidget(_heading(lambda: tr("Corrections")))
        for change in changes:
            when = shown.moment(change["wall_ms"], 0)
            self._column.addWidget(
                Label(f"{when} · {change['officer_name']} · «{change['reason']}»", size="small", tone="soft", wrap=True)
            )
            for id, after in change["after"].items():
                field = form.field(id)
                old = words.shown(field, change["before"].get(id), language(), shown.digits()) or "—"
                new = words.shown(field, after, language(), shown.digits()) or "—"
                self._column.addWidget(_line(field.label, f"{old} → {new}"))

    def _history(self) -> None:
        """Who did what when, and how far each record has come."""
        assert self._case is not None
        self._column.addWidget(_heading(lambda: tr("History")))
        reasons = {change["op"]: change["reason"] for change in self._case["changes"] if change["kind"] == "withdrawal"}
        for event in self._case["history"]:
            chip = Chip()
            chip.show_state(event["state"])
            said = [shown.moment(event["wall_ms"], 0), shown.doubt(event.get("clock", "")), event["officer_name"]]
            if reason := reasons.get(event["op"]):
                said.append(f"«{reason}»")
            line = row(Picture("history", "soft", 16), spacing=8)
            line.addWidget(
                Label(DEEDS.get(event["kind"], {"km": event["kind"], "en": event["kind"]}), size="note", bold=True)
            )
            line.addWidget(Label(" · ".join(part for part in said if part), size="small", tone="soft", wrap=True), 1)
            line.addWidget(chip)
            self._column.addWidget(holder(line))


def _heading(title: Words) -> QWidget:
    label = Label(title, size="label", tone="blue", bold=True)
    label.setContentsMargins(0, 8, 0, 2)
    return label


def _line(label: Words, value: str | QWidget) -> QWidget:
    """A label and what was said, on one line; both wrap."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    name = Label(label, size="note", tone="soft", wrap=True)
    name.setFixedWidth(theme.scaled(150))
    grid.addWidget(name, 0, 0, Qt.AlignmentFlag.AlignTop)
    if isinstance(value, str):
        said: QWidget = Label(value, size="note", wrap=True)
        policy = said.sizePolicy()  # keeps that its height follows its width
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
        said.setSizePolicy(policy)
    else:
        said = holder(row(value, None))
    grid.addWidget(said, 0, 1)
    grid.setColumnStretch(1, 1)
    return holder(grid)
