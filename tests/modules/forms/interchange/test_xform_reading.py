"""A survey as authors write them, read whole: every question, text, list, action; nothing is lost on the way through the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused
from modules.forms.interchange.xform.names import Names, x
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.interchange.xform.writing import write_xform
from modules.forms.interchange.xml import Element, read_xml, same
from modules.forms.model.form import Action, Field, Form, Group, Repeat
from modules.forms.model.lint import lint
from modules.forms.model.paths import places

HOUSEHOLD = Path(__file__).with_name("samples") / "household.xml"


@pytest.fixture(scope="module")
def household() -> Form:
    form, notes = read_xform(HOUSEHOLD.read_bytes(), name=HOUSEHOLD.name)
    assert [(one.code, one.where) for one in notes] == [("FM-451", "odd")]
    return form


def field(form: Form, id: str) -> Any:
    return places(form).items[id]


def test_the_form_itself(household: Form) -> None:
    assert (household.id, household.version, household.meta.version_text) == ("household-survey", 1, "2026.11-b")
    assert household.languages == ("km", "en")
    assert household.title == {"km": "ជំរឿនគ្រួសារ"}
    assert household.origin.space == "http://data.example/household"
    assert household.meta.public_key == "MIIBIjANBg"
    assert household.meta.audit == {"track-changes": "true", "identify-user": "true"}
    assert household.meta.instance_name == "concat( /household/head/name , ' ', uuid())"
    assert [one.dataset for one in household.meta.entities] == ["households"]
    assert [node.ref for node in household.meta.nodes] == ["/household/@version"]


def test_every_type(household: Form) -> None:
    types = {item.id: item.type for item in household.fields()}
    assert types == types | {
        "begin": "start", "finish": "end", "day": "today", "device": "deviceid", "who": "username", "start_note": "note",
        "province": "select_one", "gps": "geopoint", "name": "text", "birth": "date", "age": "calculate", "phone": "text",
        "member_count": "integer", "income": "decimal", "total": "calculate", "goods": "select_multiple", "ranking": "rank",
        "photo": "image", "agree": "acknowledge", "score": "range", "visit": "datetime",
        "hidden": "hidden", "greeting": "calculate", "uuid": "calculate",
    }  # fmt: skip
    assert field(household, "district").data == "select1"
    assert field(household, "phone").extra["element"] == "secret"


def test_texts_media_and_shown_values(household: Form) -> None:
    name = field(household, "name")
    assert name.label == {"km": "ឈ្មោះ", "en": "Name"}
    assert name.media == {"image": {"km": "name-km.png", "en": "name-en.png"}, "audio": {"km": "name-km.mp3"}}
    assert name.required_message["km"] == "ត្រូវបំពេញ"
    assert field(household, "birth").constraint_message == {"und": "Not a day of the past"}
    assert field(household, "province").guidance["en"] == "By the official list"
    age = field(household, "m_age")
    assert age.label["km"] == "អាយុរបស់ ${../m_name}"
    assert age.label["en"].endswith("in ${jr:choice-name( /household/place/province , ' /household/place/province ')}")
    assert field(household, "member_count").label == {"und": "How many? ចំនួន ${'${'}not an expression}"}
    assert household.origin.texts == {"greeting": {"": {"km": "សួស្ដី", "en": "Hello"}}}


def test_cascade_and_lists(household: Form) -> None:
    district, commune, village = (field(household, id).choices for id in ("district", "commune", "village"))
    assert (district.list, district.filter) == ("district", "province= /household/place/province")
    assert (commune.list, commune.random, commune.seed) == ("commune", True, "7")
    assert (village.list, village.label, village.value) == ("villages", "name_km", "")
    assert household.lists["villages"].file == "villages.csv"
    assert household.lists["villages"].value == "code"
    assert household.lists["shops"].format == "geojson"
    assert household.lists["__last-saved"].src == "jr://instance/last-saved"
    assert 'year="2026"' in household.lists["rates"].xml
    first = household.lists["district"].rows[0]
    assert (first.id, first.columns) == ("1201", {"province": "12"})
    assert household.lists["province"].rows[1].media["image"]["km"] == "p1.png"
    assert field(household, "ranking").choices.nodeset == "/household/members[m_name != '']"
    assert [row.id for row in household.lists[field(household, "goods").choices.list].rows] == ["g0", "g1", "g2"]


def test_repeats(household: Form) -> None:
    members, jobs, free = (field(household, id) for id in ("members", "jobs", "free"))
    assert isinstance(members, Repeat)
    assert (members.count, members.fixed, members.appearance) == ("/household/member_count", True, ("table-list",))
    assert members.extra["repeat"] == {"lab:rows": "striped"}
    assert places(household).repeats("income") == ("members", "jobs")
    assert jobs.relevant == "selected( ../works , 'yes')"
    assert free.extra["wrap"] == {"ref": ""}
    assert [item.id for item in members.items] == ["m_name", "m_age", "works", "jobs", "total"]


def test_actions(household: Form) -> None:
    assert field(household, "income").set == (Action(on=("new-row",), value="100 * 5"),)
    assert field(household, "odd").set == (
        Action(on=("first-load", "new-row"), text="nothing"), Action(on=("changed",), of="name", value="/household/head/name"),
    )  # fmt: skip
    assert field(household, "gps").set == (Action(on=("first-load",), do="geopoint"),)
    assert field(household, "last_place").set[0].value == "instance('__last-saved')/household/place/province"


def test_what_has_no_name_is_kept(household: Form) -> None:
    assert field(household, "name").extra["bind"] == {"lab:check": "on", "saveIncomplete": "true()"}
    assert field(household, "photo").extra["control"] == {"lab:dpi": "300"}
    assert field(household, "photo").parameters == {"max-pixels": "1024"}
    assert field(household, "odd").extra["xml"]
    assert household.origin.model["lab:unknown"] == "kept"
    assert household.origin.body == {"class": "pages theme-grid"}
    seen = next(item for item in household.items if isinstance(item, Group) and not item.name)
    assert [item.id for item in seen.items] == ["odd"]


_SEEN = frozenset({
    "group", "repeat", "input", "select1", "select", "odk:rank", "upload", "trigger", "range", "secret", "itemset", "lab:badge",
})  # fmt: skip


def facts(data: bytes) -> dict[str, Any]:
    """What an XForm says, without the ids of its texts and the order of its binds."""
    root = read_xml(data).root
    names = Names({"http://kobo.example/ns": "kobo", "urn:lab": "lab"})
    found: dict[str, Any] = {"binds": {}, "controls": [], "actions": []}
    for one in root.every():
        short = names.short(one.name)
        attributes = {name: "".join(value.split()) for name, value in names.shorts(one.attributes).items()}
        if short == "bind":
            found["binds"][attributes.pop("nodeset")] = attributes
        elif short in ("setvalue", "odk:setgeopoint"):
            found["actions"].append((sorted(attributes.items()), one.text().strip()))
        elif short in _SEEN:
            found["controls"].append((short, sorted(attributes.items())))
    found["actions"].sort()
    found["texts"] = {
        (part.attributes["lang"], value.attributes.get("form", ""), "".join(value.text().split()))
        for part in root.every() if part.name == x("translation") for value in part.every() if value.name == x("value")
    }  # fmt: skip
    return found


def test_through_the_model_an_xform_says_what_it_said(household: Form) -> None:
    written = write_xform(household)
    assert b"sala:patch" not in written
    before, after = facts(HOUSEHOLD.read_bytes()), facts(written)
    for part in before:
        assert after[part] == before[part], part
    assert read_xform(written)[0] == household
    assert same(_primary(written), _primary(HOUSEHOLD.read_bytes()))


def _primary(data: bytes) -> Element:
    return next(one for one in read_xml(data).root.every() if one.local == "household")


def test_a_change_of_the_model_reaches_instance_and_body(household: Form) -> None:
    import dataclasses

    new = Field(id="extra_one", name="extra_one", type="text", label={"km": "ថ្មី", "en": "New"}, default="x")
    gone = tuple(item for item in household.items if item.id not in ("photo", "place"))
    changed = dataclasses.replace(
        household, items=(*gone, new), version=7, meta=dataclasses.replace(household.meta, version_text=None)
    )
    read, _ = read_xform(write_xform(changed))
    paths = places(read).at
    assert "/household/extra_one" in paths
    assert "/household/photo" not in paths
    assert read.version == 7
    assert "<extra_one>x</extra_one>" in read.origin.instance
    assert "photo" not in read.origin.instance


def test_the_linter_finds_what_is_odd_in_it(household: Form) -> None:
    found = {(one.code, one.where) for one in lint(household)}
    assert ("FM-433", "district") not in found
    assert ("FM-433", "commune") not in found
    assert not [one for one in found if one[0] in ("FM-438", "FM-439")]


TINY = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa">
<h:head><h:title>t</h:title><model><instance><data id="t">{instance}</data></instance>{model}</model></h:head>
<h:body>{body}</h:body></h:html>"""


