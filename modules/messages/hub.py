"""The centre's table of approved messages: what waits for the operator. A release without a valid approval is never passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modules.messages import approval

LOOKS: Final = {
    "incomplete": {"icon": "clock", "tone": "grey", "km": "មិនទាន់គ្រប់", "en": "incomplete"},
    "waiting": {"icon": "clock", "tone": "amber", "km": "រង់ចាំប្រគល់", "en": "to be handed over"},
    "refused": {"icon": "error", "tone": "red", "km": "បានបដិសេធ", "en": "refused"},
}
"""How the centre's page shows the states: the same words and signs as on the laptop."""


class Projection:
    """``p_messages_release``: one row a release; ``p_messages_part``: the texts it names; ``p_messages_text``: those that have come."""

    name: Final = "messages"
    version: Final = 1
    kinds: Final = frozenset({"messages.release", "messages.texts"})

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_messages_release (id TEXT PRIMARY KEY, title TEXT NOT NULL, recipients INTEGER NOT NULL, "
            "segments INTEGER NOT NULL, cost_riel BIGINT NOT NULL, set_hash TEXT NOT NULL, author TEXT NOT NULL, approver TEXT NOT NULL, "
            "not_after_ms BIGINT NOT NULL, parts INTEGER NOT NULL, parts_here INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, "
            "office TEXT NOT NULL, device TEXT NOT NULL, op TEXT NOT NULL, received_ms BIGINT NOT NULL)",
            "CREATE TABLE p_messages_part (release TEXT NOT NULL, op TEXT NOT NULL, PRIMARY KEY (release, op))",
            "CREATE TABLE p_messages_text (op TEXT PRIMARY KEY, office TEXT NOT NULL)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        if op.kind == "messages.texts":
            self._text(tx, op)
        else:
            self._release(tx, op, op.body or {}, received_ms)

    def console(self) -> dict[str, Any]:
        """The table that the console shows: title, columns and query."""
        return {
            "title": {"km": "សាររង់ចាំបញ្ជូន", "en": "Messages waiting for dispatch"},
            "columns": [
                {"key": "title", "title": {"km": "ចំណងជើង", "en": "Title"}},
                {"key": "office", "title": {"km": "ការិយាល័យ", "en": "Office"}},
                {"key": "recipients", "title": {"km": "អ្នកទទួល", "en": "Recipients"}, "type": "integer"},
                {"key": "segments", "title": {"km": "ផ្នែក", "en": "Parts"}, "type": "integer"},
                {"key": "cost_riel", "title": {"km": "តម្លៃ (រៀល)", "en": "Cost (riel)"}, "type": "integer"},
                {"key": "state", "title": {"km": "ស្ថានភាព", "en": "State"}, "looks": LOOKS},
            ],
            "facts": [{"key": "not_after_ms", "title": {"km": "ប្រគល់មិនឱ្យហួស", "en": "Hand over before"}}],
            "exported": [{"key": "id", "title": {"km": "សញ្ញាសម្គាល់", "en": "Fingerprint"}}],
            "key": ["id"],
            "query": (
                "SELECT id, title, office, recipients, segments, cost_riel, state FROM p_messages_release "
                "ORDER BY received_ms DESC, id DESC"
            ),
        }

    def _text(self, tx: Any, op: Any) -> None:
        tx.execute(
            "INSERT INTO p_messages_text (op, office) VALUES (:op, :office)", {"op": op.hash, "office": op.office}
        )
        for part in tx.query("SELECT release FROM p_messages_part WHERE op = :op ORDER BY release", {"op": op.hash}):
            self._settle(tx, part["release"])

    def _release(self, tx: Any, op: Any, body: Mapping[str, Any], received_ms: int) -> None:
        id, parts = str(body.get("campaign", "")), [str(part) for part in body.get("parts", [])]
        if tx.query("SELECT id FROM p_messages_release WHERE id = :id", {"id": id}):
            return  # handed over once; the same campaign from a copied machine changes nothing
        reason = _against(body, op.office)
        tx.execute(
            "INSERT INTO p_messages_release (id, title, recipients, segments, cost_riel, set_hash, author, approver, not_after_ms, parts, "
            "parts_here, state, reason, office, device, op, received_ms) VALUES (:id, :title, :recipients, :segments, :cost, :set, "
            ":author, :approver, :not_after, :parts, 0, :state, :reason, :office, :device, :op, :now)",
            {
                "id": id, "title": str(body.get("title", "")), "recipients": _number(body, "recipients"),
                "segments": _number(body, "segments"), "cost": _number(body, "cost"), "set": str(body.get("set", "")),
                "author": str(body.get("author", "")), "approver": str(body.get("approver", "")),
                "not_after": _number(body, "not_after_ms"), "parts": len(set(parts)), "state": "refused" if reason else "incomplete",
                "reason": reason, "office": op.office, "device": op.device, "op": op.hash, "now": received_ms,
            },
        )  # fmt: skip
        for part in dict.fromkeys(parts):
            tx.execute("INSERT INTO p_messages_part (release, op) VALUES (:id, :op)", {"id": id, "op": part})
        self._settle(tx, id)

    def _settle(self, tx: Any, id: str) -> None:
        """Count the parts that are here; a complete, approved release asks for its dispatch once."""
        named = tx.query(
            "SELECT p.op FROM p_messages_release r JOIN p_messages_part p ON p.release = r.id "
            "JOIN p_messages_text t ON t.op = p.op AND t.office = r.office WHERE r.id = :id",
            {"id": id},
        )
        tx.execute("UPDATE p_messages_release SET parts_here = :n WHERE id = :id", {"n": len(named), "id": id})
        row = tx.query("SELECT * FROM p_messages_release WHERE id = :id", {"id": id})[0]
        if row["state"] != "incomplete" or row["parts_here"] < row["parts"]:
            return
        tx.execute("UPDATE p_messages_release SET state = 'waiting' WHERE id = :id", {"id": id})
        tx.intent(
            f"{row['op']}/dispatch", "messages.dispatch",
            {
                "release": id, "title": row["title"], "office": row["office"], "recipients": row["recipients"], "segments": row["segments"],
                "cost_riel": row["cost_riel"], "not_after_ms": row["not_after_ms"], "set": row["set_hash"], "hold": "operator",
            },
        )  # fmt: skip


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else 0


def _against(body: Mapping[str, Any], office: str) -> str:
    """Why a release is not passed on; "" when it may be. The signature is checked over the facts as they came."""
    if body.get("office") != office:
        return "office"
    if not body.get("parts") or not body.get("recipients"):
        return "empty"
    if body.get("author") == body.get("approver"):
        return "author approved"
    if not approval.holds(body, body.get("approver_key", b""), body.get("signature", b"")):
        return "signature"
    return ""
