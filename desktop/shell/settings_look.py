"""Language, text size, colours, digits. Every change is seen at once and kept for this officer."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.fields import ChoiceField, Option
from desktop.kit.layout import column
from desktop.shell.settings_parts import Pane
from i18n import catalog
from i18n.catalog import tr

SIZES = (100, 125, 150, 175, 200)
LOCK_MINUTES = (5, 10, 20, 30)


class LookPane(Pane):
    """The officer's own look."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.language = ChoiceField({"km": "ភាសា", "en": "Language"}, (Option("km", "ខ្មែរ"), Option("en", "English")))
        self.text_size = ChoiceField(
            {"km": "ទំហំអក្សរ", "en": "Text size"},
            [Option(str(size), lambda size=size: f"{shown.plain(size)} %") for size in SIZES],  # type: ignore[misc]
            buttons=5,
        )
        self.theme = ChoiceField(
            {"km": "ពណ៌", "en": "Colours"},
            (
                Option("system", lambda: tr("As the computer")),
                Option("light", lambda: tr("Light")),
                Option("dark", lambda: tr("Dark")),
                Option("contrast", lambda: tr("High contrast")),
            ),
        )
        self.digits = ChoiceField(
            {"km": "លេខដែលបង្ហាញ", "en": "Digits shown"},
            (Option("latin", "0123456789"), Option("khmer", "០១២៣៤៥៦៧៨៩")),
            note=lambda: tr("Both kinds can always be typed."),
        )
        self.lock = ChoiceField(
            {"km": "ចាក់សោដោយខ្លួនឯងក្រោយ", "en": "Locks by itself after"},
            [Option(str(n), lambda n=n: tr("{count} minutes", count=shown.number(n))) for n in LOCK_MINUTES],  # type: ignore[misc]
        )
        self._fields: dict[str, ChoiceField] = {
            "platform.language": self.language,
            "platform.text_size": self.text_size,
            "platform.theme": self.theme,
            "platform.digits": self.digits,
            "platform.lock_minutes": self.lock,
        }
        for id, field in self._fields.items():
            field.changed.connect(lambda value, id=id: self._set(id, value))
        self.block(lambda: tr("Language and numbers"), "", column(self.language, self.digits, spacing=14))
        self.block(lambda: tr("For the eyes"), "", column(self.text_size, self.theme, spacing=14))
        self.block(
            lambda: tr("Locking"),
            lambda: tr("Nothing typed is lost when it locks. Ctrl+L locks at once."),
            column(self.lock),
        )
        self.end()
        self.refresh()

    def refresh(self) -> None:
        settings = self.bridge.session.settings
        for id, field in self._fields.items():
            field.set_value(str(settings.get(id)))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and self.language.value() != catalog.language():
            self.language.set_value(catalog.language())  # it was switched in the bar, before the setting is kept
        super().changeEvent(event)

    def _set(self, id: str, value: Any) -> None:
        if value is None:
            return
        kept: Any = int(value) if id in ("platform.text_size", "platform.lock_minutes") else value
        session = self.bridge.session
        self.bridge.work(
            lambda: session.settings.set(id, kept), then=lambda _: self.bridge.session_settings_changed.emit()
        )
