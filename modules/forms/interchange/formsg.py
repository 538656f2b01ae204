"""FormSG's public form JSON (``GET /api/v3/forms/:id``) as the model. Ids of fields are kept: ``origin`` of every question."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from modules.contract import Refused
from modules.forms.definition import load_json
from modules.forms.interchange import formsg_logic as logic
from modules.forms.interchange.formsg_fields import members
from modules.forms.interchange.ids import form_slug
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import (
    NEUTRAL,
    AnyItem,
    Check,
    ChoiceList,
    Choices,
    Field,
    Form,
    Group,
    Meta,
    Origin,
    Repeat,
    Row,
    Words,
)
from modules.forms.model.reading import SIZE_LIMIT, form_of_source
from modules.forms.model.writing import source as json_of

LANGUAGES: Final[Mapping[str, str]] = {"english": "en", "chinese": "zh", "malay": "ms", "tamil": "ta", "khmer": "km"}
_LEFT_OUT: Final = (
    ("payments_field", "enabled", "Payments"), ("webhook", "url", "The webhook"), ("workflow", "", "The workflow of several respondents"),
)  # fmt: skip
OTHER: Final = "other"
_OTHERS: Final[Words] = {"en": "Others", "km": "ផ្សេងៗ"}
_UNEQUAL: Final = frozenset({"isVerifiable", "autoReplyOptions", "myInfo", "lockPrefill"})


def is_formsg(source: Mapping[str, Any]) -> bool:
    """Whether a JSON object looks like FormSG's: the form itself, or the answer of its API around it."""
    form = source.get("form", source)
    return isinstance(form, Mapping) and "form_fields" in form


def read_formsg(data: bytes, *, name: str = "") -> tuple[Form, list[Diagnostic]]:
    """The form of FormSG's JSON and what is to be said about it. ``Refused``: FM-002 no JSON, FM-410 not FormSG's, FM-41n a flaw."""
    source = load_json(data, name=name, limit=SIZE_LIMIT)
    form = source.get("form", source)
    try:
        made, notes = _Reader(form).form()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Refused("FM-410", form=name, reason=f"{type(error).__name__}: {error}"[:200]) from error
    return form_of_source(json_of(made), name=name or made.id), notes


