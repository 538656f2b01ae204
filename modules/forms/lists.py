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

HEAD: Final = (
    "id, receipt, form, version, service, person, latin, phone, fee, received, received_ms, due, state, printed, officer, "
    "last_op, review, review_reason, review_op, review_ms"
)
STATES: Final = ("all", "open", "due", "waiting", "sending", "received", "sent_back", "accepted", "withdrawn")
_DECIDED: Final = frozenset({"sent_back", "accepted"})  # states that the centre gives
_OUTBOX: Final = frozenset({"waiting", "sending", "received"})  # states that only the outbox knows
_ASKED: Final = 10_000  # newest rows that a question of such a state looks at: a peak month without a line
_EVERYTHING: Final = "1"  # a condition that every row meets
_FOUND: Final = 500  # hits of a search that are looked at


class Lists:
    """The commands that show many submissions."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library

    def list_(
        self, *, filter: str = "", state: str = "all", limit: int = 50, after: str = "", offset: int = 0, form: str = ""
    ) -> dict[str, Any]:
        """Newest first: ``{"rows", "total", "next"}``. ``after`` continues behind an id, ``offset`` jumps (for a scroll bar).

        ``filter`` is what a person types: part of a name, number, phone, place. ``state``: all, open (not withdrawn), due (open
        and the day has come), waiting | sending | received (open, as the outbox says), sent_back | accepted (open, as the centre decided),
        withdrawn.
        """
        where, values = self._where(state, form)
        if filter.strip():
            found = [row["record"] for row in self._api.store.search(filter, [KIND], _FOUND)]
            ids = self._existing(list(dict.fromkeys([*self._by_serial(filter), *found])), where, values)
            return self._page(self._of_sync_state(ids, state), limit, after, offset)
        if state in _OUTBOX:
            return self._page(self._of_sync_state(self._newest(where, values), state), limit, after, offset)
        return self._paged(where, values, limit, after, offset, by_due=state == "due")

    def _where(self, state: str, form: str) -> tuple[str, list[object]]:
        parts, values = list[str](), list[object]()
        if state != "all":
            parts.append("state = 'withdrawn'" if state == "withdrawn" else "state = 'finished'")
        if state in _DECIDED:
            parts.append("review = ? AND review_op = last_op")
            values.append(state)
        if state == "due":
            parts.append("due <= ?")
            values.append(self.today().isoformat())
        if form:
            parts.append("form = ?")
            values.append(form)
        return " AND ".join(parts) or _EVERYTHING, values

    def _paged(
        self, where: str, values: list[object], limit: int, after: str, offset: int, *, by_due: bool
    ) -> dict[str, Any]:
        total = self._count(where, values)
        bound, more = (" AND id < ?", [after]) if after else ("", [])
        order = "+id" if by_due else "id"  # few cases are due: found by the index of due days, then sorted
        rows = self._api.store.query(
            f"SELECT {HEAD} FROM forms_submission WHERE {where}{bound} ORDER BY {order} DESC LIMIT ? OFFSET ?",
            *values, *more, limit, 0 if after else offset,
        )  # fmt: skip
        return {"rows": self.dress(rows), "total": total, "next": rows[-1]["id"] if len(rows) == limit else None}

    def _count(self, where: str, values: list[object]) -> int:
        """How many rows fit. A submission is never deleted, so the last row number is the number of all of them."""
        what = "coalesce(max(rowid), 0)" if where == _EVERYTHING else "count(*)"
        rows = self._api.store.query(f"SELECT {what} AS n FROM forms_submission WHERE {where}", *values)
        return int(rows[0]["n"])

    def _newest(self, where: str, values: list[object]) -> list[str]:
        """Ids of the newest rows, as many as the outbox can be asked about in a moment."""
        rows = self._api.store.query(
            f"SELECT id FROM forms_submission WHERE {where} ORDER BY id DESC LIMIT ?", *values, _ASKED
        )
        return [row["id"] for row in rows]

    def _existing(self, ids: list[str], where: str, values: list[object]) -> list[str]:
        """Those of ``ids`` that fit, in their order."""
        marks = ", ".join("?" * len(ids))
        fitting = self._api.store.query(
            f"SELECT id FROM forms_submission WHERE id IN ({marks}) AND {where}", *ids, *values
        )
        kept = {row["id"] for row in fitting}
        return [id for id in ids if id in kept]

    def _of_sync_state(self, ids: list[str], state: str) -> list[str]:
        if state not in _OUTBOX:
            return ids
        states = self._api.store.sync_states(ids)
        return [id for id in ids if _shown(states.get(id, "waiting")) == state]

    def _page(self, ids: list[str], limit: int, after: str, offset: int) -> dict[str, Any]:
        start = ids.index(after) + 1 if after in ids else offset
        page = ids[start : start + limit]
        marks, place = ", ".join("?" * len(page)), {id: at for at, id in enumerate(page)}
        rows = self._api.store.query(f"SELECT {HEAD} FROM forms_submission WHERE id IN ({marks})", *page)
        rows.sort(key=lambda row: place[row["id"]])
        more = start + limit < len(ids)
        return {"rows": self.dress(rows), "total": len(ids), "next": page[-1] if page and more else None}

    def _by_serial(self, typed: str) -> list[str]:
        try:
            read = numbering.read(typed)
        except Refused:
            return []
        rows = self._api.store.query(
            "SELECT id, receipt FROM forms_submission WHERE serial = ? LIMIT 50", int(read.serial)
        )
        return [row["id"] for row in rows if read.same(row["receipt"])]

    def dress(self, rows: list[Row]) -> list[Row]:
        """Rows with what is not in the table: service title, outbox state, working days left, the state's word."""
        states = self._api.store.sync_states([row["id"] for row in rows])
        today = self.today()
        for row in rows:
            row["sync"] = _shown(states.get(row["id"], "waiting"))
            row["title"] = self._library.catalogue.service(row["service"]).title
            row["overdue"] = row["due"] < today.isoformat()
            row["days_left"] = self._library.holidays.left(today, date.fromisoformat(row["due"]))
            _decide(row)
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


def _shown(state: str) -> str:
    """The word of the one vocabulary for a state of the outbox."""
    return "received" if state == "stable" else state


def _decide(row: Row) -> None:
    """``shown_state`` and ``review`` of ``row``: the centre's word, unless the case has gone on since."""
    if row.pop("review_op") != row.pop("last_op") or (row["review"] == "send_again" and row["sync"] == "received"):
        row["review"], row["review_reason"], row["review_ms"] = "", "", 0
    decided = row["review"] if row["review"] in _DECIDED else ""
    row["shown_state"] = "withdrawn" if row["state"] == "withdrawn" else decided or row["sync"]


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
