"""Fills a template: values from what was typed or from a finished form, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from i18n.errors import Refused
from modules.certificates import values
from modules.certificates.claims import FieldValue
from modules.certificates.templates import Template
from modules.contract import Api

Values = dict[str, FieldValue]


def take(template: Template, data: Mapping[str, Any]) -> tuple[Values, dict[str, Refused]]:
    """The values by field name, and a refusal for each field that has none it could take."""
    taken: Values = {}
    problems: dict[str, Refused] = {}
    for field in template.fields:
        try:
            value = values.take(field, data.get(field.name))
        except Refused as refused:
            problems[field.name] = refused
        else:
            if value is not None:
                taken[field.name] = value
    return taken, problems


def shown(template: Template, taken: Mapping[str, FieldValue]) -> dict[str, str]:
    """The Khmer words of values, by field name."""
    return {name: values.show(template.field(name), value, "km") for name, value in taken.items()}


def from_form(api: Api, template: Template, source: str) -> dict[str, Any]:
    """The template's data out of a finished form. ``Refused``: CT-131 withdrawn · CT-132 a form that does not fit."""
    case = api.call("forms.show", id=source)
    if case["state"] == "withdrawn":
        raise Refused("CT-131", receipt=case["receipt"])
    places = template.from_forms.get(case["form"])
    if places is None:
        raise Refused("CT-132", template=template.title["km"], template_en=template.title["en"])
    return {name: _at(case["answers"], place) for name, place in places.items()}


def _at(answers: Any, place: str) -> Any:
    """The value at ``applicant.km``; None when there is none."""
    for part in place.split("."):
        answers = answers.get(part) if isinstance(answers, Mapping) else None
    return answers
