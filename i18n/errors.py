"""The two refusals that a person ever sees, and their words.

A refusal carries a stable code (two letters and a number, ``FM-012``) and values; the words live in
``i18n/errors.d/<area>.toml`` in Khmer and English, so that no layer formats sentences. Anything else that is raised is
a bug.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from i18n.catalog import language as current_language

CATALOGUES = Path(__file__).with_name("errors.d")


class SalaError(Exception):
    """A failure with a known cause: ``code`` is looked up in the error catalogue, ``values`` fill its words."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{self.code}({shown})" if shown else self.code


class Refused(SalaError):
    """The person can act: wrong input, not permitted, not now."""


class Known(SalaError):
    """The environment: disk full, no line, locked, newer database."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, what was kept, what to do: one sentence each, in one language."""

    code: str
    what: str
    kept: str
    next: str


@cache
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """All codes: ``{"FM-012": {"km": {"what", "kept", "next"}, "en": {…}, "cause": …}}``."""
    codes: dict[str, dict[str, dict[str, str]]] = {}
    for path in sorted(CATALOGUES.glob("*.toml")):
        for code, entry in tomllib.loads(path.read_text("utf-8")).items():
            if code in codes:
                raise ValueError(f"error code {code} stands twice ({path.name})")
            codes[code] = entry
    return codes


class _Blank(dict[str, object]):
    """A value that a sentence asks for and the error does not carry is shown as an ellipsis, never as a crash."""

    def __missing__(self, key: str) -> str:
        return "…"


def explain(error: SalaError, language: str | None = None) -> Explanation:
    """The words of ``error`` in ``language`` (default: the current one). An unknown code is a bug: KeyError."""
    words = catalogue()[error.code][language or current_language()]
    values = _Blank(error.values)
    return Explanation(
        error.code, words["what"].format_map(values), words["kept"].format_map(values), words["next"].format_map(values)
    )
