"""One case: shown whole, corrected and withdrawn by new ops that reference the old ones. Nothing is edited in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from i18n.errors import SalaError
from modules.contract import Api, Refused, Review, Row
from modules.forms import numbering, rules
from modules.forms.capture import SUBJECT, Work, fee, service_json, unread
from modules.forms.clean import clean, line
from modules.forms.definition import Definition
from modules.forms.finish import KIND, blobs
from modules.forms.library import Library
from modules.forms.lists import HEAD, Lists
from modules.forms.rules import Problem
from modules.forms.together import Together

REVIEWS: Final = frozenset({"accepted", "sent_back", "send_again"})  # what the centre may decide about a case


class Records:
    """The commands on one submission."""

    def __init__(self, api: Api, library: Library, lists: Lists, together: Together) -> None:
        self._api = api
        self._library = library
        self._lists = lists
        self._together = together

    def reviewed(self, review: Review) -> None:
        """Keep what the centre decided about an op of a case; a word about an older op than the last changes nothing."""
        rows = self._api.store.query("SELECT last_op FROM forms_submission WHERE id = ?", review.record)
        if not rows or rows[0]["last_op"] != review.op or review.decision not in REVIEWS:
            return
        self._api.store.execute(
            "UPDATE forms_submission SET review = ?, review_reason = ?, review_op = ?, review_ms = ? WHERE id = ?",
            review.decision, review.reason, review.op, review.wall_ms, review.record,
        )  # fmt: skip
        self._api.store.touch(KIND, review.record)

    def _row(self, id: str) -> Row:
        rows = self._api.store.query("SELECT * FROM forms_submission WHERE id = ?", id)
        if not rows:
            raise Refused("FM-030")
        return rows[0]

    def show(self, *, id: str) -> dict[str, Any]:
        """The whole case: answers, attachments, changes, history of its ops. Reading it is an event of the audit log."""
        row = self._row(id)
        self._api.audit("read", id)
        return self.case(row)

    def case(self, row: Row) -> dict[str, Any]:
        """``row`` with its definition, answers, changes and history."""
        form = self._library.pinned(row["def_hash"])
        service = self._library.catalogue.service(row["service"])
        answers = json.loads(row["answers"])
        changes = self._api.store.query(
            "SELECT op, kind, reason, officer, officer_name, wall_ms, before, after FROM forms_change "
            "WHERE submission = ? ORDER BY wall_ms, op",
            row["id"],
        )
        for change in changes:
            change["before"], change["after"] = json.loads(change["before"]), json.loads(change["after"])
        history = self._api.store.history(row["id"])
        people = {event["officer"]: event["officer_name"] for event in [*changes, row]}
        for event in history:
            event["officer_name"] = people.get(event["officer"], "")
        head = {name: row[name] for name in map(str.strip, HEAD.split(","))}
        return {
            **self._lists.dress([head])[0], "def_hash": row["def_hash"], "op": row["op"],
            "officer_name": row["officer_name"],
            "service_row": service_json(service, self._library, date.fromisoformat(row["opened"])),
            "qr": numbering.qr_text(row["op"], row["receipt"]), "definition": {**form.source, "def_hash": form.def_hash},
            "shown": [field.id for field in rules.shown(form, answers)], "answers": answers,
            "changes": changes, "history": history,
        }  # fmt: skip

    def attachment(self, id: str, blob: str) -> bytes:
        """The bytes of an attachment of this case, or of an answer that a correction replaced. Else ``Refused("FM-030")``."""
        row = self._row(id)
        changes = self._api.store.query("SELECT before FROM forms_change WHERE submission = ?", id)
        if blob not in row["answers"] and not any(blob in change["before"] for change in changes):
            raise Refused("FM-030")
        try:
            return self._api.files.read(blob)
        except LookupError:  # of another laptop, and its pieces have not come yet
            raise Refused("FM-057", laptop=row["laptop"] or "?") from None

    # --- changes

    def correct(self, *, id: str, changes: Mapping[str, Any], reason: str) -> dict[str, Any]:
        """New answers for a finished submission: a new op that references the old ones. Nothing is edited.

        ``Refused``: FM-013 with problems, FM-031 withdrawn, 032 no reason, 033 nothing differs, 034 the fee would change.
        """
        row, why = self._changeable(id, reason)
        form = self._library.pinned(row["def_hash"])
        old = json.loads(row["answers"])
        new, wrong = dict(old), dict[str, Problem]()
        for field_id, raw in changes.items():
            field = form.field(field_id)
            try:
                new[field_id] = clean(field, raw)
            except SalaError as error:
                if error.code in ("FM-012", "FM-014"):
                    raise
                wrong[field_id] = rules.problem(field, error)
        return self._record(row, form, old, new, wrong, why)

    def _record(
        self,
        row: Row,
        form: Definition,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        wrong: Mapping[str, Problem],
        why: str,
    ) -> dict[str, Any]:
        """Check ``new`` as a whole and write the correction that leads from ``old`` to it."""
        id = row["id"]
        if found := rules.problems(form, new, wrong, self._lists.today()):
            raise Refused("FM-013", count=len(found), problems=[one.json() for one in found])
        new = rules.relevant(form, new)
        service = self._library.catalogue.service(row["service"])
        charged = fee(form, service, date.fromisoformat(row["opened"]), new)
        if charged != row["fee"]:
            raise Refused("FM-034", before=row["fee"], after=charged)
        differ = [field.id for field in form.fields() if old.get(field.id) != new.get(field.id)]
        if not differ:
            raise Refused("FM-033")
        after = {name: new.get(name) for name in differ}
        self._require_settled(id, differ)
        body, refs = {"reason": why, "changes": after}, self._together.refs(row)
        op = self._append("forms.correction", row, body, refs, attach=blobs(form, after))
        self._together.note(row, op, "correction", refs, why, after)
        return {"id": id, "receipt": row["receipt"], "op": op, "changed": differ}

    def edit(self, *, id: str) -> dict[str, Any]:
        """A draft that holds the present answers and will correct the submission when it is finished; an open one is reused."""
        row = self._row(id)
        if row["state"] == "withdrawn":
            raise Refused("FM-031", receipt=row["receipt"])
        for draft in self._api.drafts.list(SUBJECT):
            if draft.body.get("corrects") == id:
                return {"draft": draft.id, "corrects": id}
        made = self._api.new_id()
        title = " · ".join(part for part in (row["receipt"], row["person"]) if part)
        form = self._library.pinned(row["def_hash"])
        answers = {name: value for name, value in json.loads(row["answers"]).items() if form.field(name).type != "fee"}
        body = {
            "form": row["form"], "def_hash": row["def_hash"], "service": row["service"], "opened_ms": row["received_ms"],
            "answers": answers, "typed": {}, "at": "", "corrects": id, "receipt": row["receipt"], "reason": "",
        }  # fmt: skip
        self._api.drafts.save(made, SUBJECT + row["form"], title, body)
        self._api.audit("read", id)
        return {"draft": made, "corrects": id}

    def finish_correction(self, work: Work) -> dict[str, Any]:
        """What :meth:`edit` began: the answers of the draft become a correction, attachments included."""
        row, why = self._changeable(str(work.corrects), work.draft.body.get("reason", ""))
        old = json.loads(row["answers"])
        kept = {name: value for name, value in old.items() if work.form.field(name).type == "fee"}
        made = self._record(row, work.form, old, {**work.answers, **kept}, unread(work), why)
        self._api.drafts.discard(work.draft.id)
        return made

    def withdraw(self, *, id: str, reason: str) -> dict[str, Any]:
        """The applicant takes the application back. The record stays, with the reason."""
        row, why = self._changeable(id, reason)
        refs = self._together.refs(row)
        op = self._append("forms.withdrawal", row, {"reason": why}, refs)
        self._together.note(row, op, "withdrawal", refs, why, {})
        return {"id": id, "receipt": row["receipt"], "op": op, "state": "withdrawn"}

    def _require_settled(self, id: str, fields: list[str]) -> None:
        """A field that two laptops changed is settled by a pick, never by writing over both. ``Refused("FM-056")``."""
        rows = self._api.store.query("SELECT DISTINCT field FROM forms_conflict WHERE submission = ?", id)
        if any(row["field"] in fields for row in rows):
            raise Refused("FM-056")

    def _changeable(self, id: str, reason: str) -> tuple[Row, str]:
        row, why = self._row(id), line(reason)
        if row["state"] == "withdrawn":
            raise Refused("FM-031", receipt=row["receipt"])
        if not why:
            raise Refused("FM-032")
        return row, why

    def _append(
        self, kind: str, row: Row, body: dict[str, Any], refs: list[str], *, attach: list[str] | None = None
    ) -> str:
        return self._api.store.append(
            kind, row["id"], {"v": 1, "receipt": row["receipt"], **body}, form=row["form"],
            def_hash=bytes.fromhex(row["def_hash"]), refs=refs, attach=attach or [],
        )  # fmt: skip
