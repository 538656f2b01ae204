"""What a form calls its fields and choices, read out of the definition that a record names by its hash.

A definition is believed only when its bytes have that hash, so what was read once holds for ever. Looked for among what was
published here, then among the forms that come with the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from i18n.catalog import Text
from sync.hub.storage import Tx

MOST: Final = 1_000_000  # bytes of a definition
_KEPT: Final = 200  # definitions in memory
_OWN: Final = Path(__file__).parents[2] / "assets" / "forms"
_known: dict[bytes, FormWords] = {}


@dataclass(frozen=True, slots=True)
class FieldWords:
    """One field: its label, its type (``choice``, ``date`` …, "" when nobody says), the labels of its choices."""

    label: Text
    type: str = ""
    options: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormWords:
    """One definition: what the form is called, its fields by id."""

    id: str
    title: Text
    fields: Mapping[str, FieldWords]


def of(tx: Tx, def_hash: bytes) -> FormWords | None:
    """The words of the definition with that hash; None when this hub does not know it."""
    if len(def_hash) != 32:
        return None
    found = _known.get(def_hash) or _own().get(def_hash)
    if found is not None:
        return found
    row = tx.one(
        "SELECT data FROM target WHERE name LIKE :name ORDER BY name LIMIT 1",
        {"name": f"forms/%/{def_hash.hex()}.json"},
    )
    found = words(bytes(row["data"]), def_hash) if row else None
    if found is None:
        return None
    if len(_known) >= _KEPT:
        _known.clear()
    _known[def_hash] = found
    return found


def titles(tx: Tx) -> dict[str, Text]:
    """What forms are called, by their id: those of the program, and those that were published here."""
    found = {form.id: form.title for form in _own().values()}
    for row in tx.query("SELECT name FROM target WHERE name LIKE 'forms/%' ORDER BY name"):
        try:
            form = of(tx, bytes.fromhex(row["name"].rpartition("/")[2].removesuffix(".json")))
        except ValueError:
            continue
        if form is not None:
            found[form.id] = form.title
    return found


def words(data: bytes, def_hash: bytes) -> FormWords | None:
    """What a definition says; None when the bytes are not the definition of that hash."""
    try:
        source = json.loads(data) if len(data) <= MOST else None
        if not isinstance(source, dict) or _digest(source) != def_hash:
            return None
        fields = {str(one["id"]): _field(one) for section in source["sections"] for one in section["fields"]}
        return FormWords(str(source["id"]), _text(source["title"]), fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


@cache
def _own() -> Mapping[bytes, FormWords]:
    """The forms of the program, by the hash of their definition."""
    found: dict[bytes, FormWords] = {}
    for path in sorted(_OWN.glob("*.json")):
        data = path.read_bytes()
        digest = _digest(json.loads(data))
        if (made := words(data, digest)) is not None:
            found[digest] = made
    return found


def _digest(source: Any) -> bytes:
    import rfc8785

    return sha256(rfc8785.dumps(source)).digest()


def _field(source: Mapping[str, Any]) -> FieldWords:
    options = {str(one["id"]): _text(one["label"]) for one in source.get("options", ())}
    return FieldWords(_text(source["label"]), str(source.get("type", "")), options)


def _text(source: Mapping[str, Any]) -> Text:
    return {"km": str(source["km"]), "en": str(source["en"])}
