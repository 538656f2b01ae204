"""FormSG's public forms: every field type, ids kept, logic by its fix-point; against an evaluator written from FormSG's rules."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms.interchange.formsg import item_id, option_code, read_formsg
from modules.forms.interchange.formsg_fields import KINDS
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.interchange.xform.writing import write_xform
from modules.forms.model.conditions import ways
from modules.forms.model.form import Field, Form, Group, Repeat
from modules.forms.model.lint import lint
from modules.forms.model.paths import expanded, places
from modules.forms.model.types import TYPES


def fid(number: int) -> str:
    return f"{number:024x}"


def one(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"_id": fid(number), "globalId": "x", "title": f"Question {number}", "description": "", "required": True, "disabled": False,
            "fieldType": kind, **more}  # fmt: skip


def read(
    fields: list[dict[str, Any]], logics: list[dict[str, Any]] | None = None, **more: Any
) -> tuple[Form, list[Any]]:
    form = {
        "_id": "5f3a1b2c3d4e5f6a7b8c9d0e",
        "title": "A form",
        "form_fields": fields,
        "form_logics": logics or [],
        **more,
    }
    return read_formsg(json.dumps({"form": form}).encode(), name="x.json")


def shows(conditions: list[tuple[int, str, Any]], *show: int) -> dict[str, Any]:
    asked = [
        {"field": fid(number), "state": state, "value": value, "ifValueType": "single-select"} for number, state, value in conditions
    ]  # fmt: skip
    return {"logicType": "showFields", "show": [fid(number) for number in show], "conditions": asked}


EVERY = [
    one(1, "section"), one(2, "statement"), one(3, "image", url="https://x/y.png", name="y.png", fileMd5Hash="a", size="1"),
    one(4, "textfield", ValidationOptions={"selectedValidation": "Exact", "customVal": 5}),
    one(5, "textarea", ValidationOptions={"selectedValidation": None, "customVal": None}),
    one(6, "email", isVerifiable=True, hasAllowedEmailDomains=True, allowedEmailDomains=["@x.gov"]),
    one(7, "mobile", allowIntlNumbers=False, isVerifiable=False), one(8, "homeno", allowIntlNumbers=True),
    one(9, "number", ValidationOptions={"selectedValidation": "Range", "RangeValidationOptions": {"customMin": 1, "customMax": 9}}),
    one(10, "decimal", validateByValue=True, ValidationOptions={"customMin": 0.5, "customMax": None}),
    one(11, "dropdown", fieldOptions=["One", "Two", "បី"]), one(12, "country_region", fieldOptions=["CAMBODIA"]), one(13, "yes_no"),
    one(14, "checkbox", fieldOptions=["A", "B", "C"], othersRadioButton=True, validateByValue=True,
        ValidationOptions={"customMin": 1, "customMax": 2}),
    one(15, "radiobutton", fieldOptions=["A b", "a B"], othersRadioButton=False), one(16, "attachment", attachmentSize="3"),
    one(17, "date", dateValidation={"selectedDateValidation": "Disallow future dates"}, invalidDays=["Sundays"]),
    one(18, "rating", ratingOptions={"steps": 7, "shape": "Star"}), one(19, "nric"), one(20, "uen"),
    one(21, "table", minimumRows=2, addMoreRows=True, maximumRows=4, columns=[
        {"_id": fid(211), "columnType": "textfield", "title": "Name", "required": True},
        {"_id": fid(212), "columnType": "dropdown", "title": "Sex", "required": False, "fieldOptions": ["F", "M"]}]),
    one(22, "children", childrenSubFields=["childname", "dateofbirth"], allowMultiple=True), one(23, "address"), one(24, "signature"),
]  # fmt: skip


def test_every_field_type_is_taken_with_its_id() -> None:
    assert {field["fieldType"] for field in EVERY} == set(KINDS)
    form, notes = read(EVERY)
    items = places(form).items
    for field in EVERY:
        assert items[item_id(field["_id"])].origin == field["_id"]
    types = {item.origin: item.type for item in items.values() if isinstance(item, Field) and item.origin}
    assert types == types | {
        fid(2): "note", fid(3): "note", fid(4): "text", fid(6): "email", fid(7): "phone", fid(8): "phone", fid(9): "integer",
        fid(10): "decimal",
        fid(11): "select_one", fid(12): "country", fid(13): "yes_no", fid(14): "select_multiple", fid(16): "attachment", fid(17): "date",
        fid(18): "range", fid(19): "text", fid(24): "signature",
    }  # fmt: skip
    for item in items.values():
        if isinstance(item, Field) and item.origin in {field["_id"] for field in EVERY}:
            kind = next(field["fieldType"] for field in EVERY if field["_id"] == item.origin)
            assert kind in (*TYPES[item.type].formsg, "section")
    group, table, address = items[item_id(fid(1))], items[item_id(fid(21))], items[item_id(fid(23))]
    assert isinstance(group, Group)
    assert len(group.items) == len(EVERY) - 1 + 1  # the free text beside the checkbox is a question of its own
    assert isinstance(table, Repeat)
    assert (table.least, table.most, table.fixed) == (2, 4, False)
    assert isinstance(address, Group)
    assert [part.name for part in address.items] == ["block", "street", "building", "level", "unit", "postal"]
    parameters = {item.origin: item.parameters for item in items.values() if isinstance(item, Field)}
    assert parameters[fid(4)] == {"min_length": 5, "max_length": 5}
    assert parameters[fid(9)] == {"min": "1", "max": "9"}
    assert parameters[fid(14)] == {"min": 1, "max": 2}
    assert parameters[fid(16)] == {"max_bytes": 3_000_000, "max_files": 1}
    assert parameters[fid(17)] == {"max": "today", "closed_weekdays": ["Sundays"]}
    assert ("FM-453", item_id(fid(6))) in {(note.code, note.where) for note in notes}
    assert read_xform(write_xform(form))[0].items == expanded(form).items


def test_codes_of_options_come_from_their_words_and_not_from_their_order() -> None:
    form, _ = read(EVERY)
    assert [row.id for row in form.lists[item_id(fid(11))].rows] == ["one", "two", option_code("បី", ["បី"])]
    assert [row.id for row in form.lists[item_id(fid(14))].rows] == ["a", "b", "c", "other"]
    alike = [row.id for row in form.lists[item_id(fid(15))].rows]
    assert len(set(alike)) == 2
    assert all(code.startswith("o_") for code in alike)
    turned, _ = read([{**EVERY[10], "fieldOptions": ["បី", "Two", "One"]}])
    assert {row.id for row in turned.lists[item_id(fid(11))].rows} == {"one", "two", option_code("បី", ["បី"])}


def test_translations_notes_and_the_key() -> None:
    field = one(1, "dropdown", fieldOptions=["Yes"], titleTranslations=[{"language": "Chinese", "translation": "问"}],
                fieldOptionsTranslations=[{"language": "Chinese", "translation": ["是"]}])  # fmt: skip
    form, notes = read(
        [field], publicKey="KEY=", supportedLanguages=["English", "Chinese"], payments_field={"enabled": True},
        workflow=[{"workflow_type": "static"}], startPage={"paragraph": "It costs ${5}"},
    )  # fmt: skip
    assert form.languages == ("en", "zh")
    assert next(form.fields()).label == {"en": "Question 1", "zh": "问"}
    assert form.lists[item_id(fid(1))].rows[0].label == {"en": "Yes", "zh": "是"}
    assert form.meta.formsg_key == "KEY="
    assert form.summary == {"en": "It costs ${'${'}5}"}
    assert [note.values["what"] for note in notes] == ["Payments", "The workflow of several respondents"]


def test_logic_becomes_conditions_and_checks() -> None:
    fields = [one(1, "radiobutton", fieldOptions=["Food", "Goods"], othersRadioButton=True), one(2, "number"), one(3, "yes_no"),
              one(4, "textfield"), one(5, "section"), one(6, "textfield")]  # fmt: skip
    stop = {
        "logicType": "preventSubmit",
        "preventSubmitMessage": "No",
        "conditions": [{"field": fid(3), "state": "is equals to", "value": "No"}],
    }
    form, notes = read(fields, [
        shows([(1, "is either", ["Food", "Others"]), (2, "is more than or equal to", 2)], 4),
        shows([(3, "is equals to", "Yes")], 4, 5), stop,
        shows([(99, "is equals to", "x")], 6), shows([(1, "is equals to", "Food")], 98),
    ])  # fmt: skip
    items = places(form).items
    a, b, c = (item_id(fid(number)) for number in (1, 2, 3))
    assert items[item_id(fid(4))].relevant == (
        f"((${{{a}}} = 'food' or ${{{a}}} = 'other') and number(${{{b}}}) >= 2) or ${{{c}}} = 'yes'"
    )
    assert items[item_id(fid(5))].relevant == f"${{{c}}} = 'yes'"
    assert isinstance(items[item_id(fid(5))], Field), "a heading that logic shows hides only itself"
    assert [(check.when, check.message) for check in form.checks] == [(f"${{{c}}} = 'no'", {"und": "No"})]
    assert [note.values["number"] for note in notes if note.code == "FM-459"] == [4, 5]
    assert lint(form) == []


def holds(expression: str, answers: dict[str, str], shown: set[str]) -> bool:
    """A condition of the kind that is made here: equalities of ``${name}``, where a hidden question's answer is empty."""
    found = ways(expression)
    assert found is not None
    return any(
        all(
            atom.sign == "=" and (answers[atom.node[2:-1]] if atom.node[2:-1] in shown else "") == atom.value
            for atom in way
        )
        for way in found
    )


