"""The commands of checking: one source, a folder, what was compared, and what waits for a line."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from i18n.catalog import LANGUAGES, Text, tr_in
from i18n.dates import PHNOM_PENH, moment
from i18n.errors import Known, Refused, explain
from modules.certificates.check import check
from modules.certificates.knowledge import Knowledge
from modules.certificates.sources import SUFFIXES
from modules.contract import Api

MAX_FOLDER: Final = 10_000  # files of one folder
RECHECK: Final = "certificates.recheck"  # a local kind: pages hear of it, nothing leaves
OUTCOMES: Final = ("genuine", "not_genuine", "gone")


class Checking:
    """What an officer does with a certificate that somebody brings."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def check(self, *, source: str | bytes) -> dict[str, Any]:
        """The verdict on ``source``: a path, a pasted or scanned text, or the bytes of a file.

        ``{"overall", "level", "code", "title", "advice", "fragments", "certificate", "notice", "more", "check"}``;
        ``check`` is the id under which the comparison with the person can be noted. ``Refused``: CT-201 no such file ·
        CT-202 too large · CT-203 too many pages.
        """
        report = check(source, Knowledge(self._api).ground())
        noted = self._api.call("certificates.note_check", checks=[_note(report)], rechecks=_rechecks(report))
        sound = self._api.settings.get("certificates.sound")
        return report | {"check": noted["checks"][0], "again": noted["again"], "sound": sound}

    def check_files(self, *, paths: list[str]) -> dict[str, Any]:
        """Verdicts on files, one short row each: ``{"rows"}``. A file that is refused has its code as ``error``."""
        ground = Knowledge(self._api).ground()
        rows, checks, rechecks = [], [], []
        for file in map(Path, paths):
            try:
                report = check(str(file), ground)
            except Refused as refused:
                rows.append(_refused(file, refused.code))
                continue
            rows.append(_short(file, report))
            checks.append(_note(report))
            rechecks += _rechecks(report)
        if checks:
            self._api.call("certificates.note_check", checks=checks, rechecks=rechecks)
        return {"rows": rows}

    def folder(self, *, folder: str) -> dict[str, Any]:
        """The files of ``folder`` that can be checked: ``{"paths"}``. Known CT-204 unreadable, Refused CT-205 too many."""
        return {"paths": [str(file) for file in _files(Path(folder))]}

    def note_check(self, *, checks: list[dict[str, Any]], rechecks: list[dict[str, Any]]) -> dict[str, Any]:
        """Keep that something was checked (hashes and codes, no personal data) and what has to be checked on line."""
        now_ms, officer, ids = self._api.clock.wall_ms(), self._api.officer().id, []
        for each in checks:
            ids.append(self._api.new_id())
            self._api.store.execute(
                "INSERT INTO certificates_check (id, checked_ms, officer, overall, code, cti, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ids[-1], now_ms, officer, each["overall"], each["code"], each["cti"], each["source"],
            )  # fmt: skip
        for each in rechecks:
            self._queue(each["ref"], each["key_hash"], now_ms, officer)
        return {"checks": ids, "again": self._times(checks[0]["cti"]) if checks else 0}

    def _times(self, cti: str | None) -> int:
        """How often this certificate was checked on this laptop: a copy going round shows here."""
        if cti is None:
            return 0
        return int(self._api.store.query("SELECT count(*) AS n FROM certificates_check WHERE cti = ?", cti)[0]["n"])

    def _queue(self, ref: str, key_hash: str | None, now_ms: int, officer: str) -> None:
        id = self._api.new_id()
        self._api.store.execute(
            "INSERT INTO certificates_recheck (id, ref, key_hash, seen_ms, officer) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (ref) DO UPDATE SET seen = seen + 1, seen_ms = excluded.seen_ms, key_hash = excluded.key_hash, "
            "outcome = NULL, closed_ms = NULL, closed_by = NULL",
            id, ref, key_hash, now_ms, officer,
        )  # fmt: skip
        self._api.store.touch(RECHECK, id)

    def compared(self, *, check: str, same: bool) -> dict[str, Any]:
        """Note that the officer compared paper and person. ``Refused("CT-210")`` for a check that is not there."""
        changed = self._api.store.execute("UPDATE certificates_check SET holder = ? WHERE id = ?", int(same), check)
        if not changed:
            raise Refused("CT-210")
        return {"check": check, "same": same}

    def rechecks(self, *, limit: int = 100, offset: int = 0) -> dict[str, Any]:
        """Official addresses that wait to be checked on line, oldest first: ``{"rows", "total"}``."""
        store, open_ = self._api.store, "FROM certificates_recheck WHERE outcome IS NULL"
        total = store.query(f"SELECT count(*) AS n {open_}")[0]["n"]
        rows = store.query(f"SELECT id, ref, seen_ms, seen {open_} ORDER BY seen_ms LIMIT ? OFFSET ?", limit, offset)
        return {"rows": rows, "total": total}

    def today(self) -> dict[str, Any]:
        """What Home shows of this module: addresses to check on line, certificates issued on the last seven days."""
        waiting = self.rechecks(limit=1)
        items = []
        if count := waiting["total"]:
            sentence = "{count} certificates wait for an online check"
            if count == 1:
                sentence = "{count} certificate waits for an online check"
            items.append(
                {
                    "icon": "question", "tone": "grey", "target": "rechecks", "rank": 40, "verb": _text("See"),
                    "title": _text(sentence, count=count),
                    "note": _text("Official address, not checked yet"), "when": "",
                }
            )  # fmt: skip
        today = moment(self._api.clock.wall_ms()).date()
        starts = [datetime.combine(today - timedelta(days=back), time(), PHNOM_PENH) for back in range(6, -2, -1)]
        week = [
            self._api.store.query(
                "SELECT count(*) AS n FROM certificates_issued WHERE issued_s >= ? AND issued_s < ?",
                int(start.timestamp()), int(end.timestamp()),
            )[0]["n"]
            for start, end in pairwise(starts)
        ]  # fmt: skip
        return {"note": _text("Scan, picture, PDF, text"), "items": items, "week": week}

    def close_recheck(self, *, id: str, outcome: str) -> dict[str, Any]:
        """Note what an online check, made elsewhere, has shown. ``Refused("CT-211")`` when it does not wait any more."""
        changed = self._api.store.execute(
            "UPDATE certificates_recheck SET outcome = ?, closed_ms = ?, closed_by = ? WHERE id = ? AND outcome IS NULL",
            outcome, self._api.clock.wall_ms(), self._api.officer().id, id,
        )  # fmt: skip
        if not changed:
            raise Refused("CT-211")
        self._api.store.touch(RECHECK, id)
        return {"id": id, "outcome": outcome}


