"""Conflicts: fields of a case that two laptops changed without seeing each other. A person picks for each; picking is a correction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from i18n.dates import moment
from modules.contract import Api, Refused, Row
from modules.forms import rules, words
from modules.forms.clean import line
from modules.forms.definition import Field
from modules.forms.finish import blobs
from modules.forms.library import Library
from modules.forms.together import CORRECTION, Together


class Conflicts:
    """``forms.conflicts`` and ``forms.resolve``."""

    def __init__(self, api: Api, library: Library, together: Together) -> None:
        self._api = api
        self._library = library
        self._together = together

    def list_(self, *, id: str = "") -> dict[str, Any]:
        """Cases with conflicts, oldest first, each field with all its values: ``{"cases": […], "fields": n}``.

        A case: ``{"id", "receipt", "title", "person", "fields": [{"field", "label", "values": [{"op", "value", "shown", "officer",
        "wall_ms", "here", "stands"}]}]}``; ``here``: changed on this laptop; ``stands``: shown until somebody picks.
        """
        where, values = ("WHERE c.submission = ?", [id]) if id else ("", [])
        rows = self._api.store.query(
            "SELECT c.submission, c.field, c.place, c.op, c.value, h.officer_name, h.officer, h.wall_ms FROM forms_conflict c "
            f"JOIN forms_change h ON h.op = c.op {where} ORDER BY c.submission, c.field, c.place",
            *values,
        )
        cases: dict[str, dict[str, Any]] = {}
        here = {one.id for one in self._api.officers()}
        for row in rows:
            case = cases.setdefault(row["submission"], self._case(row["submission"]))
            field = self._field(case, row["field"])
            fields = case["fields"]
            if not fields or fields[-1]["field"] != field.id:
                fields.append({"field": field.id, "label": dict(field.label), "values": []})
            fields[-1]["values"].append(self._value(field, row, here))
        for case in cases.values():
            del case["def_hash"]
        found = list(cases.values())
        return {"cases": found, "fields": sum(len(case["fields"]) for case in found)}

    def _case(self, id: str) -> dict[str, Any]:
        row = self._submission(id)
        title = self._library.catalogue.service(row["service"]).title
        return {
            "id": id, "receipt": row["receipt"], "title": dict(title), "person": row["person"], "latin": row["latin"],
            "def_hash": row["def_hash"], "fields": [],
        }  # fmt: skip

    def _field(self, case: Mapping[str, Any], name: str) -> Field:
        return self._library.pinned(case["def_hash"]).field(name)

    def _value(self, field: Field, row: Row, here: set[str]) -> dict[str, Any]:
        value = json.loads(row["value"])
        shown = {side: words.shown(field, value, side) for side in ("km", "en")}
        return {
            "op": row["op"], "value": value, "shown": shown, "officer": row["officer_name"], "wall_ms": row["wall_ms"],
            "here": row["officer"] in here, "stands": row["place"] == 0,
        }  # fmt: skip

    def resolve(self, *, id: str, picks: Mapping[str, str], reason: str = "") -> dict[str, Any]:
        """Settle fields of a case: ``picks`` names for each the op whose value is right. It is a correction like any other.

        ``Refused``: FM-013 the case would not be sound with it, FM-031 withdrawn, FM-039 a field has no such conflict.
        """
        row = self._submission(id)
        if row["state"] == "withdrawn":
            raise Refused("FM-031", receipt=row["receipt"])
        chosen, today = self._chosen(id, picks), moment(self._api.clock.wall_ms()).date()
        form = self._library.pinned(row["def_hash"])
        if found := rules.problems(form, {**json.loads(row["answers"]), **chosen}, {}, today):
            raise Refused("FM-013", count=len(found), problems=[one.json() for one in found])
        why = line(reason)
        refs = self._together.refs(row)
        op = self._api.store.append(
            CORRECTION, id, {"v": 1, "receipt": row["receipt"], "reason": why, "changes": chosen, "resolves": sorted(chosen)},
            form=row["form"], def_hash=bytes.fromhex(row["def_hash"]), refs=refs, attach=blobs(form, chosen),
        )  # fmt: skip
        self._together.note(row, op, "correction", refs, why, chosen)
        left = self._api.store.query("SELECT count(DISTINCT field) AS n FROM forms_conflict WHERE submission = ?", id)
        return {"id": id, "receipt": row["receipt"], "op": op, "resolved": sorted(chosen), "left": left[0]["n"]}

    def _chosen(self, id: str, picks: Mapping[str, str]) -> dict[str, Any]:
        rows = self._api.store.query("SELECT field, op, value FROM forms_conflict WHERE submission = ?", id)
        known = {(row["field"], row["op"]): json.loads(row["value"]) for row in rows}
        if not picks or any((field, op) not in known for field, op in picks.items()):
            raise Refused("FM-039")
        return {field: known[field, op] for field, op in picks.items()}

    def _submission(self, id: str) -> Row:
        rows = self._api.store.query("SELECT * FROM forms_submission WHERE id = ?", id)
        if not rows:
            raise Refused("FM-030")
        return rows[0]
