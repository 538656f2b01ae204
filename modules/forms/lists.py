"""Lists of submissions: by state, by what is typed, by receipt, and the numbers of the day for the home page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from i18n import numbers
from i18n.dates import moment, short_date
from modules.contract import Api, Refused, Row
from modules.forms import numbering
from modules.forms.finish import KIND
from modules.forms.library import Library

HEAD: Final = "id, receipt, form, version, service, person, latin, phone, fee, received, received_ms, due, state, printed, officer"
STATES: Final = ("all", "open", "due", "waiting", "sending", "received", "withdrawn")
_SCAN: Final = 500  # rows per step when a state must be asked of the outbox
_MOST: Final = 20_000  # rows that such a question looks at


class Lists:
    """The commands that show many submissions."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library

    def list_(
        self, *, filter: str = "", state: str = "all", limit: int = 50, after: str = "", offset: int = 0, form: str = ""
    ) -> dict[str, Any]:
        """Newest first: ``{"rows", "total", "next"}``. ``after`` continues behind an id, ``offset`` jumps (for a scroll bar).

        ``filter`` is what a person types: part of a name, number, phone, place. ``state``: open (neither due nor withdrawn
        is asked), due (the day has come), waiting | sending | received (outbox), withdrawn, all.
        """
        if filter.strip():
            found = [row["record"] for row in self._api.store.search(filter, [KIND], 500)]
            if numbering_hit := self._by_serial(filter):
                found = list(dict.fromkeys([*numbering_hit, *found]))
            rows = self._rows_of(found)
        else:
            where, values = self._where(state, form)
            if state in ("waiting", "sending", "received"):
                return self._page(self._in_outbox_state(state, where, values), limit, after, offset)
            return self._paged(where, values, limit, after, offset)
        kept = [row for row in self.dress(rows) if self._fits(row, state, form)]
        return self._page(kept, limit, after, offset)

    def _where(self, state: str, form: str) -> tuple[str, list[object]]:
        parts, values = ["1"], list[object]()
        if form:
            parts.append("form = ?")
            values.append(form)
        if state == "withdrawn":
            parts.append("state = 'withdrawn'")
        elif state != "all":
            parts.append("state = 'finished'")
        if state == "due":
            parts.append("due <= ?")
            values.append(self.today().isoformat())
        return " AND ".join(parts), values

    def _paged(self, where: str, values: list[object], limit: int, after: str, offset: int) -> dict[str, Any]:
        total = self._api.store.query(f"SELECT count(*) AS n FROM forms_submission WHERE {where}", *values)[0]["n"]
        bound, more = (" AND id < ?", [after]) if after else ("", [])
        rows = self._api.store.query(
            f"SELECT {HEAD} FROM forms_submission WHERE {where}{bound} ORDER BY id DESC LIMIT ? OFFSET ?",
            *values, *more, limit, 0 if after else offset,
        )  # fmt: skip
        return {"rows": self.dress(rows), "total": total, "next": rows[-1]["id"] if len(rows) == limit else None}

    def _in_outbox_state(self, state: str, where: str, values: list[object]) -> list[Row]:
        """Rows whose ops stand in ``state``: the outbox is asked in steps, newest rows first."""
        kept: list[Row] = []
        after = "g"  # behind every hex id
        for _ in range(_MOST // _SCAN):
            rows = self._api.store.query(
                f"SELECT {HEAD} FROM forms_submission WHERE {where} AND id < ? ORDER BY id DESC LIMIT ?",
                *values,
                after,
                _SCAN,
            )
            kept += [row for row in self.dress(rows) if row["sync"] == state]
            if len(rows) < _SCAN:
                break
            after = rows[-1]["id"]
        return kept

    def _page(self, rows: list[Row], limit: int, after: str, offset: int) -> dict[str, Any]:
        ids = [row["id"] for row in rows]
        start = ids.index(after) + 1 if after in ids else offset
        page = rows[start : start + limit]
        more = start + limit < len(rows)
        return {"rows": page, "total": len(rows), "next": page[-1]["id"] if page and more else None}

    def _rows_of(self, ids: list[str]) -> list[Row]:
        marks = ", ".join("?" * len(ids))
        rows = self._api.store.query(f"SELECT {HEAD} FROM forms_submission WHERE id IN ({marks})", *ids) if ids else []
        place = {id: at for at, id in enumerate(ids)}
        return sorted(rows, key=lambda row: place[row["id"]])

    def _by_serial(self, typed: str) -> list[str]:
        try:
            read = numbering.read(typed)
        except Refused:
            return []
        rows = self._api.store.query(
            "SELECT id, receipt FROM forms_submission WHERE serial = ? LIMIT 50", int(read.serial)
        )
        return [row["id"] for row in rows if read.same(row["receipt"])]

    def _fits(self, row: Row, state: str, form: str) -> bool:
        if form and row["form"] != form:
            return False
        match state:
            case "all":
                return True
            case "withdrawn":
                return bool(row["state"] == "withdrawn")
            case "open":
                return bool(row["state"] == "finished")
            case "due":
                return bool(row["state"] == "finished" and row["due"] <= self.today().isoformat())
            case _:
                return bool(row["state"] == "finished" and row["sync"] == state)

    def dress(self, rows: list[Row]) -> list[Row]:
        """Rows with what is not in the table: service title, outbox state, working days left, the state's word."""
        states = self._api.store.sync_states([row["id"] for row in rows])
        today = self.today()
        for row in rows:
            synced = states.get(row["id"], "waiting")
            row["sync"] = "received" if synced == "stable" else synced
            row["title"] = self._library.catalogue.service(row["service"]).title
            row["overdue"] = row["due"] < today.isoformat()
            row["days_left"] = self._library.holidays.left(today, date.fromisoformat(row["due"]))
            row["shown_state"] = "withdrawn" if row["state"] == "withdrawn" else row["sync"]
        return rows

    def today(self) -> date:
        return moment(self._api.clock.wall_ms()).date()

    def case_by_receipt(self, *, text: str) -> dict[str, Any]:
        """The case that a scanned or typed receipt names. ``Refused`` FM-035 unreadable, FM-036 not here, FM-037 altered."""
        wanted = numbering.read(text)
        rows = self._api.store.query(
            f"SELECT {HEAD}, op FROM forms_submission WHERE serial = ? ORDER BY id DESC LIMIT 100", int(wanted.serial)
        )
        hits = [row for row in rows if wanted.same(row["receipt"])]
        if not hits:
            shown = "-".join(part for part in (wanted.office, wanted.device, wanted.serial) if part)
            raise Refused("FM-036", receipt=shown)
        op = hits[0].pop("op")
        if wanted.code is not None and wanted.code != numbering.check_code(op, hits[0]["receipt"]):
            raise Refused("FM-037", receipt=hits[0]["receipt"])
        return self.dress(hits[:1])[0]

    def today_(self) -> dict[str, Any]:
        """For the home page: cases whose day has come, what was taken today in number and riel, the last seven days."""
        today = self.today()
        week = [today - timedelta(6 - back) for back in range(7)]
        days = {
            row["received"]: row
            for row in self._api.store.query(
                "SELECT received, count(*) AS n, sum(fee) AS riel FROM forms_submission "
                "WHERE received >= ? AND state = 'finished' GROUP BY received",
                week[0].isoformat(),
            )
        }
        due = self._api.store.query(
            f"SELECT {HEAD} FROM forms_submission WHERE state = 'finished' AND due <= ? ORDER BY due, id LIMIT 20",
            today.isoformat(),
        )
        here = days.get(today.isoformat(), {"n": 0, "riel": 0})
        services = len(self._library.catalogue.services)
        return {
            "items": [_due_item(row) for row in self.dress(due)],
            "week": [days.get(day.isoformat(), {"n": 0})["n"] for day in week],
            "today": {"count": here["n"], "riel": here["riel"]},
            "figures": [_fees(here["n"], here["riel"])] if here["n"] else [],
            "note": {"km": f"សេវា {services} · តាមឈ្មោះ", "en": f"{services} services, by name"},
        }


def _due_item(row: Row) -> dict[str, Any]:
    """One line of the home page: overdue is red and first, due today amber."""
    late = max(1, -row["days_left"]) if row["overdue"] else 0  # a due day on the eve of a holiday is late all the same
    notes = (
        {"km": f"ហួសកំណត់ {late} ថ្ងៃធ្វើការ", "en": f"Overdue by {late} working {'day' if late == 1 else 'days'}"}
        if late > 0
        else {"km": "ត្រូវបញ្ចប់ថ្ងៃនេះ", "en": "Due today"}
    )
    return {
        "icon": "clock", "tone": "red" if late > 0 else "amber", "note": notes, "rank": 10 if late > 0 else 20, "target": row["id"],
        "title": {side: f"{row['title'][side]} · {row['receipt']}" for side in ("km", "en")},
        "when": short_date(date.fromisoformat(row["due"])),
    }  # fmt: skip


def _fees(count: int, riel: int) -> dict[str, Any]:
    return {
        "title": {"km": "ចំណូលថ្ងៃនេះ", "en": "Fees today"}, "value": numbers.riel(riel),
        "note": {"km": f"បង្កាន់ដៃ {count} · ត្រូវនឹងតារាងតម្លៃ", "en": f"{count} receipts, all by the price list"},
    }  # fmt: skip
