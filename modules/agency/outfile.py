"""Opened submissions given out: CSV for Excel, or one JSON object a line. Written beside the target, then put in its place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from i18n.catalog import language
from i18n.cells import harmless
from i18n.dates import short_moment
from modules.contract import Known
from sync import durable

_HEAD: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("form", {"km": "ទម្រង់", "en": "Form"}),
    ("office", {"km": "ការិយាល័យ", "en": "Office"}),
    ("receipt", {"km": "លេខបង្កាន់ដៃ", "en": "Receipt"}),
    ("state", {"km": "ស្ថានភាព", "en": "State"}),
    ("received_ms", {"km": "បានទទួល", "en": "Received"}),
    ("reason", {"km": "មូលហេតុ", "en": "Reason"}),
)
STATES: Final[Mapping[str, Mapping[str, str]]] = {
    "new": {"km": "ថ្មី", "en": "new"},
    "accepted": {"km": "បានទទួលយក", "en": "accepted"},
    "sent_back": {"km": "បានផ្ញើត្រឡប់", "en": "sent back"},
    "withdrawn": {"km": "បានដកវិញ", "en": "withdrawn"},
}


def write(out: str, rows: Sequence[Mapping[str, Any]], format: str) -> int:
    """Write ``rows`` to the file ``out``; how many. ``Known("AG-008")`` when it cannot be written."""
    data = _jsonl(rows) if format == "jsonl" else _csv(rows)
    target = Path(out).expanduser()
    try:
        durable.replace(target, data)
    except OSError as error:
        raise Known("AG-008", file=target.name) from error
    return len(rows)


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    kept = (
        "op",
        "device",
        "office",
        "laptop",
        "form",
        "def_hash",
        "receipt",
        "state",
        "reason",
        "made_ms",
        "received_ms",
        "answers",
    )
    return "".join(json.dumps({name: row[name] for name in kept}, ensure_ascii=False) + "\n" for row in rows).encode()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    lang = language()
    titles = list(dict.fromkeys(word["label"][lang] for row in rows for word in row["words"]))
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow([title[lang] for _, title in _HEAD] + titles)
    for row in rows:
        said = {word["label"][lang]: word["value"][lang] for word in row["words"]}
        head = [
            row["form"], row["office"], row["receipt"], STATES[row["state"]][lang], short_moment(row["received_ms"]), row["reason"],
        ]  # fmt: skip
        sheet.writerow([harmless(cell) for cell in [*head, *(said.get(title, "") for title in titles)]])
    return text.getvalue().encode("utf-8-sig")
