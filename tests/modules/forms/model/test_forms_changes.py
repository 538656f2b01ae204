"""Two versions side by side: added, removed, renamed, moved, changed; and ids that stay."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modules.forms.model.changes import changes
from modules.forms.model.form import Action, AnyItem, ChoiceList, Choices, Entity, Field, Form, Group, Meta, Repeat, Row
from modules.forms.model.identity import count, keep_ids

WORDS = {"km": "ក", "en": "a"}


def field(id: str, name: str = "", **more: Any) -> Field:
    return Field(id=id, name=name or id, type="text", label=WORDS, **more)


def form(*items: AnyItem, **more: Any) -> Form:
    return Form(id="abc", version=1, title=WORDS, languages=("km", "en"), items=items, **more)


def told(before: Form, after: Form) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.part, one.id, one.member) for one in changes(before, after)]


def test_every_kind_of_change() -> None:
    group = Group(id="g", name="g", items=(field("d"),))
    before = form(field("a"), field("b"), field("c"), group)
    after = form(
        field("a", "anew"), dataclasses.replace(field("c"), required="true()", label={**WORDS, "en": "b"}),
        field("e"), Group(id="g", name="g", items=(field("d"), field("b"))), summary=WORDS,
    )  # fmt: skip
    assert told(before, after) == [
        ("changed", "form", "abc", "summary"), ("renamed", "item", "a", "name"), ("changed", "item", "c", "label.en"),
        ("changed", "item", "c", "required"), ("added", "item", "e", ""), ("moved", "item", "b", ""),
    ]  # fmt: skip
    assert told(after, before)[-1] == ("removed", "item", "e", "")
    assert changes(before, after)[2].json() == {
        "kind": "changed", "part": "item", "id": "c", "member": "label.en", "before": "a", "after": "b",
    }  # fmt: skip


def test_lists_and_their_rows() -> None:
    rows = (Row(id="1", label=WORDS), Row(id="2", label=WORDS), Row(id="3", label=WORDS))
    before = form(field("a"), lists={"l": ChoiceList(rows=rows), "gone": ChoiceList(rows=rows)})
    after = form(field("a"), lists={
        "l": ChoiceList(rows=(rows[2], rows[0], Row(id="4", label=WORDS), dataclasses.replace(rows[1], columns={"p": "x"}))),
        "new": ChoiceList(),
    })  # fmt: skip
    assert set(told(before, after)) == {
        ("moved", "row", "l/3", ""), ("added", "row", "l/4", ""), ("changed", "row", "l/2", "columns"), ("added", "list", "new", ""),
        ("removed", "list", "gone", ""),
    }  # fmt: skip


@given(st.permutations(list("abcdefg")))
def test_a_new_order_moves_as_few_as_can_be(order: list[str]) -> None:
    before, after = form(*map(field, "abcdefg")), form(*map(field, order))
    moved = {one.id for one in changes(before, after)}
    stayed = [id for id in order if id not in moved]
    assert stayed == sorted(stayed)
    for id in moved:
        assert sorted([*stayed, id]) != [one for one in order if one in {*stayed, id}]


def test_a_form_that_comes_again_keeps_its_ids_by_node_and_by_origin() -> None:
    before = form(
        field("first", "a"), Repeat(id="rows", name="r", items=(field("second", "b"),)), field("third", "c", origin="x1"),
        roles={"person": "first"},
    )  # fmt: skip
    after = form(
        field("a"),
        Repeat(id="r", name="r", items=(field("b", set=(Action(on=("changed",), of="a", value="1"),)),)),
        field("c2", "moved", origin="x1"),
        field("third", "other"), roles={"person": "a"}, flow_fields=("b",), meta=Meta(entities=(Entity(dataset="d", of="r"),)),
    )  # fmt: skip
    kept = keep_ids(after, before)
    assert [item.id for item in kept.items] == ["first", "rows", "third", "third_2"]
    repeat = kept.items[1]
    assert isinstance(repeat, Repeat)
    inner = repeat.items[0]
    assert isinstance(inner, Field)
    assert (inner.id, inner.set[0].of) == ("second", "first")
    assert (kept.roles, kept.flow_fields, kept.meta.entities[0].of) == ({"person": "first"}, ("second",), "rows")
    assert count(kept) == {"group": 0, "repeat": 1, "field": 4}
    assert keep_ids(kept, before) == kept


def test_choices_changed_in_place_are_told_by_member() -> None:
    one = field("k")
    before = form(dataclasses.replace(one, type="select_one", choices=Choices(list="l")), lists={"l": ChoiceList()})
    after = form(
        dataclasses.replace(one, type="select_one", choices=Choices(list="l", filter="p = 1")),
        lists={"l": ChoiceList()},
    )
    assert told(before, after) == [("changed", "item", "k", "choices.filter")]
