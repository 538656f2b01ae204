"""Each function of ODK's XPath, with the traps that its specification names."""

from __future__ import annotations

import base64
import math
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from nacl.signing import SigningKey

from i18n.dates import PHNOM_PENH
from modules.contract import Refused
from modules.forms.xpath import FUNCTIONS, compile_expression
from tests.modules.forms.xpath.evaluating import value

NAN = math.nan
KEY = SigningKey(b"\x07" * 32)
SIGNED = base64.b64encode(bytes(KEY.sign("ឈ្មោះ:សុខ".encode()))).decode()
PUBLIC = base64.b64encode(bytes(KEY.verify_key)).decode()

CASES: list[tuple[str, Any]] = [
    # strings
    ("string(5)", "5"), ("string(0.5)", "0.5"), ("string(1 div 3)", "0.3333333333333333"), ("string(true())", "true"),
    ("string(10000000000000000000000)", "10000000000000000000000"), ("string(0.0000001)", "0.0000001"), ("string(-0.0)", "0"),
    ("string(1 div 0)", "Infinity"), ("string(-1 div 0)", "-Infinity"), ("string(0 div 0)", "NaN"), ("string(/data/birth)", "2012-01-31"),
    ("string(/data/at)", "2012-01-31T10:30:00.000+07:00"), ("string(/data/nothing)", ""), ("string(/data/row/x)", "1"),
    ("concat('a')", "a"), ("concat('a', 1, true())", "a1true"), ("concat(/data/row/y, '.', /data/row/x)", "abc.123"),
    ("join(', ', /data/row/y)", "a, b, c"), ("join('-', 'a', 1, /data/row/x)", "a-1-1-2-3"), ("join('-')", ""),
    ("substr('hello', 1, 3)", "el"), ("substr('hello', 1)", "ello"), ("substr('hello', -3)", "llo"), ("substr('hello', -3, -1)", "ll"),
    ("substr('hello', 9)", ""), ("substr('hello', 3, 1)", ""), ("substr('hello', 1.9)", "ello"), ("substr('hello', 'x')", "hello"),
    ("substr('ភ្នំពេញ', 0, 4)", "ភ្នំ"),
    ("substring-before('a-b-c', '-')", "a"), ("substring-before('abc', 'x')", ""), ("substring-before('abc', '')", ""),
    ("substring-after('a-b-c', '-')", "b-c"), ("substring-after('abc', 'x')", ""), ("substring-after('abc', '')", "abc"),
    ("translate('bar', 'abc', 'AB')", "BAr"), ("translate('--aaa--', 'abc-', 'ABC')", "AAA"), ("translate('aa', 'aa', 'xy')", "xx"),
    ("string-length('ភ្នំ')", 4.0), ("string-length('')", 0.0), ("normalize-space('  a   b\tc ')", "a b c"),
    ("contains('abc', 'b')", True), ("contains('abc', '')", True), ("contains('abc', 'x')", False),
    ("starts-with('abc', 'ab')", True), ("starts-with('abc', 'b')", False), ("ends-with('abc', 'bc')", True),
    ("ends-with('abc', 'b')", False),
    ("digest('abc', 'MD5', 'hex')", "900150983cd24fb0d6963f7d28e17f72"), ("digest('abc', 'SHA-1')", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
    ("digest('abc', 'sha-256', 'HEX')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("string-length(digest('abc', 'SHA-384', 'hex'))", 96.0), ("string-length(digest('abc', 'SHA-512', 'hex'))", 128.0),
    ("base64-decode('4Z6f4Z674Z6B')", "សុខ"), ("base64-decode('aGVs bG8=')", "hello"), ("base64-decode('!')", ""),
    ("base64-decode('')", ""),
    (f"extract-signed('{SIGNED}', '{PUBLIC}')", "ឈ្មោះ:សុខ"), (f"extract-signed('{SIGNED}', '{PUBLIC[:-4]}AAA=')", ""),
    (f"extract-signed('A{SIGNED[1:]}', '{PUBLIC}')", ""), ("extract-signed('', '')", ""),
    ("regex('012345678', '0[0-9]{8}')", True), ("regex('0123456789', '0[0-9]{8}')", False), ("regex('', '')", True),
    # logic
    ("true()", True), ("false()", False), ("if(/data/a > 3, 'more', 'less')", "more"), ("if(/data/empty, 1, 2)", 2.0),
    ("if(false(), /data/a, /data/row/x)", ["1", "2", "3"]),
    ("boolean('false')", True), ("boolean('')", False), ("boolean(0)", False), ("boolean(0 div 0)", False), ("boolean(-1)", True),
    ("boolean(/data/empty)", False), ("boolean(/data/word)", True), ("boolean(/data/nothing)", False), ("boolean(/data/row)", True),
    ("boolean(/data/group)", True),
    ("boolean-from-string('true')", True), ("boolean-from-string('TRUE')", True), ("boolean-from-string(1)", True),
    ("boolean-from-string('yes')", False), ("not(/data/empty)", True), ("not(/data/zero)", True), ("not('false')", False),
    ("coalesce('', 'b')", "b"), ("coalesce(/data/empty, /data/a)", 5.0), ("coalesce(/data/a, 1)", 5.0), ("coalesce(0 div 0, 4)", 4.0),
    ("checklist(1, 2, true(), false())", True), ("checklist(2, -1, 1, 0, 'yes')", True), ("checklist(-1, 1, 1, 'yes', '0')", False),
    ("checklist(1, 1, /data/row/z)", True), ("weighted-checklist(3, 5, 1, 2, 'no', 9, 'yes', 2)", True),
    ("weighted-checklist(-1, 3, 1, 2, 1, 2)", False), ("weighted-checklist(3, -1, /data/row/x, /data/row/x)", True),
    # numbers
    ("number('12')", 12.0), ("number(' 1.5 ')", 1.5), ("number('.5')", 0.5), ("number('')", NAN), ("number('1e5')", NAN),
    ("number('1,5')", NAN),
    ("number(true())", 1.0), ("number('1970-01-02')", 1.0), ("number('1970-01-01T12:00:00.000Z')", 0.5), ("number('2012-02-30')", NAN),
    ("number(/data/birth)", 15370.0), ("int(3.7)", 3.0), ("int(-3.7)", -3.0), ("int('x')", NAN), ("int(1 div 0)", math.inf),
    ("round(2.5)", 3.0), ("round(-2.5)", -2.0), ("round(1.005, 2)", 1.01), ("round(-2.345, 2)", -2.34), ("round(1234.5, -2)", 1200.0),
    ("round(-1234, -2)", -1200.0), ("round(0.5, 31)", NAN), ("round('x')", NAN), ("round(1 div 0)", math.inf), ("round(2.345, 1.9)", 2.3),
    ("abs(-3)", 3.0), ("pow(2, 10)", 1024.0), ("pow(0, -1)", math.inf), ("pow(-8, 1 div 3)", NAN), ("pow(10, 400)", math.inf),
    ("pow(-10, 401)", -math.inf), ("log(1)", 0.0), ("log(0)", -math.inf), ("log(-1)", NAN), ("log10(1000)", 3.0), ("log10(0)", -math.inf),
    ("sqrt(16)", 4.0), ("sqrt(-1)", NAN), ("exp(0)", 1.0), ("exp(1000)", math.inf), ("exp10(2)", 100.0), ("exp10(999)", math.inf),
    ("sin(0)", 0.0), ("cos(0)", 1.0), ("tan(0)", 0.0), ("asin(1)", math.pi / 2), ("asin(2)", NAN), ("acos(1)", 0.0), ("acos(9)", NAN),
    ("atan(1)", math.pi / 4), ("atan2(1, -1)", 3 * math.pi / 4), ("pi()", math.pi), ("sin(1 div 0)", NAN),
    ("sum(/data/row/x)", 6.0), ("sum(/data/row/z)", 3.5), ("sum(/data/nothing)", 0.0), ("sum(/data/row/y)", NAN),
    ("max(/data/row/z)", 4.5), ("max(-5, -3)", -3.0), ("max(/data/row/x, 9)", 9.0), ("max(/data/empty)", NAN), ("max('a', 1)", NAN),
    ("min(/data/row/z)", -1.0), ("min(3, 1, 2)", 1.0), ("min(/data/nothing)", NAN),
    # nodes
    ("count(/data/row)", 3.0), ("count(/data/nothing)", 0.0), ("count-non-empty(/data/row/z)", 2.0), ("count-non-empty(/data/row)", 3.0),
    ("position(/data/row[y = 'c'])", 3.0), ("position(/data/nothing)", 0.0), ("/data/row[last()]/x", ["3"]), ("count(current())", 1.0),
    ("instance('fruit')/root/item[name = 'b']/label", ["Banana"]), ("count(instance('fruit')/root/item)", 4.0),
    ("randomize(instance('fruit')/root/item/name, 42)", ["a", "d", "c", "b"]), ("count(randomize(/data/row))", 3.0),
    ("pulldata('fruit', 'label', 'name', 'c')", "Cherry"), ("pulldata('fruit', 'label', 'name', 'z')", ""),
    ("indexed-repeat(/data/row/x, /data/row, 2)", ["2"]), ("indexed-repeat(/data/row/x, /data/row, 9)", []),
    ("indexed-repeat(/data/row/x, /data/row, 0)", []), ("indexed-repeat(/data/row/sub/q, /data/row, 1, /data/row/sub, 2)", ["11"]),
    # time
    ("today()", date(2026, 11, 23)), ("now()", datetime(2026, 11, 23, 14, 2, 3, 456000, tzinfo=PHNOM_PENH)),
    ("date('2012-01-31')", date(2012, 1, 31)), ("date('2012-1-5')", date(2012, 1, 5)), ("date(15370)", date(2012, 1, 31)),
    ("date(15370.9)", date(2012, 1, 31)), ("date('2012-01-31T23:30:00.000Z')", date(2012, 2, 1)), ("date('')", ""), ("date('abc')", ""),
    ("date('2012-02-30')", ""), ("date(1 div 0)", ""), ("date(1000000000000)", ""),
    ("date-time('2012-01-31')", datetime(2012, 1, 31, tzinfo=PHNOM_PENH)), ("date-time(0.5)", datetime(1970, 1, 1, 19, tzinfo=PHNOM_PENH)),
    ("date-time('x')", ""),
    ("format-date('2012-01-05', '%Y-%m-%d %y %n/%e %b %a')", "2012-01-05 12 1/5 Jan Thu"), ("format-date('', '%Y')", ""),
    ("format-date(15370, '%d.%m.%Y')", "31.01.2012"), ("format-date('2012-01-05', '100%% %x')", "100% x"), ("format-date('x', '%Y')", ""),
    ("format-date-time('2012-01-31T03:04:05.678Z', '%H:%h:%M:%S.%3')", "10:10:04:05.678"), ("format-date-time(/data/at, '%H%M')", "1030"),
    ("decimal-date-time('1970-01-02')", 1.0), ("decimal-date-time('1970-01-01T12:00:00.000Z')", 0.5), ("decimal-date-time('')", NAN),
    ("decimal-time('18:00:00.000+07:00')", 0.75), ("decimal-time('12:00')", 0.5), ("decimal-time('05:00:00Z')", 0.5),
    ("decimal-time(/data/at)", 0.4375), ("decimal-time(/data/birth)", 0.0), ("decimal-time('25:00')", NAN), ("decimal-time(1.25)", 0.25),
    # choices and language
    ("selected('a b c', 'b')", True), ("selected('abc', 'b')", False), ("selected('', '')", True), ("selected('a b', ' b ')", True),
    ("is-selected(/data/chosen, 'c')", True), ("selected(/data/chosen, 'b')", False),
    ("selected-at('a b c', 0)", "a"), ("selected-at('a b c', 3)", ""), ("selected-at('a b c', -1)", ""),
    ("selected-at('a b c', 0 div 0)", ""),
    ("count-selected('a b  c')", 3.0), ("count-selected('')", 0.0), ("count-selected(/data/chosen)", 2.0),
    ("jr:choice-name('a', '/data/chosen')", "ផ្លែប៉ោម"), ("jr:choice-name('q', '/data/chosen')", ""), ("jr:itext('hello')", "សួស្តី"),
    ("jr:choice-name(selected-at(/data/chosen, 0), ' ../chosen ')", "ផ្លែប៉ោម"), ("jr:choice-name('a', '${chosen}')", "ផ្លែប៉ោម"),
    ("jr:choice-name('a', concat('/data/', 'chosen'))", "ផ្លែប៉ោម"), ("jr:choice-name('a', '(')", ""), ("jr:itext('none')", ""),
    ("string(${last-saved#a})", "41"), ("${last-saved#a} + ${a}", 46.0), ("property('username')", "sokha"), ("property('imei')", ""),
    # geo
    ("round(area(/data/shape))", 30355086.0), ("round(enclosed-area('0 0; 0 1; 1 0'))", 6195942628.0), ("area('0 0; 0 1')", 0.0),
    ("area('x')", NAN),
    ("round(distance('11.5 104.9; 11.6 104.9'))", 11132.0), ("distance('11.5 104.9', '11.5 104.9')", 0.0), ("distance('')", 0.0),
    ("distance('95 10')", NAN), ("geofence('11.52 104.92', /data/shape)", True), ("geofence('12 104.92', /data/shape)", False),
    ("geofence('', /data/shape)", False), ("intersects('0 0; 1 1; 0 1; 1 0')", True), ("intersects('0 0; 1 1; 0 1')", False),
    ("intersects(/data/shape)", False), ("intersects('0 0; 2 0; 1 0')", True), ("intersects('0 0; 0 2; 1 1; -1 1')", True),
    ("intersects('x')", False),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wanted"), CASES, ids=[case[0][:60] for case in CASES])
def test_it_gives(expression: str, wanted: Any) -> None:
    given = value(expression)
    assert type(given) is type(wanted)
    if isinstance(wanted, float):
        assert (math.isnan(given) and math.isnan(wanted)) or given == pytest.approx(wanted, rel=1e-12)  # type: ignore[arg-type]
    else:
        assert given == wanted


def test_every_function_is_tried_here() -> None:
    tried = {name for expression, _ in CASES for name in re.findall(r"([a-z][\w:-]*)\(", expression)}
    by_themselves = {"uuid", "random", "once"}  # below
    assert set(FUNCTIONS) == (tried | by_themselves) & set(FUNCTIONS)


def test_chance_is_fresh_and_in_its_bounds() -> None:
    uuid = value("uuid()")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", str(uuid))
    assert re.fullmatch(r"[0-9A-Z]{12}", str(value("uuid(12)")))
    number = value("random()")
    assert isinstance(number, float) and 0 <= number < 1
    assert value("random() = random()") is False


def test_once_keeps_the_own_answer() -> None:
    assert value("once(9)", "/data/out") == 9.0
    assert value("once(9)", "/data/a") == 5.0


def test_without_an_argument_the_own_answer_is_meant() -> None:
    assert value("string-length()", "/data/word") == 11.0
    assert value("normalize-space()", "/data/word") == "hello world"
    assert value("position()", "/data/row[2]") == 2.0


def test_months_and_days_follow_the_language() -> None:
    assert value("format-date('2012-01-05', '%b %a')", language="km") == "មករា ព្រហស្បតិ៍"


def test_dates_are_days_in_arithmetic() -> None:
    assert value("today() - /data/birth") == float((date(2026, 11, 23) - date(2012, 1, 31)) / timedelta(days=1))
    assert value("date(/data/birth + 30)") == date(2012, 3, 1)
    assert value("today() <= now()") is True
    assert value("now() - today() < 1") is True
    assert value("/data/birth = '2012-01-31'") is True
    assert value("/data/birth < '2012-02-01'") is True
    assert value("'2012-01-31' < '2012-02-01T00:00:00.000+07:00'") is True


def test_an_empty_answer_is_no_zero() -> None:
    assert math.isnan(value("/data/empty + 1"))  # type: ignore[arg-type]
    assert value("/data/empty < 1") is False
    assert value("/data/empty = ''") is True


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("nothing(1)", "FM-306"), ("substring('a', 1)", "FM-306"), ("if(1, 2)", "FM-307"), ("true(1)", "FM-307"), ("count('a')", "FM-308"),
        ("sum(5)", "FM-308"), ("1 | 2", "FM-308"), ("digest('a', 'X')", "FM-314"), ("digest('a', 'MD5', 'bin')", "FM-314"),
        ("instance('none')/root", "FM-310"), ("pulldata('none', 'a', 'b', 'c')", "FM-310"), ("regex('a', '(')", "FM-312"),
        ("indexed-repeat('a', /data/row, 1)", "FM-308"), ("indexed-repeat(/data/row/x, /data/group, 1)", "FM-308"),
        ("indexed-repeat(/data/row/x, /data/row)", "FM-307"), ("weighted-checklist(1, 2, 3, 4, 5)", "FM-307"), ("uuid(99999)", "FM-317"),
        ("randomize(1)", "FM-308"), ("('a')/b", "FM-308"), ("${none}", "FM-309"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(expression: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        value(expression)
    assert refused.value.code == code
    assert refused.value.values["place"]


@pytest.mark.parametrize(
    ("expression", "code"), [("regex(/data/word, '(')", "FM-312"), ("digest(/data/word, 'X', 'hex')", "FM-314")]
)
def test_what_can_never_work_is_refused_before_it_runs(expression: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_expression(f"1 = 2 and {expression}")
    assert (refused.value.code, refused.value.values["place"]) == (code, 11)


def test_an_unknown_name_is_told_what_is_near() -> None:
    with pytest.raises(Refused) as refused:
        value("1 + substrin('a', 1)")
    assert refused.value.values == {"name": "substrin", "place": 5, "near": "substr"}
