"""The centre's table of short links: what the redirector serves. Deterministic, rebuilt from the log at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from modules.links import codes, rules

Answer = Literal["redirect", "disabled", "expired", "refused", "unknown"]

LOOKS: Final = {
    "active": {"icon": "check-circle", "tone": "green", "km": "បើក", "en": "on"},
    "disabled": {"icon": "pause", "tone": "amber", "km": "បិទ", "en": "off"},
    "refused": {"icon": "error", "tone": "red", "km": "បានបដិសេធ", "en": "refused"},
}
"""How the centre's page shows the states: the same words and signs as on the laptop."""


class Projection:
    """``p_links_link``: one row a code. The first link of a code in the log keeps it; a later one is a conflict."""

    name: Final = "links"
    version: Final = 1
    kinds: Final = frozenset({"links.created", "links.state"})

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_links_link (code TEXT PRIMARY KEY, target TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, "
            "reason TEXT NOT NULL, expires_ms BIGINT, office TEXT NOT NULL, device TEXT NOT NULL, op TEXT NOT NULL, "
            "created_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL)",
            "CREATE TABLE p_links_conflict (op TEXT PRIMARY KEY, code TEXT NOT NULL, target TEXT NOT NULL, office TEXT NOT NULL, "
            "device TEXT NOT NULL, received_ms BIGINT NOT NULL)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        body = op.body or {}
        if op.kind == "links.created":
            self._created(tx, op, body, received_ms)
        elif body.get("state") in ("active", "disabled"):
            tx.execute(
                "UPDATE p_links_link SET state = :state, changed_ms = :now WHERE code = :code AND office = :office AND state <> 'refused'",
                {"state": body["state"], "now": received_ms, "code": str(body.get("code", "")), "office": op.office},
            )

    def console(self) -> dict[str, Any]:
        """The table that the console shows: title, columns and query."""
        return {
            "title": {"km": "តំណខ្លី", "en": "Short links"},
            "columns": [
                {"key": "code", "title": {"km": "លេខកូដ", "en": "Code"}},
                {"key": "title", "title": {"km": "អំពី", "en": "About"}},
                {"key": "target", "title": {"km": "នាំទៅ", "en": "Leads to"}},
                {"key": "office", "title": {"km": "ការិយាល័យ", "en": "Office"}},
                {"key": "state", "title": {"km": "ស្ថានភាព", "en": "State"}, "looks": LOOKS},
            ],
            "query": "SELECT code, title, target, office, state FROM p_links_link ORDER BY created_ms DESC, code",
        }

    def _created(self, tx: Any, op: Any, body: Mapping[str, Any], received_ms: int) -> None:
        code, target = str(body.get("code", "")), str(body.get("target", ""))
        row = {
            "code": code,
            "target": target,
            "op": op.hash,
            "office": op.office,
            "device": op.device,
            "now": received_ms,
        }
        expires = body.get("expires_ms")
        reason = _against(code, target, op.office)
        first = tx.execute(
            "INSERT INTO p_links_link (code, target, title, state, reason, expires_ms, office, device, op, created_ms, changed_ms) "
            "VALUES (:code, :target, :title, :state, :reason, :expires, :office, :device, :op, :made, :now) "
            "ON CONFLICT (code) DO NOTHING",
            {
                **row, "title": str(body.get("title", "")), "state": "refused" if reason else "active", "reason": reason,
                "expires": expires if isinstance(expires, int) else None, "made": op.wall_ms,
            },
        )  # fmt: skip
        if not first:
            tx.execute(
                "INSERT INTO p_links_conflict (op, code, target, office, device, received_ms) "
                "VALUES (:op, :code, :target, :office, :device, :now)",
                row,
            )


def answer(row: Mapping[str, Any] | None, now_ms: int) -> Answer:
    """What the redirector does with a code whose row of ``p_links_link`` is ``row``."""
    if row is None:
        return "unknown"
    if row["state"] == "refused":
        return "refused"
    if row["state"] != "active":
        return "disabled"
    return "expired" if row["expires_ms"] is not None and row["expires_ms"] < now_ms else "redirect"


def _against(code: str, target: str, office: str) -> str:
    """Why the centre does not serve a link that a laptop has sent; "" when it does. A laptop is not believed blindly."""
    if not codes.valid(code) and codes.slug_office(code) != office:
        return "LN-002"
    problems = rules.check(target, rules.Policy(own=frozenset(), other_ports=True)).problems
    return problems[0].code if problems else ""
