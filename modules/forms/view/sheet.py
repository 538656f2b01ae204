"""The answers of the open draft as the page sees them: cleaned at once, so that questions come and go while one types.

The draft on disk is the truth; this mirror asks the same cleaner and the same rules. No Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from i18n.errors import SalaError
from modules.forms import rules, words
from modules.forms.clean import clean
from modules.forms.definition import Definition, Field, trusted
from modules.forms.rules import Problem


class Sheet:
    """One draft, opened. ``opened`` is what ``forms.draft`` gave."""

    def __init__(self, opened: Mapping[str, Any]) -> None:
        self.draft: str = opened["draft"]
        self.form: Definition = trusted(opened["form"])
        self.service: Mapping[str, Any] = opened["service"]
        self.answers: dict[str, Any] = dict(opened["answers"])
        self.typed: dict[str, Any] = dict(opened["typed"])
        self.due: str = opened["due"]
        self.corrects: str | None = opened["corrects"]
        self.receipt: str | None = opened["receipt"]
        self.reason: str = opened["reason"]
        self._today = date.fromisoformat(opened["today"])

    def put(self, field: Field, raw: Any) -> Any:
        """Take what was typed; the stored value, or None when it is empty or cannot be read yet."""
        self.answers.pop(field.id, None)
        self.typed.pop(field.id, None)
        try:
            value = clean(field, raw)
        except SalaError:
            self.typed[field.id] = raw
            return None
        if value is not None:
            self.answers[field.id] = value
        return value

    def seen(self, field: Field) -> Any:
        """What stands in the field: the value, or the text that cannot be read yet."""
        return self.typed.get(field.id, self.answers.get(field.id))

    def shown(self) -> list[Field]:
        return rules.shown(self.form, self.answers)

    def problems(self) -> list[Problem]:
        """Everything that keeps the draft from being finished, in the form's order."""
        unread: dict[str, Problem] = {}
        for id, raw in self.typed.items():
            field = self.form.field(id)
            try:
                clean(field, raw)
            except SalaError as error:
                unread[id] = rules.problem(field, error)
        return rules.problems(self.form, self.answers, unread, self._today)

    def hint(self, field: Field) -> Problem | None:
        """What is unusual about an accepted answer."""
        return next(
            (
                Problem(field.id, field.section, code, values)
                for code, values in rules.hints(field, self.answers.get(field.id))
            ),
            None,
        )

    def sections(self, problems: list[Problem]) -> list[dict[str, Any]]:
        return rules.completeness(self.form, self.answers, problems)

    def fee(self) -> int:
        """Riel, as the finished draft will be charged: the unit price of the day of opening, times the copies."""
        unit = int(self.service["fee"])
        for field in self.form.fields():
            if field.type == "fee" and "times" in field.rules:
                times = self.answers.get(field.rules["times"])
                return unit * times if isinstance(times, int) and times > 0 else unit
        return unit

    def person(self, language: str) -> str:
        return words.person(self.answers.get(self.form.roles["person"]), "km" if language == "km" else "en")


MISSING = frozenset({"FM-101", "FM-115", "FM-116"})  # not answered yet: said only when one wants to finish
