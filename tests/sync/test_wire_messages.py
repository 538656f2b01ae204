"""What device and hub say to each other: reads back, is bounded, and another shape is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sync import cbor, courier, exchange, keys, ops, volume, wire
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.keys import Officer, Unlocked
from sync.limits import MAX_HAVE
from sync.transport import Transport
from sync.wire import Have, LeaseGrant, Missing, Notice, Receipts, Status
from tests.sync.bad_line import Line, Reply
from tests.sync.conftest import PASSPHRASE

HASH = st.binary(min_size=32, max_size=32)
COUNT = st.integers(0, (1 << 53) - 1)
KEY = SigningKey(b"\x0e" * 32)


@given(st.lists(HASH, max_size=5), st.lists(HASH, max_size=5), COUNT, HASH, COUNT, COUNT)
def test_have_reads_back(
    batches: list[bytes], chunks: list[bytes], seq: int, head: bytes, epoch: int, size: int
) -> None:
    said = Have(batches, chunks, seq, head, epoch, size)
    assert wire.read_have(said.encode()) == said


@given(st.lists(HASH, max_size=5), st.binary(max_size=50), st.text(max_size=50), st.lists(HASH, max_size=5))
def test_missing_reads_back(batches: list[bytes], status: bytes, note: str, proof: list[bytes]) -> None:
    said = Missing(batches, [], status, note, proof)
    assert wire.read_missing(said.encode()) == said


@given(st.lists(st.text(max_size=20), max_size=5), COUNT, st.booleans())
def test_receipts_read_back(texts: list[str], following: int, more: bool) -> None:
    said = Receipts(texts, following, more)
    assert wire.read_receipts(said.encode()) == said


def test_leases_and_notices_read_back() -> None:
    grants = [LeaseGrant(b"l" * 16, "link-codes", {"key": b"k", "from": 0}, 100, 5)]
    assert wire.read_grants(wire.encode_grants(grants)) == grants
    notices = [Notice(3, b"o" * 32, "sync.review", {"state": "accepted"})]
    assert wire.read_notices(wire.encode_notices(notices)) == notices


def test_a_status_is_believed_from_the_log_key_alone() -> None:
    said = Status(device_id=b"d" * 16, hub_ms=7, epoch=1, head_seq=5, stable_seq=4, revocations=2, revoked=False)
    data = wire.issue_status(said, KEY, b"hubk")
    assert wire.read_status(data, bytes(KEY.verify_key)) == said
    with pytest.raises(Malformed, match="signature"):
        wire.read_status(data, bytes(SigningKey(b"\x0f" * 32).verify_key))
    bad = wire.issue_status(
        Status(device_id=b"short", hub_ms=7, epoch=1, head_seq=5, stable_seq=4, revocations=2, revoked=False), KEY, b"k"
    )
    with pytest.raises(Malformed, match="status"):
        wire.read_status(bad, bytes(KEY.verify_key))


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (wire.read_have, {1: [], 2: [], 3: 0, 4: b"", 5: 0, 6: 0}), (wire.read_have, {1: [b"x"], 2: [], 3: 0, 4: bytes(32), 5: 0, 6: 0}),
        (wire.read_have, {1: [bytes(32)] * (MAX_HAVE + 1), 2: [], 3: 0, 4: bytes(32), 5: 0, 6: 0}), (wire.read_have, []),
        (wire.read_have, {1: [], 2: [], 3: -1, 4: bytes(32), 5: 0, 6: 0}),
        (wire.read_have, {1: [], 2: [], 3: True, 4: bytes(32), 5: 0, 6: 0}),
        (wire.read_have, {1: 5, 2: [], 3: 0, 4: bytes(32), 5: 0, 6: 0}), (wire.read_missing, {1: [], 2: [], 3: b"", 4: b"", 5: []}),
        (wire.read_missing, {1: [], 2: [], 3: b"", 4: "", 5: [bytes(32)] * 65}), (wire.read_receipts, {1: [1], 2: 0, 3: False}),
        (wire.read_receipts, {1: [], 2: 0, 3: 0}), (wire.read_grants, {}), (wire.read_grants, [[b"l", "r", {}, 1, 1]]),
        (wire.read_grants, [[b"l" * 16, "r", {}, 0, 1]]),
        (wire.read_grants, [[b"l" * 16, "r", {1: 1}, 5, 1]]), (wire.read_grants, [[b"l" * 16, "r", {"a": [1]}, 5, 1]]),
        (wire.read_notices, 5),
    ],
)  # fmt: skip
def test_other_shapes_are_refused(read: Callable[[bytes], Any], value: Any) -> None:
    with pytest.raises(Malformed, match="wire"):
        read(cbor.encode(value))


@pytest.mark.parametrize(
    "strange", [1, [1, b"o", "k", {}], [1, b"o" * 32, "k", {}, 5], [-1, b"o" * 32, "k", {}], [True, b"o" * 32, "k", {}],
                [1 << 60, b"o" * 32, "k", {}], [2, b"o" * 32, "k", {1: 2}]],
)  # fmt: skip
def test_a_notice_that_nobody_understands_holds_up_none(strange: Any) -> None:
    good = Notice(3, b"o" * 32, "sync.review", {"decision": "accepted"})
    assert wire.read_notices(cbor.encode([strange, [3, b"o" * 32, "sync.review", good.body]])) == [good]


def test_a_request_is_bound_to_all_that_it_says() -> None:
    public, nonce = bytes(KEY.verify_key), b"n" * 16
    signature = KEY.sign(wire.request_message("POST", "/v1/have", b"body", nonce)).signature
    assert wire.request_holds(public, "POST", "/v1/have", b"body", nonce, signature)
    for method, path, body, other in (
        ("PUT", "/v1/have", b"body", nonce), ("POST", "/v1/have?x=1", b"body", nonce), ("POST", "/v1/have", b"", nonce),
        ("POST", "/v1/have", b"body", b"m" * 16),
    ):  # fmt: skip
        assert not wire.request_holds(public, method, path, body, other, signature)


# --- before setup


def test_a_laptop_without_an_office_pack_says_so(tmp_path: Path, clock: SetClock) -> None:
    bare = keys.create_profile(
        tmp_path / "bare", officer=Officer("", "សុខ", "Sok", "it"), passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP
    )
    [stick] = volume.write(tmp_path, "stick", [])
    try:
        for call in (
            lambda: exchange.run(bare),
            lambda: courier.export(bare, tmp_path),
            lambda: courier.import_(bare, stick),
        ):
            with pytest.raises(Known, match="SY-303"):
                call()
        with pytest.raises(Refused, match="SY-303"):
            bare.store.write(
                lambda conn: ops.append(
                    conn,
                    bare,
                    clock,
                    kind="forms.submission",
                    record="r",
                    form="f",
                    def_hash=None,
                    body={},
                    sealed=True,
                )
            )
    finally:
        bare.lock()


# --- odd answers


@pytest.fixture
def line() -> Any:
    made = Line("http://127.0.0.1:9")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(500, {wire.NONCE: "00" * 16}, b""), "SY-351"), (Reply(200, {}, b"note"), "SY-420"),
        (Reply(200, {wire.NONCE: "zz"}, b""), "SY-420"),
        (Reply(200, {wire.NONCE: "00" * 16}, b"x" * 9_000), "SY-351"), ("cut", "SY-350"),
    ],
)  # fmt: skip
def test_what_is_no_hub_is_not_talked_to(reply: Reply | str, code: str, line: Line, laptop: Unlocked) -> None:
    line.before = lambda request: reply
    with pytest.raises(Known) as refused, Transport((line.url,), laptop.device, timeout_s=5):
        pass
    assert refused.value.code == code


def test_publications_that_a_hub_does_not_have(line: Line, laptop: Unlocked) -> None:
    nonce = {wire.NONCE: "00" * 16}
    answers = {"/v1/log/checkpoint": Reply(200, nonce, b"note"), "/v1/tuf/metadata/odd.json": Reply(500, nonce, b"")}
    line.before = lambda request: answers.get(request.path, Reply(404, nonce, b""))
    with Transport((line.url,), laptop.device, timeout_s=5) as connection:
        with pytest.raises(FileNotFoundError):
            list(connection.read("metadata/timestamp.json"))
        with pytest.raises(Known, match="SY-351"):
            list(connection.read("metadata/odd.json"))
    with pytest.raises(Known, match="SY-350"):
        connection.call("GET", "/v1/log/checkpoint")
