"""The forms module as the registry sees it: its kinds, commands, trigger and tables. The work is in the files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from i18n.catalog import Text
from modules.contract import Api, Command, Kind, Permission, Setting, Trigger
from modules.forms import migrations, receipt
from modules.forms.capture import Capture, definition_json, service_json
from modules.forms.conflicts import Conflicts
from modules.forms.export import Export
from modules.forms.finish import KIND, TRIGGER, Finish, validate
from modules.forms.library import Library
from modules.forms.lists import STATES, Lists
from modules.forms.outfile import writing
from modules.forms.published import Published
from modules.forms.readback import read_back
from modules.forms.records import Records
from modules.forms.together import Together

READ: Final[frozenset[Permission]] = frozenset({"records.read"})
WRITE: Final[frozenset[Permission]] = frozenset({"records.read", "records.write"})
GIVE: Final[frozenset[Permission]] = frozenset({"records.read", "files.export"})

_ID: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_SLUG: Final = {"type": "string", "minLength": 1, "maxLength": 60}
_TEXT: Final = {"type": "string", "maxLength": 500}
_PATH: Final = {"type": "string", "minLength": 1, "maxLength": 4096}


def _params(required: Mapping[str, Any] | None = None, **optional: Any) -> dict[str, Any]:
    """The JSON Schema of a command's keywords."""
    must = dict(required or {})
    return {
        "type": "object", "additionalProperties": False, "required": list(must), "properties": {**must, **optional},
    }  # fmt: skip


