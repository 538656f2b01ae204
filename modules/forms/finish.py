"""Finishing: everything that makes a draft a submission, in the one transaction of its command, or nothing of it.

The submission's id is the draft's id: the same draft can never become two submissions, whatever is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from i18n.dates import moment
from modules.contract import Api, Json, Refused
from modules.forms import numbering, rules, words
from modules.forms.capture import Capture, Work
from modules.forms.definition import Definition, Field
from modules.forms.library import Library

KIND: Final = "forms.submission"
TRIGGER: Final = "forms.finished"


class Finish:
    """``forms.finish`` and what a correction shares with it."""

    def __init__(self, api: Api, library: Library, capture: Capture) -> None:
        self._api = api
        self._library = library
        self._capture = capture

    def finish(self, work: Work) -> dict[str, Any]:
        """Check everything, take a receipt number, write the record, its op, its search row and the trigger.

        ``Refused`` FM-013 with every problem in ``values["problems"]``; SY-301 when no receipt number is left (the draft stays).
        """
        draft = work.draft.id
        if problems := self._capture.problems(work):
            raise Refused("FM-013", count=len(problems), problems=[one.json() for one in problems])
        now_ms = self._api.clock.wall_ms()
        received = moment(now_ms).date()
        due = self._library.holidays.due(received, work.service.days)
        lease, n = self._api.leases.take(numbering.RESOURCE)
        receipt = numbering.number(lease.content, n)
        answers = rules.relevant(work.form, work.answers)
        charged = work.fee()
        for field in work.form.fields():
            if field.type == "fee":
                answers[field.id] = {"riel": charged, "service": work.service.id}
        body = {
            "v": 1, "receipt": receipt, "form": work.form.id, "version": work.form.version, "service": work.service.id,
            "opened": work.opened.isoformat(), "received": received.isoformat(), "due": due.isoformat(), "fee": charged,
            "answers": answers,
        }  # fmt: skip
        op = self._api.store.append(
            KIND,
            draft,
            body,
            form=work.form.id,
            def_hash=bytes.fromhex(work.form.def_hash),
            attach=blobs(work.form, answers),
        )
        self._insert(draft, work, body, op, now_ms)
        index(self._api, work.form, work.service.title, draft, receipt, answers)
        self._api.drafts.discard(draft)
        self._api.emit(TRIGGER, self._payload(draft, work, body))
        return {
            "id": draft, "receipt": receipt, "fee": charged, "received": body["received"], "due": body["due"],
            "form": work.form.id, "service": work.service.id, "op": op, "title": dict(work.service.title),
            "person": answers.get(work.form.roles["person"]) or {"km": "", "latin": ""},
        }  # fmt: skip

    def _insert(self, id: str, work: Work, body: Json, op: str, now_ms: int) -> None:
        head, officer = heading(work.form, body["answers"]), self._api.officer()
        self._api.store.execute(
            "INSERT INTO forms_submission (id, receipt, serial, form, version, def_hash, service, person, latin, phone, fee, "
            "opened, received, received_ms, due, officer, officer_name, op, last_op, answers) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id, body["receipt"], int(body["receipt"].rpartition("-")[2]), work.form.id, work.form.version, work.form.def_hash,
            work.service.id, head["person"], head["latin"], head["phone"], body["fee"], body["opened"], body["received"],
            now_ms, body["due"], officer.id, officer.name, op, op, pack(body["answers"]),
        )  # fmt: skip

    def _payload(self, id: str, work: Work, body: Json) -> dict[str, Any]:
        """What flows get: who, how to reach them, the money and the days, and only the answers that the form releases."""
        answers, roles = body["answers"], work.form.roles
        place = answers.get(roles.get("address", ""))
        return {
            "submission": id, "receipt": body["receipt"], "form": work.form.id, "version": work.form.version,
            "service": work.service.id, "service_title": dict(work.service.title),
            "person": answers.get(roles["person"]) or {"km": "", "latin": ""},
            "phone": answers.get(roles.get("phone", "")), "birth": answers.get(roles.get("birth", "")),
            "id_card": answers.get(roles.get("id_card", "")),
            "address": place and {"code": place["code"], "km": words.address(place, "km"), "en": words.address(place, "en")},
            "fee": body["fee"], "received": body["received"], "due": body["due"], "office": self._api.office["code"],
            "answers": {field: answers[field] for field in work.form.flow_fields if field in answers},
        }  # fmt: skip

    def fill(self, *, form: str, answers: Json, finish: bool = False, service: str | None = None) -> dict[str, Any]:
        """A whole draft at once (command line, imports, flows): attachments are lists of paths; ``finish`` finishes it.

        When it cannot be finished, the refusal lists every problem and nothing at all is kept.
        """
        started = self._api.call("forms.start", form=form, **({"service": service} if service else {}))
        draft = started["draft"]
        definition = self._library.pinned(started["def_hash"])
        for id, value in answers.items():
            if definition.field(id).type == "attachment":
                for path in [value] if isinstance(value, str) else value:
                    self._api.call("forms.attach", draft=draft, field=id, path=str(path))
            else:
                self._api.call("forms.set_answer", draft=draft, field=id, value=value)
        if finish:
            return dict(self._api.call("forms.finish", draft=draft))
        return dict(self._api.call("forms.check", draft=draft))


def pack(value: Any) -> str:
    """JSON as it is kept in a table."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=False)


def blobs(form: Definition, answers: Mapping[str, Any]) -> list[str]:
    """The attachments of the answers, each once."""
    found = [
        file["blob"] for field in form.fields() if field.type == "attachment" for file in answers.get(field.id) or ()
    ]
    return list(dict.fromkeys(found))


def heading(form: Definition, answers: Mapping[str, Any]) -> dict[str, str]:
    """The columns that lists show and sort by."""
    person = answers.get(form.roles["person"]) or {"km": "", "latin": ""}
    return {"person": person["km"], "latin": person["latin"], "phone": answers.get(form.roles.get("phone", "")) or ""}


def index(
    api: Api, form: Definition, title: Mapping[str, str], id: str, receipt: str, answers: Mapping[str, Any]
) -> None:
    """The search row: receipt number, names, phone, identity number, place and the short texts; never long notes."""
    said = [receipt, title["km"], title["en"]]
    for field in form.fields():
        value = answers.get(field.id)
        if value is not None and (text := _SEARCHED.get(field.type, _nothing)(field, value)):
            said.append(text)
    person = heading(form, answers)["person"]
    api.store.index(id, KIND, f"{receipt} · {title['km']} · {person}", " \n".join(said))


def _nothing(_field: Field, _value: Any) -> str:
    return ""


_SEARCHED: Final[Mapping[str, Callable[[Field, Any], str]]] = {
    "name": lambda _field, value: f"{value['km']} {value['latin']}",
    "text": lambda _field, value: str(value),
    "id_card": lambda _field, value: str(value),
    "phone": lambda _field, value: f"{value} {words.phone(value).replace(' ', '')}",
    "address": lambda _field, value: f"{words.address(value, 'km')} {words.address(value, 'en')}",
}


def validate(body: Json) -> None:
    """The shape of a submission's op body; the content was checked against the definition before."""
    if body.get("v") != 1 or not isinstance(body.get("answers"), Mapping) or not body.get("receipt"):
        raise ValueError("not a submission")
    date.fromisoformat(body["due"])
