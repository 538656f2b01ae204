"""Base45, claims, trust lists, status lists: strict both ways."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from modules.certificates import claims, statuslist, trustlist
from modules.certificates.trustlist import IssuerKey
from sync import base45, cbor

KEY = SigningKey(b"\x09" * 32)
PUBLIC = bytes(KEY.verify_key)
NAME = {"km": "សាលាស្រុកបាទី", "en": "Bati district hall"}


def sign(message: bytes) -> bytes:
    return KEY.sign(message).signature


# --- base45


@pytest.mark.parametrize(
    ("plain", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_base45_of_the_rfc(plain: bytes, text: str) -> None:
    assert base45.encode(plain) == text and base45.decode(text) == plain


@given(st.binary(max_size=200))
def test_base45_there_and_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize(
    "text", ["A", "ABCD", "GGW", ":::", "::", "ab", "A\n", "é", "១២", "AB,", "\x00\x00\x00", "AAA\x7f"]
)
def test_base45_refuses(text: str) -> None:
    with pytest.raises(base45.NotBase45):
        base45.decode(text)


# --- claims


def payload(**changes: Any) -> bytes:
    made: dict[int, Any] = {
        1: "0306", 4: 2_000_000_000, 6: 1_795_305_600, 7: bytes(10),
        65535: {"status_list": {"idx": 5, "uri": "status/0306.cwt"}}, 70001: {0: "barber-licence/1", 4: "សុខ"},
    }  # fmt: skip
    for key, value in changes.items():
        number = int(key[1:])
        if value is None:
            made.pop(number)
        else:
            made[number] = value
    return cbor.encode(made)


def test_claims_are_read() -> None:
    read = claims.parse(payload())
    assert (read.issuer, read.status_index, read.template, read.version, read.fields) == (
        "0306",
        5,
        "barber-licence",
        1,
        {4: "សុខ"},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"c1": None}, {"c1": 306}, {"c1": "0306/../x"}, {"c1": "០៣០៦"}, {"c1": "123456789"}, {"c1": "3"},
        {"c6": None}, {"c6": -1}, {"c6": 1.5}, {"c6": True}, {"c6": 1 << 50}, {"c4": "x"}, {"c4": None, "c5": b""},
        {"c7": None}, {"c7": bytes(9)}, {"c7": "0123456789"}, {"c2": "sub"}, {"c99": 1},
        {"c65535": None}, {"c65535": {}}, {"c65535": {"status_list": {"idx": 5}}},
        {"c65535": {"status_list": {"idx": 5, "uri": "status/2102.cwt"}}},
        {"c65535": {"status_list": {"idx": -5, "uri": "status/0306.cwt"}}},
        {"c65535": {"status_list": {"idx": 1 << 24, "uri": "status/0306.cwt"}}},
        {"c65535": {"status_list": {"idx": True, "uri": "status/0306.cwt"}}},
        {"c65535": {"status_list": {"idx": 5, "uri": "status/0306.cwt", "x": 1}}},
        {"c70001": None}, {"c70001": {}}, {"c70001": {0: "Barber/1"}}, {"c70001": {0: "barber"}}, {"c70001": {0: "barber/0"}},
        {"c70001": {0: "barber/1", 4: b"x"}}, {"c70001": {0: "barber/1", 4: 1.5}}, {"c70001": {0: "barber/1", 4: True}},
        {"c70001": {0: "barber/1", 4: "ក" * 171}}, {"c70001": {0: "barber/1", **{n: n for n in range(1, 34)}}},
        {"c70001": {"a": 1}}, {"c70001": {0: "barber/1", 4: {"a": 1}}},
    ],
)  # fmt: skip
def test_claims_refuse(changes: dict[str, Any]) -> None:
    with pytest.raises(claims.NotUnderstood):
        claims.parse(payload(**changes))


# --- trust lists


def test_trust_list_there_and_back() -> None:
    keys = [IssuerKey(PUBLIC, 100), IssuerKey(bytes(32), 50, 70)]
    written = trustlist.write("2102", NAME, keys, 200)
    read = trustlist.read(written, "2102")
    assert read.keys == (keys[1], keys[0]) and read.name == NAME and read.made_s == 200
    assert trustlist.write("2102", NAME, keys[::-1], 200) == written


def test_trust_list_of_another_office_is_refused() -> None:
    with pytest.raises(trustlist.BadList):
        trustlist.read(trustlist.write("2102", NAME, [], 200), "0306")


@given(st.binary(max_size=100))
def test_trust_list_refuses_other_bytes(data: bytes) -> None:
    with pytest.raises(trustlist.BadList):
        trustlist.read(data, "2102")


def test_trust_lists_of_what_the_hub_knows() -> None:
    offices = [
        {"code": "2102", "name": NAME, "keys": [{"public": PUBLIC, "from_ms": 5_000, "withdrawn_ms": None}]},
        {"code": "0306", "name": NAME, "keys": [{"public": PUBLIC, "from_ms": 5_000, "withdrawn_ms": 9_000}]},
    ]
    lists = trustlist.of_offices(offices, 10)
    assert lists.keys() == {"trust/issuers-2102.cbor", "trust/issuers-0306.cbor"}
    assert trustlist.read(lists["trust/issuers-0306.cbor"], "0306").keys == (IssuerKey(PUBLIC, 5, 9),)


# --- status lists

states = st.dictionaries(st.integers(0, (1 << 24) - 1), st.sampled_from(["valid", "revoked", "suspended"]), max_size=20)


@given(states)
def test_status_list_there_and_back(given_states: dict[int, Any]) -> None:
    read = statuslist.read(statuslist.write("0306", given_states, 1_000, sign=sign, public=PUBLIC), "0306")
    assert all(read.state(index) == state for index, state in given_states.items())
    assert read.state(next(index for index in range(100) if index not in given_states)) == "valid"
    assert len(read.entries) * 4 >= statuslist.MIN_ENTRIES
    assert read.state(len(read.entries) * 4) is None and read.state(-1) is None


def test_bit_order_of_the_ietf_draft() -> None:
    """The draft's example of two bits: 1 2 0 3 0 1 0 1 1 2 3 3 is C9 44 F9."""
    made = statuslist.StatusList("0306", 0, 1, bytes.fromhex("c944f9"))
    assert [made.state(index) for index in range(12)] == [
        "revoked", "suspended", "valid", None, "valid", "revoked", "valid", "revoked", "revoked", "suspended", None, None,
    ]  # fmt: skip


