"""Codes never collide, never tell their counter, and expose every single wrong symbol and every swap."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Known
from modules.links import codes

KEY = bytes(range(32))
keys = st.binary(min_size=32, max_size=32)
counters = st.integers(0, codes.SPACE - 1)


def test_the_alphabet_is_prime_and_unmistakable() -> None:
    assert codes.BASE == 31 == len(set(codes.ALPHABET))
    assert not set("ilo01") & set(codes.ALPHABET)
    assert codes.SPACE == 887_503_681


@given(counters, keys)
def test_a_code_leads_back_to_its_counter(counter: int, key: bytes) -> None:
    code = codes.encode(counter, key)
    assert codes.valid(code) and codes.valid(code.upper()) and len(code) == 7
    assert codes.decode(code, key) == counter
    assert codes.unpermute(codes.permute(counter, key), key) == counter


@given(st.lists(counters, min_size=2, max_size=30, unique=True), keys)
def test_different_counters_give_different_codes(some: list[int], key: bytes) -> None:
    assert len({codes.encode(counter, key) for counter in some}) == len(some)


def test_a_hundred_thousand_draws_from_many_leases_never_meet() -> None:
    rng = Random(6)
    blocks = rng.sample(range(codes.SPACE // 100), 1_000)  # 1,000 laptops, 100 numbers each
    drawn = [codes.Range(KEY, block * 100, block * 100 + 99, "").code(n) for block in blocks for n in range(100)]
    assert len(drawn) == 100_000 == len(set(drawn))
    assert all(map(codes.valid, drawn[:1000]))


def test_neighbouring_counters_do_not_look_alike() -> None:
    made = [codes.encode(counter, KEY) for counter in range(1000)]
    same = sum(one[place] == two[place] for one, two in pairwise(made) for place in range(6))
    assert same / (999 * 6) < 2 / 31  # two random codes agree in one place of 31


@given(counters, keys, st.sampled_from(["", "k", "kpc", "abcd"]))
def test_every_single_wrong_symbol_is_exposed(counter: int, key: bytes, prefix: str) -> None:
    code = codes.encode(counter, key, prefix)
    for place, right in enumerate(code):
        for symbol in codes.ALPHABET:
            assert codes.valid(code[:place] + symbol + code[place + 1 :]) == (symbol == right)


@given(counters, keys, st.sampled_from(["", "k", "kpc", "abcd"]))
def test_every_swap_of_two_symbols_is_exposed(counter: int, key: bytes, prefix: str) -> None:
    code = codes.encode(counter, key, prefix)
    for one, two in combinations(range(len(code)), 2):
        swapped = list(code)
        swapped[one], swapped[two] = swapped[two], swapped[one]
        assert codes.valid("".join(swapped)) == (code[one] == code[two])


@given(counters, st.integers(0, 6), st.sampled_from(codes.ALPHABET))
def test_what_was_meant_is_among_the_suggestions(counter: int, place: int, symbol: str) -> None:
    code = codes.encode(counter, KEY)
    slip = code[:place] + symbol + code[place + 1 :]
    assert slip == code or code in codes.suggest(slip.upper())


@pytest.mark.parametrize("text", ["", "k7m4q2", "k7m4q2i", "k7m4q2០", "0306-market", "k" * 40, "k7m4q2a\n"])
def test_what_is_no_code_is_not_taken_for_one(text: str) -> None:
    assert not codes.valid(text)


def test_a_lease_gives_each_number_its_code_and_no_more() -> None:
    content = codes.lease_content(KEY, 200, 100, "k")
    block = codes.read_lease({**content, "key": KEY.hex()})
    assert [codes.decode(block.code(n), KEY, "k") for n in (0, 99)] == [200, 299]
    for outside in (-1, 100):
        with pytest.raises(Known, match="LN-030"):
            block.code(outside)


@pytest.mark.parametrize(
    "change",
    [
        {"key": b"short"}, {"key": "zz"}, {"key": None}, {"from": -1}, {"from": 300}, {"to": codes.SPACE}, {"to": "x"},
        {"prefix": "toolong"}, {"prefix": "i"},
    ],
)  # fmt: skip
def test_a_malformed_lease_is_refused_before_any_code_is_made(change: dict[str, object]) -> None:
    with pytest.raises(Known, match="LN-030"):
        codes.read_lease({"key": KEY, "from": 200, "to": 299, **change})


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("market", "0306-market"), ("Market Day 2026", "0306-market-day-2026"), ("0306-market", "0306-market"), (" a_b ", "0306-a-b"),
        ("ទីផ្សារ", None), ("", None), ("--", None), ("a/b", None), ("x" * 36, None), ("0102-market", "0306-0102-market"),
    ],
)  # fmt: skip
def test_a_chosen_code_stands_in_the_name_space_of_its_office(typed: str, code: str | None) -> None:
    assert codes.slug(typed, "0306") == code
    if code:
        assert codes.slug_office(code) == "0306"


def test_leased_and_chosen_codes_never_meet() -> None:
    assert all(codes.slug_office(codes.encode(counter, KEY)) is None for counter in range(500))