def tiny(instance: str = "<a/>", model: str = "", body: str = '<input ref="/data/a"/>') -> bytes:
    return TINY.format(instance=instance, model=model, body=body).encode()


def test_a_flat_body_over_grouped_nodes_keeps_both() -> None:
    data = tiny(
        "<g><a/><b/></g><h><c/></h>", '<bind nodeset="/data/g" relevant="1 = 1"/><bind nodeset="/data/g/b" type="string" calculate="1"/>',
        '<input ref="/data/h/c"/><input ref="/data/g/a"/>',
    )  # fmt: skip
    form, _ = read_xform(data)
    spots = places(form)
    assert {spots.path[id] for id in spots.items} == {"/data/h/c", "/data/g/a", "/data/g", "/data/g/b"}
    assert spots.items["g"].relevant == "1 = 1"
    assert read_xform(write_xform(form))[0] == form


def test_a_group_may_name_its_node_by_nodeset_and_the_body_may_hold_anything() -> None:
    lab = '<lab:extra xmlns:lab="urn:lab" n="1">x</lab:extra>'
    data = tiny(
        "<r><g><q/></g></r>",
        "",
        f'<group><repeat nodeset="/data/r"><group nodeset="/data/r/g"><input ref="/data/r/g/q"/></group></repeat></group>{lab}',
    )
    form, notes = read_xform(data)
    assert [(one.code, one.values["element"]) for one in notes] == [("FM-451", "lab:extra")]
    spots = places(form)
    assert [(item.id, spots.path[item.id]) for item in spots.items.values()] == [
        ("r", "/data/r"),
        ("g", "/data/r/g"),
        ("q", "/data/r/g/q"),
    ]
    written = write_xform(form)
    assert b"lab:extra" in written
    assert read_xform(written)[0] == form


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<a/>", "FM-405"),
        (b"", "FM-402"),
        (b"<a>", "FM-402"),
        (tiny().replace(b"<h:body>", b"<h:body><repeat><input ref='/data/a'/></repeat>"), "FM-405"),
        (tiny().replace(b'<input ref="/data/a"/>', b"<input/>"), "FM-405"),
        (tiny(body='<input ref="/data/a"/><input ref="/data/a"/>'), "FM-412"),
        (tiny(body='<select1 ref="/data/a"/>'), "FM-415"),
        (tiny(body='<input ref="/other/a"/>'), "FM-422"),
        (tiny(body='<input ref="/data/a"><label><output value="concat(\'x"/></label></input>'), "FM-421"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + tiny(), "FM-402"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + tiny(), "FM-402"),
        (tiny(body="<group>" * 20 + '<input ref="/data/a"/>' + "</group>" * 20), "FM-403"),
        (b"<a>" * 200 + b"</a>" * 200, "FM-402"),
    ],
)
def test_what_is_no_form_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_xform(data, name="x.xml")
    assert refused.value.code == code


def test_a_bomb_of_entities_is_refused_at_once() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(Refused, match="FM-402"):
        read_xform(f'<!DOCTYPE x [<!ENTITY l0 "ha">{lines}]><x>&l9;</x>'.encode())


def test_a_file_beyond_every_form_is_refused_unread() -> None:
    with pytest.raises(Refused, match="FM-403"):
        read_xform(b" " * 16_000_001)


def test_a_patch_of_another_shape_is_refused() -> None:
    for text in (
        "[1]",
        "{",
        '{"form": {"languages": 5}}',
        '{"items": {"/data/a": {"type": "no_such"}}}',
        '{"tree": [[1, 2, 3]]}',
    ):
        given = text.replace('"', "&quot;")
        data = tiny().replace(b"<model>", f'<model xmlns:sala="urn:sala:form:2" sala:patch="{given}">'.encode())
        with pytest.raises(Refused) as refused:
            read_xform(data)
        assert refused.value.code in ("FM-401", "FM-413")
