"""The messages module: its commands, kinds, triggers and settings. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from modules.contract import Activated, Api, Command, Json, Kind, Permission, Setting, Trigger
from modules.messages import migrations, notices
from modules.messages.campaigns import RELEASE, TEXTS, Campaigns

_READ: Final[frozenset[Permission]] = frozenset({"records.read"})
_WRITE: Final[frozenset[Permission]] = frozenset({"records.read", "records.write"})
_APPROVE: Final[frozenset[Permission]] = frozenset({"records.read", "records.write", "records.approve", "keys.sign"})
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 64}
_TEXT: Final = {"type": "string", "maxLength": 20_000}
_TITLE: Final = {"type": "string", "maxLength": 200}
_PATH: Final = {"type": "string", "minLength": 1, "maxLength": 4_000}
_WORDS: Final = {"type": "object", "maxProperties": 64, "additionalProperties": {"type": "string", "maxLength": 2_000}}
_PAGE: Final = {
    "offset": {"type": "integer", "minimum": 0}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
}  # fmt: skip


def activate(api: Api) -> Activated:
    """The messages module over ``api``."""
    campaigns = Campaigns(api)
    return Activated(
        kinds=(
            Kind(name=RELEASE, version=1, title={"km": "សារដែលបានអនុម័ត", "en": "Approved message"}),
            Kind(name=TEXTS, version=1, title={"km": "អត្ថបទ និងអ្នកទទួល", "en": "Texts and recipients"}, sealed=True),
        ),
        commands=(*_writing(campaigns), *_reading(campaigns)),
        triggers=(
            Trigger(
                id="messages.released",
                title={"km": "សារត្រូវបានប្រគល់", "en": "A message was handed over"},
                sample={"id": "0197", "title": "ប្រជុំឃុំ", "recipients": 20},
            ),
        ),
        settings=(
            Setting(
                id="messages.price_per_segment", title={"km": "តម្លៃសារមួយផ្នែក (រៀល)", "en": "Price of one part (riel)"}, kind="integer",
                default=120,
            ),
            Setting(
                id="messages.most_segments", title={"km": "ចំនួនផ្នែកច្រើនបំផុត", "en": "Most parts of one message"}, kind="integer", default=10
            ),
            Setting(
                id="messages.valid_days", title={"km": "ថ្ងៃដែលការអនុម័តមានសុពលភាព", "en": "Days an approval is valid"}, kind="integer",
                default=14,
            ),
            Setting(
                id="messages.reference_bits", title={"km": "ប៊ីតនៃលេខយោង (តាមប្រតិបត្តិករ)", "en": "Bits of the joining number (by operator)"},
                kind="choice", default="8", choices=("8", "16"),
            ),
        ),
        migrations=migrations.register,
    )  # fmt: skip


def _writing(campaigns: Campaigns) -> Sequence[Command]:
    return (
        Command(
            id="messages.draft", title={"km": "សរសេរសារ", "en": "Write a message"}, run=campaigns.draft, writes=True, needs=_WRITE,
            params=_object({
                "id": _ID, "title": _TITLE, "template": _TEXT, "recipients": _PATH,
                "rows": {"type": "array", "maxItems": 1000, "items": _WORDS}, "leave_out": {"type": "boolean"},
                "strip_breaks": {"type": "boolean"},
            }),
        ),
        Command(
            id="messages.draft_from_flow", title={"km": "ព្រាងសារមួយ", "en": "Draft a message"}, run=campaigns.from_flow, writes=True,
            needs=_WRITE,
            params=_object(
                {
                    "template": _TEXT, "notice": _TITLE, "fields": _WORDS, "phone": {"type": ["string", "null"], "maxLength": 60},
                    "title": _TITLE, "source": _TITLE,
                },
                "fields", "phone",
            ),
        ),
        Command(
            id="messages.approve", title={"km": "អនុម័តសារ", "en": "Approve a message"}, run=campaigns.approve, writes=True, needs=_APPROVE,
            params=_object({"id": _ID}, "id"),
        ),
        Command(
            id="messages.handover", title={"km": "ប្រគល់សារឱ្យមជ្ឈមណ្ឌល", "en": "Hand a message over"}, run=campaigns.handover, writes=True,
            needs=_WRITE, params=_object({"id": _ID}, "id"),
        ),
        Command(
            id="messages.opt_out", title={"km": "ឈប់ផ្ញើទៅលេខមួយ", "en": "Never write to a number"}, run=campaigns.opt_out, writes=True,
            needs=_WRITE, params=_object({"phone": {"type": "string", "maxLength": 60}, "reason": _TITLE}, "phone"),
            undo=lambda phone, **_: campaigns.opt_in(phone),
        ),
        Command(
            id="messages.opt_in", title={"km": "ផ្ញើទៅលេខមួយវិញ", "en": "Write to a number again"}, run=campaigns.opt_in, writes=True,
            needs=_WRITE, params=_object({"phone": {"type": "string", "maxLength": 60}}, "phone"),
        ),
    )  # fmt: skip


def _reading(campaigns: Campaigns) -> Sequence[Command]:
    return (
        Command(
            id="messages.segments", title={"km": "រាប់ផ្នែកសារ", "en": "Count the parts of a text"}, run=campaigns.segments, needs=_READ,
            params=_object({"text": _TEXT}, "text"),
        ),
        Command(
            id="messages.check", title={"km": "ពិនិត្យសារ និងបញ្ជី", "en": "Check a text with a list"}, run=campaigns.check, needs=_READ,
            params=_object({"template": _TEXT, "recipients": _PATH}, "template", "recipients"),
        ),
        Command(
            id="messages.list", title={"km": "បញ្ជីសារ", "en": "List of messages"}, run=campaigns.page, needs=_READ,
            params=_object({"text": _TITLE, "state": {"enum": ["", "draft", "checked", "approved", "released"]}, **_PAGE}),
        ),
        Command(
            id="messages.show", title={"km": "មើលសារ", "en": "Show a message"}, run=campaigns.show, needs=_READ,
            params=_object({"id": _ID}, "id"),
        ),
        Command(
            id="messages.rows", title={"km": "អ្នកទទួលសារ", "en": "Recipients of a message"}, run=campaigns.rows, needs=_READ,
            params=_object({"id": _ID, "only": {"enum": ["", "bad", "good"]}, **_PAGE}, "id"),
        ),
        Command(
            id="messages.preview", title={"km": "មើលសាររបស់អ្នកទទួល", "en": "See one recipient's message"}, run=campaigns.preview, needs=_READ,
            params=_object({"id": _ID, "row": {"type": "integer", "minimum": 1}}, "id", "row"),
        ),
        Command(
            id="messages.notices", title={"km": "អត្ថបទគំរូ", "en": "Ready texts"}, run=lambda: {"notices": list(notices.shipped())},
            needs=_READ,
        ),
        Command(
            id="messages.new", title={"km": "សារថ្មី", "en": "New message"}, run=lambda: None, needs=_WRITE, palette=True, page="new",
            shortcut="Ctrl+M",
        ),
    )  # fmt: skip


def _object(properties: dict[str, Any], *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
