"""The registry of field types: one row each. Readers, writers, checks and the table of conformance all go by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Where = Literal["control", "bind", "sala"]
Kind = Literal["number", "text", "flag", "texts", "words", "field", "level"]
Family = Literal["odk", "meta", "formsg", "sala"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A member of ``parameters``: what it may be, and the attribute by which an XForm says it ("": it cannot)."""

    kind: Kind = "text"
    attribute: str = ""  # with its prefix
    where: Where = "sala"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """One type. ``data`` and ``control`` are its XForm type and element; "" is none."""

    id: str
    family: Family
    value: str  # the answer in JSON
    data: str = "string"
    control: str = "input"
    mediatype: str = ""
    preload: tuple[str, str] | None = None
    formsg: tuple[str, ...] = ()
    appearances: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    choices: bool = False
    asked: bool = True  # a person answers it
    checked: str = ""  # what is checked besides its own constraint


def _on(where: Where, *names: str) -> dict[str, Parameter]:
    """Parameters that an XForm says by attributes: ``name`` or ``name=attribute``."""
    pairs = [name.partition("=") for name in names]
    return {name: Parameter("text", attribute or name, where) for name, _, attribute in pairs}


def _own(kind: Kind, *names: str) -> dict[str, Parameter]:
    return {name: Parameter(kind) for name in names}


_TEXT: Final = "text in normal order"
_FILE: Final = "[{blob, name, media, size}]"
_ONE: Final = "code of the choice"
_SELECT: Final = (
    "minimal", "autocomplete", "search", "quick", "quickcompact", "columns", "columns-pack", "columns-n", "no-buttons", "likert",
    "image-map", "map", "label", "list", "list-nolabel", "compact", "horizontal",
)  # fmt: skip
_DATE: Final = (
    "no-calendar", "month-year", "year", "ethiopian", "coptic", "islamic", "bikram-sambat", "myanmar", "persian", "buddhist", "khmer-lunar",
)  # fmt: skip
_LENGTHS: Final = _own("number", "min_length", "max_length")
_GEO: Final = _on(
    "control", "capture-accuracy=accuracyThreshold", "warning-accuracy=unacceptableAccuracyThreshold",
    "allow-mock-accuracy=odk:allow-mock-accuracy",
)  # fmt: skip
_WALK: Final = _on("control", "incremental=odk:incremental")
_PIXELS: Final = _on("bind", "max-pixels=orx:max-pixels")
_RANGE: Final = (
    "start", "end", "step", "tick_interval=odk:tick-interval", "placeholder=odk:placeholder", "tick_labelset=odk:tick-labelset",
)  # fmt: skip
_LIMITS: Final = _own("text", "min", "max")
_FILES: Final = {**_own("texts", "accept"), **_own("number", "max_bytes", "max_files")}
_UNIT: Final = _own("words", "unit")


def _odk(id: str, value: str, **more: object) -> FieldType:
    return FieldType(id=id, family="odk", value=value, **more)  # type: ignore[arg-type]


def _meta(id: str, preload: tuple[str, str], value: str = "text", data: str = "string") -> FieldType:
    return FieldType(id=id, family="meta", value=value, data=data, control="", preload=preload, asked=False)


def _sala(id: str, value: str, **more: object) -> FieldType:
    return FieldType(id=id, family="sala", value=value, **more)  # type: ignore[arg-type]


