"""The links module: its commands, kinds and settings. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from modules.contract import Activated, Api, Command, Json, Kind, Permission, Setting, Trigger
from modules.links import migrations
from modules.links.papers import Papers
from modules.links.records import CREATED, STATE, Links, check_created

_READ: Final[frozenset[Permission]] = frozenset({"records.read"})
_WRITE: Final[frozenset[Permission]] = frozenset({"records.read", "records.write"})
_EXPORT: Final[frozenset[Permission]] = frozenset({"records.read", "files.export"})
_CODE: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_PATH: Final = {"type": "string", "minLength": 1, "maxLength": 4000}


def activate(api: Api) -> Activated:
    """The links module over ``api``."""
    links = Links(api)
    return Activated(
        kinds=(
            Kind(name=CREATED, version=1, title={"km": "តំណខ្លី", "en": "Short link"}, validate=check_created),
            Kind(name=STATE, version=1, title={"km": "ការបិទ ឬបើកតំណ", "en": "Link turned off or on"}),
        ),
        commands=(*_writing(links), *_reading(links), *_paper(Papers(api, links))),
        triggers=(
            Trigger(
                id="links.created",
                title={"km": "តំណខ្លីត្រូវបានបង្កើត", "en": "A short link was made"},
                sample={"code": "k7m4q2a", "short": "https://go.gov.kh/k7m4q2a", "url": "https://www.example.gov.kh/", "title": "ទីផ្សារ"},
            ),
        ),
        settings=(
            Setting(
                id="links.base", title={"km": "អាសយដ្ឋានដើមនៃតំណខ្លី", "en": "Address that short links begin with"}, kind="text",
                default="https://go.gov.kh",
            ),
            Setting(
                id="links.qr_upper", title={"km": "QR ជាអក្សរធំ (តូច និងស្កេនងាយ)", "en": "QR codes in upper case (smaller, easier to scan)"},
                kind="boolean", default=True,
            ),
            Setting(
                id="links.other_ports", title={"km": "អនុញ្ញាតច្រកផ្សេងពី 443", "en": "Allow ports besides 443"}, kind="boolean", default=False
            ),
        ),
        migrations=migrations.register,
    )  # fmt: skip


def _writing(links: Links) -> Sequence[Command]:
    return (
        Command(
            id="links.create", title={"km": "បង្កើតតំណខ្លី", "en": "Make a short link"}, run=links.create, writes=True, needs=_WRITE,
            params=_object(
                {
                    "url": {"type": "string", "maxLength": 10_000}, "title": {"type": "string", "maxLength": 200},
                    "code": {"type": "string", "maxLength": 200}, "expires": {"type": "string", "maxLength": 60},
                },
                "url",
            ),
        ),
        Command(
            id="links.disable", title={"km": "បិទតំណ", "en": "Turn a link off"}, run=lambda code: links.set_state(code, "disabled"),
            writes=True, needs=_WRITE, params=_object({"code": _CODE}, "code"),
            undo=lambda code: links.set_state(code, "active"),
        ),
        Command(
            id="links.enable", title={"km": "បើកតំណវិញ", "en": "Turn a link on again"}, run=lambda code: links.set_state(code, "active"),
            writes=True, needs=_WRITE, params=_object({"code": _CODE}, "code"),
            undo=lambda code: links.set_state(code, "disabled"),
        ),
    )  # fmt: skip


def _reading(links: Links) -> Sequence[Command]:
    return (
        Command(
            id="links.check", title={"km": "ពិនិត្យអាសយដ្ឋាន", "en": "Check an address"}, run=links.check, needs=_READ,
            params=_object({"url": {"type": "string", "maxLength": 10_000}}, "url"),
        ),
        Command(
            id="links.list", title={"km": "បញ្ជីតំណ", "en": "List of links"}, run=links.page, needs=_READ,
            params=_object(
                {
                    "text": {"type": "string", "maxLength": 200}, "state": {"enum": ["", "active", "disabled", "expired"]},
                    "offset": {"type": "integer", "minimum": 0}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
                }
            ),
        ),
        Command(
            id="links.show", title={"km": "មើលតំណ", "en": "Show a link"}, run=links.show, needs=_READ,
            params=_object({"code": _CODE}, "code"),
        ),
        Command(
            id="links.left", title={"km": "លេខកូដនៅសល់", "en": "Codes left"}, run=lambda: {"left": links.left()}, needs=_READ
        ),
        Command(
            id="links.new", title={"km": "តំណខ្លីថ្មី", "en": "New short link"}, run=lambda: None, needs=_WRITE, palette=True, page="new",
            shortcut="Ctrl+U",
        ),
    )  # fmt: skip


def _paper(papers: Papers) -> Sequence[Command]:
    return (
        Command(
            id="links.qr", title={"km": "រក្សាទុក QR ជាឯកសារ", "en": "Save the QR as a file"}, run=papers.picture, needs=_EXPORT,
            params=_object({"code": _CODE, "out": _PATH}, "code", "out"),
        ),
        Command(
            id="links.preview", title={"km": "មើល QR", "en": "See the QR"}, run=papers.preview, needs=_READ,
            params=_object({"code": _CODE}, "code"),
        ),
        Command(
            id="links.paper", title={"km": "មើលក្រដាសបោះពុម្ព", "en": "See the paper"}, run=papers.paper, needs=_READ,
            params=_object({"codes": {"type": "array", "minItems": 1, "items": _CODE}, "poster": {"type": "boolean"}}, "codes"),
        ),
        Command(
            id="links.sheet", title={"km": "សន្លឹកផ្លាក QR", "en": "Sheet of QR labels"}, run=papers.sheet, needs=_EXPORT,
            params=_object({"codes": {"type": "array", "items": _CODE}, "out": _PATH}, "codes", "out"),
        ),
    )  # fmt: skip


def _object(properties: dict[str, Any], *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
