"""The text: typed with its fields, kept while one types, counted as networks count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.fields import ChoiceField, LineField, NoteField, Option
from desktop.kit.layout import Wrapped, column, holder
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Label
from i18n.catalog import text, tr

KEEP_MS = 700  # after the last key


class Writing(QWidget):
    """``typed()`` when there is something to keep. ``values()`` is what stands there."""

    typed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._header: tuple[str, ...] = ()
        self._texts: dict[str, str] = {}
        self.title = LineField({"km": "ចំណងជើង", "en": "Title"}, required=False, longest=200)
        self.area = NoteField({"km": "អត្ថបទសារ", "en": "Text"}, lines=4, longest=4_000)
        self.fields = Wrapped(spacing=6)
        self._fields = holder(self.fields)
        self.count = Label("", size="note", tone="soft", wrap=True)
        self.ready: ChoiceField | None = None
        self._ready = column()
        self.setLayout(column(self.title, self._ready, self.area, self._fields, self.count, spacing=8))
        self._soon = single_shot(self, KEEP_MS, self.typed.emit)
        for field in (self.title, self.area):
            field.edited.connect(lambda: self._soon.start())
        self._fields.hide()
        desk.run("messages.notices", then=self._show_notices)

    def values(self) -> dict[str, str]:
        return {"title": self.title.value() or "", "template": self.area.value() or ""}

    def pending(self) -> bool:
        """Whether something typed is not kept yet."""
        return self._soon.isActive()

    def kept(self) -> None:
        self._soon.stop()

    def show_campaign(self, campaign: Mapping[str, Any], *, words: bool) -> None:
        """Show what is kept; with ``words`` also the text itself (not while the person types)."""
        if words:
            self.title.set_value(campaign["title"])
            self.area.set_value(campaign["template"])
            self._soon.stop()
        fault = campaign["fault"]
        problem = {lang: f"{fault[lang]['what']} {fault[lang]['next']}" for lang in ("km", "en")} if fault else None
        self.area.set_error(text(problem) if problem and campaign["template"] else "")
        locked = campaign["state"] == "released"
        for field in (self.title, self.area):
            field.set_locked(locked)
        if self.ready is not None:
            self.ready.setVisible(not locked and not campaign["template"])
        self._show_fields(() if locked else campaign["header"])

    def show_count(self, counted: Mapping[str, Any]) -> None:
        """What ``messages.preview`` or ``messages.segments`` says of one text."""
        self.count.say(
            lambda: tr(
                "{units} signs ({encoding}) · {segments} parts · {cost} each",
                units=shown.number(counted["units"]), encoding=counted["encoding"], segments=shown.number(counted["segments"]),
                cost=shown.riel(counted["cost"]),
            )
        )  # fmt: skip

    def clear(self) -> None:
        """A new message."""
        self._soon.stop()
        self.title.set_value(None)
        self.area.set_value(None)
        self.count.say("")
        for field in (self.title, self.area):
            field.set_locked(False)
        if self.ready is not None:
            self.ready.set_value(None)
            self.ready.show()
        self._show_fields(())

    def _show_fields(self, header: Sequence[str]) -> None:
        """One button a column of the table: it writes the field where the cursor stands."""
        names = tuple(name for name in header)
        if names == self._header:
            return
        self._header = names
        while (item := self.fields.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for name in names:
            button = Button(f"{{{{{name}}}}}", kind="quiet", small=True)
            button.clicked.connect(lambda _checked=False, field=name: self._insert(field))
            self.fields.addWidget(button)
            button.show()
        self._fields.setVisible(bool(names))

    def _insert(self, name: str) -> None:
        self.area.area.textCursor().insertText(f"{{{{{name}}}}}")
        self.area.area.setFocus()

    def _show_notices(self, found: Mapping[str, Any]) -> None:
        self._texts = {notice["id"]: notice["text"] for notice in found["notices"]}
        options = [Option(notice["id"], notice["title"]) for notice in found["notices"]]
        self.ready = ChoiceField(
            {"km": "ចាប់ផ្ដើមពីអត្ថបទគំរូ", "en": "Begin from a ready text"}, options, required=False, buttons=0
        )
        self.ready.changed.connect(self._take_ready)
        self._ready.addWidget(self.ready)
        self.ready.setVisible(not self.area.value())

    def _take_ready(self, id: str | None) -> None:
        if id and not self.area.value():
            self.area.set_value(self._texts[id])
            if self.ready is not None:
                self.ready.hide()
            self.typed.emit()
            self.area.area.setFocus()
