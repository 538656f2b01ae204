"""The rows of an XLSForm's sheets: questions, choices and entities of a form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from modules.forms.interchange.languages import name as language_name
from modules.forms.interchange.xform.lists import usual_label
from modules.forms.model import inline
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import NEUTRAL, TRUE, Action, AnyItem, ChoiceList, Field, Form, Repeat, Words
from modules.forms.model.paths import places
from modules.forms.model.types import TYPES

Row = dict[str, str]
_NAMED: Final[Mapping[str, str]] = {
    "user_email": "email", "user_phone": "phonenumber", "datetime": "dateTime", "attachment": "file", "scan": "image",
    "signature": "image", "email": "text", "country": "text", "name": "text", "phone": "text", "id_card": "text", "address": "text",
    "money": "integer", "khmer_date": "date", "fee": "hidden", "certificate": "text",
}  # fmt: skip
_YES_NO: Final = "yes_no"
_PATH: Final = re.compile(r"/[^\s/\[\]()'\",=<>+*|!]+(?:/[^\s/\[\]()'\",=<>+*|!]+)*(?!\s*[/\[(])|'[^']*'|\"[^\"]*\"")


class Rows:
    """Collects the rows; ``notes`` says what no column can."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.survey: list[Row] = []
        self.choices: list[Row] = []
        self.entities: list[Row] = []
        self.notes: list[Diagnostic] = []
        self._spots = places(form)
        count = Counter(item.name for item in self._spots.items.values() if item.name)
        self._unique = {path: item.name for path, item in self._spots.at.items() if count[item.name] == 1}
        self._said: set[tuple[str, str]] = set()

    def cannot(self, what: str, where: str) -> None:
        """Note what an XLSForm cannot say, once."""
        if (what, where) not in self._said:
            self._said.add((what, where))
            self.notes.append(
                Diagnostic(code="FM-458", grade="warning", where=where, values={"what": what, "where": where})
            )

    def fill(self) -> None:
        """Make every row."""
        self._items(self.form.items)
        if self.form.meta.audit is not None:
            parameters = " ".join(f"{name}={value}" for name, value in self.form.meta.audit.items())
            self._row({"type": "audit", "name": "audit", "parameters": parameters})
        for name, one in self.form.lists.items():
            self._list(name, one)
        for entity in self.form.meta.entities:
            self.entities.append({
                column: value for column, value in (
                    ("list_name", entity.dataset), ("label", self.expression(entity.label)), ("entity_id", self.expression(entity.id)),
                    ("create_if", self.expression(entity.create_if)), ("update_if", self.expression(entity.update_if)),
                ) if value
            })  # fmt: skip

    # --- expressions and texts

    def expression(self, text: str) -> str:
        """``text`` with ``${name}`` for the absolute paths of nodes whose name is unique."""

        def name(found: re.Match[str]) -> str:
            path = found[0]
            return "${" + self._unique[path] + "}" if path in self._unique else path

        return _PATH.sub(name, text)

    def _words(self, column: str, words: Words, where: str) -> Row:
        """One cell a language; a text without language stands in each."""
        if not words:
            return {}
        if self.form.languages == (NEUTRAL,):
            return {column: self._text(words.get(NEUTRAL, ""), where)}
        made = {}
        for tag in self.form.languages:
            if text := words.get(tag, words.get(NEUTRAL, "")):
                made[f"{column}::{language_name(tag, self.form.origin.languages)}"] = self._text(text, where)
        return made

    def _text(self, text: str, where: str) -> str:
        made = ""
        for piece, inside in inline.parts(text):
            if not inside:
                if "${" in piece:
                    self.cannot("the letters ${", where)
                made += piece.replace("${", "$ {")
                continue
            short = self.expression(piece if piece.startswith("/") else "${" + piece + "}")
            if not re.fullmatch(r"\$\{[^${}]+\}", short) or "(" in short or "/" in short:
                self.cannot("an expression within a text", where)
                continue
            made += short
        return made

    # --- the sheet survey

    def _row(self, row: Row) -> None:
        self.survey.append({column: value for column, value in row.items() if value})

    def _items(self, items: tuple[AnyItem, ...]) -> None:
        """The rows of all items, without recursion: an ``end`` waits behind what stands in a group."""
        waiting: list[AnyItem | Row] = list(reversed(items))
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                self._row(one)
                continue
            if isinstance(one, Field):
                self._field(one)
                continue
            kind = "repeat" if isinstance(one, Repeat) else "group"
            row = {"type": f"begin {kind}", "name": one.name or one.id, **self._common(one)}
            if isinstance(one, Repeat):
                row["repeat_count"] = self.expression(one.count) or (str(one.least) if one.fixed and one.least else "")
                if (one.least or one.most) and not row["repeat_count"]:
                    self.cannot("least and most rows", one.id)
            elif not one.name:
                self.cannot("a group without a node", one.id)
            self._row(row)
            waiting.append({"type": f"end {kind}"})
            waiting.extend(reversed(one.items))

    def _common(self, item: AnyItem) -> Row:
        if item.ref:
            self.cannot("a place of its own", item.id)
        if item.why:
            self.cannot("why", item.id)
        for what in ("xml", "refs", "element", "repeat", "wrap"):
            if item.extra.get(what):
                self.cannot(what, item.id)
        made: Row = {
            **self._words("label", item.label, item.id), **self._words("hint", item.hint, item.id),
            **self._words("guidance_hint", item.guidance, item.id), "relevant": self.expression(item.relevant),
            "readonly": "yes" if item.readonly == TRUE else self.expression(item.readonly), "appearance": " ".join(item.appearance),
        }  # fmt: skip
        for kind, files in item.media.items():
            if kind in ("image", "audio", "video", "big-image"):
                made |= self._words(f"media::{kind}", files, item.id)
            else:
                self.cannot(f"a text of the form {kind}", item.id)
        for name, value in item.extra.get("bind", {}).items():
            made[f"bind::{name}"] = value
        for name, value in item.extra.get("control", {}).items():
            made[f"body::{name}"] = value
        return made

    def _field(self, item: Field) -> None:
        row = {"type": self._type(item), "name": item.name, **self._common(item)}
        if item.data is not None and item.data != TYPES[item.type].data:
            if TYPES[item.type].choices or not item.data:
                self.cannot(f"the XForm type {item.data or 'none'}", item.id)
            else:
                row["bind::type"] = item.data
        row |= {
            "required": "yes" if item.required == TRUE else self.expression(item.required),
            **self._words("required_message", item.required_message, item.id),
            "constraint": self._constraint(item), **self._words("constraint_message", item.constraint_message, item.id),
            "calculation": self.expression(item.calculate), "default": item.default, "save_to": item.save_to,
            "parameters": self._parameters(item),
        }  # fmt: skip
        if item.choices is not None:
            row["choice_filter"] = self.expression(item.choices.filter)
        if item.soft:
            self.cannot("a warning that lets pass", item.id)
        self._actions(item, row)
        self._row(row)

    def _type(self, item: Field) -> str:
        kind = TYPES[item.type]
        actions = {action.do for action in item.set}
        if item.type == "hidden" and "geopoint" in actions:
            return "start-geopoint"
        if item.type == "hidden" and "audio" in actions:
            return "background-audio"
        if item.type == _YES_NO:
            self._yes_no()
            return f"select_one {_YES_NO}"
        if kind.family == "sala" or item.type in ("email", "country"):
            self.cannot(f"the type {item.type}", item.id)
        if not kind.choices or item.choices is None:
            return _NAMED.get(item.type, item.type)
        one = self.form.lists.get(item.choices.list)
        if one is None:
            self.cannot("choices from nodes", item.id)
            return "text"
        other = " or_other" if item.choices.others else ""
        if one.file:
            return f"{item.type}_from_file {one.file}"
        return f"{item.type} {_list_name(item.choices.list)}{other}"

    def _parameters(self, item: Field) -> str:
        """``name=value`` for what pyxform knows; the rules of Sala's own types become constraints or are noted."""
        known = TYPES[item.type].parameters
        made = [f"{name}={value}" for name, value in item.parameters.items() if known[name].where != "sala"]
        for name in item.parameters:
            if known[name].where == "sala" and name not in ("min", "max", "min_length", "max_length"):
                self.cannot(f"the parameter {name}", item.id)
        choices = item.choices
        if choices is not None:
            one = self.form.lists.get(choices.list)
            if choices.random:
                made += ["randomize=true", *([f"seed={self.expression(choices.seed)}"] if choices.seed else [])]
            if one is not None and one.file:
                stored = choices.value or one.value
                shown = choices.label or usual_label(one)
                usual = ("id", "title") if one.format == "geojson" else ("name", "label")
                given = zip(("value", "label"), (stored, shown), usual, strict=True)
                made += [f"{name}={column}" for name, column, plain in given if column != plain]
        return " ".join(made)

    def _constraint(self, item: Field) -> str:
        """The constraint, and the bounds that parameters of Sala's types say."""
        said = [self.expression(item.constraint)] if item.constraint else []
        length = "string-length(.)"
        for name, text in (("min_length", f"{length} >= "), ("max_length", f"{length} <= ")):
            if name in item.parameters:
                said.append(f"{text}{item.parameters[name]}")
        for name, sign in (("min", ">="), ("max", "<=")):
            value = item.parameters.get(name)
            if value is None:
                continue
            if item.type == "select_multiple":
                said.append(f"count-selected(.) {sign} {value}")
            elif item.type in ("date", "khmer_date"):
                said.append(f". {sign} " + ("today()" if value == "today" else f"date('{value}')"))
            else:
                said.append(f". {sign} {value}")
        return said[0] if len(said) == 1 else " and ".join(f"({one})" for one in said)

    def _actions(self, item: Field, row: Row) -> None:
        """A dynamic default or a trigger; others have no column."""
        plain = [one for one in item.set if one.do == "set"]
        first = [one for one in plain if "first-load" in one.on or one.on == ("new-row",)]
        changed = [one for one in plain if one.on == ("changed",) and one.of]
        if first and not row.get("default"):
            row["default"] = self.expression(first[0].value) or first[0].text
        if changed:
            row["trigger"] = ", ".join(dict.fromkeys("${" + self._spots.items[one.of].name + "}" for one in changed))
            row["calculation"] = row.get("calculation") or self.expression(changed[0].value) or _quoted(changed[0])
        left = [one for one in plain if one not in first and one not in changed]
        if left or len({one.value for one in first}) > 1 or len({one.value for one in changed}) > 1:
            self.cannot("an action", item.id)

    # --- the sheet choices

    def _yes_no(self) -> None:
        if any(row["list_name"] == _YES_NO for row in self.choices):
            return
        for code, words in (("yes", {"km": "បាទ/ចាស", "en": "Yes"}), ("no", {"km": "ទេ", "en": "No"})):
            shown = {tag: words.get(tag, words["en"]) for tag in self.form.languages}
            self.choices.append({"list_name": _YES_NO, "name": code, **self._words("label", shown, _YES_NO)})

    def _list(self, name: str, one: ChoiceList) -> None:
        if one.xml or (one.src and not one.file):
            self.cannot("the list", name)
        for row in one.rows:
            made: Row = {"list_name": _list_name(name), "name": row.id, **self._words("label", row.label, name)}
            for kind, files in row.media.items():
                made |= self._words(f"media::{kind}", files, name)
            self.choices.append(
                {
                    **made,
                    **{key: value for key, value in row.columns.items() if key not in ("itextId", "label", "name")},
                }
            )


def _list_name(name: str) -> str:
    """A list's name without what stands only in paths."""
    return re.sub(r"[^\w.\-]+", "_", name).strip("_") or "list"


def _quoted(action: Action) -> str:
    from modules.forms.model.first import quoted

    return quoted(action.text) if action.text else ""