class _Reader:
    """One form while it is read."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        self.notes: list[Diagnostic] = []
        self.fields: dict[str, Mapping[str, Any]] = {}
        for one in source["form_fields"]:
            self.fields.setdefault(str(one["_id"]), one)
        if len(self.fields) != len(source["form_fields"]):
            raise ValueError("two fields have one _id")
        spoken = [LANGUAGES.get(str(one).lower(), "") for one in source.get("supportedLanguages") or ()]
        self.languages = tuple(dict.fromkeys(("en", *(tag for tag in spoken if tag)))) if any(spoken) else (NEUTRAL,)
        self.lists: dict[str, ChoiceList] = {}
        self.logic = logic.read_units(source.get("form_logics") or (), self.fields)
        self.units = logic.shown_by(self.logic)

    def form(self) -> tuple[Form, list[Diagnostic]]:
        given_id = str(self.source.get("_id") or self.source.get("title") or "form")
        title = str(self.source.get("title") or given_id)
        start = self.source.get("startPage") or {}
        paragraph = str(start.get("paragraph") or "") if isinstance(start, Mapping) else ""
        items = self._items()
        self._say()
        form = Form(
            id=form_slug(given_id), version=1, title=self._plain(title), languages=self.languages, lists=self.lists, items=items,
            summary=self._words(paragraph, start if isinstance(start, Mapping) else {}, "paragraphTranslations") if paragraph else {},
            checks=tuple(self._checks()), meta=Meta(formsg_key=str(self.source.get("publicKey") or "")),
            origin=Origin(kind="formsg", form_id="" if form_slug(given_id) == given_id else given_id),
        )  # fmt: skip
        return form, self.notes

    # --- questions

    def _items(self) -> tuple[AnyItem, ...]:
        """The questions; what follows a heading stands in its group. A heading that logic shows alone is only a note."""
        made: list[AnyItem] = []
        heading: dict[str, Any] | None = None
        inside: list[AnyItem] = []

        def close() -> None:
            if heading is not None:
                made.append(Group(**heading, items=tuple(inside)))
            else:
                made.extend(inside)
            inside.clear()

        for id, source in self.fields.items():
            if source["fieldType"] == "section" and id not in self.units:
                close()
                heading = self._common(id, source)
            else:
                inside.append(self._item(id, source))
                if _has_others(source):
                    inside.append(self._others(id))
        close()
        return tuple(made)

    def _common(self, id: str, source: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"id": item_id(id), "name": item_id(id), "origin": id}
        if title := str(source.get("title") or ""):
            made["label"] = self._words(title, source, "titleTranslations")
        if hint := str(source.get("description") or ""):
            made["hint"] = self._words(hint, source, "descriptionTranslations")
        if id in self.units:
            made["relevant"] = logic.either(self.units[id], self._say_condition)
        return made

    def _item(self, id: str, source: Mapping[str, Any]) -> AnyItem:
        kind = str(source["fieldType"])
        common = self._common(id, source)
        for name in sorted(_UNEQUAL & source.keys()):
            value = source[name]
            if value and not (isinstance(value, Mapping) and not any(value.values())):
                self._note("FM-453", common["id"], what=f"{name} ({id})")
        if kind == "table":
            return self._table(source, common)
        if kind in _PARTS:
            return Group(**common, items=tuple(self._part(common["id"], part, words) for part, words in _PARTS[kind]))
        if kind == "children":
            return self._children(source, common)
        found, said = members(kind, source)
        if kind not in ("section", "statement", "image"):
            common["required"] = "true()" if source.get("required", True) else ""
        if source.get("disabled"):
            common["readonly"] = "true()"
        for what in said:
            self._note("FM-453", common["id"], what=f"{what} ({id})")
        options = found.pop("options", None)
        if options is not None:
            self.lists[common["id"]] = self._list(
                options, source.get("fieldOptionsTranslations"), others=_has_others(source)
            )
            common["choices"] = Choices(list=common["id"])
        if "appearance" in found:
            common["appearance"] = found.pop("appearance")
        if files := found.pop("media", None):
            common["media"] = {kind_: {self.languages[0]: file} for kind_, file in files.items()}
            self._note("FM-460", common["id"], file=next(iter(files.values())))
        return Field(**common, **found)

    def _part(self, above: str, name: str, words: Words) -> Field:
        return Field(id=f"{above}_{name}"[:40], name=name, type="text", label=self._said(words))

    def _list(self, options: Sequence[str], translations: Any, *, others: bool = False) -> ChoiceList:
        rows = []
        for number, option in enumerate(options):
            label = dict(self._plain(option))
            for one in translations or ():
                tag = LANGUAGES.get(str(one.get("language", "")).lower(), "")
                said = one.get("translation") or ()
                if tag in self.languages and number < len(said) and said[number]:
                    label[tag] = _text(str(said[number]))
            rows.append(Row(id=option_code(option, options), label=label, columns={"formsg": option}))
        if others:
            rows.append(Row(id=OTHER, label=self._said(_OTHERS), columns={"formsg": "Others"}))
        return ChoiceList(rows=tuple(rows))

    def _others(self, id: str) -> Field:
        """The free text beside the choices: a question of its own, asked when «Others» is chosen."""
        name = f"{item_id(id)}_{OTHER}"[:40]
        return Field(
            id=name, name=name, type="text", origin=f"{id}#others", label=self._said(_OTHERS), required="true()",
            relevant=f"selected(${{{item_id(id)}}}, '{OTHER}')",
        )  # fmt: skip

    def _said(self, words: Words) -> Words:
        """Words of ours in the languages of the form."""
        return {tag: words.get(tag, words["en"]) for tag in self.languages}

    def _table(self, source: Mapping[str, Any], common: dict[str, Any]) -> Repeat:
        columns: list[AnyItem] = []
        for column in source["columns"]:
            id = str(column["_id"])
            inner: dict[str, Any] = {
                "id": item_id(id), "name": item_id(id), "origin": id,
                "label": self._words(str(column.get("title") or id), column, "titleTranslations"),
                "required": "true()" if column.get("required", True) else "",
            }  # fmt: skip
            kind = str(column["columnType"])
            found, _ = members(kind, column)
            options = found.pop("options", None)
            if options is not None:
                self.lists[inner["id"]] = self._list(options, column.get("fieldOptionsTranslations"))
                inner["choices"] = Choices(list=inner["id"])
            if "appearance" in found:
                inner["appearance"] = found.pop("appearance")
            columns.append(Field(**inner, **found))
        least = int(source.get("minimumRows") or 1)
        more = bool(source.get("addMoreRows"))
        most = int(source.get("maximumRows") or 0) if more else least
        return Repeat(
            **common, items=tuple(columns), least=least, most=most, fixed=not more, appearance=("table-list",)
        )

    def _children(self, source: Mapping[str, Any], common: dict[str, Any]) -> Repeat:
        parts = [str(one) for one in source.get("childrenSubFields") or ("childname",)]
        items = tuple(
            Field(
                id=f"{common['id']}_{number}"[:40],
                name=f"part_{number}",
                type="text",
                origin=part,
                label=self._plain(part),
            )
            for number, part in enumerate(parts, 1)
        )
        self._note("FM-453", common["id"], what="MyInfo")
        return Repeat(**common, items=items, least=1, most=0 if source.get("allowMultiple") else 1)

    # --- logic

    def _checks(self) -> list[Check]:
        return [
            Check(when=logic.expression(unit, self._say_condition), message=self._plain(unit.message or "—"))
            for unit in self.logic.units
            if unit.message is not None
        ]

    def _say_condition(self, one: logic.Condition) -> str:
        source = self.fields[one.field]
        options = [str(option) for option in source.get("fieldOptions") or ()]

        def code(value: str) -> str:
            return (
                OTHER
                if _has_others(source) and value == "Others" and value not in options
                else option_code(value, options)
            )

        return logic.condition(one, str(source["fieldType"]), "${" + item_id(one.field) + "}", code)

    # --- words and notes

    def _plain(self, text: str) -> Words:
        return {self.languages[0]: _text(text)}

    def _words(self, text: str, source: Mapping[str, Any], translations: str) -> Words:
        made = dict(self._plain(text))
        for one in source.get(translations) or ():
            tag = LANGUAGES.get(str(one.get("language", "")).lower(), "")
            if tag in self.languages and one.get("translation"):
                made[tag] = _text(str(one["translation"]))
        return made

    def _note(self, code: str, where: str = "", **values: object) -> None:
        self.notes.append(Diagnostic(code=code, grade="note", where=where, values=values))

    def _say(self) -> None:
        for name, member, what in _LEFT_OUT:
            value = self.source.get(name)
            if value and (not member or (isinstance(value, Mapping) and value.get(member))):
                self._note("FM-453", what=what)
        for number in self.logic.ignored:
            self._note("FM-459", number=number)
        for id in self.logic.cut:
            self.notes.append(
                Diagnostic(code="FM-452", grade="warning", where=item_id(id), values={"label": item_id(id)})
            )


_PARTS: Final[Mapping[str, tuple[tuple[str, Words], ...]]] = {
    "address": (
        ("block", {"en": "Block", "km": "អគារ"}), ("street", {"en": "Street", "km": "ផ្លូវ"}),
        ("building", {"en": "Building", "km": "ឈ្មោះអគារ"}),
        ("level", {"en": "Level", "km": "ជាន់"}), ("unit", {"en": "Unit", "km": "បន្ទប់"}),
        ("postal", {"en": "Postal code", "km": "លេខប្រៃសណីយ៍"}),
    ),
}  # fmt: skip


def _has_others(source: Mapping[str, Any]) -> bool:
    return bool(source.get("othersRadioButton")) and source["fieldType"] in ("radiobutton", "checkbox")


def item_id(id: str) -> str:
    """The permanent id of FormSG's: a letter before its hexadecimal digits."""
    return "f" + re.sub("[^a-z0-9_]", "_", id.lower())[:39]


def option_code(option: str, options: Sequence[str]) -> str:
    """The code of an option: its words in ASCII where they say it uniquely, else a digest of its text; their order says nothing."""
    plain = _slug(option)
    if plain and len(plain) <= 40 and plain != OTHER and sum(_slug(one) == plain for one in options) <= 1:
        return plain
    return "o_" + hashlib.sha256(option.encode("utf-8")).hexdigest()[:12]


def _slug(option: str) -> str:
    return re.sub("[^a-z0-9]+", "_", option.lower()).strip("_") if option.isascii() else ""


def _text(text: str) -> str:
    """FormSG's texts have no expressions."""
    from modules.forms.interchange.xform.source import escaped

    return escaped(text)