def formsg_shows(logics: list[dict[str, Any]], fields: list[str], answers: dict[str, str]) -> set[str]:
    """FormSG's own rule: begin with the questions without units, go on until nothing changes."""
    wanted: dict[str, list[dict[str, Any]]] = {}
    for unit in logics:
        for id in unit["show"]:
            wanted.setdefault(id, []).append(unit)
    seen = {id for id in fields if id not in wanted}
    while True:
        more = {
            id for id, units in wanted.items() if id not in seen
            and any(all(c["field"] in seen and answers[c["field"]] == c["value"] for c in unit["conditions"]) for unit in units)
        }  # fmt: skip
        if not more:
            return seen
        seen |= more


_SOME = st.lists(st.integers(1, 5), min_size=1, max_size=2, unique=True)
UNITS = st.lists(
    st.tuples(_SOME, _SOME),
    max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(UNITS)
def test_what_is_shown_is_what_formsg_shows(units: list[tuple[list[int], list[int]]]) -> None:
    fields = [one(number, "yes_no") for number in range(1, 6)]
    logics = [shows([(asked, "is equals to", "Yes") for asked in conditions], *show) for conditions, show in units]
    form, notes = read(fields, logics)
    assert not [found for found in lint(form) if found.code == "FM-438"], "no circle is left"
    cut = any(note.code == "FM-452" for note in notes)
    conditions = {item.origin: item.relevant for item in form.fields()}
    for chosen in itertools.product(("yes", "no"), repeat=5):
        answers = {item_id(fid(number)): answer for number, answer in enumerate(chosen, 1)}
        given_ = {fid(number): answer.title() for number, answer in enumerate(chosen, 1)}
        wanted = formsg_shows(logics, [field["_id"] for field in fields], given_)
        shown: set[str] = set()
        for _ in range(6):  # conditions have no circle: each round settles one more depth
            shown = {item_id(id) for id, relevant in conditions.items()
                     if not relevant or (relevant != "false()" and holds(relevant, answers, shown))}  # fmt: skip
        if cut:
            assert shown <= {item_id(id) for id in wanted}
        else:
            assert shown == {item_id(id) for id in wanted}


def test_a_circle_is_opened_and_said() -> None:
    fields = [one(number, "yes_no") for number in range(1, 5)]
    yes = "is equals to", "Yes"
    form, notes = read(
        fields, [shows([(3, *yes)], 1), shows([(2, *yes)], 1), shows([(4, *yes)], 2), shows([(1, *yes)], 2)]
    )
    assert [note.where for note in notes if note.code == "FM-452"] == [item_id(fid(1))]
    never, _ = read(fields, [shows([(2, *yes)], 1), shows([(1, *yes)], 2)])
    assert [item.relevant for item in never.fields()][:2] == ["false()", "false()"]
    assert [item.relevant for item in form.fields()][1].count(" or ") == 1


@pytest.mark.parametrize(
    "made",
    [
        {"form_fields": 5}, {"form_fields": [{}]}, {"form_fields": [one(1, "no_such_type")]},
        {"form_fields": [one(1, "textfield"), one(1, "textfield")]},
        {"form_fields": [one(1, "table", columns=3)]}, {"form_fields": [one(1, "rating", ratingOptions={"steps": 900})]},
        {"form_fields": [one(1, "date", dateValidation={"selectedDateValidation": "Custom date range", "customMinDate": "soon"})]},
        {"form_fields": [one(1, "yes_no")], "form_logics": [{"conditions": [{}]}]}, {"form_fields": [one(1, "yes_no")], "form_logics": 7},
        {"form_fields": [one(n, "yes_no") for n in range(200)], "form_logics": [shows([(1, "is equals to", "Yes")], *range(2, 190))] * 60},
    ],
)  # fmt: skip
def test_what_formsg_never_gives_is_refused(made: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="FM-410"):
        read_formsg(json.dumps({"form": {"title": "x", **made}}).encode(), name="x.json")
