"""What the schema cannot see and no form may have: ids that stand twice, names that lead nowhere, parameters of another type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modules.forms.model import inline
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import NEUTRAL, AnyItem, Field, Form, Group, Repeat, Words, walk
from modules.forms.model.types import TYPES, Parameter

_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("name", "text"), "phone": ("phone", "text"), "birth": ("date", "khmer_date"), "id_card": ("id_card", "text"),
    "address": ("address", "text"),
}  # fmt: skip


def first(form: Form) -> Diagnostic | None:
    """The first flaw, if there is one."""
    return next(flaws(form), None)


def flaws(form: Form) -> Iterator[Diagnostic]:
    """Every flaw of ``form``."""
    yield from _names(form)
    ids = {item.id: item for item in walk(form.items)}
    for item in ids.values():
        yield from _item(item, form, ids)
    yield from _references(form, ids)
    yield from _texts(form)


def _flaw(code: str, where: str = "", **values: Any) -> Diagnostic:
    return Diagnostic(code=code, grade="refused", where=where, values=values)


def _names(form: Form) -> Iterator[Diagnostic]:
    """Ids are unique in the form, nodes among their siblings, wherever the page shows them."""
    seen: set[str] = set()
    nodes: set[str] = set()
    waiting: list[tuple[AnyItem, str]] = [(item, f"/{form.origin.root}") for item in reversed(form.items)]
    while waiting:
        item, above = waiting.pop()
        if item.id in seen:
            yield _flaw("FM-411", item.id, id=item.id)
        seen.add(item.id)
        place = item.ref or (f"{above}/{item.name}" if item.name else above)
        if item.ref and not item.ref.startswith(f"/{form.origin.root}/"):
            yield _flaw("FM-422", item.id, path=item.ref)
        if item.name and place in nodes:
            yield _flaw("FM-412", item.id, name=item.name)
        if not item.name and not isinstance(item, Group):
            yield _flaw("FM-412", item.id, name="")
        if item.name:
            nodes.add(place)
        if not isinstance(item, Field):
            waiting.extend((inner, place) for inner in reversed(item.items))


def _item(item: AnyItem, form: Form, ids: Mapping[str, AnyItem]) -> Iterator[Diagnostic]:
    if isinstance(item, Repeat) and item.most and item.least > item.most:
        yield _flaw("FM-420", item.id, parameter="least", type="repeat")
    if not isinstance(item, Field):
        return
    kind = TYPES.get(item.type)
    if kind is None:
        yield _flaw("FM-413", item.id, type=item.type)
        return
    if kind.choices and (item.choices is None or not (item.choices.list or item.choices.nodeset)):
        yield _flaw("FM-415", item.id, label=item.id)
    if item.choices is not None and item.choices.list and item.choices.list not in form.lists:
        yield _flaw("FM-414", item.id, list=item.choices.list)
    for action in item.set:
        if action.of and action.of not in ids:
            yield _flaw("FM-416", item.id, id=action.of)
    for name, value in item.parameters.items():
        wanted = kind.parameters.get(name)
        if wanted is None or not _fits(wanted, value, ids):
            yield _flaw("FM-420", item.id, parameter=name, type=item.type)


def _fits(wanted: Parameter, value: Any, ids: Mapping[str, AnyItem]) -> bool:
    """Whether a parameter is what its type asks for."""
    match wanted.kind:
        case "number":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "flag":
            return isinstance(value, bool)
        case "texts":
            return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        case "words":
            return isinstance(value, Mapping)
        case "field":
            return isinstance(value, str) and value in ids
        case "level":
            return value in ("province", "district", "commune", "village")
        case "text":
            return isinstance(value, str)


def _references(form: Form, ids: Mapping[str, AnyItem]) -> Iterator[Diagnostic]:
    for role, id in form.roles.items():
        asked = ids.get(id)
        if not isinstance(asked, Field) or asked.type not in _ROLES[role]:
            yield _flaw("FM-417", id, role=role, type=_ROLES[role][0])
    for id in form.flow_fields:
        if id not in ids:
            yield _flaw("FM-416", id, id=id)
    for entity in form.meta.entities:
        if entity.of and not isinstance(ids.get(entity.of), Repeat):
            yield _flaw("FM-416", entity.of, id=entity.of)


def _texts(form: Form) -> Iterator[Diagnostic]:
    """Languages that the form has; expressions in texts that end; a form of Sala's own is in normal Khmer, in both languages."""
    known = {*form.languages, NEUTRAL}
    own = form.origin.kind == "sala"
    if own and not {"km", "en"} <= known:
        yield _flaw("FM-418", language="km, en")
    for where, words in texts(form):
        if unknown := [tag for tag in words if tag not in known]:
            yield _flaw("FM-418", where, language=unknown[0])
        for text in words.values():
            try:
                inline.parts(text)
            except ValueError:
                yield _flaw("FM-421", where, text=text[:60])
            if own and _spelling(text):
                yield _flaw("FM-419", where, text=text[:60])


def texts(form: Form) -> Iterator[tuple[str, Words]]:
    """Every text with the id of the item or the name of the list where it stands."""
    yield "", form.title
    yield "", form.summary
    for item in walk(form.items):
        for words in (item.label, item.hint, item.guidance, item.why, *item.media.values()):
            yield item.id, words
        if isinstance(item, Field):
            yield item.id, item.required_message
            yield item.id, item.constraint_message
    for name, one in form.lists.items():
        for row in one.rows:
            yield name, row.label
            for words in row.media.values():
                yield name, words
    for check in form.checks:
        yield "", check.message


def _spelling(text: str) -> bool:
    from i18n.normalise import ZWSP, store

    return ZWSP in text or store(text) != text
