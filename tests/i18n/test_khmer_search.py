"""Search without spaces (acceptance check 13)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import pytest

from i18n import gazetteer
from i18n.search import PREFIXES, TOKENIZER, index_text, match_query

DOCUMENTS = (
    "ខេត្តព្រះសីហនុ", "ខេត្តកំពង់ចាម", "រាជធានីភ្នំពេញ", "ខណ្ឌដូនពេញ", "វិញ្ញាបនបត្រ", "ស្ត្រី", "ស្រ្តី", "សុខ ស្រីមុំ", "គ្រួសារ", "គួរ", "ក្រ",
    "ញ៉ាំបាយ", "លេខ ០១២៣", "លេខ 0123", "មក", "ទៅមក", "ខេត្តកណ្ដាល", "PDFឯកសារ v2", "Form.gov.kh", "ថ្ងៃ\u200bទី",
)  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute(f'create virtual table find using fts5(t, content="", columnsize=0, tokenize="{TOKENIZER}")')
    for row, document in enumerate(DOCUMENTS):
        made.execute("insert into find(rowid, t) values (?, ?)", (row, index_text(document)))
    yield made
    made.close()


def hits(base: sqlite3.Connection, typed: str, *, typing: bool = False) -> list[str]:
    rows = base.execute(
        "select rowid from find where find match ? order by rowid", (match_query(typed, typing=typing),)
    )
    return [DOCUMENTS[row[0]] for row in rows]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ព្រះ", ["ខេត្តព្រះសីហនុ"]), ("ពេញ", ["រាជធានីភ្នំពេញ", "ខណ្ឌដូនពេញ"]), ("ញ៉ាំ", ["ញ៉ាំបាយ"]), ("គួរ", ["គួរ"]), ("គ្រួសារ", ["គ្រួសារ"]),
        ("០១២៣", ["លេខ ០១២៣", "លេខ 0123"]), ("0123", ["លេខ ០១២៣", "លេខ 0123"]), ("មក", ["មក", "ទៅមក"]), ("ស្រ្តី", ["ស្ត្រី", "ស្រ្តី"]),
        ("កណ្តាល", ["ខេត្តកណ្ដាល"]), ("គ", []),
        ("ក", ["មក", "ទៅមក", "ខេត្តកណ្ដាល", "PDFឯកសារ v2"]), ("ឯកសារ", ["PDFឯកសារ v2"]), ("pdf", ["PDFឯកសារ v2"]), ("GOV", ["Form.gov.kh"]),
        ("ថ្ងៃទី", ["ថ្ងៃ\u200bទី"]), ("លេខ 0123", ["លេខ ០១២៣", "លេខ 0123"]), ("0123 លេខ", ["លេខ ០១២៣", "លេខ 0123"]),
    ],
)  # fmt: skip
def test_finds_words_inside_words_and_nothing_else(base: sqlite3.Connection, typed: str, found: list[str]) -> None:
    assert hits(base, typed) == found


@pytest.mark.parametrize("typed", ["ភ្", "ភ្ន", "ភ្នំ", "ភ្នំពេ", "ភ្នំពេញ"])
def test_an_unfinished_word_is_found_while_typing(base: sqlite3.Connection, typed: str) -> None:
    assert hits(base, typed, typing=True) == ["រាជធានីភ្នំពេញ"]


@pytest.mark.parametrize("typed", ["", "  ", "-", '"', "(*)", "\u17d2", "៉"])
def test_what_holds_no_letter_makes_no_query(typed: str) -> None:
    assert match_query(typed) == ""


@pytest.mark.parametrize("typed", ['ក" OR "ខ', "t:ក", "NEAR(ក ខ)", "ក*", "^ក", "ក AND", "{t}"])
def test_operators_of_the_index_are_only_text(base: sqlite3.Connection, typed: str) -> None:
    hits(base, typed, typing=True)


@pytest.mark.slow
def test_first_fifty_of_200000_rows_in_5_ms() -> None:
    base = sqlite3.connect(":memory:")
    options = f'content="", columnsize=0, prefix="{PREFIXES}", tokenize="{TOKENIZER}"'
    base.execute(f"create virtual table find using fts5(t, {options})")
    texts = [index_text(unit.km) for commune in _communes()[:700] for unit in gazetteer.children(commune)]
    base.executemany("insert into find(rowid, t) values (?, ?)", ((n, texts[n % len(texts)]) for n in range(200_000)))
    for typed in ("ព្រះ", "ភ", "ត្បូង", "ស្វាយ", "ថ្មី"):
        assert min(_seconds(base, typed) for _ in range(5)) < 0.005
    base.close()


def _communes() -> list[str]:
    districts = [district.code for province in gazetteer.children() for district in gazetteer.children(province.code)]
    return [commune.code for district in districts for commune in gazetteer.children(district)]


def _seconds(base: sqlite3.Connection, typed: str) -> float:
    start = time.perf_counter()
    base.execute(
        "select rowid from find where find match ? order by rowid desc limit 50", (match_query(typed),)
    ).fetchall()
    return time.perf_counter() - start
