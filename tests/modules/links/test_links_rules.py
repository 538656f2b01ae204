"""Every reason against an address has its own code; all are told at once; what is right passes and has one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.errors import catalogue, explain
from modules.links import rules

GOOD = [
    ("https://www.gdt.gov.kh/forms?x=1#a", "https://www.gdt.gov.kh/forms?x=1#a"),
    ("https://paris.gdt.gov.kh/", "https://paris.gdt.gov.kh/"),  # holds "is.gd"
    ("https://orbit.lyrics.com/", "https://orbit.lyrics.com/"),  # holds "bit.ly"
    ("HTTPS://WWW.MOI.GOV.KH", "https://www.moi.gov.kh/"),
    ("https://moi.gov.kh:443/a", "https://moi.gov.kh/a"),
    ("\u200bhttps://moi.gov.kh/x\u200b \n", "https://moi.gov.kh/x"),
    ("https://ខ្មែរ.com/", "https://xn--j2e0cg3n2c.com/"),
    (
        "https://moi.gov.kh/ការិយាល័យ",
        "https://moi.gov.kh/%E1%9E%80%E1%9E%B6%E1%9E%9A%E1%9E%B7%E1%9E%99%E1%9E%B6%E1%9E%9B%E1%9F%90%E1%9E%99",
    ),
    ("https://moi.gov.kh/%E1%9E%80?a=b%20c", "https://moi.gov.kh/%E1%9E%80?a=b%20c"),
    ("https://verify.gov.kh/about", "https://verify.gov.kh/about"),
    ("https://example.com/?next=http://x.com/@a:444", "https://example.com/?next=http://x.com/@a:444"),
]
BAD = [
    ("http://www.gdt.gov.kh/", ["LN-102"]),
    ("www.gdt.gov.kh/x", ["LN-102"]),
    ("ftp://gdt.gov.kh/", ["LN-102"]),
    ("javascript:alert(1)", ["LN-102"]),
    ("mailto:someone@gov.kh", ["LN-102"]),
    ("https:moi.gov.kh", ["LN-101"]),
    ("https:///x", ["LN-101"]),
    ("", ["LN-101"]),
    ("https://a_b.com/", ["LN-103"]),
    ("https://moi.gov.kh./", ["LN-103"]),
    ("https://moi..gov.kh/", ["LN-103"]),
    ("https://-moi.gov.kh/", ["LN-103"]),
    ("https://" + "a" * 64 + ".com/", ["LN-103"]),
    ("https://moi.gov.kh:99999/", ["LN-103"]),
    ("https://moi.gov.kh:/", ["LN-103"]),
    ("https://verify%2egov.kh/", ["LN-103", "LN-115"]),
    ("https://[::1/", ["LN-103"]),
    ("https://foo.notatld/", ["LN-104"]),
    ("https://server/", ["LN-104"]),
    ("https://gov.kh/", ["LN-105"]),
    ("https://co.uk/", ["LN-105"]),
    ("https://go.gov.kh/abc", ["LN-106"]),
    ("https://www.go.gov.kh/abc", ["LN-106"]),
    ("https://bit.ly/3abc", ["LN-107"]),
    ("https://www.tinyurl.com/x", ["LN-107"]),
    ("https://user:pw@moi.gov.kh/", ["LN-108"]),
    ("https://moi.gov.kh@evil.com/", ["LN-108"]),
    ("https://@moi.gov.kh/", ["LN-108"]),
    ("https://localhost/", ["LN-109"]),
    ("https://printer.local/", ["LN-109"]),
    ("https://192.168.1.4/", ["LN-109"]),
    ("https://10.0.0.1/", ["LN-109"]),
    ("https://169.254.169.254/latest", ["LN-109"]),
    ("https://2130706433/", ["LN-109"]),
    ("https://0x7f.1/", ["LN-109"]),
    ("https://0177.0.0.1/", ["LN-109"]),
    ("https://[::1]/", ["LN-109"]),
    ("https://[fd00::1]/", ["LN-109"]),
    ("https://8.8.8.8/", ["LN-110"]),
    ("https://[2001:4860:4860::8888]/", ["LN-110"]),
    ("https://moi.gov.kh:444/", ["LN-111"]),
    ("https://ខ្មែរa.com/", ["LN-112"]),
    ("https://gоv.kh/", ["LN-112", "LN-113", "LN-115"]),  # Cyrillic o
    ("https://аррӏе.com/", ["LN-113"]),  # all Cyrillic
    ("https://xn--80ak6aa92e.com/", ["LN-113"]),  # the same, written in ASCII
    ("https://verify.gov.kh.evil.com/", ["LN-114"]),
    ("https://gov.kh.example.com/", ["LN-114"]),
    ("https://verify-gov-kh.com/", ["LN-114"]),
    ("https://verify.g0v.kh.com/", ["LN-114"]),
    ("https://govkh.net/", ["LN-114"]),
    ("https://g0v.kh/", ["LN-115"]),
    ("https://verify.g0v.kh/", ["LN-115"]),
    ("https://qov.kh/", ["LN-115"]),
    ("https://ogv.kh/", ["LN-115"]),
    ("https://verifygov.kh/", ["LN-115"]),
    ("https://verify.gov.kh/d?key=12", ["LN-116"]),
    ("https://verify.gov.kh/d?a=1&k%65y=12", ["LN-116"]),
    ("https://VERIFY.GOV.KH/d?KEY", ["LN-116"]),
    ("https://moi.gov.kh/a b", ["LN-117"]),
    ("https://evil.com\\@moi.gov.kh/", ["LN-117"]),
    ("https://moi\u200b.gov.kh/", ["LN-117"]),
    ("https://moi.gov.kh/\r\nSet-Cookie:x", ["LN-117"]),
    ("https://moi.gov.kh/" + "a" * 2000, ["LN-118"]),
    ("https://xn--zzzzzz--.com/", ["LN-120"]),
    ("https://ខ្មែរ្.com/", ["LN-120"]),
    # everything at once
    ("http://user@192.168.0.1:8080/a b", ["LN-117", "LN-102", "LN-108", "LN-111", "LN-109"]),
    ("http://www.bit.ly:8080/x", ["LN-102", "LN-111", "LN-107"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "kept"), GOOD)
def test_a_right_address_passes_in_one_spelling(typed: str, kept: str) -> None:
    checked = rules.check(typed)
    assert (checked.url, [problem.code for problem in checked.problems]) == (kept, [])
    assert rules.check(checked.url).url == kept


@pytest.mark.parametrize(("typed", "reasons"), BAD)
def test_every_reason_has_its_code_and_all_are_told_at_once(typed: str, reasons: list[str]) -> None:
    assert [problem.code for problem in rules.check(typed).problems] == reasons


def test_every_reason_of_the_catalogue_is_seen_above() -> None:
    told = {reason for _, reasons in BAD for reason in reasons}
    assert told == {code for code in catalogue() if code.startswith("LN-1")}


@pytest.mark.parametrize(("typed", "reasons"), BAD)
@pytest.mark.parametrize("language", ["km", "en"])
def test_the_words_of_a_reason_leave_no_gap(typed: str, reasons: list[str], language: str) -> None:
    for problem in rules.check(typed).problems:
        words = explain(problem.refusal(), language)
        assert "…" not in words.what + words.next and words.kept


def test_the_office_may_allow_other_ports_and_names_its_own_redirector() -> None:
    assert not rules.check("https://moi.gov.kh:8443/", rules.Policy(other_ports=True)).problems
    own = rules.check("https://l.example.gov.kh/x", rules.Policy(own=frozenset({"l.example.gov.kh"})))
    assert [problem.code for problem in own.problems] == ["LN-106"]


def test_what_a_browser_would_open_behind_a_backslash_is_what_is_named() -> None:
    assert rules.check("https://evil.com\\@moi.gov.kh/").host == "evil.com"


def test_a_name_in_khmer_is_shown_in_khmer() -> None:
    assert rules.check("https://ខ្មែរ.com/").host == "ខ្មែរ.com"
    assert rules.check("https://tax.gdt.gov.kh/").domain == "gdt.gov.kh"


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    checked = rules.check(text)
    assert checked.problems or checked.url.startswith("https://")


@given(st.text(alphabet="https:/.@[]0123456789abxкгкхខ-%?#\\ \u200b", max_size=60))
def test_any_near_address_gets_an_answer_and_keeps_its_spelling(text: str) -> None:
    checked = rules.check("https://" + text)
    if not checked.problems:
        again = rules.check(checked.url)
        assert (again.url, again.problems) == (checked.url, ())
