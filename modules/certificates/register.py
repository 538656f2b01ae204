"""The register of what this office issued on this laptop: list, show, revoke, suspend, reinstate, replace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from i18n.catalog import Text
from i18n.errors import Refused
from modules.certificates import kh1, templates, values
from modules.certificates.check import describe
from modules.certificates.claims import Claims, parse
from modules.certificates.issue import KIND, Issue
from modules.certificates.statuslist import State
from modules.contract import Api, Row

STATUS_KIND: Final = "certificates.status"
STATES: Final = ("valid", "suspended", "revoked", "expired")

REASONS: Final[Mapping[str, Text]] = {
    "replaced": {"km": "ជំនួសដោយវិញ្ញាបនបត្រថ្មី", "en": "Replaced by a new certificate"},
    "error": {"km": "មានកំហុសក្នុងទិន្នន័យ", "en": "A mistake in the data"},
    "request": {"km": "តាមសំណើរបស់សាមីខ្លួន", "en": "At the holder's request"},
    "ended": {"km": "ឈប់ធ្វើអាជីវកម្ម", "en": "The activity has ended"},
    "breach": {"km": "មិនគោរពលក្ខខណ្ឌ", "en": "Conditions were not kept"},
    "fraud": {"km": "ទទួលបានដោយក្លែងបន្លំ", "en": "Obtained by fraud"},
    "other": {"km": "មូលហេតុផ្សេង", "en": "Another reason"},
}

_LISTED = "id, number, template, version, name, issued_s, expires_s, status, reason, changed_ms, prints, replaces"
_LEAST_REASON = 3  # characters
_MOST_FOUND = 2_000  # records of one search


class Register:
    """The commands on certificates that exist."""

    def __init__(self, api: Api, issue: Issue) -> None:
        self._api = api
        self._issue = issue

    def list_(
        self, *, filter: str = "", status: str | None = None, template: str | None = None, limit: int = 100, offset: int = 0
    ) -> dict[str, Any]:  # fmt: skip
        """Newest first: ``{"rows": […], "total"}``. ``filter`` is searched in numbers, names and places."""
        where, values = self._where(filter, status, template)
        store = self._api.store
        total = store.query(f"SELECT count(*) AS n FROM certificates_issued {where}", *values)[0]["n"]
        rows = store.query(
            f"SELECT {_LISTED} FROM certificates_issued {where} ORDER BY id DESC LIMIT ? OFFSET ?",
            *values,
            limit,
            offset,
        )
        return {"rows": self._dress(rows), "total": total}

    def _where(self, filter: str, status: str | None, template: str | None) -> tuple[str, list[object]]:
        parts: list[str] = []
        values: list[object] = []
        now_s = self._api.clock.wall_ms() // 1000
        if filter.strip():
            found = [row["record"] for row in self._api.store.search(filter, [KIND], _MOST_FOUND)]
            parts.append(f"id IN ({', '.join('?' * len(found))})")
            values += found
        if template:
            parts.append("template = ?")
            values.append(template)
        if status == "expired":
            parts.append("status = 'valid' AND expires_s < ?")
            values.append(now_s)
        elif status:
            parts.append("status = ? AND (status <> 'valid' OR expires_s IS NULL OR expires_s >= ?)")
            values += [status, now_s]
        return ("WHERE " + " AND ".join(parts) if parts else ""), values

    def _dress(self, rows: list[Row]) -> list[dict[str, Any]]:
        states = self._api.store.sync_states([row["id"] for row in rows])
        now_s = self._api.clock.wall_ms() // 1000
        return [
            row
            | {
                "title": _title(row),
                "state": _state(row, now_s),
                "sync": states.get(row["id"], "waiting"),
            }
            for row in rows
        ]

    def show(self, *, id: str) -> dict[str, Any]:
        """One certificate whole, by id or number. ``Refused("CT-140")`` when it is not in this register."""
        row = self._row(id)
        claims = parse(kh1.read(row["text"]).payload)
        prints = self._api.store.query(
            "SELECT copy, way, printed_ms, officer FROM certificates_print WHERE certificate = ? ORDER BY copy",
            row["id"],
        )
        people = {officer.id: officer.name for officer in self._api.officers()}
        for event in prints:
            event["officer_name"] = people.get(event["officer"], "")
        listed = {name: row[name] for name in map(str.strip, _LISTED.split(","))}
        return {
            **self._dress([listed])[0],
            "text": row["text"],
            "source": row["source"],
            "officer_name": people.get(row["officer"], ""),
            "certificate": describe(claims),
            "data": _data(claims),
            "reason_words": reason_words(row["reason"]),
            "printed": prints,
            "history": self._api.store.history(row["id"]),
        }

    def _row(self, id: str) -> Row:
        rows = self._api.store.query("SELECT * FROM certificates_issued WHERE id = ? OR number = ?", id, id)
        if not rows:
            raise Refused("CT-140", id=id)
        return rows[0]

    # --- changes

    def revoke(self, *, id: str, reason: str) -> dict[str, Any]:
        """Take a certificate back for good, at once on this laptop."""
        return self._change(id, "revoked", reason, {"valid", "suspended"})

    def suspend(self, *, id: str, reason: str) -> dict[str, Any]:
        """Put a certificate out of force for a time."""
        return self._change(id, "suspended", reason, {"valid"})

    def reinstate(self, *, id: str, reason: str) -> dict[str, Any]:
        """End a suspension. A revoked certificate stays revoked."""
        return self._change(id, "valid", reason, {"suspended"})

    def replace(
        self, *, id: str, data: Mapping[str, Any], reason: str = "replaced", clock_confirmed: bool = False
    ) -> dict[str, Any]:
        """Revoke a certificate and issue its successor with ``data``, both or neither."""
        row = self._row(id)
        template = templates.find(row["template"])
        if row["status"] != "revoked":
            self.revoke(id=row["id"], reason=reason)
        return self._issue.make(
            template, data, source=row["source"], clock_confirmed=clock_confirmed, replaces=row["id"]
        )

    def _change(self, id: str, status: State, reason: str, allowed: set[str]) -> dict[str, Any]:
        """``Refused``: CT-140 unknown · CT-141 not from its present state · CT-142 no reason."""
        row = self._row(id)
        if row["status"] not in allowed:
            raise Refused(
                "CT-141", number=row["number"], state=_words(row["status"], "km"), state_en=_words(row["status"], "en")
            )
        reason = " ".join(reason.split())
        if len(reason) < _LEAST_REASON:
            raise Refused("CT-142")
        now_ms = self._api.clock.wall_ms()
        body = {
            "v": 1, "cti": bytes.fromhex(row["cti"]), "number": row["number"], "issuer": self._api.office["code"],
            "index": row["status_index"], "status": status, "reason": reason if reason in REASONS else "other",
            "at_s": now_ms // 1000,
        }  # fmt: skip
        self._api.store.append(STATUS_KIND, row["id"], body, refs=[row["op"]])
        self._api.store.execute(
            "UPDATE certificates_issued SET status = ?, reason = ?, changed_ms = ? WHERE id = ?",
            status, reason, now_ms, row["id"],
        )  # fmt: skip
        return {"id": row["id"], "number": row["number"], "status": status}


def _data(claims: Claims) -> dict[str, Any]:
    """The values as they would be typed: where a successor starts from."""
    template = templates.find(claims.template, claims.version)
    return {
        field.name: values.typed(field, claims.fields[field.number])
        for field in template.fields
        if field.number in claims.fields
    }


def _state(row: Row, now_s: int) -> str:
    if row["status"] == "valid" and row["expires_s"] is not None and row["expires_s"] < now_s:
        return "expired"
    return str(row["status"])


def _title(row: Row) -> Text:
    try:
        return dict(templates.find(row["template"], row["version"]).title)
    except Refused:
        return {"km": row["template"], "en": row["template"]}


def reason_words(reason: str | None) -> Text | None:
    """The words of a coded reason, or what was typed."""
    if reason is None:
        return None
    return dict(REASONS.get(reason) or {"km": reason, "en": reason})


STATE_WORDS: Final[Mapping[str, Text]] = {
    "valid": {"km": "មានសុពលភាព", "en": "in force"},
    "suspended": {"km": "ត្រូវបានព្យួរ", "en": "suspended"},
    "revoked": {"km": "ត្រូវបានដកហូត", "en": "revoked"},
    "expired": {"km": "ផុតកំណត់", "en": "expired"},
}


def _words(state: str, language: str) -> str:
    return STATE_WORDS[state][language]
