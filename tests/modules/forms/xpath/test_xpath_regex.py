"""Java's regular expressions without backtracking: what fits, what is refused, and that nothing hangs."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms.xpath.regex import fits
from tests.modules.forms.xpath.evaluating import refusal, value

PATTERNS: list[tuple[str, list[str], list[str]]] = [
    ("abc", ["abc"], ["abcd", "xabc", "", "ABC"]), ("", [""], ["a"]), ("a|b", ["a", "b"], ["ab", ""]), ("a|", ["a", ""], ["b"]),
    ("a*b+c?", ["b", "aabbc"], ["ac", "a"]), ("(ab){2,3}", ["abab", "ababab"], ["ab", "abababab"]), ("a{2}", ["aa"], ["a", "aaa"]),
    ("a{2,}", ["aa", "aaaa"], ["a"]), ("a{0}", [""], ["a"]), (".", ["x", "ខ", "😀"], ["\n", "\r", "\u2028", "xy"]),
    ("(?s).", ["\n"], ["ab"]),
    ("[a-c]", ["a", "c"], ["d", "-"]), ("[^a-c]", ["d", "\n"], ["a"]), ("[a-]", ["a", "-"], ["b"]), ("[]a]", ["]", "a"], ["["]),
    ("[a-z&&[^aeiou]]", ["b"], ["a", "B"]), ("[a-c[x-z]]", ["a", "y"], ["m"]), ("[\\d.]+", ["1.5"], ["1a"]), ("[.*+?]", [".", "?"], ["a"]),
    ("\\d+", ["0123"], ["១២", "a"]), ("\\w+", ["a_1"], ["é", "-"]), ("\\s", [" ", "\t", "\x0b"], ["\xa0"]), ("\\D\\W\\S", ["a-b"], ["1-b"]),
    ("\\h\\v", [" \n", "\xa0\x85"], ["ab"]), ("\\.", ["."], ["a"]), ("\\x41\\u0042\\x{43}\\0104", ["ABCD"], ["abcd"]),
    ("\\t\\n", ["\t\n"], ["tn"]),
    ("\\p{L}+", ["aខ"], ["1"]), ("\\p{Lu}\\p{Ll}", ["Aa"], ["aA"]), ("\\P{L}", ["1"], ["a"]), ("\\p{Alpha}+", ["az"], ["ខ", "1"]),
    ("\\p{Punct}", ["!"], ["a"]),
    ("\\p{IsKhmer}+", ["ភ្នំពេញ។"], ["a", "1"]), ("\\p{InKhmer}+", ["ភ្នំ។"], ["a"]), ("[ក-អ]", ["ក"], ["ា"]),
    ("[០-៩]{9}", ["០១២៣៤៥៦៧៨"], ["012345678"]),
    ("(?i)abc[x-z]", ["aBCY"], ["abd"]), ("(?i:a)b", ["Ab"], ["AB"]), ("a(?i)b", ["aB"], ["AB"]), ("(?x) a b # c", ["ab"], ["a b"]),
    ("^a$", ["a", "a\n"][:1], ["ab"]), ("\\Aa\\z", ["a"], ["b"]), ("a$\n", ["a\n"], ["a"]), ("(?m)a$\n^b", ["a\nb"], ["ab"]),
    ("\\bfoo\\b.*", ["foo", "foo bar"], ["foobar"]),
    ("f\\Boo", ["foo"], ["f oo"]), ("(?=.*[0-9])(?=.*[a-z]).{4,}", ["abc1"], ["abcd", "1234", "a1"]), ("(?!0)[0-9]+", ["12"], ["012"]),
    ("a(?<=a)b", ["ab"], ["b"]), ("(?<!x).a", ["ba"], ["a"]), ("(?<name>a)(?:b)", ["ab"], ["a"]), ("a++b", ["aab"], ["b"]),
    ("a++ab", [], ["aab"]),
    ("x*+", ["", "xx"], ["y"]), ("a*?b??", ["aab", ""], ["c"]), ("\\Qa.b*\\E+", ["a.b*", "a.b**"], ["axb"]), ("\\R", ["\r\n", "\n"], ["a"]),
    ("(a|ab)(c|bcd)(d*)", ["abcd", "ac"], ["ab"]), ("((a*)*)*", ["", "aaa"], ["b"]),
    ("[+-]?[0-9]+([.][0-9]+)?", ["-1.5", "3"], ["1.", "+"]),
    ("[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,6}", ["sok.dara@moi.gov.kh"], ["sok@", "@moi.gov.kh"]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "yes", "no"), PATTERNS)
def test_fits(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not fits(pattern, text)] == []
    assert [text for text in no if fits(pattern, text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[", "[a", "*", "a{", "a{x}", "a{3,2}", "\\", "\\k<a>", "(a)\\1", "(?>a)", "(?", "(?<a", "\\p{Nope}", "\\y", "[z-a]",
     "(ab)++",
     "\\x{110000}", "\\xZZ", "\\u12", "\\0", "(?q)a", "+"],
)  # fmt: skip
def test_what_is_no_pattern_or_looks_back_is_refused(pattern: str) -> None:
    with pytest.raises(Refused) as refused:
        fits(pattern, "a")
    assert refused.value.code == "FM-312"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+b", "a" * 5_000), ("(a|aa)+b", "a" * 5_000), ("(.*)*x", "y" * 5_000), ("(a*)*(b*)*c", "ab" * 2_500),
        ("(x+x+)+y", "x" * 5_000),
        ("(.*a){12}", "a" * 3_000 + "b"), ("([a-zA-Z]+)*1", "a" * 10_000), ("(a?){50}a{50}", "a" * 49),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5_000),
    ],
)  # fmt: skip
def test_no_pattern_explodes(pattern: str, text: str) -> None:
    began = time.process_time()
    assert fits(pattern, text) is False
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a" * 2_001, ""), ("a{1001}", "a"), ("(((a{100}){100}){100})", "a"), ("(a{1000}){9}", "a"), ("(" * 61 + "a" + ")" * 61, "a"),
        ("[" * 70 + "a" + "]" * 70, "a"),
        ("a*", "a" * 20_001), ("(?=(.*)z)a*", "a" * 20_000), ("(a?){900}" * 3 + "b", "a" * 5_000),
    ],
)  # fmt: skip
def test_size_and_work_are_bounded(pattern: str, text: str) -> None:
    began = time.process_time()
    with pytest.raises(Refused) as refused:
        fits(pattern, text)
    assert refused.value.code == "FM-313"
    assert time.process_time() - began < 5


PARTS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "\\d", "1"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
        inner.map(lambda one: f"(?={one})"),
        inner.map(lambda one: f"(?!{one})"),
    ),
    max_leaves=7,
)


@given(PARTS, st.lists(st.text("ab1x", max_size=6), min_size=1, max_size=6))
def test_it_fits_as_another_engine_says(pattern: str, texts: list[str]) -> None:
    for text in texts:
        assert fits(pattern, text) is (re.fullmatch(pattern, text) is not None)


@given(st.text(max_size=25), st.text(max_size=10))
def test_any_pattern_is_read_or_refused(pattern: str, text: str) -> None:
    assert refusal(lambda: fits(pattern, text)) in (None, "FM-312", "FM-313")


def test_in_an_expression_the_refusal_has_a_place() -> None:
    assert value("regex(/data/number_text, '[0-9]{2}')") is True
    with pytest.raises(Refused) as refused:
        value("1 + 1 = 2 and regex(/data/word, '(a)\\1')")
    assert (refused.value.code, refused.value.values["place"]) == ("FM-312", 15)
