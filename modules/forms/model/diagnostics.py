"""What is said about a form to its author: a code of the error catalogue, how bad it is, where it stands. Words in every language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from i18n.errors import explain
from modules.contract import Refused

Grade = Literal["refused", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """``where`` is the id of an item, or a path; ``sheet`` and ``row`` say it in the author's own table."""

    code: str
    grade: Grade
    where: str = ""
    sheet: str = ""
    row: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def words(self, language: str) -> str:
        """One sentence."""
        return explain(Refused(self.code, **self.values), language).what

    def json(self) -> dict[str, Any]:
        return {
            "code": self.code, "grade": self.grade, "where": self.where, "sheet": self.sheet, "row": self.row,
            "words": {"km": self.words("km"), "en": self.words("en")},
        }  # fmt: skip

    def refusal(self, form: str) -> Refused:
        """The same as a refusal of ``form`` as a whole."""
        return Refused(self.code, **{"form": form, **self.values})


def worst_first(found: list[Diagnostic]) -> list[Diagnostic]:
    """In the order refused, warning, note; within a grade as they were found."""
    order = ("refused", "warning", "note")
    return sorted(found, key=lambda one: order.index(one.grade))
