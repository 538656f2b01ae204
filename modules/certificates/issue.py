"""Issues certificates: number, credential, register row, op, search row and trigger in one transaction."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from i18n.dates import PHNOM_PENH, moment, parse_date, short_date
from i18n.errors import Refused
from modules.certificates import filling, kh1, numbering, paper, templates
from modules.certificates.claims import CTI_BYTES, NUMBER, Claims
from modules.certificates.clockwatch import Now, watch
from modules.certificates.knowledge import Knowledge
from modules.certificates.offices import letterhead
from modules.certificates.templates import Template
from modules.contract import Api, Row

KIND: Final = "certificates.issued"
TRIGGER: Final = "certificates.issued"


class Issue:
    """The commands that make certificates."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def issue(
        self, *, template: str, data: Mapping[str, Any] | None = None, source: str | None = None,
        valid_until: str | None = None, clock_confirmed: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Issue a certificate from ``data``, or from the finished form ``source``.

        The same source and template give the certificate that is in force already, so a repeated run issues nothing
        twice. ``Refused``: CT-101 no such template · CT-111 to 114 a value · CT-120 the clock is doubtful · CT-121 too much
        for the code or the sheet · CT-123 the end lies in the past · CT-131, 132 the form · SY-301 no number left.
        """
        found = templates.find(template)
        if source and (rows := self._in_force(source, found.id)):
            return _result(rows[0], already=True)
        if data is None:
            data = filling.from_form(self._api, found, source) if source else {}
        return self.make(found, data, source=source, valid_until=valid_until, clock_confirmed=clock_confirmed)

    def make(
        self, template: Template, data: Mapping[str, Any], *, source: str | None = None, valid_until: str | None = None,
        clock_confirmed: bool = False, replaces: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Issue without looking for an earlier one."""
        taken, problems = filling.take(template, data)
        for problem in problems.values():
            raise problem
        issued_s = self._issuing_time(clock_confirmed)
        expires = expiry(template, moment(issued_s * 1000).date(), valid_until)
        lease, k = self._api.leases.take(numbering.RESOURCE)
        block = numbering.block(lease)
        number = block.number(k)
        claims = Claims(
            issuer=self._api.office["code"],
            issued_s=issued_s,
            expires_s=_end_of(expires) if expires else None,
            cti=bytes(CTI_BYTES),
            status_index=self._free_entry(block),
            template=template.id,
            version=template.version,
            fields={NUMBER: number} | {template.field(name).number: value for name, value in taken.items()},
        )
        keys = self._api.keys
        text, claims, sealed = kh1.write(
            claims, public=keys.office_public(), sign=keys.office_sign, random=self._api.random
        )
        if len(text) > kh1.MAX_ISSUED_TEXT or not paper.fits(self.sheet(template, taken, number, claims, text)):
            raise Refused("CT-121")
        row = self._keep(template, taken, claims, text, sealed, source, replaces)
        return _result(row, already=False)

    def sheet(self, template: Template, taken: filling.Values, number: str, claims: Claims, text: str) -> paper.Sheet:
        """The sheet of a certificate as its original looks."""
        end = moment(claims.expires_s * 1000).date() if claims.expires_s is not None else None
        return paper.compose(
            template,
            filling.shown(template, taken),
            letterhead(self._api.office),
            number=number,
            day=moment(claims.issued_s * 1000).date(),
            expires=end,
            text=text,
        )

    def now(self) -> Now:
        """The present for issuing: also never before the last certificate of this laptop."""
        knowledge = Knowledge(self._api)
        last = self._api.store.query("SELECT max(issued_s) AS s FROM certificates_issued")[0]["s"] or 0
        floor = knowledge.now(knowledge.office)
        return watch(self._api.clock.wall_ms() // 1000, [last, floor.floor_s])

    def _free_entry(self, block: numbering.Block) -> int:
        rows = self._api.store.query(
            "SELECT status_index FROM certificates_issued WHERE status_index BETWEEN ? AND ?",
            block.index, block.index + block.size - 1,
        )  # fmt: skip
        return block.entry({row["status_index"] for row in rows}, self._api.random)

    def _issuing_time(self, confirmed: bool) -> int:
        now = self.now()
        wall_s = self._api.clock.wall_ms() // 1000
        if now.suspect and not confirmed:
            raise Refused("CT-120", today=short_date(moment(wall_s * 1000).date()))
        return wall_s

    def _in_force(self, source: str, template: str) -> list[Row]:
        return self._api.store.query(
            "SELECT * FROM certificates_issued WHERE source = ? AND template = ? AND status <> 'revoked' ORDER BY id DESC",
            source, template,
        )  # fmt: skip

    def _keep(
        self, template: Template, taken: filling.Values, claims: Claims, text: str, sealed: bytes, source: str | None,
        replaces: str | None,
    ) -> Row:  # fmt: skip
        store, id = self._api.store, self._api.new_id()
        number, name = str(claims.fields[NUMBER]), str(taken.get(template.headline, ""))
        op = store.append(KIND, id, _body(claims, number, sealed))
        row: Row = {
            "id": id, "number": number, "template": template.id, "version": template.version, "name": name,
            "cti": claims.cti.hex(), "status_index": claims.status_index, "text": text, "issued_s": claims.issued_s,
            "expires_s": claims.expires_s, "officer": self._api.officer().id, "source": source, "replaces": replaces,
            "changed_ms": claims.issued_s * 1000, "op": op,
        }  # fmt: skip
        columns = ", ".join(row)
        store.execute(
            f"INSERT INTO certificates_issued ({columns}) VALUES ({', '.join('?' * len(row))})", *row.values()
        )
        words = [number, template.title["km"], template.title["en"], *filling.shown(template, taken).values()]
        store.index(id, KIND, f"{number} · {name}", "\n".join(words))
        self._api.emit(TRIGGER, _payload(row, taken, self._api.office["code"]))
        return row


def _body(claims: Claims, number: str, sealed: bytes) -> dict[str, Any]:
    """The op: enough to list and to revoke the certificate, and nothing about a person."""
    return {
        "v": 1,
        "cti": claims.cti,
        "template": f"{claims.template}/{claims.version}",
        "number": number,
        "issuer": claims.issuer,
        "hash": kh1.credential_hash(sealed),
        "index": claims.status_index,
        "issued_s": claims.issued_s,
        "expires_s": claims.expires_s,
    }


def _payload(row: Row, taken: filling.Values, office: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "number": row["number"],
        "template": row["template"],
        "source": row["source"],
        "person": {"km": str(taken.get("name_km", "")), "latin": str(taken.get("name_latin", ""))},
        "issued_s": row["issued_s"],
        "expires_s": row["expires_s"],
        "office": office,
    }


def _result(row: Row, *, already: bool) -> dict[str, Any]:
    names = ("id", "number", "template", "text", "issued_s", "expires_s")
    return {name: row[name] for name in names} | {"already": already}


def expiry(template: Template, today: date, valid_until: str | None) -> date | None:
    """The last day of a certificate issued ``today``; None: no end."""
    if valid_until:
        end = parse_date(valid_until)
        if end < today:
            raise Refused("CT-123", end=short_date(end))
        return end
    if template.valid_months is None:
        return None
    months = today.year * 12 + today.month - 1 + template.valid_months
    year, month = months // 12, months % 12 + 1
    day = min(today.day, calendar.monthrange(year, month)[1])
    return date(year, month, day)


def _end_of(day: date) -> int:
    """The last second of ``day`` in Phnom Penh."""
    midnight = datetime.combine(day + timedelta(days=1), time(), PHNOM_PENH)
    return int(midnight.timestamp()) - 1
