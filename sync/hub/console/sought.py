"""Finding a row of a list by what is typed: code or name of the office, a person's name in either script, digits in either script."""

from __future__ import annotations

from i18n.normalise import fold
from sync.hub.storage import Tx


def office_words(tx: Tx) -> dict[str, str]:
    """Code → everything that an office is found by."""
    rows = tx.query("SELECT code, name_km, name_en, province_km, province_en FROM office")
    return {row["code"]: " ".join(str(row[key] or "") for key in row) for row in rows}


def holds(asked: str, *words: str | None) -> bool:
    """Whether ``words`` have what was typed somewhere in them, however it is spelt; nothing typed is in all of them."""
    return fold(asked) in fold(" ".join(filter(None, words)))
