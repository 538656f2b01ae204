"""Templates of certificates: data in ``assets/certificates/<id>-<version>.json``, read strictly.

A template says which fields a certificate has, under which number each stands in the credential, how long the
certificate is valid, and what the paper says. Published versions stay for ever: an old certificate is read by the
version that it names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast, get_args

from i18n.catalog import Text
from i18n.errors import Refused
from modules.certificates.values import FieldType

FOLDER: Final = Path(__file__).resolve().parents[2] / "assets" / "certificates"
SIZE_LIMIT: Final = 128 * 1024

_ID = re.compile(r"[a-z][a-z0-9-]{1,40}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SLOT = re.compile(r"{([^{}]*)}")
_OWN_SLOTS = {"office", "expires"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a certificate states. ``number`` is its key in the credential."""

    name: str
    number: int
    type: FieldType
    label: Text
    required: bool
    max: int | None = None  # clusters of a text, or the greatest number
    min: int | None = None
    unit: Text | None = None  # said after a number


@dataclass(frozen=True, slots=True)
class Joined:
    """Several fields that the paper shows as one row."""

    label: Text
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """What the A4 sheet says, in Khmer: the language of the document. ``rows`` name fields or joined rows."""

    title: str
    opening: tuple[str, ...]
    rows: tuple[str, ...]
    closing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One version of one template."""

    id: str
    version: int
    title: Text
    summary: Text
    valid_months: int | None  # None: no end
    status_days: int  # how old the list of revocations may be for a verdict without reserve
    fields: tuple[Field, ...]
    headline: str  # the field by which people know a certificate
    paper: Paper
    joined: Mapping[str, Joined]
    from_forms: Mapping[str, Mapping[str, str]]  # form id → field → place in the form's answers ("applicant.km")

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


@cache
def library(folder: Path = FOLDER) -> Mapping[tuple[str, int], Template]:
    """Every version of every template, by id and version."""
    found = [read(path.read_bytes(), path.name) for path in sorted(folder.glob("*.json"))]
    return {(template.id, template.version): template for template in found}


def newest(folder: Path = FOLDER) -> list[Template]:
    """The newest version of each template, by id."""
    latest = {template.id: template for _, template in sorted(library(folder).items())}
    return list(latest.values())


def find(id: str, version: int | None = None) -> Template:
    """That version, or the newest one. ``Refused("CT-101")`` when there is none."""
    versions = [template for (name, number), template in library().items() if name == id and version in (None, number)]
    if not versions:
        raise Refused("CT-101", template=id)
    return max(versions, key=lambda template: template.version)


def read(data: bytes, file: str = "") -> Template:
    """The template in ``data``. ``Refused("CT-102")`` with the reason when it does not keep the format."""
    try:
        if len(data) > SIZE_LIMIT:
            raise ValueError("too large")
        template = _template(json.loads(data.decode("utf-8")))
        _check(template)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("CT-102", file=file, reason=str(error)) from error
    return template


def _template(source: dict[str, Any]) -> Template:
    if source.pop("sala_certificate") != 1:
        raise ValueError("sala_certificate")
    paper = source.pop("paper")
    made = Template(
        id=source.pop("id"),
        version=source.pop("version"),
        title=_words(source.pop("title")),
        summary=_words(source.pop("summary")),
        valid_months=source.pop("valid_months"),
        status_days=source.pop("status_days"),
        fields=tuple(_field(dict(field)) for field in source.pop("fields")),
        headline=source.pop("headline"),
        paper=Paper(paper["title"], _lines(paper["opening"]), _lines(paper["rows"]), _lines(paper["closing"])),
        joined={name: Joined(_words(row["label"]), _lines(row["of"])) for name, row in source.pop("joined").items()},
        from_forms={form: dict(places) for form, places in source.pop("from_forms").items()},
    )
    if source:
        raise ValueError(f"unknown: {', '.join(source)}")
    return made


def _field(source: dict[str, Any]) -> Field:
    made = Field(
        name=source.pop("name"),
        number=source.pop("number"),
        type=source.pop("type"),
        label=_words(source.pop("label")),
        required=source.pop("required"),
        max=source.pop("max", None),
        min=source.pop("min", None),
        unit=_words(source.pop("unit")) if "unit" in source else None,
    )
    if source or made.type not in get_args(FieldType) or not _NAME.fullmatch(made.name) or made.number < 2:
        raise ValueError(f"field {made.name}")
    return made


def _words(value: Any) -> Text:
    if set(value) != {"km", "en"} or not all(isinstance(words, str) and words.strip() for words in value.values()):
        raise ValueError("a text needs km and en")
    return cast("Text", value)


def _lines(value: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(line, str) and line for line in value):
        raise ValueError("lines")
    return tuple(value)


def _check(template: Template) -> None:
    """What one part says about another must hold, so that issuing cannot fail on a template."""
    names = [field.name for field in template.fields]
    numbers = [field.number for field in template.fields]
    if not _ID.fullmatch(template.id) or template.version < 1 or template.status_days < 0:
        raise ValueError("id, version or status_days")
    if len(set(names)) != len(names) or len(set(numbers)) != len(numbers) or template.headline not in names:
        raise ValueError("a field stands twice, or the headline is no field")
    if any(part not in names for row in template.joined.values() for part in row.of):
        raise ValueError("a joined row names no field")
    rows = {*names, *template.joined}
    if any(row not in rows for row in template.paper.rows):
        raise ValueError("a row of the paper names no field")
    for line in (*template.paper.opening, *template.paper.closing):
        if unknown := set(_SLOT.findall(line)) - {*names, *_OWN_SLOTS}:
            raise ValueError(f"the paper names {', '.join(sorted(unknown))}")
    for form, places in template.from_forms.items():
        if unknown := set(places) - set(names):
            raise ValueError(f"form {form} fills {', '.join(sorted(unknown))}")
