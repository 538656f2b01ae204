"""What lies on the desk, shown and decided about. A decision is an op of this laptop; the centre tells it to the office."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from modules.agency.opening import SUBMISSION, answers
from modules.contract import Api, Json, Refused, Row

KIND: Final = "agency.review"
DECISIONS: Final = ("accepted", "sent_back")
_MOST_REASON: Final = 2_000
_HEAD: Final = "op, office, laptop, form, receipt, person, latin, state, received_ms, made_ms, decided_ms, reason"


def check(body: Json) -> None:
    """A decision names an op and is one of the two; sending back has a reason. ``Refused("AG-005")``."""
    if body["decision"] == "sent_back" and not body["reason"]:
        raise Refused("AG-005")


class Deciding:
    """The commands on what was opened."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list_(
        self, *, text: str = "", state: str = "", form: str = "", office: str = "", limit: int = 100, offset: int = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """Submissions on the desk, newest first: ``{"rows", "total", "counts", "forms"}``."""
        where, values = ["1 = 1"], list[object]()
        for column, value in (("state", state), ("form", form), ("office", office)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if text.strip():
            found = [row["record"] for row in self._api.store.search(text, [SUBMISSION], 500)]
            where.append(f"op IN ({', '.join('?' * len(found))})")
            values += found
        sql = f"FROM agency_submission WHERE {' AND '.join(where)}"
        query = self._api.store.query
        rows = query(
            f"SELECT {_HEAD} {sql} ORDER BY received_ms DESC, receipt DESC, op LIMIT ? OFFSET ?", *values, limit, offset
        )
        counts = query("SELECT state, count(*) AS n FROM agency_submission GROUP BY state")
        forms = query("SELECT form, count(*) AS n FROM agency_submission GROUP BY form ORDER BY form")
        return {
            "rows": self._dressed(rows), "total": query(f"SELECT count(*) AS n {sql}", *values)[0]["n"],
            "counts": {row["state"]: row["n"] for row in counts}, "forms": forms,
        }  # fmt: skip

    def _dressed(self, rows: list[Row]) -> list[Row]:
        states = self._api.store.sync_states([row["op"] for row in rows])
        return [{**row, "id": row["op"], "sent": states.get(row["op"], "")} for row in rows]

    def show(self, *, op: str) -> dict[str, Any]:
        """One submission with its answers in words. Reading it is an event of the audit log. ``Refused("AG-004")``."""
        row, changes = self._row(op)
        self._api.audit("read", op)
        present = answers(row, changes)
        read = self._api.call("forms.read_back", def_hash=row["def_hash"], answers=present)
        body = json.loads(row["body"])
        return {
            **self._dressed([{name: row[name] for name in map(str.strip, _HEAD.split(","))}])[0], "device": row["device"],
            "def_hash": row["def_hash"], "fee": body.get("fee"), "due": body.get("due"), "service": body.get("service"),
            "title": read["title"], "rows": read["rows"], "known": read["known"],
            "changes": [{**change, "body": json.loads(change["body"])} for change in changes],
        }  # fmt: skip

    def decide(self, *, op: str, decision: str, reason: str = "") -> dict[str, Any]:
        """Accept a submission or send it back with a reason. ``Refused``: AG-004, AG-005 no reason."""
        row, _ = self._row(op)
        why = reason.strip()[:_MOST_REASON]
        body = {"v": 1, "op": op, "device": row["device"], "decision": decision, "reason": why}
        made = self._api.store.append(KIND, op, body, refs=[op])
        self._api.store.execute(
            "UPDATE agency_submission SET state = ?, reason = ?, decided_ms = ?, decision = ? WHERE op = ?",
            decision, why, self._api.clock.wall_ms(), made, op,
        )  # fmt: skip
        return {"op": op, "state": decision, "decision": made}

    def file_key(self, *, op: str, blob: str) -> dict[str, Any]:
        """The key of an attachment of this submission (hexadecimal). ``Refused("AG-004")`` when it is not of it."""
        row, changes = self._row(op)
        found = self._api.store.query("SELECT key FROM agency_file WHERE blob = ?", blob)
        if not found or not any(blob in text for text in (row["body"], *(change["body"] for change in changes))):
            raise Refused("AG-004")
        return {"blob": blob, "key": bytes(found[0]["key"]).hex()}

    def export(self, *, out: str, form: str = "", format: str = "csv") -> dict[str, Any]:
        """Every submission (of ``form``, or of all) that was not withdrawn, as CSV for Excel or one JSON object a line."""
        from modules.agency.outfile import write

        rows = self._api.store.query(
            "SELECT * FROM agency_submission WHERE ? IN (form, '') AND state <> 'withdrawn' ORDER BY form, received_ms, receipt, op",
            form,
        )
        dressed = [self._whole(row) for row in rows]
        written = write(out, dressed, format)
        self._api.call("agency.note_given", form=form)
        return {"path": out, "rows": written}

    def note_given(self, *, form: str) -> dict[str, Any]:
        """Answers left the program as a file: an event of the audit log."""
        self._api.audit("exported", form)
        return {"form": form}

    def _whole(self, row: Row) -> Mapping[str, Any]:
        _, changes = self._row(row["op"])
        present = answers(row, changes)
        read = self._api.call("forms.read_back", def_hash=row["def_hash"], answers=present)
        return {**row, "answers": present, "words": read["rows"]}

    def _row(self, op: str) -> tuple[Row, list[Row]]:
        rows = self._api.store.query("SELECT * FROM agency_submission WHERE op = ?", op)
        if not rows:
            raise Refused("AG-004")
        changes = self._api.store.query(
            "SELECT op, kind, body, made_ms, received_ms FROM agency_change WHERE submission = ? ORDER BY made_ms, op",
            op,
        )
        return rows[0], changes
