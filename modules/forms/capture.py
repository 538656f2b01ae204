"""Capture: drafts that are durable with every answer, checked as a whole, never an op before they are finished.

A draft's body is ``{"form", "def_hash", "service", "opened_ms", "answers", "typed", "at"}``: ``answers`` holds clean values,
``typed`` the raw text of fields that cannot be read yet (a date half typed survives a power cut as it stands). A draft that
corrects a finished submission also has ``"corrects"`` (its id), ``"receipt"`` and ``"reason"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from i18n.dates import moment
from i18n.errors import SalaError
from modules.contract import Api, Draft, Refused
from modules.forms import attachments, rules, words
from modules.forms.catalogue import Service
from modules.forms.clean import clean
from modules.forms.definition import Definition, Field
from modules.forms.library import Library
from modules.forms.rules import Problem

SUBJECT: Final = "forms/"
_TYPED: Final = 2_000  # characters of unreadable text that are kept


@dataclass(frozen=True, slots=True)
class Work:
    """A draft opened with everything that it depends on."""

    draft: Draft
    form: Definition
    service: Service
    opened: date
    answers: dict[str, Any]
    typed: dict[str, Any]
    orders: dict[str, int]
    corrects: str | None  # the submission that this draft will correct

    def fee(self) -> int:
        return fee(self.form, self.service, self.opened, self.answers)


def fee(form: Definition, service: Service, opened: date, answers: Mapping[str, Any]) -> int:
    """Riel: the unit price in force on the day of opening, times the answer of the field that ``times`` names."""
    unit = service.price(opened)
    for field in form.fields():
        if field.type == "fee" and "times" in field.rules:
            times = answers.get(field.rules["times"])
            return unit * times if isinstance(times, int) and times > 0 else unit
    return unit


class Capture:
    """The commands on drafts."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library

    # --- opening

    def start(self, *, form: str, service: str | None = None) -> dict[str, Any]:
        """A new draft of ``form`` for ``service`` (default: the form's own)."""
        definition = self._library.current(form)
        chosen = self._service(definition, service)
        id, now = self._api.new_id(), self._api.clock.wall_ms()
        body = {
            "form": definition.id, "def_hash": definition.def_hash, "service": chosen.id, "opened_ms": now,
            "answers": {}, "typed": {}, "at": "",
        }  # fmt: skip
        self._api.drafts.save(id, SUBJECT + definition.id, chosen.title["km"], body)
        return {"draft": id, "form": definition.id, "service": chosen.id, "def_hash": definition.def_hash}

    def _service(self, form: Definition, wanted: str | None) -> Service:
        """A service that may be asked for with this form. ``Refused("FM-004")`` otherwise."""
        id = wanted or form.service
        if id is None:
            raise Refused("FM-004", service="")
        service = self._library.catalogue.service(id)
        if service.form != form.id:
            raise Refused("FM-004", service=id)
        return service

    def work(self, draft: str) -> Work:
        """The draft with its definition as pinned, its service and its answers. ``Refused`` FM-010, FM-005, FM-001."""
        found = self._api.drafts.get(draft)
        if found is None or not found.subject.startswith(SUBJECT):
            raise Refused("FM-010")
        body = found.body
        form = self._library.pinned(body["def_hash"])
        service = self._library.catalogue.service(body["service"])
        opened = moment(body["opened_ms"]).date()
        return Work(
            found,
            form,
            service,
            opened,
            dict(body["answers"]),
            dict(body["typed"]),
            dict(body.get("orders", {})),
            body.get("corrects"),
        )

    def today(self) -> date:
        return moment(self._api.clock.wall_ms()).date()

    # --- answering

    def set_answer(self, *, draft: str, field: str, value: Any, order: int = 0) -> dict[str, Any]:
        """Keep ``value`` (as typed, or clean) for ``field``; durable when this returns, readable or not.

        Returns the stored value, the problem of that field if there is one, hints, and the time for "Saved 14:02".
        Refused only for what is no answer at all: an unknown field (FM-011), a fee (FM-012), a file (FM-014). A page that saves
        in the background counts its savings in ``order``: one that comes late never overwrites a newer one of its field.
        """
        work = self.work(draft)
        asked = work.form.field(field)
        newest = work.orders.get(field, 0)
        if order and order < newest:
            return self._kept(work, asked, work.answers.get(field), None, work.draft.updated_ms)
        if order:
            work.orders[field] = order
        if asked.type in ("fee", "attachment"):
            clean(asked, value if value else "file")  # refuses with its own words
        work.answers.pop(field, None)
        work.typed.pop(field, None)
        unread: Problem | None = None
        try:
            stored = clean(asked, value)
        except SalaError as error:
            stored, unread = None, rules.problem(asked, error)
            work.typed[field] = value if len(str(value)) <= _TYPED else str(value)[:_TYPED]
        if stored is not None:
            work.answers[field] = stored
        return self._kept(work, asked, stored, unread, self._save(work, field))

    def _kept(self, work: Work, field: Field, stored: Any, unread: Problem | None, saved_ms: int) -> dict[str, Any]:
        found = [unread] if unread else [
            Problem(field.id, field.section, code, values) for code, values in rules.wrong(field, stored, self.today())
        ]  # fmt: skip
        hints = [Problem(field.id, field.section, code, values).json() for code, values in rules.hints(field, stored)]
        return {
            "draft": work.draft.id, "field": field.id, "value": stored, "problem": found[0].json() if found else None,
            "hints": hints, "fee": work.fee(), "saved_ms": saved_ms,
        }  # fmt: skip

    def note_reason(self, *, draft: str, reason: str) -> dict[str, Any]:
        """Keep why a finished submission is being corrected; durable like an answer. ``Refused("FM-010")`` for other drafts."""
        work = self.work(draft)
        if work.corrects is None:
            raise Refused("FM-010")
        self._api.drafts.save(draft, work.draft.subject, work.draft.title, {**work.draft.body, "reason": reason})
        return {"draft": draft, "saved_ms": self._api.clock.wall_ms()}

    def attach(self, *, draft: str, field: str, path: str) -> dict[str, Any]:
        """Add the file at ``path`` to an attachment field. ``Refused`` FM-020 to FM-024, with nothing changed."""
        work = self.work(draft)
        asked = work.form.field(field)
        if asked.type != "attachment":
            raise Refused("FM-011", field=field, form=work.form.id)
        present = work.answers.get(field) or []
        added = attachments.take(self._api.files, asked, Path(path), present)
        if added["blob"] not in {file["blob"] for file in present}:  # the same file twice is one attachment
            work.answers[field] = [*present, added]
        saved = self._save(work, field)
        return {"draft": draft, "field": field, "value": work.answers[field], "saved_ms": saved}

    def detach(self, *, draft: str, field: str, blob: str) -> dict[str, Any]:
        """Take one file away again."""
        work = self.work(draft)
        work.form.field(field)
        kept = [file for file in work.answers.get(field) or [] if file["blob"] != blob]
        work.answers.pop(field, None)
        if kept:
            work.answers[field] = kept
        return {"draft": draft, "field": field, "value": kept, "saved_ms": self._save(work, field)}

    def _save(self, work: Work, at: str) -> int:
        person = words.person(work.answers.get(work.form.roles["person"]), "km")
        title = " · ".join(part for part in (work.service.title["km"], person) if part)
        body = {**work.draft.body, "answers": work.answers, "typed": work.typed, "orders": work.orders, "at": at}
        self._api.drafts.save(work.draft.id, work.draft.subject, title, body)
        return self._api.clock.wall_ms()

    # --- looking

    def draft(self, *, draft: str) -> dict[str, Any]:
        """Everything a page needs to go on with a draft: definition, answers, what is typed, problems, fee, place."""
        work = self.work(draft)
        found = self.problems(work)
        return {
            "draft": draft, "form": definition_json(work.form), "service": service_json(work.service, self._library, work.opened),
            "answers": work.answers, "typed": work.typed, "at": work.draft.body["at"], "opened_ms": work.draft.body["opened_ms"],
            "saved_ms": work.draft.updated_ms, "fee": work.fee(), "due": self.due(work).isoformat(),
            "order": max(work.orders.values(), default=0),
            "office": self._api.office["code"], "today": self.today().isoformat(), "corrects": work.corrects,
            "receipt": work.draft.body.get("receipt"), "reason": work.draft.body.get("reason", ""),
            "shown": [field.id for field in rules.shown(work.form, work.answers)],
            "sections": rules.completeness(work.form, work.answers, found), "problems": [one.json() for one in found],
        }  # fmt: skip

    def drafts(self) -> dict[str, Any]:
        """This officer's drafts, newest first: enough to say "Found your work of 14:02 on barber licence, Lim Sreymom"."""
        rows = []
        for draft in self._api.drafts.list(SUBJECT):
            try:
                work = self.work(draft.id)
            except Refused as error:  # an old definition is gone: the draft is still shown, with the reason
                rows.append({"draft": draft.id, "title": {"km": draft.title, "en": draft.title}, "saved_ms": draft.updated_ms,
                             "answered": 0, "of": 0, "code": error.code})  # fmt: skip
                continue
            asked = [field for field in rules.shown(work.form, work.answers) if field.type != "fee"]
            person = work.answers.get(work.form.roles["person"])
            what = {side: draft.body["receipt"] if work.corrects else work.service.title[side] for side in ("km", "en")}
            rows.append({
                "draft": draft.id, "form": work.form.id, "service": work.service.id,
                "title": {side: " · ".join(filter(None, (what[side], words.person(person, side)))) for side in ("km", "en")},
                "saved_ms": draft.updated_ms, "answered": sum(field.id in work.answers for field in asked),
                "of": len(asked), "code": None, "empty": not (work.answers or work.typed),
                "corrects": work.corrects,
            })  # fmt: skip
        return {"drafts": rows}

    def discard(self, *, draft: str) -> dict[str, Any]:
        """Into the 30-day bin."""
        if self._api.drafts.get(draft) is None:
            raise Refused("FM-010")
        self._api.drafts.discard(draft)
        return {"draft": draft, "discarded": True}

    def restore(self, *, draft: str) -> dict[str, Any]:
        """Out of the bin. ``Refused("FM-010")`` when it is not there, or was finished meanwhile."""
        if not self._api.store.query("SELECT 1 AS n FROM forms_submission WHERE id = ?", draft):
            self._api.drafts.restore(draft)
        self.work(draft)
        return {"draft": draft, "discarded": False}

    def check(self, *, draft: str) -> dict[str, Any]:
        """All problems at once, and how complete each section is."""
        work = self.work(draft)
        found = self.problems(work)
        return {
            "draft": draft, "problems": [one.json() for one in found], "ready": not found,
            "shown": [field.id for field in rules.shown(work.form, work.answers)],
            "sections": rules.completeness(work.form, work.answers, found), "fee": work.fee(), "due": self.due(work).isoformat(),
        }  # fmt: skip

    def problems(self, work: Work) -> list[Problem]:
        """What keeps ``work`` from being finished today."""
        return rules.problems(work.form, work.answers, unread(work), self.today())

    def due(self, work: Work) -> date:
        return self._library.holidays.due(self.today(), work.service.days)


def unread(work: Work) -> dict[str, Problem]:
    """The problems of fields whose typed text says no value, by field."""
    found: dict[str, Problem] = {}
    for id, raw in work.typed.items():
        field = work.form.field(id)
        try:
            clean(field, raw)
        except SalaError as error:
            found[id] = rules.problem(field, error)
    return found


def definition_json(form: Definition) -> dict[str, Any]:
    """The definition as data, with its hash."""
    return {**form.source, "def_hash": form.def_hash}


def service_json(service: Service, library: Library, day: date) -> dict[str, Any]:
    """One row of the catalogue as data, with the price of ``day``."""
    return {
        "id": service.id, "number": service.number, "title": service.title, "fee": service.price(day), "published": service.published,
        "unit": service.unit, "days": service.days, "validity": service.validity, "documents": list(service.documents),
        "sector": service.sector, "sector_title": library.catalogue.sectors[service.sector], "legal": service.legal,
        "form": service.form,
    }  # fmt: skip