def test_status_list_is_small_and_hides_how_many_were_issued() -> None:
    one = statuslist.write("0306", {7: "revoked"}, 1_000, sign=sign, public=PUBLIC)
    assert len(one) < 400
    assert len(statuslist.read(one, "0306").entries) == len(
        statuslist.read(statuslist.write("0306", {}, 1, sign=sign, public=PUBLIC), "0306").entries
    )


def test_a_high_index_makes_a_longer_list() -> None:
    made = statuslist.read(statuslist.write("0306", {200_000: "revoked"}, 1, sign=sign, public=PUBLIC), "0306")
    assert len(made.entries) * 4 == 262_144
    with pytest.raises(ValueError, match="index"):
        statuslist.write("0306", {1 << 24: "revoked"}, 1, sign=sign, public=PUBLIC)


def bad_list(**changes: Any) -> bytes:
    inner = {2: "status/0306.cwt", 4: 100, 6: 50, 65533: {"bits": 2, "lst": zlib.compress(bytes(100))}, 65534: 5}
    for key, value in changes.items():
        inner[int(key[1:])] = value
    return cbor.encode([b"", {}, cbor.encode(inner), bytes(64)])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80", cbor.encode({}), bad_list(c2="status/2102.cwt"), bad_list(c4=10), bad_list(c6=-1),
        bad_list(c65533={"bits": 1, "lst": b""}),
        bad_list(c65533={"bits": 2, "lst": b"junk"}), bad_list(c65533={"bits": 2, "lst": zlib.compress(bytes(5_000_000))}),
        bad_list(c65533={"bits": 2, "lst": zlib.compress(bytes(100)) + b"x"}), bad_list(c65533={"bits": 2, "lst": b"", "x": 1}),
    ],
)  # fmt: skip
def test_status_list_refuses(data: bytes) -> None:
    with pytest.raises(statuslist.BadList):
        statuslist.read(data, "0306")
