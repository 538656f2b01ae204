"""The office's short links: made, turned off and on, listed. Every change is an op in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from i18n import dates, numbers
from i18n.errors import explain
from i18n.normalise import store as normal
from modules.contract import Api, Json, Refused, Row
from modules.links import codes, hosts, rules

CREATED: Final = "links.created"
STATE: Final = "links.state"
INDEX: Final = "links.link"
LEASE: Final = "link-codes"
PAGE: Final = 1_000  # links of one answer
_COLUMNS: Final = "code, target, host, title, state, expires_ms, created_ms, officer"


class Links:
    """What the commands run. ``base`` is the public address of the redirector."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # --- addresses

    def policy(self) -> rules.Policy:
        own = {hosts.read(urlsplit(self.base()).hostname or "").ascii, "go.gov.kh"}
        return rules.Policy(frozenset(own), bool(self._api.settings.get("links.other_ports")))

    def base(self) -> str:
        return str(self._api.settings.get("links.base")).strip().rstrip("/")

    def short(self, code: str) -> str:
        """The public address of ``code``."""
        return f"{self.base()}/{code}"

    def check(self, url: str) -> dict[str, Any]:
        """Everything that is wrong with ``url`` in both languages, and the links that lead there already."""
        checked = rules.check(url, self.policy())
        return {
            "ok": not checked.problems,
            "url": checked.url,
            "host": checked.host,
            "domain": checked.domain,
            "problems": [_words(problem) for problem in checked.problems],
            "known": self._known(checked.url) if not checked.problems else [],
        }

    # --- making

    def create(self, url: str, title: str = "", code: str = "", expires: str = "") -> dict[str, Any]:
        """Make a link that is complete at once: its code is final before any network sees it."""
        checked = rules.check(url, self.policy())
        if checked.problems:
            raise _refusal(checked.problems)
        expires_ms = self._expiry(expires)
        known = self._known(checked.url)
        title = normal(title).strip()
        chosen = self._chosen(code) if code.strip() else self._leased()
        body: dict[str, Any] = {"code": chosen, "target": checked.url, "title": title, "expires_ms": expires_ms}
        op = self._api.store.append(CREATED, chosen, body)
        self._api.store.execute(
            "INSERT INTO links_link (code, target, host, title, expires_ms, created_ms, officer, op) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            chosen, checked.url, checked.host, title, expires_ms, self._api.clock.wall_ms(), self._api.officer().id, op,
        )  # fmt: skip
        self._api.store.index(chosen, INDEX, title or checked.host, f"{chosen} {title} {checked.host} {checked.url}")
        self._api.emit(
            "links.created", {"code": chosen, "short": self.short(chosen), "url": checked.url, "title": title}
        )
        return {**self._shown([self._row(chosen)])[0], "known": known, "left": self.left()}

    def set_state(self, code: str, state: str) -> dict[str, Any]:
        """Turn a link off or on; what it already is stays as it is, without an op."""
        row = self._row(code)
        if row["state"] != state:
            created = self._api.store.query("SELECT op FROM links_link WHERE code = ?", row["code"])[0]["op"]
            self._api.store.append(STATE, row["code"], {"code": row["code"], "state": state}, refs=[created])
            self._api.store.execute("UPDATE links_link SET state = ? WHERE code = ?", state, row["code"])
        return self._shown([{**row, "state": state}])[0]

    def left(self) -> int:
        """How many codes this laptop may still make before the centre must send more."""
        return sum(lease.size - lease.used for lease in self._api.leases.active(LEASE))

    # --- reading

    def page(self, text: str = "", state: str = "", offset: int = 0, limit: int = 200) -> dict[str, Any]:
        """``{"total", "rows"}``, newest first; ``text`` looks in code, title and address, also in a pasted short link."""
        where, args = self._filter(text, state)
        total = self._api.store.query(f"SELECT count(*) AS n FROM links_link {where}", *args)[0]["n"]
        rows = self._api.store.query(
            f"SELECT {_COLUMNS} FROM links_link {where} ORDER BY created_ms DESC, rowid DESC LIMIT ? OFFSET ?",
            *args,
            limit,
            offset,
        )
        return {"total": total, "rows": self._shown(rows)}

    def show(self, code: str) -> dict[str, Any]:
        row = self._row(code)
        known = [one for one in self._known(row["target"]) if one["code"] != row["code"]]
        return {**self._shown([row])[0], "history": self._api.store.history(row["code"]), "known": known}

    def rows(self, wanted: Sequence[str]) -> list[Row]:
        """The links of ``wanted`` codes in that order. ``Refused("LN-004")`` for the first that is not here."""
        found = {
            row["code"]: row
            for row in self._api.store.query(
                f"SELECT {_COLUMNS} FROM links_link WHERE code IN (SELECT value FROM json_each(?))",
                _json([_bare(code) for code in wanted]),
            )
        }
        return [found.get(_bare(code)) or self._missing(code) for code in wanted]

    # --- inside

    def _chosen(self, text: str) -> str:
        office = str(self._api.office["code"])
        code = codes.slug(text, office)
        if code is None:
            raise Refused("LN-002", link=text.strip()[: codes.LONGEST_SLUG], office=office, limit=codes.LONGEST_SLUG)
        taken = self._api.store.query("SELECT host FROM links_link WHERE code = ?", code)
        if taken:
            raise Refused("LN-003", link=code, host=taken[0]["host"])
        return code

    def _leased(self) -> str:
        while True:
            lease, number = self._api.leases.take(LEASE)
            code = codes.read_lease(lease.content).code(number)
            if codes.polite(code):
                return code

    def _expiry(self, text: str) -> int | None:
        """The last moment of the day that ``text`` says, in Phnom Penh, as milliseconds UTC."""
        if not text.strip():
            return None
        try:
            day = dates.parse_date(text)
        except Refused as error:
            raise Refused("LN-005", date=text.strip()[:20]) from error
        after = datetime(day.year, day.month, day.day, tzinfo=dates.PHNOM_PENH) + timedelta(days=1)
        expires_ms = int(after.timestamp()) * 1000 - 1
        if expires_ms <= self._api.clock.wall_ms():
            raise Refused("LN-005", date=text.strip()[:20])
        return expires_ms

    def _known(self, target: str) -> list[dict[str, str]]:
        rows = self._api.store.query(
            "SELECT code, title FROM links_link WHERE target = ? ORDER BY rowid LIMIT 5", target
        )
        return [{"code": row["code"], "title": row["title"], "short": self.short(row["code"])} for row in rows]

    def _row(self, code: str) -> Row:
        return self.rows([code])[0]

    def _missing(self, code: str) -> Row:
        known = self._api.store.query(
            "SELECT code FROM links_link WHERE code IN (SELECT value FROM json_each(?)) LIMIT 3",
            _json(codes.suggest(_bare(code))),
        )
        near = ", ".join(row["code"] for row in known)
        meant = {"km": f" តើចង់និយាយ {near} ឬ?", "en": f" Did you mean {near}?"} if near else {"km": "", "en": ""}
        raise Refused("LN-004", link=code[:60], near=near, near_km=meant["km"], near_en=meant["en"])

    def _filter(self, text: str, state: str) -> tuple[str, list[object]]:
        where: list[str] = []
        args: list[object] = []
        if text.strip():
            found = {row["record"] for row in self._api.store.search(text, [INDEX], PAGE)} | {_bare(text)}
            where.append("code IN (SELECT value FROM json_each(?))")
            args.append(_json(sorted(found)))
        if state == "expired":
            where.append("expires_ms < ?")
            args.append(self._api.clock.wall_ms())
        elif state:
            where.append("state = ?")
            args.append(state)
        return ("WHERE " + " AND ".join(where) if where else ""), args

    def _shown(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        states = self._api.store.sync_states([row["code"] for row in rows])
        now = self._api.clock.wall_ms()
        return [
            {
                **row,
                "id": row["code"],
                "short": self.short(row["code"]),
                "state": _state(row, now),
                "sync": states.get(row["code"], "waiting"),
            }
            for row in rows
        ]


def check_created(body: Json) -> None:
    """What the centre will hold against a ``links.created`` body; runs before the op is appended."""
    code = body["code"]
    if not isinstance(code, str) or not (codes.valid(code) or codes.slug_office(code)):
        raise Refused("LN-002", link=code, limit=codes.LONGEST_SLUG, office="")


def _state(row: Row, now_ms: int) -> str:
    """active, disabled, or expired: what a reader of the printed link would meet."""
    over = row["expires_ms"] is not None and row["expires_ms"] < now_ms
    return "expired" if over and row["state"] == "active" else str(row["state"])


def _bare(text: str) -> str:
    """The code in what a person typed or pasted: ``HTTPS://GO.GOV.KH/K7M4Q2A`` is ``k7m4q2a``."""
    return numbers.ascii_digits(text).strip().rstrip("/").rpartition("/")[2].lower()


def _refusal(problems: Sequence[rules.Problem]) -> Refused:
    if len(problems) == 1:
        return problems[0].refusal()

    def reasons(language: str) -> str:
        said = (explain(problem.refusal(), language).what for problem in problems)
        return " ".join(f"({number}) {words}" for number, words in enumerate(said, 1))

    codes_ = [problem.code for problem in problems]
    return Refused("LN-001", count=len(problems), codes=codes_, reasons_km=reasons("km"), reasons_en=reasons("en"))


def _words(problem: rules.Problem) -> dict[str, Any]:
    both = {lang: explain(problem.refusal(), lang) for lang in ("km", "en")}
    return {"code": problem.code, **{lang: {"what": words.what, "next": words.next} for lang, words in both.items()}}


def _json(values: Sequence[str]) -> str:
    import json

    return json.dumps(values)
