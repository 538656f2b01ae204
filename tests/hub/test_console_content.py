"""What a record says on the console: by the labels of its form and module, never by a code where somebody has named it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sync.hub import announce, formlabels
from sync.hub.centre import Centre
from sync.hub.console import content
from sync.hub.console.content import Line
from sync.hub.formnames import target_name
from sync.ids import uuid7
from sync.ops import OpFields
from tests.hub.console_hub import Browser, let_in, words
from tests.hub.laptop import OFFICER, Laptop, join

FORM: dict[str, Any] = {
    "id": "market-stall", "version": 3, "title": {"km": "តូបផ្សារ", "en": "Market stall"},
    "sections": [{"id": "s", "title": {"km": "ក", "en": "A"}, "fields": [
        {"id": "kind", "type": "choice", "label": {"km": "ប្រភេទតូប", "en": "Kind of stall"}, "options": [
            {"id": "fish", "label": {"km": "ត្រី", "en": "Fish"}}, {"id": "rice", "label": {"km": "អង្ករ", "en": "Rice"}}]},
        {"id": "goods", "type": "choices", "label": {"km": "ទំនិញ", "en": "Goods"}, "options": [
            {"id": "a", "label": {"km": "ត្រីស្រស់", "en": "Fresh fish"}}, {"id": "b", "label": {"km": "ត្រីងៀត", "en": "Dried fish"}}]},
        {"id": "owner", "type": "name", "label": {"km": "ម្ចាស់តូប", "en": "Owner"}},
        {"id": "since", "type": "date", "label": {"km": "ចាប់តាំងពី", "en": "Since"}},
        {"id": "fee", "type": "fee", "label": {"km": "ថ្លៃ", "en": "Charge"}},
        {"id": "open", "type": "yes_no", "label": {"km": "បើកលក់", "en": "Open now"}},
        {"id": "place", "type": "address", "label": {"km": "ទីកន្លែង", "en": "Place"}},
    ]}],
}  # fmt: skip
DATA = json.dumps(FORM, ensure_ascii=False).encode()
HASH = sha256(rfc8785.dumps(FORM)).digest()
ANSWERS: dict[str, Any] = {
    "kind": "fish", "goods": ["a", "b"], "owner": {"km": "សុខ ដារ៉ា", "latin": "Sok Dara"}, "since": "2026-01-09",
    "fee": {"riel": 4000, "service": "stall"}, "open": True, "place": {"house": "12", "code": "0306", "km": "កំពង់សៀម"},
    "unasked": "?",
}  # fmt: skip


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    let_in(centre)
    return join(centre, Laptop())


@pytest.fixture
def admin(laptop: Laptop, client: httpx.Client) -> Browser:
    browser = Browser(client)
    browser.log_in()
    browser.client.cookies.set("sala-language", "en")
    return browser


def record(centre: Centre, laptop: Laptop, body: dict[str, Any], kind: str = "links.created") -> str:
    """The page's address of a new plain record that names FORM."""
    fields = OpFields(
        op_id=uuid7(laptop.now), kind=kind, form="market-stall", def_hash=HASH, wall_ms=laptop.now, mono_ms=1,
        boot_id=bytes(8), hub_floor_ms=0, officer=OFFICER, body=body,
    )  # fmt: skip
    centre.ingest.take(laptop.batch(made=[fields.encode()]))
    return f"/console/record/{laptop.head.hex()}"


def test_answers_stand_under_the_labels_of_the_published_form(admin: Browser, centre: Centre, laptop: Laptop) -> None:
    formlabels._known.clear()  # another hub in this process may have published it
    page = record(centre, laptop, {"v": 1, "receipt": "0306-1", "answers": ANSWERS})
    before = words(admin.get(page))
    assert (
        "Kind of stall" not in before and ">fish<" in before and ">goods<" in before
    )  # nobody has named them here yet
    centre.storage.write(lambda tx: announce.put(tx, {target_name("forms", "x.json", DATA): DATA}, 5))
    found = words(admin.get(page))
    for said in (
        "Market stall",
        "Kind of stall",
        "Fish",
        "Fresh fish, Dried fish",
        "Sok Dara",
        "4,000",
        "Open now",
        "Receipt number",
    ):
        assert said in found, said
    assert found.index("Kind of stall") < found.index("Goods") < found.index("Owner") < found.index("unasked")
    assert "unknown field" in found and "<code>unasked</code>" in found  # its id stands small beside the words
    admin.client.cookies.set("sala-language", "km")
    khmer = words(admin.get(page))
    assert "ប្រភេទតូប" in khmer and "ត្រីស្រស់, ត្រីងៀត" in khmer and "០៩/០១/២០២៦" in khmer and "Fresh fish" not in khmer
    assert "ចន្លោះមិនស្គាល់" in khmer


