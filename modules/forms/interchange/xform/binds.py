"""What a bind and a control say about a node: its type, its rules, its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modules.forms.interchange.xform.names import x
from modules.forms.interchange.xform.source import Source, Text, plain
from modules.forms.interchange.xml import Element
from modules.forms.model.form import NEUTRAL, TRUE
from modules.forms.model.types import BY_PRELOAD, TYPES, FieldType

_KNOWN: Final = (
    "nodeset", "type", "required", "jr:requiredMsg", "constraint", "jr:constraintMsg", "relevant", "readonly", "calculate",
    "jr:preload", "jr:preloadParams", "entities:saveto",
)  # fmt: skip
CONTROLS: Final = frozenset(
    {"input", "secret", "textarea", "select1", "select", "range", "upload", "trigger", "odk:rank"}
)
_ALIKE: Final = {"secret": "input", "textarea": "input"}
_BY_MEDIA: Final = {"image": "image", "audio": "audio", "video": "video"}
_BY_SHAPE: Final[Mapping[tuple[str, str], str]] = {
    (row.control, row.data): row.id for row in reversed(list(TYPES.values()))
    if row.family == "odk" and row.id not in ("note", "calculate", "hidden")
}  # fmt: skip
_SAME_DATA: Final = {"": "string", "integer": "int", "long": "int", "double": "decimal", "float": "decimal"}
_ANY_DATA: Final = {
    "select1": "select_one",
    "select": "select_multiple",
    "odk:rank": "rank",
    "range": "range",
    "trigger": "acknowledge",
}


def type_of(control: str, data: str, mediatype: str, bind: Mapping[str, str]) -> str:
    """The type of a node by its control ("" is none), the XForm type, and what its bind says."""
    if not control:
        preload = (bind.get("jr:preload", ""), bind.get("jr:preloadParams", ""))
        if preload in BY_PRELOAD and "calculate" not in bind:
            return BY_PRELOAD[preload]
        return "calculate" if bind.get("calculate", "").strip() else "hidden"
    if control == "upload":
        return _BY_MEDIA.get(mediatype.partition("/")[0], "file")
    if control in _ANY_DATA:
        return _ANY_DATA[control]
    plain_data = data.removeprefix("xsd:").removeprefix("xs:")
    found = _BY_SHAPE.get(("input", _SAME_DATA.get(plain_data, plain_data)), "text")
    if found == "text" and bind.get("readonly", "").strip() == TRUE:
        return "note"
    return found


def field_members(path: str, control: Element | None, source: Source) -> dict[str, Any]:
    """The members of a field that its bind and its control say, besides id, place, default and choices."""
    bind = source.names.shorts(source.binds[path].attributes) if path in source.binds else {}
    tag = source.names.short(control.name) if control is not None else ""
    drawn = source.names.shorts(control.attributes, "ref", "bind", "nodeset") if control is not None else {}
    kind = TYPES[type_of(tag, bind.get("type", ""), drawn.get("mediatype", ""), bind)]
    extra: dict[str, Any] = {}
    texts: dict[str, str] = {}
    made: dict[str, Any] = {"type": kind.id}
    if (data := bind.get("type", "")) != kind.data:
        made["data"] = data
    for name, attribute in (("required", "required"), ("readonly", "readonly"), ("constraint", "constraint"),
                            ("relevant", "relevant"), ("calculate", "calculate"), ("save_to", "entities:saveto")):  # fmt: skip
        if value := bind.get(attribute, "").strip():
            made[name] = value
    if kind.id == "note":
        made.pop("readonly", None)
    for name, attribute in (("required_message", "jr:requiredMsg"), ("constraint_message", "jr:constraintMsg")):
        if message := plain(source.words(bind.get(attribute, ""), name, f"{path}:{attribute}", texts)):
            made[name] = message
    made |= captions(control, path, source, texts, extra)
    made["parameters"] = _parameters(kind, bind, drawn)
    if appearance := tokens(drawn.pop("appearance", "")):
        made["appearance"] = appearance
    if kind.mediatype and drawn.get("mediatype") == kind.mediatype:
        del drawn["mediatype"]
    if kind.preload != (bind.get("jr:preload", ""), bind.get("jr:preloadParams", "")):
        extra["bind"] = {name: bind[name] for name in ("jr:preload", "jr:preloadParams") if name in bind}
    extra["bind"] = {**extra.get("bind", {}), **{name: value for name, value in bind.items() if name not in _KNOWN}}
    extra["control"] = drawn
    extra["texts"] = texts
    if tag in _ALIKE:
        extra["element"] = tag
    made["extra"] = {name: value for name, value in extra.items() if value}
    return {name: value for name, value in made.items() if value != {}}


def _parameters(kind: FieldType, bind: dict[str, str], drawn: dict[str, str]) -> dict[str, str]:
    """The parameters that attributes of bind and control say; they are taken out of both."""
    made = {}
    for name, parameter in kind.parameters.items():
        where = {"bind": bind, "control": drawn}.get(parameter.where)
        if where is not None and parameter.attribute in where:
            made[name] = where.pop(parameter.attribute)
    return made


def captions(
    element: Element | None, path: str, source: Source, texts: dict[str, str], extra: dict[str, Any]
) -> dict[str, Any]:
    """Label, hint, guidance and media of a control or a group; ``texts`` and ``extra`` take what is unusual about them."""
    made: dict[str, Any] = {}
    for role in ("label", "hint"):
        one = element.find(x(role)) if element is not None else None
        if one is None:
            continue
        text = _caption(one, role, f"{path}:{role}", source, texts, extra)
        made[role] = plain(text)
        if role == "hint" and "guidance" in text:
            made["guidance"] = text["guidance"]
        media = {kind if role == "label" else f"hint:{kind}": files for kind, files in text.items()
                 if kind and not (role == "hint" and kind == "guidance")}  # fmt: skip
        if media:
            made["media"] = {**made.get("media", {}), **media}
        if more := source.names.shorts(one.attributes, "ref"):
            extra[role] = more
    return made


def _caption(
    element: Element, role: str, usual: str, source: Source, texts: dict[str, str], extra: dict[str, Any]
) -> Text:
    ref = element.attributes.get("ref", "").strip()
    if not ref:
        content = source.content(element)
        return {"": {NEUTRAL: content}} if content else {}
    if ref.startswith("jr:itext(") and ("'" in ref or '"' in ref) and ref.count("(") == 1:
        return source.words(ref, role, usual, texts)
    extra.setdefault("refs", {})[role] = ref
    content = source.content(element)
    return {"": {NEUTRAL: content}} if content else {}


def tokens(appearance: str) -> tuple[str, ...]:
    """The words of an appearance; blanks inside brackets do not part them: ``ex:app(a='b c') w1``."""
    found, depth, word = [], 0, ""
    for letter in appearance:
        depth += (letter == "(") - (letter == ")")
        if letter.isspace() and depth <= 0:
            found.append(word)
            word = ""
        else:
            word += letter
    return tuple(part for part in (*found, word) if part)
