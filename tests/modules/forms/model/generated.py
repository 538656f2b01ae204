"""Forms of format 2 by chance: every type, groups in groups, rows in rows, texts in two languages, lists, actions, entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from modules.forms.model.form import (
    NEUTRAL,
    TRUE,
    Action,
    AnyItem,
    Check,
    ChoiceList,
    Choices,
    Entity,
    Field,
    Form,
    Group,
    Meta,
    Origin,
    Repeat,
    Row,
)
from modules.forms.model.inline import join
from modules.forms.model.types import TYPES, Parameter

LETTERS = "abc XYZ0123 កខគឃងច,.<>&'\"${}%-\n\t"
TEXT = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
EXPRESSION = st.sampled_from([
    "1 = 1", ". > 3", "../x != 'a\"b'", 'concat("}", "<&>")', "count(/data/r[y = 'z']) > 0", "selected(., 'a b')", "${f0} + 1",
])  # fmt: skip
SHOWN = st.sampled_from(["/data/f0", "jr:choice-name('a', '/data/x')", "concat('}', \"{\")"])
NAMES = ("f", "g", "r", "list")


@st.composite
def text(draw: st.DrawFn) -> str:
    """A text, perhaps with a value shown in it."""
    plain = draw(TEXT)
    return join([(plain, False), (draw(SHOWN), True)]) if draw(st.integers(0, 4)) == 0 else join([(plain, False)])


def words(languages: tuple[str, ...]) -> st.SearchStrategy[Mapping[str, str]]:
    """Words in some of the languages, or in none: one text for all."""
    of_all = st.fixed_dictionaries({tag: text() for tag in languages})
    of_some = st.fixed_dictionaries({languages[0]: text()})
    return st.one_of(of_all, of_some, st.fixed_dictionaries({NEUTRAL: text()}), st.just({}))


def parameter(wanted: Parameter) -> st.SearchStrategy[Any]:
    match wanted.kind:
        case "number":
            return st.integers(0, 99)
        case "flag":
            return st.booleans()
        case "texts":
            return st.lists(TEXT, max_size=3)
        case "words":
            return st.fixed_dictionaries({"km": TEXT, "en": TEXT})
        case "field":
            return st.just("f0")
        case "level":
            return st.sampled_from(["province", "village"])
        case "text":
            return st.sampled_from(["1", "12", "a b"])
    raise AssertionError(wanted)


class _Maker:
    """Numbers the items of one form."""

    def __init__(self, draw: st.DrawFn, languages: tuple[str, ...], lists: Mapping[str, ChoiceList]) -> None:
        self.draw = draw
        self.languages = languages
        self.lists = lists
        self.count = 0

    def common(self, kind: str, *, seen: bool = True) -> dict[str, Any]:
        number, self.count = self.count, self.count + 1
        own = self.draw(st.booleans())
        made: dict[str, Any] = {
            "id": f"{kind}{number}" if own or number == 0 else f"own_{number}",
            "name": f"{kind}{number}",
        }
        some = words(self.languages)
        if seen:
            made |= {
                "label": self.draw(some),
                "hint": self.draw(some),
                "guidance": self.draw(some),
                "why": self.draw(some),
            }
            if self.draw(st.integers(0, 5)) == 0 and made["label"]:
                made["media"] = {
                    "image": {tag: f"{tag}.png" for tag in made["label"] if tag != NEUTRAL}
                    or {self.languages[0]: "a.png"}
                }
            made["appearance"] = tuple(
                self.draw(st.lists(st.sampled_from(["w1", "minimal", "ex:a.b(c='d e')"]), max_size=2, unique=True))
            )
        if self.draw(st.integers(0, 3)) == 0:
            made["relevant"] = self.draw(EXPRESSION)
        if self.draw(st.integers(0, 5)) == 0:
            made["readonly"] = self.draw(st.sampled_from([TRUE, "1 = 2"]))
        if self.draw(st.integers(0, 5)) == 0:
            made["extra"] = {"bind": {"orx:anything": self.draw(TEXT)}}
        return made

    def field(self) -> Field:
        kind = TYPES["text" if self.count == 0 else self.draw(st.sampled_from(sorted(TYPES)))]
        common = self.common("f", seen=bool(kind.control))
        if kind.id == "note":
            common.pop("readonly", None)
        chance = self.draw(st.fixed_dictionaries({name: st.integers(0, 4) for name in "rcdspmo"}))
        made: dict[str, Any] = {"type": kind.id}
        if chance["r"] == 0:
            made |= {
                "required": self.draw(st.sampled_from([TRUE, "1 = 1"])),
                "required_message": self.draw(words(self.languages)),
            }
        if chance["c"] == 0:
            made |= {"constraint": self.draw(EXPRESSION), "constraint_message": self.draw(words(self.languages))}
        if chance["d"] == 0:
            made["default"] = self.draw(TEXT)
        if chance["m"] == 0 and kind.id in ("calculate", "text", "integer"):
            made["calculate"] = self.draw(EXPRESSION)
        if kind.choices:
            made["choices"] = Choices(
                list=self.draw(st.sampled_from(sorted(self.lists))), filter=self.draw(st.sampled_from(["", "group = ../f0"])),
                random=self.draw(st.booleans()), others=self.draw(st.booleans()),
            )  # fmt: skip
        names = (
            self.draw(st.lists(st.sampled_from(sorted(kind.parameters)), max_size=2, unique=True))
            if kind.parameters
            else []
        )
        if names and self.count > 1:
            made["parameters"] = {name: self.draw(parameter(kind.parameters[name])) for name in names}
        if chance["s"] == 0:
            on = self.draw(st.sampled_from([("first-load",), ("new-row",), ("changed",), ("load", "first-load")]))
            of = "f0" if on == ("changed",) else ""
            value = self.draw(st.sampled_from(["", "uuid()"]))
            made["set"] = (Action(on=on, of=of, value=value, text="" if value else "plain"),)
        if chance["o"] == 0:
            made |= {"soft": True, "origin": self.draw(TEXT), "save_to": "prop"}
        return Field(**common, **made)

    def items(self, depth: int) -> tuple[AnyItem, ...]:
        made: list[AnyItem] = [self.field()] if depth == 0 else []
        for kind in self.draw(
            st.lists(st.sampled_from(["field", "field", "group", "seen", "repeat", "nodes"]), max_size=4)
        ):
            if kind == "field" or depth > 2:
                made.append(self.field())
            elif kind == "group":
                made.append(Group(**self.common("g"), items=self.items(depth + 1)))
            elif kind == "seen":
                common = {**self.common("g"), "name": "", "relevant": "", "readonly": "", "extra": {}}
                made.append(Group(**common, items=(self.field(), *self.items(depth + 1))))
            elif kind == "nodes":
                made.append(Group(**self.common("g", seen=False), items=(self.hidden(),), shown=False))
            else:
                count = self.draw(st.sampled_from(["", "/data/f0", "3"]))
                fixed = self.draw(st.booleans())
                least = self.draw(st.integers(0, 2))
                made.append(
                    Repeat(
                        **self.common("r"),
                        items=(self.field(), *self.items(depth + 1)),
                        count=count,
                        fixed=fixed,
                        least=least,
                    )
                )
        return tuple(made)

    def hidden(self) -> Field:
        return Field(**self.common("f", seen=False), type="hidden")


@st.composite
def lists(draw: st.DrawFn, languages: tuple[str, ...]) -> Mapping[str, ChoiceList]:
    """A list with texts, one whose labels have no language, a file."""
    rows = tuple(
        Row(id=f"c{number}", label=draw(words(languages)), columns={"group": draw(st.sampled_from(["", "a", "b"]))})
        for number in range(draw(st.integers(1, 4)))
    )
    plain = tuple(Row(id=f"p{number}", label={NEUTRAL: draw(text())}) for number in range(draw(st.integers(1, 3))))
    return {
        "rows": ChoiceList(rows=rows),
        "plain": ChoiceList(rows=plain),
        "file": ChoiceList(file="villages.csv", format="csv"),
    }


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """A form without flaws, as an imported one: its languages and spelling are the author's."""
    languages = draw(st.sampled_from([("km", "en"), ("en",), ("fr", "x-1", "km")]))
    of_form = draw(lists(languages))
    maker = _Maker(draw, languages, of_form)
    items = maker.items(0)
    repeats = [item.id for item in items if isinstance(item, Repeat)]
    entities = [Entity(dataset="people", label="/data/f0", create_if=draw(st.sampled_from(["", "1 = 1"])))]
    if repeats:
        entities.append(Entity(dataset="rows", of=repeats[0], label="../../../x"))
    meta = Meta(
        instance_name=draw(st.sampled_from(["", "concat(/data/f0, ' x')"])), version_text=draw(st.sampled_from([None, "", "v1.2"])),
        public_key=draw(st.sampled_from(["", "AAAA"])), audit=draw(st.sampled_from([None, {}, {"track-changes": "true"}])),
        entities=tuple(entities[: draw(st.integers(0, 2))]),
    )  # fmt: skip
    return Form(
        id=draw(st.sampled_from(["a-form", "another-form-2"])), version=draw(st.integers(1, 99)), languages=languages,
        title=draw(st.one_of(words(languages).filter(bool))), summary=draw(words(languages)), lists=of_form, items=items,
        checks=tuple(Check(when="1 = 2", message=message) for message in draw(st.lists(words(languages), max_size=1))), meta=meta,
        flow_fields=("f0",), origin=Origin(kind="xform", root="data"),
    )  # fmt: skip