_ROWS: Final = (
    _odk("text", _TEXT, formsg=("textfield", "textarea", "nric", "uen"), appearances=(
        "multiline", "numbers", "url", "masked", "hidden-answer", "printer", "ex:"), parameters=_LENGTHS | _own("text", "check"),
        checked="length in clusters; check: nric, uen"),
    _odk("integer", "integer", data="int", formsg=("number",), appearances=("thousands-sep", "counter", "bearing", "ex:"),
        parameters=_LIMITS | _UNIT | _LENGTHS, checked="whole number; min, max; number of digits"),
    _odk("decimal", "text of the decimal number", data="decimal", formsg=("decimal",), appearances=("thousands-sep", "bearing", "ex:"),
        parameters=_LIMITS | _UNIT | _own("number", "decimals"), checked="number; min, max; decimals"),
    _odk("note", "none", asked=False, formsg=("statement", "image")),
    _odk("select_one", _ONE, control="select1", choices=True, formsg=("dropdown", "radiobutton"), appearances=_SELECT,
        checked="one of the choices that the filter leaves"),
    _odk("select_multiple", "list of codes in the order of the choices", control="select", choices=True, formsg=("checkbox",),
        appearances=_SELECT, parameters=_own("number", "min", "max"), checked="choices that the filter leaves; min, max"),
    _odk("rank", "list of all codes, best first", data="odk:rank", control="odk:rank", choices=True, checked="every choice once"),
    _odk("range", "text of the number", data="int", control="range", formsg=("rating",),
        appearances=("vertical", "no-ticks", "picker", "rating"), parameters=_on("control", *_RANGE) | _own("text", "shape"),
        checked="start, end, step"),
    _odk("image", _FILE, data="binary", control="upload", mediatype="image/*",
        appearances=("signature", "draw", "annotate", "new", "new-front"), parameters=_PIXELS, checked="bytes of an image"),
    _odk("audio", _FILE, data="binary", control="upload", mediatype="audio/*", appearances=("new",),
        parameters=_on("bind", "quality=odk:quality"), checked="bytes of a sound"),
    _odk("video", _FILE, data="binary", control="upload", mediatype="video/*", appearances=("new", "new-front", "selfie"),
        checked="bytes of a video"),
    _odk("file", _FILE, data="binary", control="upload", mediatype="application/*", parameters=_FILES, checked="type by its bytes"),
    _odk("barcode", "text", data="barcode", appearances=("front",)),
    _odk("date", "2026-11-23", data="date", formsg=("date",), appearances=_DATE,
        parameters=_LIMITS | _own("texts", "closed_weekdays"), checked="a day; min, max; weekdays"),
    _odk("time", "08:30:00.000+07:00", data="time"),
    _odk("datetime", "2026-11-23T08:30:00.000+07:00", data="dateTime", appearances=_DATE),
    _odk("geopoint", "latitude longitude altitude accuracy", data="geopoint", appearances=("maps", "placement-map", "hide-input"),
        parameters=_GEO),
    _odk("geotrace", "points joined by ;", data="geotrace", parameters=_GEO | _WALK),
    _odk("geoshape", "points joined by ;, the last is the first", data="geoshape", parameters=_GEO | _WALK),
    _odk("acknowledge", "\"OK\"", control="trigger", checked="confirmed"),
    _odk("calculate", "text", control="", asked=False),
    _odk("hidden", "text", control="", asked=False),
    _meta("start", ("timestamp", "start"), "date and time", "dateTime"),
    _meta("end", ("timestamp", "end"), "date and time", "dateTime"),
    _meta("today", ("date", "today"), "day", "date"),
    _meta("deviceid", ("property", "deviceid")),
    _meta("username", ("property", "username")),
    _meta("user_email", ("property", "email")),
    _meta("user_phone", ("property", "phonenumber")),
    _meta("subscriberid", ("property", "subscriberid")),
    _meta("simserial", ("property", "simserial")),
    FieldType(id="email", family="formsg", value="text", formsg=("email",),
        parameters=_own("texts", "domains") | _own("flag", "verify"), checked="an address; its domain"),
    FieldType(id="yes_no", family="formsg", value="true or false; an XForm has yes or no", formsg=("yes_no",),
        parameters=_own("flag", "must"), checked="must"),
    FieldType(id="country", family="formsg", value="name of the country", formsg=("country_region",), checked="a name of the list"),
    _sala("attachment", _FILE, data="binary", control="upload", mediatype="application/*", formsg=("attachment",), parameters=_FILES,
        checked="type by its bytes; size; number of files"),
    _sala("name", "{km, latin}", parameters=_own("flag", "latin_required"), checked="60 clusters; Latin when asked for"),
    _sala("phone", "E.164", formsg=("mobile", "homeno"), parameters=_own("text", "country", "line") | _own("flag", "verify"),
        checked="a number of its numbering plan"),
    _sala("id_card", "ASCII digits", checked="digits; MRZ check digits as a hint"),
    _sala("address", "{code, km, house}", parameters=_own("level", "level") | _own("flag", "house"),
        checked="a unit of the gazetteer, down to level"),
    _sala("money", "integer riel", data="int", parameters=_LIMITS, checked="whole riel; min, max"),
    _sala("khmer_date", "2026-11-23", data="date", parameters=_LIMITS, checked="a day; min, max"),
    _sala("fee", "{riel, service}", asked=False, parameters=_own("field", "times"), checked="from the price list, never entered"),
    _sala("certificate", "{text, verdict}", checked="signature and status of a certificate"),
    _sala("scan", _FILE, data="binary", control="upload", mediatype="image/*", parameters=_FILES, checked="pages of at most 300 kB"),
    _sala("signature", _FILE, data="binary", control="upload", mediatype="image/*", formsg=("signature",), checked="bytes of an image"),
)  # fmt: skip

TYPES: Final[Mapping[str, FieldType]] = {row.id: row for row in _ROWS}
BY_PRELOAD: Final[Mapping[tuple[str, str], str]] = {row.preload: row.id for row in _ROWS if row.preload}
GROUP_APPEARANCES: Final = ("field-list", "table-list", "w1 … w10", "pages")
