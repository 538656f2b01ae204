"""The centre's view of agencies' decisions. The projection only writes down what was decided and asks that it be carried out;
whether the laptop that decided is a desk is looked at when that is done (:mod:`sync.hub.reviews`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

LOOKS: Final = {
    "accepted": {"icon": "check-circle", "tone": "green", "km": "បានទទួលយក", "en": "accepted"},
    "sent_back": {"icon": "undo", "tone": "amber", "km": "បានផ្ញើត្រឡប់", "en": "sent back"},
}


class Projection:
    """``p_agency_review``: one row a decision."""

    name: Final = "agency"
    version: Final = 1
    kinds: Final = frozenset({"agency.review"})

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_agency_review (op TEXT PRIMARY KEY, target TEXT NOT NULL, laptop TEXT NOT NULL, decision TEXT NOT NULL, "
            "desk TEXT NOT NULL, office TEXT NOT NULL, officer TEXT NOT NULL, received_ms BIGINT NOT NULL)",
            "CREATE INDEX p_agency_review_target ON p_agency_review (target)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        body = op.body or {}
        decision, target, laptop = (str(body.get(name, "")) for name in ("decision", "op", "device"))
        if decision not in LOOKS or len(target) != 64 or len(laptop) != 32:
            return
        tx.execute(
            "INSERT INTO p_agency_review (op, target, laptop, decision, desk, office, officer, received_ms) "
            "VALUES (:op, :target, :laptop, :decision, :desk, :office, :officer, :now)",
            {
                "op": op.hash, "target": target, "laptop": laptop, "decision": decision, "desk": op.device, "office": op.office,
                "officer": op.officer, "now": received_ms,
            },
        )  # fmt: skip
        payload = {
            "op": target, "device": laptop, "decision": decision, "reason": str(body.get("reason", ""))[:2_000], "desk": op.device,
        }  # fmt: skip
        tx.intent(f"{op.hash}/review", "agency.review", payload)

    def console(self) -> dict[str, Any]:
        """The table that the console shows: title, columns and query."""
        return {
            "title": {"km": "សេចក្តីសម្រេចរបស់ទីភ្នាក់ងារ", "en": "Agencies' decisions"},
            "columns": [
                {"key": "received_ms", "title": {"km": "បានទទួល", "en": "Received"}},
                {"key": "office", "title": {"km": "តុ", "en": "Desk"}},
                {"key": "decision", "title": {"km": "សេចក្តីសម្រេច", "en": "Decision"}, "looks": LOOKS},
                {"key": "target", "title": {"km": "កំណត់ត្រា", "en": "Record"}},
            ],
            "exported": [{"key": "op", "title": {"km": "សញ្ញាសម្គាល់", "en": "Fingerprint"}}],
            "key": ["op"],
            "query": "SELECT op, received_ms, office, decision, target FROM p_agency_review ORDER BY received_ms DESC, op",
        }
