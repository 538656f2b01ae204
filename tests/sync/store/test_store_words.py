"""Every refusal of the store has words in both languages, and every word belongs to a refusal."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from i18n import errors
from i18n.errors import Known, explain

ROOT = Path(__file__).parents[3]
OURS = tomllib.loads((ROOT / "i18n" / "errors.d" / "sync.toml").read_text("utf-8"))


def raised() -> set[str]:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "sync").glob("*.py"))
    return {code for code in re.findall(r'"(SY-\d{3})"', text) if "SY-100" <= code < "SY-300"}


def test_every_refusal_has_words_and_every_word_a_refusal() -> None:
    assert raised() == set(OURS)


def test_the_words_are_whole_and_fillable() -> None:
    for code, entry in OURS.items():
        assert entry["cause"].endswith("."), code
        for language in ("km", "en"):
            shown = explain(Known(code), language)
            assert all((shown.what, shown.kept, shown.next)), code
            fields = {name for part in entry[language].values() for name in re.findall(r"\{(\w+)\}", part)}
            other = {name for part in entry["en"].values() for name in re.findall(r"\{(\w+)\}", part)}
            assert fields == other, code
    assert errors.catalogue()["SY-102"] == OURS["SY-102"]
