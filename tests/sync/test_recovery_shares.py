"""The recovery key in three hands: any two make it again, one alone says nothing, and mistyping is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from sync import shares
from sync.devices import ALPHABET
from sync.errors import Refused
from sync.shares import Share

KEY = PrivateKey(b"r" * 32)


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


@given(st.binary(min_size=32, max_size=32))
def test_any_two_of_three_make_the_key_again(seed: bytes) -> None:
    private = PrivateKey(seed)
    made = shares.split(private)
    assert [share.number for share in made] == [1, 2, 3]
    for two in permutations(made, 2):
        assert bytes(shares.join(two)) == seed
    assert bytes(shares.join(made)) == seed


def test_one_alone_or_twice_the_same_is_not_enough() -> None:
    made = shares.split(KEY)
    assert refused(lambda: shares.join([])) == "SY-468"
    assert refused(lambda: shares.join(made[:1])) == "SY-468"
    assert refused(lambda: shares.join([made[0], made[0]])) == "SY-468"


def test_shares_of_two_keys_or_of_two_splittings_do_not_join() -> None:
    first, again, other = shares.split(KEY), shares.split(KEY), shares.split(PrivateKey.generate())
    assert refused(lambda: shares.join([first[0], other[1]])) == "SY-468"
    assert refused(lambda: shares.join([first[0], again[1]])) == "SY-468"
    lied = Share(1, first[1].key_id, other[0].parts)
    assert refused(lambda: shares.join([lied, first[1]])) == "SY-468"


def test_two_splittings_have_nothing_in_common() -> None:
    for one, another in zip(shares.split(KEY), shares.split(KEY), strict=True):
        assert one.parts[:16] != another.parts[:16] and one.parts[16:] != another.parts[16:]
        assert bytes(KEY)[:16] not in one.parts


def test_a_share_is_read_from_paper_however_it_is_typed() -> None:
    for share in shares.split(KEY):
        text = shares.text(share)
        assert len(text.split()) == 1 + 15 and len(text.replace(" ", "")) == 5 + shares.SIGNS
        assert shares.read(text) == share
        assert shares.read(text.lower().replace(" ", "\n")) == share
        assert shares.read(text.replace(" ", "-").replace("0", "o").replace("1", "l")) == share


def test_every_single_mistyped_sign_is_noticed() -> None:
    text = shares.text(shares.split(KEY)[0]).replace(" ", "")
    for place in range(5, len(text)):
        wrong = ALPHABET[(ALPHABET.index(text[place]) + 1) % 32]
        mistyped = text[:place] + wrong + text[place + 1 :]
        if place == len(text) - 1 and (ALPHABET.index(wrong) ^ ALPHABET.index(text[place])) < 4:
            continue  # the last sign has two bits to spare
        assert refused(lambda mistyped=mistyped: shares.read(mistyped)) == "SY-469"


@pytest.mark.parametrize("typed", ["", "SALA1", "hello", "SALA1 " + "0" * shares.SIGNS, "SALA1 " + "U" * shares.SIGNS])
def test_what_is_no_share_is_told(typed: str) -> None:
    assert refused(lambda: shares.read(typed)) == "SY-469"


def test_a_share_says_which_key_it_is_of() -> None:
    made = shares.split(KEY)
    assert {share.key_id for share in made} == {shares.key_id(bytes(KEY.public_key))}
    assert all(len(set(pair)) == 2 for pair in combinations([share.parts for share in made], 2))
