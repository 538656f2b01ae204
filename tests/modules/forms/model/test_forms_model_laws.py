"""Laws of the model: its JSON, its XForm and its comparison say the same form, whatever the form."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings

from modules.forms.interchange.xform.reading import read_xform
from modules.forms.interchange.xform.writing import write_xform
from modules.forms.model.changes import changes
from modules.forms.model.flaws import flaws
from modules.forms.model.form import Form, walk
from modules.forms.model.identity import keep_ids
from modules.forms.model.lint import lint
from modules.forms.model.paths import expanded
from modules.forms.model.reading import read_form
from modules.forms.model.writing import canonical, digest, source
from tests.modules.forms.model.generated import forms

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(forms())
def test_the_json_of_a_form_reads_as_the_same_form(form: Form) -> None:
    assert list(flaws(form)) == []
    read = read_form(canonical(form))
    assert read == form
    assert digest(read) == digest(form)
    turned = json.dumps(dict(reversed(source(form).items())), indent=3)
    assert digest(read_form(turned.encode())) == digest(form)


@FEW
@given(forms())
def test_the_xform_of_a_form_reads_as_the_same_form(form: Form) -> None:
    wanted = expanded(form)
    read, _ = read_xform(write_xform(form))
    assert source(read) == source(wanted)
    assert write_xform(read) == write_xform(form)


@FEW
@given(forms())
def test_a_form_differs_in_nothing_from_itself_and_keeps_its_ids(form: Form) -> None:
    assert changes(form, form) == []
    again = keep_ids(form, form)
    assert [item.id for item in walk(again.items) if item.name] == [item.id for item in walk(form.items) if item.name]
    for one in lint(form, form):
        assert one.words("km")
        assert one.words("en")


@FEW
@given(forms(), forms())
def test_what_is_told_of_two_forms_names_every_question_of_only_one(before: Form, after: Form) -> None:
    told = changes(before, after)
    old, new = ({item.id for item in walk(form.items)} for form in (before, after))
    assert {one.id for one in told if one.kind == "added" and one.part == "item"} == new - old
    assert {one.id for one in told if one.kind == "removed" and one.part == "item"} == old - new
    assert bool(told) == (before != after)
