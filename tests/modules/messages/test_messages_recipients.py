"""Tables of recipients: every encoding told apart, every bad row named with every reason, nothing guessed silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.messages import checking, recipients
from modules.messages.template import parse

CSV = "ឈ្មោះ,លេខទូរស័ព្ទ\nលឹម ស្រីមុំ,012 345 678\nចាន់ សុខា,០៩៧ ៦៥៤ ៣២១០\n"
TEXT = parse("ជូនចំពោះ {{ឈ្មោះ}}")


def check(csv: str, **rules: object) -> list[checking.Recipient]:
    return checking.check(TEXT, recipients.read_bytes(csv.encode()), checking.Rules(**rules))  # type: ignore[arg-type]


def codes(csv: str, **rules: object) -> dict[int, list[str]]:
    return {one.row: [code for code, _ in one.problems] for one in check(csv, **rules)}


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (CSV.encode(), "UTF-8"), (CSV.encode("utf-8-sig"), "UTF-8-SIG"), (CSV.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + CSV.encode("utf-16-be"), "UTF-16"), (CSV.encode("utf-16-le"), "UTF-16-LE"), (CSV.encode("utf-16-be"), "UTF-16-BE"),
        (CSV.replace("\n", "\r\n").encode("utf-16-le"), "UTF-16-LE"),
    ],
)  # fmt: skip
def test_unicode_in_every_dress(data: bytes, encoding: str) -> None:
    table = recipients.read_bytes(data)
    assert (table.encoding, table.header, len(table.rows)) == (encoding, ("ឈ្មោះ", "លេខទូរស័ព្ទ"), 2)
    assert [one.phone for one in checking.check(TEXT, table, checking.Rules())] == ["+85512345678", "+855976543210"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    table = recipients.read_bytes(CSV.replace(",", delimiter).encode())
    assert (table.delimiter, table.header) == (delimiter, ("ឈ្មោះ", "លេខទូរស័ព្ទ"))


def test_a_spreadsheets_own_word_on_its_delimiter_counts() -> None:
    table = recipients.read_bytes(("sep=;\r\n" + CSV.replace(",", ";")).encode())
    assert (table.delimiter, table.numbers) == (";", (3, 4))


def test_quoted_cells_keep_their_commas_and_lines() -> None:
    found = check('ឈ្មោះ,លេខទូរស័ព្ទ\n"លឹម, ""ស្រីមុំ""\nទី២",012345678\n')
    assert found[0].text == 'ជូនចំពោះ លឹម, "ស្រីមុំ"\nទី២'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("name,phone\ncaf\xe9,012345678\n".encode("cp1252"), "MS-021"),  # Windows-1252
        (b"name,phone\n\xb4\xc1\xce\xd2,012345678\n", "MS-021"),  # an old Khmer font
        (CSV.encode("utf-16-le")[:-1], "MS-021"),  # cut in the middle
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "MS-021"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0" + bytes(range(200, 256)) * 4, "MS-021"),  # a spreadsheet, not a CSV
        (CSV.encode().decode("cp1252", "replace").replace("\ufffd", "").encode(), "MS-022"),  # read wrongly once, saved again
        (b"", "MS-024"), ("ឈ្មោះ,លេខទូរស័ព្ទ\n\n,\n".encode(), "MS-024"),
        (b"phone,Phone\n1,2\n", "MS-025"),
        (b"a,,phone\n1,2,3\n", "MS-029"), (b'a,phone\n"1,2\n3,4\n', "MS-028"), (b'a,phone\n"1"x,2\n', "MS-028"),
        (("a,phone\n" + "x" * 2001 + ",1\n").encode(), "MS-027"), ((",".join("a" * 65) + "\n1\n").encode(), "MS-027"),
        (b"phone\n" + b"1\n" * 30_001, "MS-027"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_reason(data: bytes, code: str) -> None:
    with pytest.raises(Refused, match=code):
        recipients.read_bytes(data, "a.csv")


def test_two_columns_of_telephones_are_one_too_many() -> None:
    with pytest.raises(Refused, match="MS-025"):
        check("ឈ្មោះ,ទូរស័ព្ទ,phone\nក,1,2\n")


def test_a_file_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    with big.open("wb") as out:
        out.truncate(recipients.LARGEST + 1)
    with pytest.raises(Refused, match="MS-026"):
        recipients.read_file(big)
    with pytest.raises(Refused, match="MS-020"):
        recipients.read_file(tmp_path / "none.csv")


def test_columns_that_the_text_asks_for_must_be_there() -> None:
    with pytest.raises(Refused, match="MS-030") as refusal:
        check("name,phone\na,012345678\n")
    assert refusal.value.values["fields"] == "ឈ្មោះ"
    with pytest.raises(Refused, match="MS-023"):
        check("ឈ្មោះ,address\na,b\n")


def test_every_bad_row_is_named_at_once_with_every_reason() -> None:
    table = (
        "ឈ្មោះ,លេខទូរស័ព្ទ\n"
        "លឹម ស្រីមុំ,012 345 678\n"  # 2 right
        ",012 345 679\n"  # 3 no name
        "ចាន់ សុខា,12\n"  # 4 no number at all
        "សុខ,+855 12 345 678\n"  # 5 the number of row 2 again
        "សៅ,023 722 333\n"  # 6 landline
        "ម៉ៅ,+66 81 234 5678\n"  # 7 another country
        "ហេង\n"  # 8 a cell is missing
        "\u200b,\n"  # blank: not a recipient
        "ពៅ,,,x\n"  # 10 too many cells, no number
        "នី,092 111 222,,\n"  # 11 empty cells at the end are no fault
        "ធី,085 999 888\n"  # 12 opted out
        ",abc\n"  # 13 two reasons
    )
    assert codes(table, opted_out={"+85585999888"}) == {
        2: [], 3: ["MS-101"], 4: ["MS-102"], 5: ["MS-104"], 6: ["MS-103"], 7: ["MS-108"], 8: ["MS-106", "MS-109"], 10: ["MS-106", "MS-109"],
        11: [], 12: ["MS-105"], 13: ["MS-102", "MS-101"],
    }  # fmt: skip
    twice = [dict(values) for one in check(table) for code, values in one.problems if code == "MS-104"]
    assert twice == [{"row": 2}]


def test_a_text_that_is_too_long_for_one_person_is_that_persons_fault_only() -> None:
    table = f"ឈ្មោះ,phone\n{'ក' * 600},012345678\nខ,012345679\n"
    assert codes(table, most_segments=3) == {2: ["MS-107"], 3: []}


def test_totals_count_what_can_be_sent() -> None:
    found = check("ឈ្មោះ,phone\n" + "ក\u200b" * 40 + ",012345678\nខ,012345679\nគ,1\n")
    total = checking.total(found, 8)
    assert total == checking.Sum(good=2, bad=1, segments=3, longest=2, segments_without_breaks=2)
    assert checking.total(check("ឈ្មោះ,phone\n" + "ក\u200b" * 40 + ",012345678\n", strip_breaks=True), 8).segments == 1


def answer(data: bytes) -> str:
    """How a table is taken: "taken", or the code of the refusal."""
    try:
        table = recipients.read_bytes(data)
        found = checking.check(parse("{{a}}"), table, checking.Rules())
    except Refused as refusal:
        return refusal.code
    return "taken" if len(found) == len(table.rows) else "lost"


@given(
    st.binary(max_size=400)
    | st.text(alphabet='ab,";\t\n\r ០១២\u200bក', max_size=200).map(lambda text: ("phone,a\n" + text).encode())
)
def test_any_bytes_get_an_answer(data: bytes) -> None:
    assert answer(data) == "taken" or answer(data).startswith("MS-0")
