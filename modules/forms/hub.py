"""The centre's view of submissions. Answers are sealed to the agency: the hub sees that a case exists, where, when and
under which definition, its place in the log and what hash binds it. Nothing of what a citizen said is in these tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

LOOKS: Final = {
    "received": {"icon": "check", "tone": "green", "km": "បានទទួល", "en": "received"},
    "withdrawn": {"icon": "undo", "tone": "grey", "km": "បានដកវិញ", "en": "withdrawn"},
}
"""How the centre's page shows the states: the same words and signs as on the laptop."""


class Projection:
    """``p_forms_submission``: one row a case; ``p_forms_change``: corrections and withdrawals, in whatever order they come.

    A change names the first op of its case as its first reference. It counts for the office that took the case only.
    """

    name: Final = "forms"
    version: Final = 1
    kinds: Final = frozenset({"forms.submission", "forms.correction", "forms.withdrawal"})

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_forms_submission (op TEXT PRIMARY KEY, op_id TEXT NOT NULL, place BIGINT NOT NULL, form TEXT NOT NULL, "
            "def_hash TEXT NOT NULL, office TEXT NOT NULL, device TEXT NOT NULL, seq BIGINT NOT NULL, officer TEXT NOT NULL, "
            "files BIGINT NOT NULL, wall_ms BIGINT NOT NULL, received_ms BIGINT NOT NULL)",
            "CREATE INDEX p_forms_submission_office ON p_forms_submission (office, form, received_ms)",
            "CREATE TABLE p_forms_change (op TEXT PRIMARY KEY, submission TEXT NOT NULL, kind TEXT NOT NULL, office TEXT NOT NULL, "
            "device TEXT NOT NULL, officer TEXT NOT NULL, wall_ms BIGINT NOT NULL, received_ms BIGINT NOT NULL)",
            "CREATE INDEX p_forms_change_submission ON p_forms_change (submission, office)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        """One accepted op. An op is accepted once, so every row is new; a change without a reference names no case."""
        common = {
            "op": op.hash, "office": op.office, "device": op.device, "officer": op.officer, "wall": op.wall_ms, "now": received_ms,
        }  # fmt: skip
        if op.kind == "forms.submission":
            tx.execute(
                "INSERT INTO p_forms_submission (op, op_id, place, form, def_hash, office, device, seq, officer, files, wall_ms, "
                "received_ms) VALUES (:op, :op_id, :place, :form, :def_hash, :office, :device, :seq, :officer, :files, :wall, :now)",
                {
                    **common, "op_id": op.op_id, "place": op.index, "form": op.form, "def_hash": op.def_hash, "seq": op.seq,
                    "files": len(op.attach),
                },
            )  # fmt: skip
        elif op.refs:
            tx.execute(
                "INSERT INTO p_forms_change (op, submission, kind, office, device, officer, wall_ms, received_ms) "
                "VALUES (:op, :submission, :kind, :office, :device, :officer, :wall, :now)",
                {**common, "submission": op.refs[0], "kind": op.kind.partition(".")[2]},
            )

    def console(self) -> dict[str, Any]:
        """The table that the console shows: title, columns and query."""
        return {
            "title": {"km": "ពាក្យស្នើសុំ", "en": "Submissions"},
            "columns": [
                {"key": "office", "title": {"km": "ការិយាល័យ", "en": "Office"}},
                {"key": "form", "title": {"km": "ទម្រង់", "en": "Form"}, "names": _names()},
                {"key": "received_ms", "title": {"km": "បានទទួល", "en": "Received"}},
                {"key": "files", "title": {"km": "ឯកសារភ្ជាប់", "en": "Attachments"}, "type": "integer"},
                {"key": "corrections", "title": {"km": "ការកែតម្រូវ", "en": "Corrections"}, "type": "integer"},
                {"key": "state", "title": {"km": "ស្ថានភាព", "en": "State"}, "looks": LOOKS},
                {"key": "place", "title": {"km": "លេខក្នុងកំណត់ហេតុ", "en": "Place in the log"}, "type": "integer"},
                {"key": "op", "title": {"km": "សញ្ញាសម្គាល់", "en": "Fingerprint"}},
            ],
            "key": ["op"],
            "query": (
                "SELECT s.office, s.form, s.received_ms, s.files, "
                "(SELECT count(*) FROM p_forms_change c WHERE c.submission = s.op AND c.office = s.office "
                "AND c.kind = 'correction') AS corrections, "
                "CASE WHEN EXISTS (SELECT 1 FROM p_forms_change c WHERE c.submission = s.op AND c.office = s.office "
                "AND c.kind = 'withdrawal') THEN 'withdrawn' ELSE 'received' END AS state, "
                "s.place, substr(s.op, 1, 16) AS op FROM p_forms_submission s ORDER BY s.place DESC"
            ),
        }


def _names() -> dict[str, Mapping[str, str]]:
    """What the forms are called, by the id that an op carries."""
    from modules.forms.library import Library

    return {form.id: form.title for form in Library().forms()}