def _text(sentence: str, **given: object) -> Text:
    return {language: tr_in(language, sentence, **given) for language in LANGUAGES}


def _files(folder: Path) -> list[Path]:
    """``Known("CT-204")`` when the folder cannot be read, ``Refused("CT-205")`` when it holds too many files."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise Known("CT-204", folder=folder.name) from error
    if len(files) > MAX_FOLDER:
        raise Refused("CT-205", most=MAX_FOLDER)
    return files


def _note(report: dict[str, Any]) -> dict[str, Any]:
    certificate = report["certificate"]
    return {
        "overall": report["overall"],
        "code": report["code"],
        "cti": certificate["cti"] if certificate else None,
        "source": report["source"],
    }


def _rechecks(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["recheck"] for each in (report, *report["more"]) if each["recheck"]]


def _refused(file: Path, code: str) -> dict[str, Any]:
    title = {language: explain(Refused(code), language).what for language in LANGUAGES}
    return {
        "file": file.name, "path": str(file), "overall": "unreadable", "level": "grey", "title": title, "number": "", "name": "",
        "codes": 0, "error": code,
    }  # fmt: skip


def _short(file: Path, report: dict[str, Any]) -> dict[str, Any]:
    certificate = report["certificate"] or {}
    return {
        "file": file.name,
        "path": str(file),
        "overall": report["overall"],
        "level": report["level"],
        "title": report["title"],
        "number": certificate.get("number", ""),
        "name": certificate.get("headline", ""),
        "codes": 1 + len(report["more"]),
        "error": None,
    }
