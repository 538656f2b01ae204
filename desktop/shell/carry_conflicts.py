"""Conflicts: what two laptops changed without seeing each other, field by field; a person picks, nothing is overwritten unseen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.choices import ChoiceField, Option
from desktop.kit.empty import Empty
from desktop.kit.fields import LineField
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from i18n.catalog import text, tr
from i18n.errors import SalaError


class ConflictsPane(Pane):
    """One card a case; ``counted`` is told how many fields are open."""

    def __init__(self, bridge: Bridge, counted: Any = lambda _n: None) -> None:
        super().__init__(bridge)
        self._counted = counted
        self._settled = False  # just now: whoever works by keyboard goes on from here
        self.told = Banner()
        self.cases = column(spacing=16)
        self.empty = Empty(
            "check-circle",
            lambda: tr("No conflicts"),
            lambda: tr(
                "When two laptops change the same field of one case without seeing each other, both values appear here."
            ),
        )
        self.held.addWidget(self.told)
        self.held.addLayout(self.cases)
        self.held.addWidget(self.empty)
        self.end()
        self.empty.hide()

    def refresh(self) -> None:
        self.bridge.run("forms.conflicts", then=self._show)

    def _show(self, found: dict[str, Any]) -> None:
        stand: dict[str, CaseConflicts] = {}
        while item := self.cases.takeAt(0):
            widget: Any = item.widget()
            if widget.case in found["cases"]:  # nothing new about it: what was typed there and the focus stay
                stand[widget.case["id"]] = widget
            else:
                widget.deleteLater()
        for case in found["cases"]:
            self.cases.addWidget(stand.get(case["id"]) or CaseConflicts(self, case))
        self.empty.setVisible(not found["cases"])
        self._counted(int(found["fields"]))
        if self._settled:
            self._settled = False
            following = self.cases.itemAt(0)
            (following.widget().first if following else self.told).setFocus(Qt.FocusReason.OtherFocusReason)  # type: ignore[union-attr]

    def resolve(self, case: str, picks: dict[str, str], reason: str) -> None:
        """Settle these fields."""
        self.bridge.run("forms.resolve", id=case, picks=picks, reason=reason, then=self._resolved, failed=self._failed)

    def _resolved(self, done: dict[str, Any]) -> None:
        receipt = shown.plain(done["receipt"])
        self.told.show_words(
            "good", lambda: tr("{receipt}: settled. Both laptops will show the same.", receipt=receipt)
        )
        self._settled = True
        self.refresh()

    def _failed(self, error: SalaError) -> None:
        self.told.show_error(error)


class CaseConflicts(QWidget):
    """The open fields of one case, the value that stands chosen already."""

    def __init__(self, pane: ConflictsPane, case: dict[str, Any]) -> None:
        super().__init__()
        self.pane, self.case = pane, case
        now_ms = pane.bridge.session.clock.wall_ms()
        self.fields = {one["field"]: _field(one, now_ms) for one in case["fields"]}
        self.first = next(iter(self.fields.values()))
        self.reason = LineField({"km": "មូលហេតុ", "en": "Why it is right"}, required=False, longest=300)
        self.keep = Button(lambda: tr("These values are right"), kind="primary", icon="check")
        self.keep.clicked.connect(self.settle)
        self.open = Button(lambda: tr("Open the case"), kind="quiet")
        self.open.clicked.connect(lambda: pane.bridge.open("forms", case["id"]))
        title = Label(
            lambda: f"{shown.plain(case['receipt'])} · {case['person']}", size="heading", bold=True, wrap=True
        )
        what = Label(lambda: text(case["title"]), size="note", tone="soft", wrap=True)
        inner = column(
            title, what, *self.fields.values(), self.reason, row(self.keep, self.open, None, spacing=12), spacing=12,
            margins=(20, 14, 20, 16),
        )  # fmt: skip
        self.setLayout(column(Card(inner, bar="amber")))

    def settle(self) -> None:
        """Take what is chosen."""
        picks = {name: str(field.value()) for name, field in self.fields.items() if field.value()}
        self.pane.resolve(self.case["id"], picks, self.reason.value() or "")


def _field(one: dict[str, Any], now_ms: int) -> ChoiceField:
    options = [Option(value["op"], _words(value, now_ms)) for value in one["values"]]
    field = ChoiceField(one["label"], options, buttons=9)
    field.set_value(next(value["op"] for value in one["values"] if value["stands"]))
    return field


def _words(value: dict[str, Any], now_ms: int) -> Any:
    """The value, who gave it, on which laptop, and when."""

    def words() -> str:
        where = tr("this laptop") if value["here"] else tr("the other laptop")
        said = text(value["shown"]) or tr("(empty)")
        return f"{said}  —  {value['officer']}, {where}, {shown.moment(int(value['wall_ms']), now_ms)}"

    return words
