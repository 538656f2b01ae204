"""One case on several laptops: ops of the other laptops become cases here, corrections are put together field by field.

``forms_submission.base`` holds the answers as they were finished, ``forms_change`` every correction and withdrawal with what
its maker had seen. What the case shows now, and its conflicts, are worked out of these, so any order gives the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from modules import merging
from modules.contract import Api, OfficeOp, Refused, Row
from modules.forms import rules
from modules.forms.finish import KIND, blobs, heading, index, pack, validate
from modules.forms.library import Library
from modules.merging import Change, Merged

CORRECTION: Final = "forms.correction"
MOST_REFS: Final = 60  # changes that one change names as seen; more laptops than an office has


class Together:
    """What the kinds of forms do with the ops of other laptops, and the commands about conflicts."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library

    # --- ops of other laptops

    def take(self, op: OfficeOp) -> str | None:
        """``Kind.merge`` of all three kinds."""
        return self._submission(op) if op.kind == KIND else self._change(op)

    def _submission(self, op: OfficeOp) -> str:
        """A case that another laptop has taken. ``Refused("FM-038")`` when this laptop does not know its form or service."""
        found = self._row("op", op.op)
        if found is not None:
            return str(found["id"])
        body = dict(op.body)
        form, service = self._known(op, body)
        answers, head = body["answers"], heading(form, body["answers"])
        self._api.store.execute(
            "INSERT INTO forms_submission (id, receipt, serial, form, version, def_hash, service, person, latin, phone, fee, "
            "opened, received, received_ms, due, officer, officer_name, op, last_op, answers, base, laptop) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            op.op_id, body["receipt"], int(body["receipt"].rpartition("-")[2]), form.id, form.version, form.def_hash, service.id,
            head["person"], head["latin"], head["phone"], body["fee"], body["opened"], body["received"], op.wall_ms, body["due"],
            op.officer, op.officer_name, op.op, op.op, pack(answers), pack(answers), op.laptop,
        )  # fmt: skip
        index(self._api, form, service.title, op.op_id, body["receipt"], answers)
        self._api.store.touch(KIND, op.op_id)
        return op.op_id

    def _known(self, op: OfficeOp, body: dict[str, Any]) -> tuple[Any, Any]:
        try:
            validate(body)
            form = self._library.pinned(op.def_hash)
            service = self._library.catalogue.service(body["service"])
            date.fromisoformat(body["received"])
            if type(body["fee"]) is not int or not isinstance(body["opened"], str):
                raise ValueError("fee")
            blobs(form, body["answers"])
        except (Refused, LookupError, ValueError, TypeError) as error:
            raise Refused("FM-038", laptop=op.laptop) from error
        return form, service

    def _change(self, op: OfficeOp) -> str | None:
        """A correction or withdrawal, of whosever case. None while the case itself has not come."""
        row = self._row("op", op.refs[0]) if op.refs else None
        if row is None:
            return None
        values, reason = op.body.get("changes", {}), op.body.get("reason", "")
        if not isinstance(values, Mapping) or not isinstance(reason, str):
            raise Refused("FM-038", laptop=op.laptop)
        form = self._library.pinned(row["def_hash"])
        fields = {field.id for field in form.fields() if field.type != "fee"}
        kept = {name: value for name, value in values.items() if name in fields}
        self._note(
            row, op.op, op.kind.partition(".")[2], op.refs, reason[:1_000], kept, officer=op.officer, name=op.officer_name,
            wall_ms=op.wall_ms,
        )  # fmt: skip
        self.settle(row["id"])
        return str(row["id"])

    # --- changes and what comes of them

    def note(self, row: Row, op: str, kind: str, refs: Sequence[str], reason: str, after: Mapping[str, Any]) -> None:
        """A change that was made here."""
        officer = self._api.officer()
        self._note(
            row, op, kind, refs, reason, after, officer=officer.id, name=officer.name, wall_ms=self._api.clock.wall_ms()
        )
        self.settle(row["id"])

    def _note(
        self, row: Row, op: str, kind: str, refs: Sequence[str], reason: str, after: Mapping[str, Any], *, officer: str, name: str,
        wall_ms: int,
    ) -> None:  # fmt: skip
        self._api.store.execute(
            "INSERT INTO forms_change (op, submission, kind, reason, officer, officer_name, wall_ms, before, after, refs) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, '{}', ?, ?) ON CONFLICT (op) DO NOTHING",
            op, row["id"], kind, reason, officer, name, wall_ms, pack(after), pack(sorted(refs)),
        )  # fmt: skip

    def settle(self, id: str) -> Merged:
        """Work out anew what the case shows, what each change replaced, and its conflicts."""
        row = self._row("id", id)
        if row is None:
            raise Refused("FM-030")
        changes = self._changes(id)
        self._replaced(row, changes)
        merged = merging.merge(row["op"], _base(row), changes)
        form = self._library.pinned(row["def_hash"])
        fees = {field.id for field in form.fields() if field.type == "fee"}
        answers = rules.relevant(form, dict(merged.values)) | {
            name: value for name, value in _base(row).items() if name in fees
        }
        head, store = heading(form, answers), self._api.store
        withdrawn = store.query("SELECT 1 FROM forms_change WHERE submission = ? AND kind = 'withdrawal' LIMIT 1", id)
        store.execute(
            "UPDATE forms_submission SET answers = ?, base = ?, person = ?, latin = ?, phone = ?, last_op = ?, state = ? WHERE id = ?",
            pack(answers), pack(_base(row)), head["person"], head["latin"], head["phone"], merged.heads[-1],
            "withdrawn" if withdrawn else "finished", id,
        )  # fmt: skip
        store.execute("DELETE FROM forms_conflict WHERE submission = ?", id)
        for field, candidates in merged.conflicts.items():
            for place, one in enumerate(candidates):
                store.execute(
                    "INSERT INTO forms_conflict (submission, field, place, op, value) VALUES (?, ?, ?, ?, ?)",
                    id, field, place, one.op, pack(one.value),
                )  # fmt: skip
        service = self._library.catalogue.service(row["service"])
        index(self._api, form, service.title, id, row["receipt"], answers)
        store.touch(KIND, id)
        return merged

    def _replaced(self, row: Row, changes: Sequence[Change]) -> None:
        """What each change found before it. A change that its maker had seen may come later than itself, so all are redone."""
        for change in changes:
            found = merging.before(row["op"], _base(row), changes, change.op)
            before = pack({field: found.get(field) for field in change.values})
            self._api.store.execute("UPDATE forms_change SET before = ? WHERE op = ?", before, change.op)

    def merged(self, row: Row) -> Merged:
        """The case as its changes make it."""
        return merging.merge(row["op"], _base(row), self._changes(row["id"]))

    def refs(self, row: Row) -> list[str]:
        """What a change that is made now has seen: the first op of the case, then the newest ones."""
        return list(dict.fromkeys([row["op"], *self.merged(row).heads]))[:MOST_REFS]

    def _changes(self, id: str) -> list[Change]:
        rows = self._api.store.query("SELECT op, refs, after, wall_ms FROM forms_change WHERE submission = ?", id)
        return [
            Change(one["op"], frozenset(json.loads(one["refs"])), json.loads(one["after"]), one["wall_ms"])
            for one in rows
        ]

    def _row(self, column: str, value: str) -> Row | None:
        rows = self._api.store.query(f"SELECT * FROM forms_submission WHERE {column} = ?", value)
        return rows[0] if rows else None


def _base(row: Row) -> dict[str, Any]:
    """The answers as they were finished; a case that never changed shows just these."""
    found: dict[str, Any] = json.loads(row["base"] if row["base"] is not None else row["answers"])
    return found