class Forms:
    """What ``activate`` returns."""

    def __init__(self, api: Api, library: Library | None = None) -> None:
        self._api = api
        self._published = Published(api)
        self.library = library or Library(published=self._published)
        self._capture = Capture(api, self.library)
        self._finish = Finish(api, self.library, self._capture)
        self._lists = Lists(api, self.library)
        self._together = Together(api, self.library)
        self._records = Records(api, self.library, self._lists, self._together)
        self._conflicts = Conflicts(api, self.library, self._together)
        self._export = Export(api, self.library)
        self.kinds: Sequence[Kind] = (
            *(replace(kind, merge=self._together.take, review=self._records.reviewed) for kind in _KINDS),
            *self._coming_down(),
        )
        self.triggers: Sequence[Trigger] = (_FINISHED,)
        self.settings: Sequence[Setting] = ()
        self.migrations = migrations.register
        self.commands: Sequence[Command] = [*self._reading(), *self._drafting(), *self._changing(), *_PAGES]

    def close(self) -> None:
        """Nothing is held open."""

    # --- commands that stand here because they are one line of work

    def services(self, *, query: str = "") -> dict[str, Any]:
        """The catalogue, best match first: ``{"services": […], "note": {"km", "en"}}``."""
        today = self._capture.today()
        found = self.library.catalogue.find(query)
        rows = [service_json(service, self.library, today) for service in found]
        return {"services": rows, "note": self.library.catalogue.note}

    def definition(self, *, form: str) -> dict[str, Any]:
        """The newest definition of ``form`` with its ``def_hash``."""
        return definition_json(self.library.current(form))

    def read_back(self, *, def_hash: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Answers that another module holds, in words. See :func:`modules.forms.readback.read_back`."""
        return read_back(self.library, def_hash, answers)

    def finish(self, *, draft: str) -> dict[str, Any]:
        """Make a draft a submission, or, when it corrects one, a correction. See :class:`Finish` and :class:`Records`."""
        work = self._capture.work(draft)
        if work.corrects is not None:
            return self._records.finish_correction(work)
        return self._finish.finish(work)

    def receipt_pdf(self, *, id: str) -> dict[str, Any]:
        """The receipt as base64, for looking at it and for the printer; not counted: ``forms.note_given`` counts."""
        from base64 import b64encode

        case = self._api.call("forms.show", id=id)
        copy = int(case["printed"])
        return {"base64": b64encode(receipt.render(case, self._api.office, copy)).decode("ascii"), "copy": copy}

    def receipt(self, *, id: str, out: str) -> dict[str, Any]:
        """Write the A5 receipt to ``out``; counted as printed only when the file is there. ``copy`` 0 is the original."""
        case = self._api.call("forms.show", id=id)
        copy = int(case["printed"])
        data = receipt.render(case, self._api.office, copy)
        with writing(out) as file:
            file.write(data)
        self._api.call("forms.note_given", what="printed", record=id)
        return {"path": out, "receipt": case["receipt"], "copy": copy, "bytes": len(data), "qr": case["qr"]}

    def note_given(self, *, what: str, record: str) -> dict[str, Any]:
        """Something left the program on paper or as a file: counted, and an event of the audit log."""
        if what == "printed":
            self._api.store.execute("UPDATE forms_submission SET printed = printed + 1 WHERE id = ?", record)
        self._api.audit(what, record)
        return {"what": what, "record": record}

    def attachment(self, *, id: str, blob: str) -> dict[str, Any]:
        """One attachment of a submission as base64, for showing it. ``Refused("FM-030")`` when it is not of that case."""
        from base64 import b64encode

        return {"blob": blob, "base64": b64encode(self._records.attachment(id, blob)).decode("ascii")}

    # --- declarations

    def _coming_down(self) -> Sequence[Kind]:
        """What the centre publishes and this module takes in."""
        return (
            Kind(
                name="forms.definition", version=1, title={"km": "ទម្រង់ថ្មី", "en": "New form"}, direction="down",
                apply=lambda body: self._published.take_definition(body, self.library.entries()),
            ),
            Kind(
                name="forms.prices", version=1, title={"km": "តារាងតម្លៃ", "en": "Price list"}, direction="down",
                apply=lambda body: self._published.take_prices(body, self.library.pinned_services()),
            ),
        )  # fmt: skip

    def _reading(self) -> list[Command]:
        lists, records = self._lists, self._records
        return [
            _command("services", "បញ្ជីសេវា", "Services", self.services, _params(query=_TEXT)),
            _command("definition", "មើលទម្រង់", "Show a form's definition", self.definition, _params({"form": _SLUG})),
            _command("read_back", "អានចម្លើយជាពាក្យ", "Read answers in words", self.read_back, _params(
                {"def_hash": {"type": "string", "maxLength": 64}, "answers": {"type": "object"}})),
            _command("draft", "បើកសេចក្តីព្រាង", "Open a draft", self._capture.draft, _params({"draft": _ID})),
            _command("drafts", "សេចក្តីព្រាង", "Drafts", self._capture.drafts),
            _command("check", "ពិនិត្យសេចក្តីព្រាង", "Check a draft", self._capture.check, _params({"draft": _ID})),
            _command("list", "បញ្ជីពាក្យស្នើសុំ", "List submissions", lists.list_, _params(
                filter=_TEXT, state={"enum": list(STATES)}, limit={"type": "integer", "minimum": 1, "maximum": 500},
                after={"type": "string", "maxLength": 32}, offset={"type": "integer", "minimum": 0}, form=_TEXT,
            )),
            _command("today", "សង្ខេបថ្ងៃនេះ", "Today in numbers", lists.today_),
            _command("receipt_pdf", "មើលបង្កាន់ដៃ", "Look at a receipt", self.receipt_pdf, _params({"id": _ID})),
            _command(
                "case_by_receipt", "រកតាមបង្កាន់ដៃ", "Find by receipt", lists.case_by_receipt,
                _params({"text": {"type": "string", "maxLength": 1000}}),
            ),
            _command("show", "បើកពាក្យស្នើសុំ", "Show a submission", records.show, _params({"id": _ID}), writes=True),
            _command("conflicts", "ទំនាស់", "Conflicts", self._conflicts.list_, _params(id=_ID)),
            _command("attachment", "បើកឯកសារភ្ជាប់", "Show an attachment", self.attachment, _params(
                {"id": _ID, "blob": {"type": "string", "pattern": "^[0-9a-f]{64}$"}})),
        ]  # fmt: skip

    def _drafting(self) -> list[Command]:
        capture, any_value = self._capture, {"type": ["string", "number", "boolean", "object", "array", "null"]}
        return [
            _command("start", "ចាប់ផ្តើមទម្រង់", "Start a form", capture.start, _params({"form": _SLUG}, service=_SLUG), WRITE, writes=True),
            _command("set_answer", "កត់ចម្លើយ", "Keep an answer", capture.set_answer, _params(
                {"draft": _ID, "field": _SLUG, "value": any_value}, order={"type": "integer", "minimum": 0}), WRITE, writes=True),
            _command("note_reason", "កត់មូលហេតុ", "Keep the reason of a correction", capture.note_reason, _params(
                {"draft": _ID, "reason": {"type": "string", "maxLength": 1000}}), WRITE, writes=True),
            _command(
                "restore", "យកសេចក្តីព្រាងមកវិញ", "Take a draft out of the bin", capture.restore, _params({"draft": _ID}), WRITE, writes=True
            ),
            _command("attach", "ភ្ជាប់ឯកសារ", "Attach a file", capture.attach, _params(
                {"draft": _ID, "field": _SLUG, "path": _PATH}), WRITE, writes=True),
            _command("detach", "ដកឯកសារចេញ", "Take an attachment away", capture.detach, _params(
                {"draft": _ID, "field": _SLUG, "blob": {"type": "string", "maxLength": 64}}), WRITE, writes=True),
            _command("discard", "បោះបង់សេចក្តីព្រាង", "Discard a draft", capture.discard, _params({"draft": _ID}), WRITE, writes=True),
        ]  # fmt: skip

    def _changing(self) -> list[Command]:
        reason = {"type": "string", "maxLength": 1000}
        return [
            _command(
                "finish", "បញ្ចប់ និងដាក់ឱ្យផ្ញើ", "Finish and queue", self.finish, _params({"draft": _ID}), WRITE, writes=True
            ),
            _command("fill", "បំពេញពីឯកសារ", "Fill from data", self._finish.fill, _params(
                {"form": _SLUG, "answers": {"type": "object"}}, finish={"type": "boolean"}, service=_SLUG), WRITE, writes=True),
            _command("correct", "កែតម្រូវ", "Correct", self._records.correct, _params(
                {"id": _ID, "changes": {"type": "object"}, "reason": reason}), WRITE, writes=True),
            _command("edit", "បើកដើម្បីកែតម្រូវ", "Open for correcting", self._records.edit, _params({"id": _ID}), WRITE, writes=True),
            _command("resolve", "ជ្រើសចម្លើយត្រឹមត្រូវ", "Settle a conflict", self._conflicts.resolve, _params(
                {"id": _ID, "picks": {"type": "object", "minProperties": 1, "maxProperties": 200, "additionalProperties": {
                    "type": "string", "pattern": "^[0-9a-f]{64}$"}}}, reason=reason), WRITE, writes=True),
            _command("withdraw", "ដកវិញ", "Withdraw", self._records.withdraw, _params({"id": _ID, "reason": reason}), WRITE, writes=True),
            _command("receipt", "បង្កាន់ដៃ", "Receipt", self.receipt, _params({"id": _ID, "out": _PATH}), GIVE),
            _command("export", "នាំចេញ", "Export", self._export.export, _params(
                {"form": _SLUG, "format": {"enum": ["csv", "jsonl"]}, "out": _PATH},
                language={"enum": ["km", "en"]}, header={"enum": ["labels", "ids"]}), GIVE),
            _command("note_given", "កត់ត្រាការប្រគល់", "Note what was given out", self.note_given, _params(
                {"what": {"enum": ["printed", "exported"]}, "record": _SLUG}), GIVE, writes=True),
        ]  # fmt: skip


def _command(
    name: str, khmer: str, english: str, run: Any, params: Mapping[str, Any] | None = None,
    needs: frozenset[Permission] = READ, *, writes: bool = False,
) -> Command:  # fmt: skip
    title: Text = {"km": khmer, "en": english}
    return Command(id=f"forms.{name}", title=title, run=run, params=params or _params(), needs=needs, writes=writes)


def _nothing() -> None:
    """A command that only opens a page runs nothing."""


_PAGES: Final = (
    Command(
        id="forms.new",
        title={"km": "ទម្រង់ថ្មី", "en": "New form"},
        run=_nothing,
        palette=True,
        page="new",
        shortcut="Ctrl+N",
        needs=WRITE,
    ),
    Command(
        id="forms.cases", title={"km": "បញ្ជីពាក្យស្នើសុំ", "en": "Submissions"}, run=_nothing, palette=True, page="list"
    ),
)

_KINDS: Final = (
    Kind(name=KIND, version=1, title={"km": "ពាក្យស្នើសុំ", "en": "Submission"}, sealed=True, validate=validate),
    Kind(name="forms.correction", version=1, title={"km": "ការកែតម្រូវ", "en": "Correction"}, sealed=True),
    Kind(name="forms.withdrawal", version=1, title={"km": "ការដកវិញ", "en": "Withdrawal"}, sealed=True),
)

_FINISHED: Final = Trigger(
    id=TRIGGER,
    title={"km": "ទម្រង់ត្រូវបានបញ្ចប់", "en": "A form is finished"},
    sample={
        "submission": "019300000000700080000000000000aa", "receipt": "0306-01-000214", "form": "barber-licence", "version": 1,
        "service": "barber-shop-2-4",
        "service_title": {"km": "អាជ្ញាប័ណ្ណជាងកាត់សក់បុរស ២ ដល់ ៤ កៅអី", "en": "Men's barber shop licence, 2 to 4 chairs"},
        "person": {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"}, "phone": "+85512345678", "birth": "1990-05-17",
        "id_card": "012345678", "address": {"code": "03060101", "km": "", "en": ""}, "fee": 20000, "received": "2026-11-22",
        "due": "2026-12-04", "office": "0306",
        "answers": {
            "shop_name": "ហាងកាត់សក់ស្រីមុំ", "shop_name_latin": "Sreymom Barber", "chairs": 3, "opens_on": "2026-12-10",
            "shop_address": {"code": "03060101", "km": "", "house": "12"},
        },
    },
)  # fmt: skip


def activate(api: Api) -> Forms:
    """Entry point of the manifest."""
    return Forms(api)
