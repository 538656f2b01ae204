"""What publications are called for people, on the laptop and on the console: from their names, and of a form from its title."""

from __future__ import annotations

import json
import re
from typing import Final

from i18n.catalog import Text

_OFFICE = re.compile(r"(trust/issuers-|status/)(?P<who>[a-z0-9]+)[a-z0-9-]*\.(cbor|cwt)")
_FORM = re.compile(r"/[0-9a-f]{64}\.json$")
_FOLDERS: Final[dict[str, Text]] = {
    "forms": {"km": "ទម្រង់", "en": "Form"},
    "prices": {"km": "តារាងតម្លៃ", "en": "Price list"},
    "ref": {"km": "ទិន្នន័យយោង", "en": "Reference data"},
    "trust": {"km": "បញ្ជីកូនសោដែលទុកចិត្ត", "en": "Trust list"},
    "status": {"km": "បញ្ជីដកហូតវិញ្ញាបនបត្រ", "en": "Certificates revoked"},
    "templates": {"km": "គំរូឯកសារ", "en": "Template"},
    "app": {"km": "កម្មវិធីសាលា", "en": "Sala program"},
    "devices": {"km": "កុំព្យូទ័រនៃខេត្ត", "en": "Laptops of a province"},
    "leases": {"km": "លេខ និងកូដសម្រាប់កុំព្យូទ័រមួយ", "en": "Numbers and codes of one laptop"},
    "inbox": {"km": "សេចក្តីសម្រេចសម្រាប់កុំព្យូទ័រមួយ", "en": "Decisions for one laptop"},
}
_WHOLE: Final[dict[str, Text]] = {
    "ref/geo.sqlite": {"km": "បញ្ជីខេត្ត ស្រុក ឃុំ ភូមិ", "en": "Provinces, districts, communes, villages"},
    "ref/certifiers.cbor": {"km": "កូនសោដែលបញ្ជាក់កុំព្យូទ័រ", "en": "Keys that certify laptops"},
    "ref/couriers.cbor": {"km": "កូនសោសម្រាប់ឯកសារដឹកជញ្ជូន", "en": "Keys for courier files"},
    "ref/ca-pins.pem": {"km": "វិញ្ញាបនបត្រសម្រាប់បណ្តាញ", "en": "Certificates for the line"},
}
ROLES: Final[dict[str, Text]] = {
    "targets": {"km": "មជ្ឈមណ្ឌល", "en": "The centre"},
    "leases": {"km": "មជ្ឈមណ្ឌល (លេខ និងកូដ)", "en": "The centre (numbers)"},
    "inbox": {"km": "មជ្ឈមណ្ឌល (សេចក្តីសម្រេច)", "en": "The centre (decisions)"},
}


def title(name: str, data: bytes | None = None) -> Text:
    """The name of a publication in both languages; ``data`` gives a form or a price list its own title."""
    if name in _WHOLE:
        return _WHOLE[name]
    folder, _, rest = name.partition("/")
    kind = _FOLDERS.get(folder, {"km": name, "en": name})
    if folder in ("forms", "prices") and data is not None and (own := _own(data)):
        return own
    if folder == "forms" and _FORM.search(rest):
        return _joined(kind, rest.split("/")[-2])
    found = _OFFICE.fullmatch(name)
    if found is not None:
        return _joined(kind, found["who"], place=True)
    if folder == "devices":
        return _joined(kind, rest.partition(".")[0], place=True)
    if folder in ("leases", "inbox"):
        return kind
    return _joined(kind, rest.partition("/")[0] if folder == "app" else rest.rpartition(".")[0] or rest)


def folder(name: str) -> Text:
    """What lies in a place of the publications; ``forms/moi`` are the forms of one agency."""
    first, _, agency = name.partition("/")
    kind = _FOLDERS.get(first, {"km": first, "en": first})
    return _joined(kind, agency) if agency else kind


def signer(role: str, holder: str = "") -> Text:
    """Who signed, in both languages."""
    if holder:
        return {"km": holder, "en": holder}
    if role in ROLES:
        return ROLES[role]
    kind, _, who = role.partition("-")
    words: dict[str, Text] = {
        "province": {"km": "ខេត្ត", "en": "Province"}, "issuer": {"km": "ទីភ្នាក់ងារ", "en": "Agency"},
        "forms": {"km": "ទីភ្នាក់ងារ", "en": "Agency"},
    }  # fmt: skip
    return _joined(words[kind], who, place=kind == "province") if kind in words else {"km": role, "en": role}


def _joined(kind: Text, what: str, *, place: bool = False) -> Text:
    name = _place(what) if place else None
    return {side: f"{kind[side]} · {name[side] if name else what}" for side in ("km", "en")}


def _place(code: str) -> Text | None:
    from i18n import gazetteer

    try:
        unit = gazetteer.unit(code)
    except KeyError:
        return None
    return {"km": unit.full_km(), "en": unit.en}


def _own(data: bytes) -> Text | None:
    try:
        source = json.loads(data)
        said = source["title"]
        version = source.get("version")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(said, dict) or not all(isinstance(said.get(side), str) for side in ("km", "en")):
        return None
    tail = f" · {version}" if isinstance(version, int) else ""
    return {"km": said["km"] + tail, "en": said["en"] + tail}
