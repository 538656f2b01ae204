"""FormSG's field types as types of ours: one function a type, its options as parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

Source = Mapping[str, Any]
Made = tuple[dict[str, Any], list[str]]  # members, and what could not be taken over
_MEGABYTE: Final = 1_000_000
_MIN_MAX: Final = {"customMin": "min", "customMax": "max"}


def members(kind: str, source: Source) -> Made:
    """The members of a field of FormSG's type ``kind``. ``ValueError`` when there is no such type."""
    made = _KINDS.get(kind)
    if made is None:
        raise ValueError(f"no field type {kind}")
    return made(source)


def _plain(type: str, **more: Any) -> Callable[[Source], Made]:
    return lambda _source: ({"type": type, **more}, [])


def _length(options: Source) -> dict[str, Any]:
    """Maximum, Minimum, Exact and their number."""
    kind, number = (
        options.get("selectedValidation") or options.get("selectedLengthValidation"),
        options.get("customVal"),
    )
    if not kind or number in (None, ""):
        return {}
    least = {"min_length": int(str(number))} if kind in ("Minimum", "Exact") else {}
    return {**least, **({"max_length": int(str(number))} if kind in ("Maximum", "Exact") else {})}


def _text(*appearance: str) -> Callable[[Source], Made]:
    def made(source: Source) -> Made:
        found: dict[str, Any] = {"type": "text", "parameters": _length(source.get("ValidationOptions") or {})}
        return ({**found, "appearance": appearance} if appearance else found), []

    return made


def _bounds(options: Source) -> dict[str, Any]:
    return {name: str(options[key]) for key, name in _MIN_MAX.items() if options.get(key) not in (None, "")}


def _number(source: Source) -> Made:
    options = source.get("ValidationOptions") or {}
    kind = options.get("selectedValidation")
    parameters: dict[str, Any] = {}
    if kind == "Length":
        parameters = _length(options.get("LengthValidationOptions") or {})
    elif kind == "Range":
        parameters = _bounds(options.get("RangeValidationOptions") or {})
    elif kind in ("Maximum", "Minimum", "Exact"):  # forms older than 2024
        parameters = _length(options)
    return {"type": "integer", "parameters": parameters}, []


def _decimal(source: Source) -> Made:
    parameters = _bounds(source.get("ValidationOptions") or {}) if source.get("validateByValue") else {}
    return {"type": "decimal", "parameters": parameters}, []


def _email(source: Source) -> Made:
    domains = (
        [str(one) for one in source.get("allowedEmailDomains") or ()] if source.get("hasAllowedEmailDomains") else []
    )
    return {"type": "email", "parameters": {"domains": domains} if domains else {}}, []


def _phone(line: str) -> Callable[[Source], Made]:
    def made(source: Source) -> Made:
        country = {} if source.get("allowIntlNumbers") else {"country": "SG"}
        return {"type": "phone", "parameters": {"line": line, **country}}, []

    return made


def _select(type: str, *appearance: str) -> Callable[[Source], Made]:
    def made(source: Source) -> Made:
        parameters: dict[str, Any] = {}
        if type == "select_multiple" and source.get("validateByValue"):
            bounds = _bounds(source.get("ValidationOptions") or {})
            parameters = {name: int(value) for name, value in bounds.items()}
        found = {
            "type": type,
            "options": [str(one) for one in source.get("fieldOptions") or ()],
            "parameters": parameters,
        }
        return ({**found, "appearance": appearance} if appearance else found), []

    return made


def _attachment(source: Source) -> Made:
    size = int(str(source.get("attachmentSize") or 1))
    return {"type": "attachment", "parameters": {"max_bytes": size * _MEGABYTE, "max_files": 1}}, []


def _date(source: Source) -> Made:
    options = source.get("dateValidation") or {}
    kind = options.get("selectedDateValidation")
    parameters: dict[str, Any] = {}
    if kind == "Disallow past dates":
        parameters["min"] = "today"
    elif kind == "Disallow future dates":
        parameters["max"] = "today"
    elif kind == "Custom date range":
        for key, name in (("customMinDate", "min"), ("customMaxDate", "max")):
            if options.get(key):
                parameters[name] = date.fromisoformat(str(options[key])[:10]).isoformat()
    if closed := [str(one) for one in source.get("invalidDays") or ()]:
        parameters["closed_weekdays"] = closed
    return {"type": "date", "parameters": parameters}, []


def _rating(source: Source) -> Made:
    options = source.get("ratingOptions") or {}
    steps = int(options.get("steps") or 5)
    if not 1 <= steps <= 10:
        raise ValueError(f"a rating of {steps} steps")
    parameters = {"start": "1", "end": str(steps), "step": "1", "shape": str(options.get("shape") or "Star").lower()}
    return {"type": "range", "appearance": ("rating",), "parameters": parameters}, []


def _image(source: Source) -> Made:
    name = str(source.get("name") or source.get("fileMd5Hash") or "")
    return ({"type": "note", "media": {"image": name}} if name else {"type": "note"}), []


def _checked(check: str) -> Callable[[Source], Made]:
    return _plain("text", parameters={"check": check})


_KINDS: Final[Mapping[str, Callable[[Source], Made]]] = {
    "section": _plain("note"), "statement": _plain("note"), "image": _image, "textfield": _text(), "textarea": _text("multiline"),
    "email": _email, "mobile": _phone("mobile"), "homeno": _phone("home"), "number": _number, "decimal": _decimal,
    "dropdown": _select("select_one", "minimal"), "country_region": _plain("country"), "yes_no": _plain("yes_no"),
    "checkbox": _select("select_multiple"), "radiobutton": _select("select_one"), "attachment": _attachment, "date": _date,
    "rating": _rating, "nric": _checked("nric"), "uen": _checked("uen"), "signature": _plain("signature"),
}  # fmt: skip
KINDS: Final = (*_KINDS, "table", "children", "address")
