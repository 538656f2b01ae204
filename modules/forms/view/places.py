"""Questions made of two lines: a name with its Latin twin, and an address with house and street."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from desktop.kit.field import Field, Line
from desktop.kit.gazetteer_field import GazetteerField
from desktop.kit.layout import row
from desktop.kit.pick import Pick
from desktop.kit.wrap import Words
from i18n import gazetteer
from i18n.catalog import tr
from i18n.gazetteer import Level


class NameField(Field):
    """A Khmer name and its Latin twin beside it. Value ``{"km", "latin"}`` as typed, None when both are empty."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        self.khmer, self.latin = Line(icon="person"), Line()
        pair = QWidget()
        pair.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        pair.setLayout(row(self.khmer, self.latin, spacing=12))
        super().__init__(label, pair, note=note, required=required)
        self.setFocusProxy(self.khmer)
        for line in self.stops():
            line.installEventFilter(self)
        for typed in (self.khmer, self.latin):
            typed.setMaxLength(200)
            typed.textEdited.connect(self._typed)
        self._words()

    def stops(self) -> list[QWidget]:
        return [self.khmer, self.latin]

    def value(self) -> Any:
        pair = {
            "km": self.khmer.text(),
            "latin": self.latin.text(),
        }  # zero-width spaces stay: cleaning makes them spaces
        return pair if any(part.strip() for part in pair.values()) else None

    def set_value(self, value: Any) -> None:
        pair = value if isinstance(value, dict) else {"km": str(value or ""), "latin": ""}
        self.khmer.setText(str(pair.get("km") or ""))
        self.latin.setText(str(pair.get("latin") or ""))
        self.set_error("")

    def _mark(self, wrong: bool) -> None:
        for line in (self.khmer, self.latin):
            line.mark(wrong)

    def _words(self) -> None:
        self.khmer.setPlaceholderText(tr("Khmer letters"))
        self.latin.setPlaceholderText(tr("Latin letters"))

    def _name(self) -> None:
        super()._name()
        for line, side in ((self.khmer, tr("Khmer letters")), (self.latin, tr("Latin letters"))):
            line.setAccessibleName(f"{self.editor.accessibleName()}: {side}")

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                if self.khmer.hasFocus() and not shift:
                    self.latin.setFocus(Qt.FocusReason.TabFocusReason)
                    return True
                if self.latin.hasFocus() and shift:
                    self.khmer.setFocus(Qt.FocusReason.BacktabFocusReason)
                    return True
        return super()._key(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and QApplication.focusWidget() in self.stops():
            return False  # from one half to the other: the field is not left
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._words()
        super().changeEvent(event)


class NearField(GazetteerField):
    """A place; those of the office's own district come first, as most applicants live there."""

    def __init__(self, label: Words, *, office: str, level: Level, note: Words = "", required: bool = True) -> None:
        self._office = office if _known(office) else None
        super().__init__(label, level=level, note=note, required=required)

    def _places(self, typed: str, limit: int) -> Sequence[Pick]:
        found = list(super()._places(typed, limit))
        if self._office is None or self._within is not None:
            return found
        if not typed:
            near = gazetteer.children(self._office)
        else:
            near = gazetteer.search(typed, level=self.level, within=self._office, limit=limit)
        first = [self._pick(unit) for unit in near]
        return [*first, *(pick for pick in found if pick.value not in {one.value for one in first})][:limit]

    def show_typed(self, words: str) -> None:
        """Words that name no place yet, as they were typed before a power cut."""
        self.set_value(None)
        self.line.setText(words)


def _known(code: str) -> bool:
    try:
        gazetteer.unit(code)
    except KeyError:
        return False
    return True
