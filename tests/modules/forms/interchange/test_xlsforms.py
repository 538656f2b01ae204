"""XLSForms in and out: the converter's process, its bounds, its words by sheet and row; workbooks that say what the form says."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from modules.contract import Refused
from modules.forms.interchange import workbook
from modules.forms.interchange.counting import check_workbook
from modules.forms.interchange.sheets import write_workbook
from modules.forms.interchange.workbook import diagnostic, read_workbook
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.library import ASSETS
from modules.forms.model.form import ChoiceList, Choices, Field, Form, Row
from modules.forms.model.paths import places
from modules.forms.model.reading import read_form

Rows = Sequence[Sequence[object]]
HEAD = ["type", "name", "label::Khmer (km)", "label::English (en)", "calculation", "choice_filter", "relevant"]
HOUSEHOLD = Path(__file__).with_name("samples") / "household.xml"
SURVEY: Rows = [
    HEAD,
    ["begin group", "place", "ទីតាំង", "Place"],
    ["select_one province", "province", "ខេត្ត", "Province"],
    ["select_one district", "district", "ស្រុក", "District", "", "province=${province}"],
    ["end group"],
    ["begin repeat", "members", "សមាជិក", "Members of ${province}"],
    ["text", "member", "ឈ្មោះ", "Name", "", "", "${district} != ''"],
    ["end repeat"],
    ["calculate", "total", "", "", "count(${members})"],
]
CHOICES: Rows = [
    ["list_name", "name", "label::Khmer (km)", "label::English (en)", "province"],
    ["province", "12", "ភ្នំពេញ", "Phnom Penh"],
    ["district", "1201", "ចំការមន", "Chamkar Mon", "12"],
]


def book(survey: Rows = SURVEY, choices: Rows = CHOICES, **settings: str) -> bytes:
    """A workbook as an author saves it."""
    made = openpyxl.Workbook()
    del made[made.sheetnames[0]]
    for name, rows in (
        ("survey", survey),
        ("choices", choices),
        ("settings", [list(settings), list(settings.values())] if settings else []),
    ):
        if rows:
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
    data = BytesIO()
    made.save(data)
    return data.getvalue()


def with_rows(data: bytes, rows: Callable[[int], bytes], count: int) -> bytes:
    """The same workbook with ``count`` more rows in its first sheet."""
    source, made = zipfile.ZipFile(BytesIO(data)), BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as copy:
        for part in source.infolist():
            content = source.read(part)
            if part.filename.endswith("sheet1.xml"):
                more = b"".join(b'<row r="%d">%s</row>' % (number, rows(number)) for number in range(100, 100 + count))
                content = content.replace(b"</sheetData>", more + b"</sheetData>")
            copy.writestr(part.filename, content)
    return made.getvalue()


def test_a_workbook_is_read_as_the_form_that_it_describes() -> None:
    data = book(form_title="ជំរឿន", form_id="survey-1", version="3", default_language="Khmer (km)")
    form, said = read_workbook(data, name="survey.xlsx")
    assert said == []
    assert (form.id, form.version, form.origin.kind, form.languages) == ("survey-1", 3, "xlsform", ("km", "en"))
    spots = places(form)
    assert spots.path["member"] == "/data/members/member"
    district = spots.items["district"]
    assert isinstance(district, Field)
    assert district.choices == Choices(list="district", filter="province= /data/place/province")
    assert form.lists["district"].rows[0].columns == {"province": "12"}
    assert spots.items["members"].label["en"] == "Members of ${/data/place/province}"


@pytest.mark.parametrize(
    ("rows", "code", "row"),
    [
        ([["text", "a", "ក", "A"], ["txt", "b", "ខ", "B"]], "FM-471", 3),
        ([["calculate", "b", "", "", "${zz} + 1"]], "FM-472", 2),
        ([["text", "a", "ក", "A"], ["text", "a", "ក", "A"]], "FM-473", 3),
        ([["begin group", "a", "ក", "A"], ["text", "b", "ក", "A"]], "FM-474", 2),
        ([["select_one nolist", "a", "ក", "A"]], "FM-475", 2),
        ([["text", "1 a", "ក", "A"]], "FM-476", 2),
    ],
)
def test_a_mistake_is_told_by_its_row_in_both_languages(rows: Rows, code: str, row: int) -> None:
    with pytest.raises(Refused) as refused:
        read_workbook(book([HEAD, *rows]), name="x.xlsx")
    assert refused.value.code == code
    problems: Any = refused.value.values["problems"]
    assert [(one["sheet"], one["row"]) for one in problems] == [("survey", row)]
    assert str(row) in problems[0]["words"]["km"]
    assert str(row) in problems[0]["words"]["en"]


@pytest.mark.parametrize(
    ("message", "code", "row"),
    [
        ("[row : 7] On the 'choices' sheet, the 'label' value is invalid. Choices should have a label.", "FM-477", 7),
        (
            "[row : 8] On the 'choices' sheet, the 'name' value is invalid. Choice names must be unique for each choice list.",
            "FM-478",
            8,
        ),
        ("[row : 9] Missing calculation.", "FM-479", 9),
        ("Language 'Khmer (km)' is missing the survey image column.", "FM-454", None),
    ],
)
def test_what_the_converter_says_has_words_of_ours(message: str, code: str, row: int | None) -> None:
    found = diagnostic(message, "warning")
    assert (found.code, found.row) == (code, row)
    assert found.words("km") != found.words("en")


def test_a_million_blank_rows_cost_nothing() -> None:
    data = with_rows(book(), lambda number: b'<c r="A%d" s="0"/>' % number, 1_048_000)
    began = time.process_time()
    short = check_workbook(data)
    assert time.process_time() - began < 2
    assert len(short) < 20_000
    form, _ = read_workbook(data, name="x.xlsx")
    assert len(list(form.fields())) == 4


def test_a_million_full_rows_are_refused_before_anything_reads_them() -> None:
    data = with_rows(book(), lambda number: b'<c r="A%d"><v>1</v></c>' % number, 300_000)
    with pytest.raises(Refused, match="FM-407"):
        check_workbook(data)
    wide = with_rows(book(), lambda _number: b"<c><v>1</v></c>" * 20_000, 60)
    with pytest.raises(Refused, match="FM-407"):
        check_workbook(wide)
    endless = with_rows(book(), lambda _number: b"<c/>" * 5_000_000, 1)
    with pytest.raises(Refused, match="FM-407"):
        check_workbook(endless)


def test_rows_that_are_split_between_reads_are_counted_once() -> None:
    full = with_rows(book(), lambda number: b'<c r="A%d"><is><t>%s</t></is></c>' % (number, b"x" * 700), 3_000)
    assert check_workbook(full) == full
    tail = with_rows(full, lambda number: b'<c r="A%d"/>' % number, 500)
    short = zipfile.ZipFile(BytesIO(check_workbook(tail)))
    sheet = short.read("xl/worksheets/sheet1.xml")
    assert sheet.count(b"<row") == len(SURVEY) + 3_000
    assert sheet.count(b"<row<row") == 0


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04junk", b"PK\x03\x04", book()[:-200], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1junk"]
)
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_workbook(data, name="x.xlsx")
    assert refused.value.code in ("FM-406", "FM-408")


def test_a_bomb_of_zeros_and_a_large_file_are_refused() -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as copy:
        copy.writestr("xl/sharedStrings.xml", b"\0" * 410_000_000)
    for data in (made.getvalue(), b"PK\x03\x04" + bytes(20_000_001)):
        with pytest.raises(Refused, match="FM-403"):
            check_workbook(data)


def test_a_converter_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SECONDS", 0.05)
    with pytest.raises(Refused, match="FM-408"):
        read_workbook(book(), name="x.xlsx")


def test_text_tables_are_read_too_and_other_files_are_not() -> None:
    form, _ = read_workbook(b"| survey |\n| | type | name | label |\n| | text | a | A |\n", name="x.md")
    assert [item.label for item in form.fields()] == [{"und": "A"}]
    with pytest.raises(Refused, match="FM-400"):
        read_workbook(b"| survey |", name="x.txt")


def test_what_is_written_as_a_workbook_reads_as_the_same_questions() -> None:
    form, _ = read_workbook(book(form_title="ជំរឿន", form_id="survey-1", version="3"), name="x.xlsx")
    data, left_out = write_workbook(form)
    assert left_out == []
    again, _ = read_workbook(data, name="x.xlsx")
    assert (again.id, again.version, again.title) == (form.id, form.version, form.title)
    assert again.lists == form.lists
    assert [(item.id, item.type, item.label) for item in again.fields()] == [
        (item.id, item.type, item.label) for item in form.fields()
    ]


@pytest.mark.parametrize("path", sorted((ASSETS / "forms").glob("*-1.json")), ids=lambda path: path.stem)
def test_a_form_of_ours_becomes_a_workbook_and_what_it_cannot_say_is_told(path: Path) -> None:
    form = read_form(path.read_bytes())
    data, left_out = write_workbook(form)
    again, _ = read_workbook(data, name="x.xlsx")
    assert [item.name for item in again.fields()] == [item.name for item in form.fields()]
    told = {(one.where, one.values["what"]) for one in left_out}
    assert {("applicant", "the type name"), (form.id, "roles")} <= told
    assert all(one.words("km") for one in left_out)


def test_the_household_becomes_a_workbook() -> None:
    form, _ = read_xform(HOUSEHOLD.read_bytes())
    data, left_out = write_workbook(form)
    told = {one.values["what"] for one in left_out}
    assert {"an expression within a text", "choices from nodes", "attributes of the instance"} <= told
    sheets = openpyxl.load_workbook(BytesIO(data))
    rows = list(sheets["survey"].values)
    by_name = {row[rows[0].index("name")]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert by_name["village"]["type"] == "select_one_from_file villages.csv"
    assert by_name["district"]["choice_filter"] == "province= ${province}"
    assert by_name["commune"]["parameters"] == "randomize=true seed=7"
    assert by_name["score"]["parameters"] == "start=0 end=10 step=0.5"
    assert by_name["name"]["save_to"] == "head_name"
    assert sheets["settings"].cell(2, 1).value == "ជំរឿនគ្រួសារ"


def test_no_cell_is_ever_a_formula_and_no_invisible_sign_gets_in() -> None:
    danger = '=HYPERLINK("http://x")'
    choices = {"l": ChoiceList(rows=(Row(id="1", label={"und": "+1"}),))}
    item = Field(id="a", name="a", type="select_one", label={"und": danger}, choices=Choices(list="l"), constraint="=1")
    form = Form(id="abc", version=1, title={"und": danger}, languages=("und",), items=(item,), lists=choices)
    sheets = openpyxl.load_workbook(BytesIO(write_workbook(form)[0]))
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert danger in [cell.value for cell in cells]
    bell = Form(id="abc", version=1, title={"und": "a\x07"}, languages=("und",))
    with pytest.raises(Refused, match="FM-404"):
        write_workbook(bell)
