"""Campaigns from the first word to the hand-over: draft → checked → approved → released. Every edit takes it back to the start."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast

from i18n.dates import short_moment
from i18n.normalise import store as normal
from i18n.phones import parse_phone
from modules.contract import Api, Refused, Row
from modules.messages import approval, checking, notices, words
from modules.messages.recipients import Table, of_records, read_file
from modules.messages.segments import Bits
from modules.messages.template import parse

RELEASE: Final = "messages.release"
TEXTS: Final = "messages.texts"
CAMPAIGN: Final = "messages.campaign"  # what the index and pages call it
PART: Final = 500  # recipients of one sealed op: some 150 kB, and 64 parts are the most that one release names
DAY_MS: Final = 86_400_000
_EMPTY: Final[Row] = {
    "title": "", "template": "", "header": "[]", "file": "", "leave_out": 0, "strip_breaks": 0, "state": "draft", "source": None,
}  # fmt: skip


class Campaigns:
    """What the commands run."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # --- writing

    def draft(
        self,
        id: str = "",
        title: str | None = None,
        template: str | None = None,
        recipients: str | None = None,
        rows: Sequence[dict[str, str]] | None = None,
        leave_out: bool | None = None,
        strip_breaks: bool | None = None,
        source: str | None = None,
    ) -> dict[str, Any]:
        """Begin or edit a campaign; what is None stays. Checks everything again and takes back an approval."""
        row = self._row(id) if id else {**_EMPTY, "id": self._api.new_id(), "source": source}
        if row["state"] == "released":
            raise Refused("MS-032")
        for name, new in (("title", title), ("template", template)):
            row[name] = row[name] if new is None else normal(new)
        for name, flag in (("leave_out", leave_out), ("strip_breaks", strip_breaks)):
            row[name] = row[name] if flag is None else int(flag)
        table = self._given(recipients, rows)
        if table:
            row["header"], row["file"] = json.dumps(table.header, ensure_ascii=False), table.name
        self._keep(row, table or self._table(row))
        return self.show(row["id"])

    def from_flow(
        self,
        fields: Mapping[str, str],
        phone: str | None,
        template: str = "",
        notice: str = "",
        title: str = "",
        source: str = "",
    ) -> dict[str, Any]:
        """A message to one person, from the text ``template`` or the shipped ``notice``; one ``source`` makes one message."""
        known = self._api.store.query("SELECT id FROM messages_campaign WHERE source = ?", source) if source else []
        if known:
            made = self.show(known[0]["id"])
        else:
            text, person = notices.text(notice) if notice else template, {**fields, "phone": phone or ""}
            made = self.draft(title=title, template=text, rows=[person], source=source or None)
        first = self.rows(made["id"], limit=1)["rows"]
        merged = first[0]["text"] if first else ""
        return {
            "id": made["id"],
            "state": made["state"],
            "segments": made["segments"],
            "cost": made["cost"],
            "text": merged,
        }

    def approve(self, id: str) -> dict[str, Any]:
        """The second officer stands for the rendered set, exactly as it is now."""
        row, officer = self._row(id), self._api.officer()
        if row["state"] != "checked":
            raise words.not_yet(row["state"], "checked")
        if officer.id == row["author"]:
            raise Refused("MS-034")
        self._none_opted_out(id)
        now = self._api.clock.wall_ms()
        not_after = now + int(self._api.settings.get("messages.valid_days")) * DAY_MS
        facts = self._facts(row, not_after)
        signature = self._api.keys.officer_sign(approval.message(facts))
        self._api.store.execute(
            "UPDATE messages_campaign SET state = 'approved', approver = ?, approved_ms = ?, not_after_ms = ?, manifest = ?, "
            "signature = ? WHERE id = ?",
            officer.id, now, not_after, json.dumps(facts).encode(), signature, id,
        )  # fmt: skip
        self._api.store.touch(CAMPAIGN, id)
        self._api.audit("messages.approved", id)
        return self.show(id)

    def handover(self, id: str) -> dict[str, Any]:
        """Give the approved set to the outbox: sealed texts, then the plain release that names them."""
        row = self._row(id)
        if row["state"] != "approved":
            raise words.not_yet(row["state"], "approved")
        public = self._api.keys.officer_public(row["approver"])
        facts = self._facts(row, row["not_after_ms"])
        if facts != json.loads(row["manifest"]) or not approval.holds(facts, public, row["signature"]):
            raise Refused("MS-035")
        if row["not_after_ms"] < self._api.clock.wall_ms():
            raise Refused("MS-036", date=short_moment(row["not_after_ms"]))
        self._none_opted_out(id)
        sendable = self._sendable(id)
        starts = range(0, len(sendable), PART)
        parts = [self._texts(id, number, sendable[start : start + PART]) for number, start in enumerate(starts)]
        signed = {"approver": row["approver"], "approver_key": public, "signature": row["signature"]}
        release = {**facts, **signed, "title": row["title"], "parts": parts}
        op = self._api.store.append(RELEASE, id, release, refs=parts)
        self._api.store.execute("UPDATE messages_campaign SET state = 'released', op = ? WHERE id = ?", op, id)
        self._api.emit("messages.released", {"id": id, "title": row["title"], "recipients": facts["recipients"]})
        return self.show(id)

    def opt_out(self, phone: str, reason: str = "") -> dict[str, Any]:
        """Never write to ``phone`` again; checked at approval and at hand-over too."""
        number = _number(phone)
        self._api.store.execute(
            "INSERT INTO messages_optout (phone, reason, since_ms, officer) VALUES (?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING",
            number, normal(reason), self._api.clock.wall_ms(), self._api.officer().id,
        )  # fmt: skip
        return {"phone": number, "opted_out": True}

    def opt_in(self, phone: str) -> dict[str, Any]:
        """The person wants messages again."""
        number = _number(phone)
        self._api.store.execute("DELETE FROM messages_optout WHERE phone = ?", number)
        return {"phone": number, "opted_out": False}

    # --- reading

    def check(self, template: str, recipients: str) -> dict[str, Any]:
        """What a campaign of this text and this file would be, without keeping anything."""
        rules = self._rules(strip_breaks=False)
        found = checking.check(parse(template), read_file(Path(recipients)), rules)
        total = checking.total(found, rules.bits)
        price = self._price()
        return {
            "recipients": len(found), "good": total.good, "bad": total.bad, "segments": total.segments, "longest": total.longest,
            "price": price, "cost": price * total.segments,
            "saving": price * (total.segments - total.segments_without_breaks),
            "bad_rows": [
                {"row": one.row, "phone": one.phone, "problems": [words.problem(*fault) for fault in one.problems]}
                for one in found if one.problems
            ],
            "preview": [words.preview(one.text, rules.bits, price) for one in found if not one.problems][:3],
        }  # fmt: skip

    def segments(self, text: str) -> dict[str, Any]:
        """How ``text`` is counted, where it is cut, and what its invisible breaks cost."""
        return words.preview(normal(text), self._bits(), self._price())

    def page(self, text: str = "", state: str = "", offset: int = 0, limit: int = 200) -> dict[str, Any]:
        """``{"total", "rows"}`` of campaigns, last changed first."""
        where, args = ["1"], list[object]()
        if text.strip():
            found = [hit["record"] for hit in self._api.store.search(text, [CAMPAIGN], 1000)]
            where.append("id IN (SELECT value FROM json_each(?))")
            args.append(json.dumps(found))
        if state:
            where.append("state = ?")
            args.append(state)
        condition = " AND ".join(where)
        total = self._api.store.query(f"SELECT count(*) AS n FROM messages_campaign WHERE {condition}", *args)[0]["n"]
        rows = self._api.store.query(
            f"SELECT * FROM messages_campaign WHERE {condition} ORDER BY changed_ms DESC, id DESC LIMIT ? OFFSET ?",
            *args,
            limit,
            offset,
        )
        return {"total": total, "rows": self._shown(rows)}

    def show(self, id: str) -> dict[str, Any]:
        row = self._row(id)
        return {**self._shown([row])[0], "template": row["template"], "history": self._api.store.history(id)}

    def rows(self, id: str, only: Literal["", "bad", "good"] = "", offset: int = 0, limit: int = 200) -> dict[str, Any]:
        """``{"total", "rows"}`` of recipients with what is wrong with each, in the order of the file."""
        row = self._row(id)
        condition = {"": "1", "bad": "problems <> '[]'", "good": "problems = '[]'"}[only]
        total = {"": row["count"], "bad": row["bad"], "good": row["good"]}[only]
        found = self._api.store.query(
            f"SELECT row, phone, text, segments, problems FROM messages_recipient WHERE campaign = ? AND {condition} "
            "ORDER BY row LIMIT ? OFFSET ?", id, limit, offset,
        )  # fmt: skip
        return {
            "total": total,
            "rows": [
                {
                    **one, "id": str(one["row"]), "cost": one["segments"] * row["price"],
                    "problems": [words.problem(code, values) for code, values in json.loads(one["problems"])],
                }
                for one in found
            ],
        }  # fmt: skip

    def preview(self, id: str, row: int) -> dict[str, Any]:
        """One recipient's message as it will arrive, with the borders of its segments and its cost."""
        campaign = self._row(id)
        found = self._api.store.query("SELECT text FROM messages_recipient WHERE campaign = ? AND row = ?", id, row)
        if not found:
            raise Refused("MS-031")
        return words.preview(found[0]["text"], campaign["bits"], campaign["price"])

    # --- inside

    def _given(self, path: str | None, records: Sequence[dict[str, str]] | None) -> Table | None:
        if path is not None:
            return read_file(Path(path))
        return of_records(records) if records is not None else None

    def _table(self, row: Row) -> Table:
        """The recipients as they were read, from the database."""
        found = self._api.store.query(
            "SELECT row, cells FROM messages_recipient WHERE campaign = ? ORDER BY row", row["id"]
        )
        cells = tuple(tuple(json.loads(one["cells"])) for one in found)
        return Table(tuple(json.loads(row["header"])), cells, tuple(one["row"] for one in found), row["file"])

    def _keep(self, row: Row, table: Table) -> None:
        """Check ``row`` with ``table`` and write both."""
        rules = self._rules(strip_breaks=bool(row["strip_breaks"]))
        fault, found = "", list[checking.Recipient]()
        try:
            template = parse(row["template"])
            found = checking.check(template, table, rules) if table.header else []
        except (
            Refused
        ) as error:  # an unfinished text is kept with its reason; nothing is lost because it is not right yet
            fault = json.dumps([error.code, error.values], ensure_ascii=False)
        total = checking.total(found, rules.bits)
        ready = not fault and total.good > 0 and (total.bad == 0 or row["leave_out"])
        now = self._api.clock.wall_ms()
        values = {
            **{name: row[name] for name in ("id", "title", "template", "header", "file", "leave_out", "strip_breaks", "source")},
            "state": "checked" if ready else "draft", "fault": fault, "author": self._api.officer().id,
            "created_ms": row.get("created_ms", now), "changed_ms": now, "count": len(table.rows), "good": total.good,
            "bad": total.bad, "segments": total.segments,
            "longest": total.longest, "bare_segments": total.segments_without_breaks, "bits": rules.bits, "price": self._price(),
        }  # fmt: skip
        store = self._api.store
        store.execute("DELETE FROM messages_recipient WHERE campaign = ?", row["id"])
        columns = ", ".join(values)
        changed = ", ".join(f"{name} = excluded.{name}" for name in values if name not in ("id", "created_ms"))
        store.execute(
            f"INSERT INTO messages_campaign ({columns}) VALUES ({', '.join('?' * len(values))}) ON CONFLICT (id) DO UPDATE SET {changed}, "
            "approver = NULL, approved_ms = NULL, not_after_ms = NULL, manifest = NULL, signature = NULL",
            *values.values(),
        )
        store.execute(
            "INSERT INTO messages_recipient (campaign, row, cells, phone, text, segments, problems) "
            "SELECT ?, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?)",
            row["id"], _rows_json(table, found),
        )  # fmt: skip
        store.index(row["id"], CAMPAIGN, row["title"] or row["template"][:60], f"{row['title']} {row['template']}")
        store.touch(CAMPAIGN, row["id"])

    def _facts(self, row: Row, not_after_ms: int) -> dict[str, Any]:
        """The manifest of the set as it stands in the database now."""
        sendable = self._sendable(row["id"])
        return approval.manifest(
            campaign=row["id"], office=str(self._api.office["code"]), author=row["author"], template=row["template"],
            set_=approval.set_hash(sendable), recipients=len(sendable), segments=sum(one[2] for one in sendable), price=row["price"],
            not_after_ms=not_after_ms,
        )  # fmt: skip

    def _sendable(self, id: str) -> list[tuple[str, str, int]]:
        found = self._api.store.query(
            "SELECT phone, text, segments FROM messages_recipient WHERE campaign = ? AND problems = '[]' ORDER BY row",
            id,
        )
        return [(one["phone"], one["text"], one["segments"]) for one in found]

    def _texts(self, id: str, number: int, rows: Sequence[tuple[str, str, int]]) -> str:
        """One sealed part of the rendered set; its op hash."""
        return self._api.store.append(TEXTS, id, {"campaign": id, "part": number, "rows": [list(one) for one in rows]})

    def _none_opted_out(self, id: str) -> None:
        count = self._api.store.query(
            "SELECT count(*) AS n FROM messages_recipient r JOIN messages_optout o ON o.phone = r.phone "
            "WHERE r.campaign = ? AND r.problems = '[]'", id,
        )[0]["n"]  # fmt: skip
        if count:
            raise Refused("MS-037", count=count)

    def _row(self, id: str) -> Row:
        found = self._api.store.query("SELECT * FROM messages_campaign WHERE id = ?", id)
        if not found:
            raise Refused("MS-031")
        return found[0]

    def _shown(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        states = self._api.store.sync_states([row["id"] for row in rows if row["state"] == "released"])
        names = {officer.id: officer.name for officer in self._api.officers()}
        return [words.campaign(row, states.get(row["id"], ""), names) for row in rows]

    def _rules(self, *, strip_breaks: bool) -> checking.Rules:
        out = frozenset(row["phone"] for row in self._api.store.query("SELECT phone FROM messages_optout"))
        return checking.Rules(self._bits(), int(self._api.settings.get("messages.most_segments")), out, strip_breaks)

    def _bits(self) -> Bits:
        return cast("Bits", int(self._api.settings.get("messages.reference_bits")))

    def _price(self) -> int:
        return int(self._api.settings.get("messages.price_per_segment"))


def _rows_json(table: Table, found: Sequence[checking.Recipient]) -> str:
    """All recipients as one JSON array: one statement writes 5,000 rows. Rows that were not checked have no text yet."""
    cells = [json.dumps(one, ensure_ascii=False) for one in table.rows]
    checked = [[one.phone, one.text, one.segments, json.dumps(one.problems, ensure_ascii=False)] for one in found]
    rows = zip(table.numbers, cells, checked or [["", "", 0, "[]"]] * len(cells), strict=True)
    return json.dumps([[number, raw, *rest] for number, raw, rest in rows], ensure_ascii=False)


def _number(phone: str) -> str:
    try:
        return parse_phone(phone)
    except Refused as error:
        raise Refused("MS-038", phone=phone[:40]) from error
