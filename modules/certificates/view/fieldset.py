"""The fields of a template as editors of the kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit.choices import ChoiceField, Option
from desktop.kit.field import Field
from desktop.kit.fields import DateField, LineField, NumberField
from desktop.kit.gazetteer_field import GazetteerField
from desktop.kit.layout import column
from i18n.catalog import text


class Fieldset(QWidget):
    """One editor a field, under each other. ``edited`` after anything was typed or chosen."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, Field] = {}
        self._box: QVBoxLayout = column(spacing=12)
        self.setLayout(self._box)

    def show_fields(self, template: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> None:
        """Make the editors of ``template``'s fields, filled with ``data``."""
        while (item := self._box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.fields = {}
        for spec in template:
            field = _editor(spec)
            self.fields[spec["name"]] = field
            self._box.addWidget(field)
            field.edited.connect(self.edited)
            field.changed.connect(lambda _value: self.edited.emit())
        self.fill(data)

    def fill(self, data: Mapping[str, Any]) -> None:
        """Show ``data``; a field that it does not name stays."""
        for name, value in data.items():
            if name in self.fields:
                self.fields[name].set_value(value)

    def data(self) -> dict[str, Any]:
        """What can be read, by field name; empty fields are left out."""
        values = {name: field.value() for name, field in self.fields.items()}
        return {name: value for name, value in values.items() if value is not None}

    def show_problems(self, problems: Mapping[str, Mapping[str, str]]) -> bool:
        """Say under each field what is wrong and go to the first; True when nothing is."""
        first: Field | None = None
        for name, field in self.fields.items():
            words = text(problems[name]) if name in problems else ""
            field.set_error(words)
            first = first or (field if words else None)
        if first is not None:
            first.setFocus()
        return first is None

    def begin(self) -> None:
        """Put the cursor into the first empty field."""
        for field in self.fields.values():
            if field.value() is None:
                field.setFocus()
                return


def _editor(spec: Mapping[str, Any]) -> Field:
    label, required = spec["label"], spec["required"]
    kind = spec["type"]
    if kind == "date":
        return DateField(label, required=required)
    if kind == "sex":
        options = [Option("female", {"km": "ស្រី", "en": "Female"}), Option("male", {"km": "ប្រុស", "en": "Male"})]
        return ChoiceField(label, options, required=required)
    if kind == "number":
        return NumberField(label, least=spec["min"], most=spec["max"], required=required)
    if kind == "place":
        return GazetteerField(label, required=required)
    return LineField(label, required=required)