def test_a_module_is_called_by_its_name_and_places_of_a_list_by_figures(
    admin: Browser, centre: Centre, laptop: Laptop
) -> None:
    centre.ingest.take(laptop.batch(made=[laptop.op({"code": "ABC", "odd": ["x"]})]))
    admin.client.cookies.set("sala-language", "km")
    page = words(admin.get(f"/console/record/{laptop.head.hex()}"))
    assert "<dd>តំណ</dd>" in page and "<dd>links</dd>" not in page
    assert "<dt>១</dt>" in page


def test_a_definition_of_another_hash_names_nothing(centre: Centre) -> None:
    altered = {**FORM, "title": {"km": "ក្លែង", "en": "Forged"}}
    data = json.dumps(altered).encode()
    name = f"forms/market-stall/{HASH.hex()}.json"  # an admin who misnames a file must not rename what citizens said
    centre.storage.write(lambda tx: announce.put(tx, {name: data}, 5))
    formlabels._known.clear()
    assert centre.storage.read(lambda tx: formlabels.of(tx, HASH)) is None
    assert centre.storage.read(lambda tx: formlabels.of(tx, b"")) is None
    assert "market-stall" not in centre.storage.read(formlabels.titles)
    for broken in (b"", b"[1]", b"{}", b"\xff", b"[" * 5000, json.dumps({"id": 1, "sections": [{}]}).encode()):
        assert formlabels.words(broken, HASH) is None


def test_the_forms_of_the_program_are_known_from_the_start(centre: Centre) -> None:
    titles = centre.storage.read(formlabels.titles)
    assert titles["barber-licence"]["en"] == "Barber licence"
    source = json.loads((Path(formlabels._OWN) / "barber-licence-1.json").read_text("utf-8"))
    found = centre.storage.read(lambda tx: formlabels.of(tx, sha256(rfc8785.dumps(source)).digest()))
    assert found and found.fields["sex"].options["female"]["en"] == "Female"


def test_answers_of_the_wrong_shape_are_shown_as_they_are(admin: Browser, centre: Centre, laptop: Laptop) -> None:
    centre.storage.write(lambda tx: announce.put(tx, {target_name("forms", "x.json", DATA): DATA}, 5))
    hostile = {
        "kind": {"a": [1]}, "goods": 7, "owner": "x", "since": "tomorrow", "fee": {"riel": "much"}, "open": b"\x00",
        "place": {"code": "zz"}, "since ": None,
    }  # fmt: skip
    assert admin.get(record(centre, laptop, {"answers": hostile})).status_code == 200


def test_a_body_without_end_is_cut(admin: Browser, centre: Centre, laptop: Laptop) -> None:
    page = admin.get(record(centre, laptop, {"text": "ក" * 20_000, "list": list(range(5_000)), "raw": bytes(2_000)}))
    assert page.status_code == 200 and len(page.text) < 120_000
    assert len(content.lines(list(range(5_000)))) == content.MOST_LINES


def test_the_words_of_the_modules_table_and_what_only_programs_need(
    admin: Browser, centre: Centre, laptop: Laptop
) -> None:
    page = words(admin.get(record(centre, laptop, {"code": "ABC", "office": "0306", "@keys": {"aa": b"\x01"}})))
    assert "Technical marks" in page and 'href="/console/office/0306"' in page
    shown, technical = content.parted({"v": 1, "@rows": [], "a": 1}, content.UNNAMED)
    assert [line.name for line in shown] == ["a"] and [line.name for line in technical] == ["v", "@rows"]


def test_any_plain_body_becomes_lines() -> None:
    assert content.lines({"a": {"b": [1, {"c": None}]}, "d": b"\x01", "day": "2026-11-20"}) == [
        Line(0, "d", "bytes", b"\x01"), Line(0, content.named("day"), "words", {"km": "២០/១១/២០២៦", "en": "20/11/2026"}),
        Line(0, "a"), Line(1, "b"), Line(2, "1", "number", 1), Line(2, "2"), Line(3, "c", "none"),
    ]  # fmt: skip
    assert content.lines({"x": "2026-13-40"}) == [Line(0, "x", "text", "2026-13-40")]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
NAMES = content.Labels(formlabels.words(DATA, HASH).fields, {})  # type: ignore[union-attr]


@given(st.dictionaries(st.sampled_from([*ANSWERS, "answers", "changes", "x"]), PLAIN, max_size=6))
def test_no_body_is_too_strange_to_show(body: dict[str, Any]) -> None:
    hows = {"head", "none", "text", "words", "number", "time", "yes", "bytes", "office", "record"}
    for lines in (content.lines({"answers": body}, NAMES), content.parted(body, NAMES)[0]):
        assert {line.how for line in lines} <= hows
        assert len(lines) <= content.MOST_LINES
