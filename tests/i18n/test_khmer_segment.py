"""Words, clusters and line breaks (acceptance checks 6 and 7)."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i18n.normalise import ZWSP
from i18n.segment import clusters, display, line_pieces, segments

HANGS_ON = [chr(code) for code in (*range(0x17B4, 0x17D4), 0x17DD)]
TEXT = st.text(
    st.one_of(
        st.characters(min_codepoint=0x1780, max_codepoint=0x17E9), st.sampled_from("\u17d2\u200b\u200c\u200d aA1()។ៗ\n")
    ),
    max_size=30,
)


def test_ministry_has_four_words(khmer_samples: dict[str, str]) -> None:
    assert segments(khmer_samples["ministry"]) == ["ក្រសួង", "ប្រៃសណីយ៍", "និង", "ទូរគមនាគមន៍"]


def test_text_without_spaces_is_cut_as_icu_cuts_it(khmer_samples: dict[str, str]) -> None:
    words = segments(khmer_samples["nospace"])
    assert len(words) == 22
    assert words[12:] == ["មន្ត្រី", "រាជការ", "នៅ", "តាម", "ខេត្ត", "ស្រុក", "ដែល", "មិន", "មាន", "អ៊ីនធឺណិត"]


@pytest.mark.parametrize("term", ["ព្រះសីហនុ", "ព្រឹត្តិការណ៍", "អ៊ីនធឺណិត", "អនឡាញ", "ពេជ្រាដា", "ជាំក្សាន្ដ", "ជាំក្សាន្ត"])
def test_terms_are_never_cut(term: str) -> None:
    assert segments(term) == [term]
    assert line_pieces(f"{term}។ ") == [f"{term}។ "]
    assert line_pieces(f"នៅ{term} នេះ")[1] == f"{term} "


def test_repetition_and_closing_marks_never_start_a_line() -> None:
    assert line_pieces("ផ្សេងៗ (ក) ខ។") == ["ផ្សេងៗ ", "(ក) ", "ខ។"]
    assert line_pieces("«ក្រសួង»") == ["«ក្រសួង»"]


@settings(max_examples=300)
@given(st.one_of(TEXT, st.text(max_size=20)))
def test_pieces_joined_are_the_text_and_no_cluster_is_cut(text: str) -> None:
    for cut in (segments, line_pieces, clusters):
        pieces = cut(text)
        assert "".join(pieces) == text
        assert all(pieces)
        for before, piece in pairwise(pieces):
            assert not (piece[0] in HANGS_ON and before[-1] != "\n")
            assert before[-1] != "\u17d2" or not "\u1780" <= piece[0] <= "\u17b3"


@settings(max_examples=200)
@given(TEXT)
def test_display_only_adds_zero_width_spaces_and_is_undone(text: str) -> None:
    shown = display(text)
    assert shown.replace(ZWSP, "") == text.replace(ZWSP, "")
    assert display(shown) == shown


def test_display_breaks_between_words_and_keeps_what_the_author_typed() -> None:
    assert display("ក្រសួងប្រៃសណីយ៍និង") == "ក្រសួង\u200bប្រៃសណីយ៍\u200bនិង"
    assert display("ក្រសួង\u200bប្រៃសណីយ៍") == "ក្រសួង\u200bប្រៃសណីយ៍"
    assert display("Latin only") == "Latin only"
    assert display("") == ""


def test_clusters_are_what_the_eye_counts() -> None:
    assert clusters("ស្ត្រីខ្ញុំ Aé") == ["ស្ត្រី", "ខ្ញុំ", " ", "A", "é"]
    assert clusters("ក្") == ["ក្"]


def test_12700_characters_are_segmented_in_30_ms(khmer_prose: str) -> None:
    def seconds() -> float:
        start = time.perf_counter()
        segments(khmer_prose)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.030
