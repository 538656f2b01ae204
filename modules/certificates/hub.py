"""The centre's table of certificates and the publications that come from it. Deterministic, rebuilt from the log.

Only the issuing office changes a certificate, a revoked one stays revoked whatever follows, and a second certificate
that claims a number or a place in the status list is kept and marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from modules.certificates import statuslist, trustlist
from modules.certificates.claims import MAX_INDEX
from modules.certificates.statuslist import State

_STATES: Final = frozenset({"valid", "suspended", "revoked"})

LOOKS: Final = {
    "valid": {"icon": "check-circle", "tone": "green", "km": "មានសុពលភាព", "en": "in force"},
    "suspended": {"icon": "pause", "tone": "amber", "km": "ត្រូវបានព្យួរ", "en": "suspended"},
    "revoked": {"icon": "ban", "tone": "red", "km": "ត្រូវបានដកហូត", "en": "revoked"},
}
"""How the centre's page shows the states: the same words and signs as on the laptop."""


class Projection:
    """``p_certificates_issued``: one row a certificate; ``p_certificates_status``: what was said about it, in log order."""

    name: Final = "certificates"
    version: Final = 2
    kinds: Final = frozenset({"certificates.issued", "certificates.status"})

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_certificates_issued (cti TEXT PRIMARY KEY, number TEXT NOT NULL, template TEXT NOT NULL, "
            "office TEXT NOT NULL, device TEXT NOT NULL, status_index BIGINT NOT NULL, hash TEXT NOT NULL, issued_s BIGINT NOT NULL, "
            "expires_s BIGINT, status TEXT NOT NULL, changed_ms BIGINT NOT NULL, conflict TEXT NOT NULL, op TEXT NOT NULL)",
            "CREATE INDEX p_certificates_issued_office ON p_certificates_issued (office, status)",
            "CREATE INDEX p_certificates_issued_when ON p_certificates_issued (office, issued_s)",
            "CREATE TABLE p_certificates_status (op TEXT PRIMARY KEY, cti TEXT NOT NULL, office TEXT NOT NULL, device TEXT NOT NULL, "
            "status TEXT NOT NULL, reason TEXT NOT NULL, status_index BIGINT NOT NULL, at_s BIGINT NOT NULL, log_index BIGINT NOT NULL, "
            "received_ms BIGINT NOT NULL)",
            "CREATE INDEX p_certificates_status_cti ON p_certificates_status (cti)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        body = op.body or {}
        if op.kind == "certificates.issued":
            self._issued(tx, op, body, received_ms)
        else:
            self._said(tx, op, body, received_ms)

    def _issued(self, tx: Any, op: Any, body: Mapping[str, Any], received_ms: int) -> None:
        cti, index = _hex(body.get("cti")), _index(body.get("index"))
        if not cti or index is None or body.get("issuer") != op.office:
            return  # an office issues in its own name only
        if tx.query("SELECT cti FROM p_certificates_issued WHERE cti = :cti", {"cti": cti}):
            return
        number = str(body.get("number", ""))
        twins = tx.query(
            "SELECT cti FROM p_certificates_issued WHERE office = :office AND (number = :number OR status_index = :place)",
            {"office": op.office, "number": number, "place": index},
        )
        expires = body.get("expires_s")
        tx.execute(
            "INSERT INTO p_certificates_issued (cti, number, template, office, device, status_index, hash, issued_s, expires_s, "
            "status, changed_ms, conflict, op) VALUES (:cti, :number, :template, :office, :device, :place, :hash, :issued, :expires, "
            "'valid', :now, :conflict, :op)",
            {
                "cti": cti, "number": number, "template": str(body.get("template", "")), "office": op.office,
                "device": op.device, "place": index, "hash": _hex(body.get("hash")), "issued": int(body.get("issued_s") or 0),
                "expires": expires if isinstance(expires, int) else None, "now": received_ms,
                "conflict": "number" if twins else "", "op": op.hash,
            },
        )  # fmt: skip
        self._settle(tx, cti, op.office, received_ms)

    def _said(self, tx: Any, op: Any, body: Mapping[str, Any], received_ms: int) -> None:
        cti, index, status = _hex(body.get("cti")), _index(body.get("index")), body.get("status")
        if not cti or index is None or status not in _STATES or body.get("issuer") != op.office:
            return
        tx.execute(
            "INSERT INTO p_certificates_status (op, cti, office, device, status, reason, status_index, at_s, log_index, received_ms) "
            "VALUES (:op, :cti, :office, :device, :status, :reason, :place, :at, :log, :now)",
            {
                "op": op.hash, "cti": cti, "office": op.office, "device": op.device, "status": status,
                "reason": str(body.get("reason", ""))[:40], "place": index, "at": int(body.get("at_s") or 0), "log": op.index,
                "now": received_ms,
            },
        )  # fmt: skip
        self._settle(tx, cti, op.office, received_ms)

    def _settle(self, tx: Any, cti: str, office: str, received_ms: int) -> None:
        """The state that all words together give: revoked once is revoked, else the last word in the log counts."""
        said = tx.query(
            "SELECT status FROM p_certificates_status WHERE cti = :cti AND office = :office ORDER BY log_index, op",
            {"cti": cti, "office": office},
        )
        if said:
            words = [row["status"] for row in said]
            tx.execute(
                "UPDATE p_certificates_issued SET status = :status, changed_ms = :now WHERE cti = :cti AND office = :office",
                {
                    "status": "revoked" if "revoked" in words else words[-1],
                    "now": received_ms,
                    "cti": cti,
                    "office": office,
                },
            )

    def console(self) -> dict[str, Any]:
        """The table that the console shows."""
        return {
            "title": {"km": "វិញ្ញាបនបត្រ", "en": "Certificates"},
            "columns": [
                {"key": "number", "title": {"km": "លេខ", "en": "Number"}},
                {"key": "template", "title": {"km": "ប្រភេទ", "en": "Kind"}, "names": _kinds()},
                {"key": "office", "title": {"km": "ការិយាល័យ", "en": "Office"}},
                {"key": "issued", "title": {"km": "ចេញថ្ងៃ", "en": "Issued"}, "type": "time"},
                {"key": "expires", "title": {"km": "ផុតកំណត់", "en": "Expires"}, "type": "time"},
                {"key": "state", "title": {"km": "ស្ថានភាព", "en": "State"}, "looks": LOOKS},
                {"key": "conflict", "title": {"km": "ជាន់គ្នា", "en": "Conflict"}},
            ],
            "exported": [{"key": "cti", "title": {"km": "សញ្ញាសម្គាល់", "en": "Fingerprint"}}],
            "key": ["cti"],
            "query": "SELECT cti, number, template, office, issued_s * 1000 AS issued, expires_s * 1000 AS expires, "
            "status AS state, conflict "
            "FROM p_certificates_issued ORDER BY issued_s DESC, number DESC",
        }

    def publications(
        self, tx: Any, offices: Sequence[Mapping[str, Any]], now_ms: int, sign: Callable[[bytes], bytes], public: bytes
    ) -> dict[str, bytes]:
        """Trust lists and status lists of ``offices``, by publication name.

        ``offices``: ``{"code", "name": {"km", "en"}, "keys": [{"public": 32 bytes, "from_ms", "withdrawn_ms" or None}]}``, every
        enrolled device's issuing key. ``sign`` and ``public`` are the hub's key for status lists (the laptops rely on the
        publication itself, others on this signature).
        """
        targets = trustlist.of_offices(offices, now_ms // 1000)
        states = self._states(tx)
        for office in offices:
            code = office["code"]
            targets[f"status/{code}.cwt"] = statuslist.write(
                code, states.get(code, {}), now_ms // 1000, sign=sign, public=public, known_s=self._known(tx, code)
            )
        return targets

    def _known(self, tx: Any, office: str) -> int:
        """The time of the newest certificate of ``office``; 0: none."""
        rows = tx.query(
            "SELECT max(issued_s) AS s FROM p_certificates_issued WHERE office = :office", {"office": office}
        )
        return int(rows[0]["s"] or 0)

    def _states(self, tx: Any) -> dict[str, dict[int, State]]:
        """By office, entries that are not valid. A certificate whose issue has not arrived yet is listed by what was said of it."""
        states: dict[str, dict[int, State]] = {}
        rows = tx.query(
            "SELECT s.office AS office, s.status_index AS place, s.status AS said, i.status AS settled FROM p_certificates_status s "
            "LEFT JOIN p_certificates_issued i ON i.cti = s.cti AND i.office = s.office ORDER BY s.log_index, s.op"
        )
        for row in rows:
            of = states.setdefault(row["office"], {})
            if of.get(row["place"]) != "revoked":
                of[row["place"]] = row["settled"] or row["said"]
        return {
            office: {place: state for place, state in of.items() if state != "valid"} for office, of in states.items()
        }


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else ""


def _index(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < MAX_INDEX else None


def _kinds() -> dict[str, Mapping[str, str]]:
    """The titles of the templates by the name that an op carries: ``attestation/1``."""
    from modules.certificates import templates

    return {f"{id}/{version}": template.title for (id, version), template in templates.library().items()}
