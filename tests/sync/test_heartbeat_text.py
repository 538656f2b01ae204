"""The status text: fits one SMS, signed, survives what telephones do to it; anything else is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sync import heartbeat, ops
from sync.cbor import Malformed
from sync.errors import Refused
from sync.keys import Unlocked
from sync.store import Connection

GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà") | set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


def signed(key: SigningKey, payload: bytes) -> str:
    return heartbeat.encode(payload, key.sign(b"sala/heartbeat/v1\0" + payload).signature)


def test_a_laptop_says_what_is_outstanding(laptop: Unlocked) -> None:
    first = heartbeat.parse(heartbeat.make(laptop))
    assert (first.seq, first.pending) == (0, 0)

    def work(conn: Connection) -> str:
        return ops.append(
            conn, laptop, laptop.store.clock, kind="links.created", record="r", form="links", def_hash=None, body={"n": 1}, sealed=False
        )  # fmt: skip

    head = laptop.store.write(work)
    text = heartbeat.make(laptop)
    assert len(text) == heartbeat.LENGTH <= 160 and set(text) <= GSM  # one message, no UCS-2
    found = heartbeat.parse(text)
    assert (found.seq, found.pending, found.head.hex()) == (1, 1, head[:32])
    assert found.device == laptop.device.device_id[:8]
    public = bytes(laptop.device.sign.verify_key)
    assert found.holds(public) and not found.holds(bytes(SigningKey.generate().verify_key))


@given(st.binary(min_size=31, max_size=31), st.lists(st.integers(0, 133), max_size=5))
def test_blanks_and_line_ends_do_not_matter(payload: bytes, places: list[int]) -> None:
    text = signed(SigningKey(bytes(32)), b"\x01" + payload)
    folded = text
    for place in sorted(places, reverse=True):
        folded = folded[:place] + "\n " + folded[place:]
    assert heartbeat.parse(folded) == heartbeat.parse(text)


@given(st.integers(0, 133), st.integers(1, 255))
def test_any_altered_character_is_noticed(place: int, change: int) -> None:
    key = SigningKey(bytes(range(32)))
    text = signed(key, b"\x01" + bytes(31))
    altered = text[:place] + chr((ord(text[place]) ^ change) & 0x7F or 33) + text[place + 1 :]
    try:
        found = heartbeat.parse(altered)
    except Malformed:
        return
    assert found == heartbeat.parse(text) or not found.holds(bytes(key.verify_key))


@pytest.mark.parametrize(
    "wrong",
    ["", "SALA1", "SALA2 " + "A" * 128, "SALA1 " + "A" * 127, "SALA1 " + "é" * 128, "x" * 500,
     "SALA1 " + base64.b64encode(b"\x02" + bytes(95)).decode()],
)  # fmt: skip
def test_everything_else_is_refused(wrong: str) -> None:
    with pytest.raises(Malformed):
        heartbeat.parse(wrong)
    with pytest.raises(Refused) as refused:
        heartbeat.read(wrong)
    assert refused.value.code == "SY-455"


def test_numbers_are_capped_not_wrapped(new_laptop: Callable[..., Unlocked]) -> None:
    assert heartbeat.parse(signed(SigningKey(bytes(32)), b"\x01" + b"\xff" * 31)).pending == (1 << 24) - 1
