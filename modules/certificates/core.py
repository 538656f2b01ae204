"""The certificates module as the registry sees it: kinds, commands, trigger, tables. The work is in the files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from i18n.catalog import Text
from i18n.errors import Refused
from modules.certificates import migrations, templates
from modules.certificates.checking import OUTCOMES, Checking
from modules.certificates.claims import CTI_BYTES
from modules.certificates.drafting import Drafting
from modules.certificates.issue import KIND, TRIGGER, Issue
from modules.certificates.prints import Prints
from modules.certificates.register import REASONS, STATES, STATUS_KIND, Register
from modules.certificates.templates import Template
from modules.contract import Api, Command, Json, Kind, Permission, Setting, Trigger

READ: Final[frozenset[Permission]] = frozenset({"records.read"})
SIGN: Final[frozenset[Permission]] = frozenset({"records.read", "records.write", "keys.sign"})
GIVE: Final[frozenset[Permission]] = frozenset({"records.read", "files.export"})

_ID: Final = {"type": "string", "minLength": 1, "maxLength": 64}
_SLUG: Final = {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,40}$"}
_TEXT: Final = {"type": "string", "maxLength": 500}
_PATH: Final = {"type": "string", "minLength": 1, "maxLength": 4096}
_DATA: Final = {"type": "object", "maxProperties": 64}
_FLAG: Final = {"type": "boolean"}
_WIDTH: Final = {"type": "integer", "minimum": 200, "maximum": 2000}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _params(required: Mapping[str, Any] | None = None, **optional: Any) -> dict[str, Any]:
    must = dict(required or {})
    return {
        "type": "object", "additionalProperties": False, "required": list(must), "properties": {**must, **optional},
    }  # fmt: skip


class Certificates:
    """What ``activate`` returns."""

    def __init__(self, api: Api) -> None:
        self._issue = Issue(api)
        self._prints = Prints(api, self._issue)
        self._register = Register(api, self._issue)
        self._checking = Checking(api)
        self._drafting = Drafting(api)
        self.kinds: Sequence[Kind] = _KINDS
        self.triggers: Sequence[Trigger] = (_ISSUED,)
        self.settings: Sequence[Setting] = (_SOUND,)
        self.migrations = migrations.register
        self.commands: Sequence[Command] = [*self._check(), *self._make(), *self._draft(), *self._change(), *_PAGES]

    def close(self) -> None:
        """Nothing is held open."""

    def templates(self) -> dict[str, Any]:
        """The newest version of every template with its fields: ``{"templates": […], "reasons": {…}}``."""
        reasons = {code: dict(words) for code, words in REASONS.items()}
        return {"templates": [_template_json(template) for template in templates.newest()], "reasons": reasons}

    # --- declarations

    def _check(self) -> list[Command]:
        checking, any_source = self._checking, {"description": "path, text, or bytes"}
        notes = {"type": "array", "items": {"type": "object"}, "maxItems": 1000}
        return [
            _command("check", "ពិនិត្យវិញ្ញាបនបត្រ", "Check a certificate", checking.check, _params({"source": any_source})),
            _command("today", "វិញ្ញាបនបត្រថ្ងៃនេះ", "Certificates today", checking.today),
            _command("check_files", "ពិនិត្យឯកសារច្រើន", "Check several files", checking.check_files, _params(
                {"paths": {"type": "array", "items": _PATH, "minItems": 1, "maxItems": 200}})),
            _command("folder", "ឯកសារក្នុងថត", "Files of a folder", checking.folder, _params({"folder": _PATH})),
            _command("note_check", "កត់ត្រាការពិនិត្យ", "Note a check", checking.note_check, _params(
                {"checks": notes, "rechecks": notes}), writes=True),
            _command("compared", "កត់ត្រាការប្រៀបធៀប", "Note a comparison", checking.compared, _params(
                {"check": _ID, "same": _FLAG}), writes=True),
            _command("rechecks", "រង់ចាំពិនិត្យតាមអ៊ីនធឺណិត", "Waiting for an online check", checking.rechecks, _params(
                limit=_COUNT, offset=_COUNT)),
            _command("close_recheck", "បិទការពិនិត្យ", "Close an online check", checking.close_recheck, _params(
                {"id": _ID, "outcome": {"enum": list(OUTCOMES)}}), writes=True),
        ]  # fmt: skip

    def _make(self) -> list[Command]:
        issue, prints = self._issue, self._prints
        source, until = _ID, {"type": "string", "maxLength": 60}
        return [
            _command("templates", "គំរូវិញ្ញាបនបត្រ", "Templates", self.templates),
            _command("preview", "មើលជាមុន", "Preview", prints.preview, _params(
                {"template": _SLUG}, data=_DATA, source=source, valid_until=until, width=_WIDTH), writes=True),
            _command("issue", "ចេញវិញ្ញាបនបត្រ", "Issue a certificate", issue.issue, _params(
                {"template": _SLUG}, data=_DATA, source=source, valid_until=until, clock_confirmed=_FLAG), SIGN, writes=True),
            _command("pdf", "បង្កើត PDF", "Make the PDF", prints.pdf, _params({"id": _ID, "out": _PATH}), GIVE),
            _command("paper", "រៀបចំបោះពុម្ព", "Prepare for print", prints.paper, _params({"id": _ID}, width=_WIDTH), GIVE),
            _command("note_print", "កត់ត្រាការបោះពុម្ព", "Note a print", prints.note_print, _params(
                {"id": _ID, "copy": {"type": "integer", "minimum": 1}, "way": {"enum": ["file", "printer"]},
                 "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}), GIVE, writes=True),
        ]  # fmt: skip

    def _draft(self) -> list[Command]:
        drafting = self._drafting
        return [
            _command("keep_draft", "រក្សាសេចក្តីព្រាង", "Keep a draft", drafting.keep, _params(
                {"template": _SLUG, "data": _DATA}, draft=_ID, source=_ID, replaces=_ID, valid_until=_TEXT)),
            _command("draft", "បើកសេចក្តីព្រាង", "Open a draft", drafting.draft, _params({"draft": _ID})),
            _command("drop_draft", "បោះបង់សេចក្តីព្រាង", "Discard a draft", drafting.drop, _params({"draft": _ID})),
        ]  # fmt: skip

    def _change(self) -> list[Command]:
        register, why = self._register, {"id": _ID, "reason": _TEXT}
        return [
            _command("register", "បញ្ជីវិញ្ញាបនបត្រ", "Register", register.list_, _params(
                filter=_TEXT, status={"enum": list(STATES)}, template=_SLUG, limit=_COUNT, offset=_COUNT)),
            _command("show", "បើកវិញ្ញាបនបត្រ", "Show a certificate", register.show, _params({"id": _ID})),
            _command("revoke", "ដកហូត", "Revoke", register.revoke, _params(why), SIGN, writes=True),
            _command("suspend", "ព្យួរ", "Suspend", register.suspend, _params(why), SIGN, writes=True),
            _command("reinstate", "ឱ្យមានសុពលភាពវិញ", "Reinstate", register.reinstate, _params(why), SIGN, writes=True),
            _command("replace", "ជំនួស", "Replace", register.replace, _params(
                {"id": _ID, "data": _DATA}, reason=_TEXT, clock_confirmed=_FLAG), SIGN, writes=True),
        ]  # fmt: skip


def _command(
    name: str, khmer: str, english: str, run: Any, params: Mapping[str, Any] | None = None,
    needs: frozenset[Permission] = READ, *, writes: bool = False,
) -> Command:  # fmt: skip
    title: Text = {"km": khmer, "en": english}
    return Command(
        id=f"certificates.{name}", title=title, run=run, params=params or _params(), needs=needs, writes=writes
    )


def _nothing() -> None:
    """A command that only opens a page runs nothing."""


def _template_json(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "version": template.version,
        "title": dict(template.title),
        "summary": dict(template.summary),
        "valid_months": template.valid_months,
        "forms": sorted(template.from_forms),
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "label": dict(field.label),
                "required": field.required,
                "min": field.min,
                "max": field.max,
            }
            for field in template.fields
        ],
    }


def _check_issued(body: Json) -> None:
    """``Refused("CT-160")`` for an op that the centre could not list: a bug of ours must not leave the laptop."""
    right = {
        "v": int, "cti": bytes, "template": str, "number": str, "issuer": str, "hash": bytes, "index": int, "issued_s": int,
    }  # fmt: skip
    whole = body.keys() == {*right, "expires_s"}
    if not whole or any(type(body[name]) is not kind for name, kind in right.items()) or len(body["cti"]) != CTI_BYTES:
        raise Refused("CT-160")


def _check_status(body: Json) -> None:
    right = {"v", "cti", "number", "issuer", "index", "status", "reason", "at_s"}
    if body.keys() != right or body["reason"] not in REASONS or body["status"] not in ("valid", "suspended", "revoked"):
        raise Refused("CT-160")


_PAGES: Final = (
    Command(
        id="certificates.open_check", title={"km": "ពិនិត្យវិញ្ញាបនបត្រ", "en": "Check a certificate"}, run=_nothing,
        palette=True, page="check", shortcut="F9",
    ),
    Command(
        id="certificates.open_issue", title={"km": "ចេញវិញ្ញាបនបត្រថ្មី", "en": "Issue a certificate"}, run=_nothing,
        palette=True, page="issue", needs=SIGN,
    ),
    Command(
        id="certificates.open_register", title={"km": "បញ្ជីវិញ្ញាបនបត្រ", "en": "Register of certificates"}, run=_nothing,
        palette=True, page="register",
    ),
)  # fmt: skip

_KINDS: Final = (
    Kind(name=KIND, version=1, title={"km": "វិញ្ញាបនបត្របានចេញ", "en": "Certificate issued"}, validate=_check_issued),
    Kind(
        name=STATUS_KIND, version=1, title={"km": "ស្ថានភាពវិញ្ញាបនបត្រ", "en": "Status of a certificate"},
        validate=_check_status,
    ),
)  # fmt: skip

_SOUND: Final = Setting(
    id="certificates.sound",
    title={"km": "សំឡេងពេលមានលទ្ធផលពិនិត្យ", "en": "Sound with a verdict"},
    kind="boolean",
    default=False,
    scope="officer",
)

_ISSUED: Final = Trigger(
    id=TRIGGER,
    title={"km": "វិញ្ញាបនបត្រត្រូវបានចេញ", "en": "A certificate is issued"},
    sample={
        "id": "019300000000700080000000000000bb", "number": "0306-7-000038", "template": "barber-licence",
        "source": "019300000000700080000000000000aa", "person": {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"},
        "issued_s": 1795305600, "expires_s": 1826841599, "office": "0306",
    },
)  # fmt: skip


def activate(api: Api) -> Certificates:
    """Entry point of the manifest."""
    return Certificates(api)
