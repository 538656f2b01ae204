"""Definitions of both formats: read as one model, bounded, refused with the reason."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms.definition import parse
from modules.forms.library import ASSETS, Library
from modules.forms.model import inline, references
from modules.forms.model.first import as_second, quoted
from modules.forms.model.flaws import flaws
from modules.forms.model.form import Field, Form, Group
from modules.forms.model.paths import expanded, places
from modules.forms.model.reading import SIZE_LIMIT, read_form
from modules.forms.model.types import BY_PRELOAD, TYPES
from modules.forms.model.writing import digest, source

WORDS = {"km": "ក", "en": "a"}
SHIPPED = sorted((ASSETS / "forms").glob("*-1.json"))


def small(**field: Any) -> dict[str, Any]:
    """The smallest form: one question, with what is given."""
    return {
        "sala_form": 2, "id": "a-form", "version": 1, "title": WORDS, "languages": ["km", "en"],
        "items": [{"kind": "field", "id": "x", "name": "x", "type": "text", "label": WORDS, **field}],
    }  # fmt: skip


def read(made: dict[str, Any]) -> Form:
    return read_form(json.dumps(made).encode(), name="a-form")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_definition_of_format_1_is_the_same_form_under_its_own_hash(path: Any) -> None:
    old = parse(path.read_bytes())
    form = read_form(path.read_bytes())
    assert (
        digest(form)
        == old.def_hash
        == next(one["def_hash"] for one in Library().index["forms"] if one["id"] == form.id)
    )
    assert list(flaws(form)) == []
    assert [field.id for field in form.fields()] == [field.id for field in old.fields()]
    assert [item.label for item in form.items] == [section.title for section in old.sections]
    assert dict(form.roles) == dict(old.roles)
    for field in form.fields():
        before = old.field(field.id)
        assert (field.label, bool(field.required)) == (before.label, before.required)
        rows = form.lists[field.choices.list].rows if field.choices else ()
        assert [row.id for row in rows] == [option.id for option in before.options]
    again = read_form(json.dumps(source(as_second(form))).encode())
    assert again.items == form.items
    assert digest(again) != digest(form)


def test_conditions_of_format_1_are_the_expressions_that_they_mean() -> None:
    texts = {field: {"field": "n", "equals": 3} for field in ("a",)}
    fields = [
        {"id": "who", "type": "name", "label": WORDS},
        {"id": "one", "type": "text", "label": WORDS},
        {"id": "n", "type": "number", "label": WORDS},
        {"id": "y", "type": "yes_no", "label": WORDS},
        {
            "id": "c",
            "type": "choices",
            "label": WORDS,
            "options": [{"id": "p", "label": WORDS}, {"id": "q", "label": WORDS}],
        },
        {"id": "a", "type": "text", "label": WORDS, "show_if": texts["a"]},
        {"id": "b", "type": "note", "label": WORDS, "show_if": {"field": "y", "equals": False}},
        {"id": "d", "type": "text", "label": WORDS, "show_if": {"field": "c", "any_of": ["p", "q"]}},
        {"id": "e", "type": "text", "label": WORDS, "show_if": {"field": "one", "equals": "it's"}},
    ]
    form = read({
        "sala_form": 1, "id": "a-form", "version": 1, "service": None, "title": WORDS, "roles": {"person": "who"},
        "sections": [{"id": "one", "title": WORDS, "fields": fields}],
    })  # fmt: skip
    shown = {item.id: item.relevant for item in expanded(form).fields() if item.relevant}
    root = "/data/section_one"
    assert shown == {
        "a": f"{root}/n = 3", "b": f"{root}/y = 'no'", "d": f"selected({root}/c, 'p') or selected({root}/c, 'q')",
        "e": f'{root}/one = "it\'s"',
    }  # fmt: skip
    assert places(form).items["b"].appearance == ("multiline",)
    assert quoted("a'b\"c") == "concat('a', \"'\", 'b\"c')"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one.update(version=0), "FM-401"),
        (lambda one: one.update(extra=1), "FM-401"),
        (lambda one: one.update(languages=["en"]), "FM-418"),
        (lambda one: one["items"][0].update(id="X"), "FM-401"),
        (lambda one: one["items"][0].update(label={"km": "ក"} | {f"x-{n}": "a" for n in range(40)}), "FM-401"),
        (lambda one: one["items"][0].update(label={"fr": "a"}), "FM-418"),
        (lambda one: one["items"][0].update(label={"km": "ក\u200bខ", "en": "a"}), "FM-419"),
        (lambda one: one["items"][0].update(label={"km": "ក", "en": "${concat('}"}), "FM-421"),
        (lambda one: one["items"][0].update(type="no_such"), "FM-413"),
        (lambda one: one["items"][0].update(name=""), "FM-412"),
        (lambda one: one["items"][0].update(name="a b"), "FM-401"),
        (lambda one: one["items"][0].update(ref="/elsewhere/x"), "FM-422"),
        (lambda one: one["items"].append({**one["items"][0]}), "FM-411"),
        (lambda one: one["items"].append({**one["items"][0], "id": "y"}), "FM-412"),
        (lambda one: one["items"][0].update(type="select_one"), "FM-415"),
        (lambda one: one["items"][0].update(type="select_one", choices={"list": "none"}), "FM-414"),
        (lambda one: one["items"][0].update(set=[{"on": ["changed"], "of": "nobody"}]), "FM-416"),
        (lambda one: one["items"][0].update(set=[{"on": ["often"]}]), "FM-401"),
        (lambda one: one.update(roles={"birth": "x"}), "FM-417"),
        (lambda one: one.update(flow_fields=["nobody"]), "FM-416"),
        (lambda one: one["items"][0].update(parameters={"min_length": "3"}), "FM-420"),
        (lambda one: one["items"][0].update(parameters={"max_length": True}), "FM-420"),
        (lambda one: one["items"][0].update(parameters={"level": "village"}), "FM-420"),
        (lambda one: one["items"][0].update(type="fee", parameters={"times": "nobody"}), "FM-420"),
        (lambda one: one["items"].append({"kind": "repeat", "id": "r", "name": "r", "least": 5, "most": 2}), "FM-420"),
        (lambda one: one.update(meta={"entities": [{"dataset": "d", "of": "x"}]}), "FM-416"),
        (lambda one: one["items"][0].update(label={"km": "ក" * 10_001, "en": "a"}), "FM-401"),
        (lambda one: one.update(items=[{"kind": "field"}]), "FM-401"),
    ],
)  # fmt: skip
def test_what_no_form_may_have_is_refused(change: Callable[[dict[str, Any]], object], code: str) -> None:
    made = small()
    read(made)
    change(made)
    with pytest.raises(Refused) as refused:
        read(made)
    assert refused.value.code == code


def test_size_depth_and_number_are_bounded() -> None:
    deep: list[Any] = []
    for number in range(20):
        deep = [{"kind": "group", "id": f"g{number}", "name": f"g{number}", "items": deep}]
    item = {"kind": "field", "type": "text", "name": "n"}
    wide = [
        {"kind": "group", "id": f"g{n}", "name": f"g{n}", "items": [{**item, "id": f"f{n}"}] * 4_999} for n in range(5)
    ]
    rows = {"l": {"rows": [{"id": "1"}] * 60_000}, "m": {"rows": [{"id": "1"}] * 60_000}}
    for made in (small() | {"items": deep}, small() | {"items": wide}, small() | {"lists": rows}):
        with pytest.raises(Refused, match="FM-401"):
            read(made)
    with pytest.raises(Refused, match="FM-002"):
        read_form(b" " * (SIZE_LIMIT + 1))
    with pytest.raises(Refused, match="FM-002"):
        read_form(b'{"items":' + b"[" * 100_000)


def test_a_flag_may_be_true_or_an_expression_and_both_have_one_byte_form() -> None:
    one, other = read(small(required=True)), read(small(required="true()"))
    assert one == other
    assert digest(one) == digest(other)
    assert source(one)["items"][0]["required"] is True


def test_the_registry_is_one_table_without_doubles() -> None:
    assert len(TYPES) == len(set(TYPES))
    assert len(BY_PRELOAD) == sum(row.preload is not None for row in TYPES.values())
    for row in TYPES.values():
        assert row.value
        assert bool(row.mediatype) == (row.control == "upload")
        assert row.control or not row.asked
        for name, parameter in row.parameters.items():
            assert (parameter.where == "sala") == (not parameter.attribute), name


def test_a_name_means_the_nearest_node() -> None:
    inner = Field(id="b", name="n", type="text", relevant="${n} != '' and ${who} = ${nobody}")
    form = Form(
        id="abc", version=1, title=WORDS, languages=("km", "en"),
        items=(Field(id="a", name="n", type="text"), Field(id="w", name="who", type="text"), Group(id="g", name="g", items=(inner,))),
    )  # fmt: skip
    assert places(expanded(form)).items["b"].relevant == "/data/g/n != '' and /data/who = ${nobody}"
    assert places(form).nearest("n") == "/data/n"
    assert places(form).nearest("last-saved#who") == "instance('__last-saved')/data/who"


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("../a + /data/g/b", {"/data/g/a", "/data/g/b"}),
        ("/data/x or/data/y", {"/data/x", "/data/y"}),
        ("a and or", {"/data/g/here/a", "/data/g/here/or"}),
        ("'/data/no' = \"../no\"", set()),
        ("instance('l')/root/item[name = /data/x and code = ../y]/label", {"/data/x"}),
        ("count(/data/r[./a = 1]/b)", {"/data/r", "/data/r/b"}),
        ("current()/../z", {"/data/g/z"}),
        ("position(..)", {"/data/g"}),
        (". div 2 mod 3", {"/data/g/here"}),
        ("1.5 - 3", set()),
        ("/data/*/q", set()),
        ("if(selected(../a, 'x'), today(), ../b)", {"/data/g/a", "/data/g/b"}),
    ],
)
def test_what_an_expression_asks(expression: str, wanted: set[str]) -> None:
    assert references.paths(expression, "/data/g/here") - {"/data/g/here"} == wanted - {"/data/g/here"}


@given(st.lists(st.tuples(st.text("a${}'\" \n", max_size=6), st.booleans()), max_size=5))
def test_texts_with_expressions_come_apart_as_they_were_put_together(pieces: list[tuple[str, bool]]) -> None:
    try:
        text = inline.join(pieces)
    except ValueError:
        return
    shown = [(piece.strip(), True) for piece, inside in pieces if inside]
    assert [piece for piece in inline.parts(text) if piece[1]] == shown
    assert "".join(piece for piece, inside in inline.parts(text) if not inside) == "".join(
        piece for piece, inside in pieces if not inside
    )
    assert inline.change(text, str) == inline.join(inline.parts(text))


def test_a_new_name_keeps_the_hash_of_nothing_else() -> None:
    form = read(small())
    renamed = dataclasses.replace(form, items=(dataclasses.replace(form.items[0], name="y"),))
    assert digest(renamed) != digest(form)
