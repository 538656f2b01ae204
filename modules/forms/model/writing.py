"""A form as JSON: members at their default are left out, so that equal forms have one byte form and one hash."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from modules.forms import definition
from modules.forms.model.form import TRUE, Field, Form, Group, Repeat

KINDS: Final[Mapping[type, str]] = {Field: "field", Group: "group", Repeat: "repeat"}
_FLAGS: Final = frozenset({"required", "readonly"})  # an expression, or true


def source(form: Form) -> dict[str, Any]:
    """The JSON object of ``form``, format 2."""
    return {"sala_form": 2, **plain(form)}


def canonical(form: Form) -> bytes:
    """The one byte form (RFC 8785)."""
    return definition.canonical(source(form))


def digest(form: Form) -> str:
    """SHA-256 of the canonical bytes, in hex: the identity. A format 1 definition keeps the hash that it always had."""
    return form.origin.def_hash or definition.digest(source(form))


def plain(value: Any) -> Any:
    """``value`` as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = KINDS.get(type(value))
        made: dict[str, Any] = {"kind": kind} if kind else {}
        for name, default in _members(type(value)):
            given = getattr(value, name)
            if given != default:
                made[name] = True if name in _FLAGS and given == TRUE else plain(given)
        return made
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value


@cache
def _members(kind: type) -> tuple[tuple[str, Any], ...]:
    """Names and defaults; one that must be given has a default that nothing equals."""
    return tuple((one.name, _default(one)) for one in dataclasses.fields(kind))


def _default(member: dataclasses.Field[Any]) -> Any:
    if member.default is not dataclasses.MISSING:
        return member.default
    if member.default_factory is not dataclasses.MISSING:
        return member.default_factory()
    return dataclasses.MISSING
