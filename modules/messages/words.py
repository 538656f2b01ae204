"""Campaigns, rows and texts as a page, the command line and a flow see them: plain data with words in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from i18n.errors import explain
from modules.contract import Refused, Row, Text
from modules.messages import segments

_STEP: Final[Mapping[str, Text]] = {  # why a step cannot be taken in a state
    "draft": {"km": "សារមិនទាន់ត្រឹមត្រូវ", "en": "the message is not right yet"},
    "checked": {"km": "សារមិនទាន់ត្រូវបានអនុម័ត", "en": "the message is not approved yet"},
    "approved": {"km": "សារត្រូវបានអនុម័តរួចហើយ", "en": "the message is approved already"},
    "released": {"km": "សារត្រូវបានប្រគល់រួចហើយ", "en": "the message was handed over already"},
}


def not_yet(state: str, needed: str) -> Refused:
    """The refusal of a step that needs the state ``needed``."""
    reason = _STEP[state]
    return Refused("MS-033", reason_km=reason["km"], reason_en=reason["en"], state=state, needed=needed)


def problem(code: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """One reason in both languages: ``{"code", "km": {"what", "next"}, "en": {…}}``."""
    refusal = Refused(code, **values)
    both = {language: explain(refusal, language) for language in ("km", "en")}
    return {"code": code, **{language: {"what": said.what, "next": said.next} for language, said in both.items()}}


def preview(text: str, bits: segments.Bits, price: int) -> dict[str, Any]:
    """A text as networks take it: encoding, units, its segments in order, cost, and the same without invisible breaks."""
    count = segments.count(text, bits)
    bare = segments.without_breaks(text)
    fewer = segments.count(bare, bits).segments
    return {
        "text": text, "encoding": count.encoding, "units": count.units, "segments": count.segments,
        "parts": segments.split(text, bits), "price": price, "cost": price * count.segments,
        "breaks": len(text) - len(bare), "segments_without_breaks": fewer, "saving": price * (count.segments - fewer),
    }  # fmt: skip


def campaign(row: Row, sync: str, names: Mapping[str, str]) -> dict[str, Any]:
    """One campaign for lists and for its page; money in riel, ``sync`` "" before the hand-over."""
    fault = problem(*json.loads(row["fault"])) if row["fault"] else None
    return {
        **{name: row[name] for name in (
            "id", "title", "file", "state", "created_ms", "changed_ms", "count", "good", "bad", "segments", "longest", "bits", "price",
            "source", "approved_ms", "not_after_ms",
        )},
        "leave_out": bool(row["leave_out"]), "strip_breaks": bool(row["strip_breaks"]),
        "header": json.loads(row["header"]), "fault": fault, "sync": sync,
        "cost": row["price"] * row["segments"], "saving": row["price"] * (row["segments"] - row["bare_segments"]),
        "author": row["author"], "author_name": names.get(row["author"], ""),
        "approver": row["approver"], "approver_name": names.get(row["approver"] or "", ""),
    }  # fmt: skip
