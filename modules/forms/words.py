"""Answers as people read them: on the page, on the receipt and in exports, in either language."""

from __future__ import annotations

from datetime import date
from typing import Any

from i18n import dates, numbers, phones
from i18n.catalog import Language
from i18n.numbers import Digits
from modules.forms.definition import Field

YES_NO = {"km": ("បាទ/ចាស", "ទេ"), "en": ("Yes", "No")}


def shown(field: Field, value: Any, language: Language, digits: Digits = "latin") -> str:
    """One answer in words, "" when there is none."""
    if value is None:
        return ""
    match field.type:
        case "name":
            return " · ".join(part for part in (value["km"], value["latin"]) if part)
        case "number":
            return numbers.khmer_digits(value) if digits == "khmer" else str(value)
        case "date":
            return dates.short_date(date.fromisoformat(value), digits)
        case "id_card":
            return numbers.khmer_digits(value) if digits == "khmer" else str(value)
        case "phone":
            return phone(value, digits)
        case "address":
            return address(value, language)
        case "yes_no":
            return YES_NO[language][0 if value else 1]
        case "choice":
            return _option(field, value, language)
        case "choices":
            return (" និង " if language == "km" and len(value) == 2 else ", ").join(
                _option(field, one, language) for one in value
            )
        case "fee":
            return numbers.riel(value["riel"], digits)
        case "attachment":
            return ", ".join(file["name"] for file in value)
        case _:
            return str(value)


def _option(field: Field, id: str, language: Language) -> str:
    option = field.option(id)
    return option.label[language] if option else id


def phone(e164: str, digits: Digits = "latin") -> str:
    """``012 345 678``."""
    national = phones.national(e164)
    return numbers.khmer_digits(national) if digits == "khmer" else national


def address(value: Any, language: Language) -> str:
    """House and street first, then the places from the smallest up. A code that the gazetteer lost shows the kept name."""
    from i18n import gazetteer

    try:
        write = gazetteer.address_km if language == "km" else gazetteer.address_en
        place = write(value["code"]) if value["code"] else ""
    except KeyError:
        place = value["km"]
    glue = " " if language == "km" else ", "
    return glue.join(part for part in (value["house"], place) if part)


def person(value: Any, language: Language) -> str:
    """A name pair as a title: the side of the language, else the other one."""
    if not value:
        return ""
    sides = (value["km"], value["latin"]) if language == "km" else (value["latin"], value["km"])
    return next((side for side in sides if side), "")
