"""What comes signed on a stick, from the province or on a screen and is not of its form: told in words, nothing has changed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey

from sync import (
    audit,
    audit_marks,
    cbor,
    checkpoints,
    colleagues,
    cose,
    courier,
    devices,
    enrol,
    keys,
    lan,
    merkle,
    notes,
    receipts,
    reset,
    succession,
    transfers,
    volume,
    wire,
    witnesses,
)
from sync.devices import Certificate
from sync.errors import Known, Refused, SalaError
from sync.keys import Unlocked
from sync.notes import Checkpoint
from sync.store import Connection
from sync.volume import Object
from tests.fuzz.mutation import misshapen
from tests.sync.conftest import NOW, Centre
from tests.sync.samples import everything

EXAMPLES: Final = settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
WORDS: Final = (
    "", "-1", "0", "01", "1e3", "9" * 16, "9" * 20, "9" * 4_400, "១", "x", "x" * 200, "hub/0", "hub/" + "9" * 40, "=", "AAAA",
)  # fmt: skip
WITNESS: Final = SigningKey(b"\x22" * 32)


@st.composite
def reworded(draw: st.DrawFn, text: str) -> str:
    """A note's text with lines exchanged, left out or added."""
    lines = text.split("\n")
    place = draw(st.integers(0, len(lines) - 1))
    lines[place : place + 1] = draw(st.sampled_from([[], *([word] for word in WORDS), [lines[place], "x"]]))
    return "\n".join(lines)


def certificate(laptop: Unlocked) -> bytes:
    """The payload of this laptop's certificate."""
    return devices.certificate_payload(
        Certificate(
            device_id=laptop.device.device_id, sign_public=bytes(laptop.device.sign.verify_key),
            seal_public=bytes(laptop.device.seal.public_key), office_public=bytes(laptop.office_key.verify_key), office="0306",
            number=1, valid_from_ms=NOW,
        )
    )  # fmt: skip


# --- what the hub's keys have signed


def by_the_log(centre: Centre, content_type: str, aad: bytes, payload: bytes) -> bytes:
    return cose.sign(centre.log_key, payload, content_type=content_type, key_id=centre.log.id(), aad=aad)


def note(centre: Centre, text: str) -> bytes:
    return notes.sign(text, centre.log.name, centre.log_key).encode()


Kinds = dict[
    str, tuple[str, bytes | str, Callable[[Any], bytes]]
]  # object type → name, what is signed, how it is signed


def kinds(laptop: Unlocked, centre: Centre, mark: audit_marks.Mark) -> Kinds:
    """Everything signed that a stick brings to this laptop."""
    device = laptop.device.device_id
    leaf = receipts.Leaf(b"b" * 32, device, 1, 3, NOW, receipts.State.ACCEPTED)
    checkpoint = Checkpoint("hub", 1, 1, merkle.leaf_hash(leaf.data()))
    status = wire.Status(device_id=device, hub_ms=NOW, epoch=1, head_seq=0, stable_seq=0, revocations=0, revoked=False)
    signed = cose.parse(wire.issue_status(status, centre.log_key, centre.log.id()), wire._STATUS_TYPE).payload
    evidence = {1: 1, 2: device, 3: 1, 4: bytes(32), 5: [b"batch"], 6: NOW}

    def missing(payload: bytes) -> bytes:
        said = by_the_log(centre, wire._STATUS_TYPE, wire._STATUS_AAD, payload)
        return wire.Missing([], [], said, note(centre, checkpoint.text()).decode()).encode()

    def fork(payload: bytes) -> bytes:
        return by_the_log(centre, succession._EVIDENCE_TYPE, succession._EVIDENCE_AAD, payload)

    def receipt(text: str) -> bytes:
        return receipts.issue(leaf, 0, [], note(centre, text).decode()).encode("utf-8", "replace")

    def cosigned(text: str) -> bytes:
        line = notes.cosignature_line(text, centre.log.name, centre.log_key, NOW // 1000)
        return f"{text}\n{line}".encode()

    held = f"sala.pieces/v1\n1\n{NOW}\n{notes.hash_lines([b'p' * 32])}"
    return {
        "certificate": (
            device.hex(),
            certificate(laptop),
            lambda payload: devices.sign_certificate(payload, centre.pack_key),
        ),
        "missing": (device.hex(), signed, missing),
        "fork": (device.hex(), cbor.encode(evidence), fork),
        "receipt": ("aa" * 32, checkpoint.text(), receipt),
        "pieces": ("aa" * 32, held, lambda text: note(centre, text)),
        "audit": (device.hex(), audit_marks.text(device, mark.size, mark.root), cosigned),
    }


def test_what_a_stick_brings_signed_is_taken_or_told(laptop: Unlocked, centre: Centre) -> None:
    laptop.store.write(lambda conn: audit.append(conn, laptop.store.clock, {"what": "looked"}))
    laptop.store.write(lambda conn: audit_marks.make(conn, laptop.store.clock))
    mark = laptop.store.read(audit_marks.newest)
    assert mark is not None
    sound = kinds(laptop, centre, mark)
    brought = volume.pack([Object(kind, name, wrap(said)) for kind, (name, said, wrap) in sound.items()])
    codes = [problem["code"] for problem in courier.import_bytes(laptop, brought).problems]
    assert codes == ["SY-310"], "only the evidence proves nothing"
    assert laptop.store.read(enrol.certificate) is not None

    @EXAMPLES
    @given(st.data())
    def check(data: st.DataObject) -> None:
        bent = [
            data.draw(reworded(said) if isinstance(said, str) else misshapen(said)) for _, said, _ in sound.values()
        ]
        for (kind, (name, _, wrap)), said in zip(sound.items(), bent, strict=True):
            before = laptop.store.read(everything)
            found = courier.import_bytes(laptop, volume.pack([Object(kind, name, wrap(said))]))
            if any(problem["code"] == "SY-310" for problem in found.problems):
                assert laptop.store.read(everything) == before
            laptop.store.read(checkpoints.newest)
            laptop.store.read(enrol.certificate)

    check()


@pytest.mark.parametrize("seconds", [(1 << 64) - 1, 1 << 63, (1 << 53) // 1000 + 1])
def test_a_cosignature_of_a_time_that_cannot_be_is_none(laptop: Unlocked, centre: Centre, seconds: int) -> None:
    key = notes.NoteKey("pursat", bytes(WITNESS.verify_key))
    text = Checkpoint("hub", 1, 1, bytes(32)).text()
    line = notes.cosignature_line(text, key.name, WITNESS, seconds)
    assert notes.cosigned_by(f"{text}\n{line}", key) is None
    data = cbor.encode([[key.name, "15", key.public]])

    def work(conn: Connection) -> None:
        conn.execute(
            "INSERT INTO publication (name, version, sha256, bytes, received_ms, role) VALUES (?, 1, ?, ?, 0, 'targets')",
            (witnesses.TARGET, sha256(data).digest(), data),
        )
        both = f"{note(centre, text).decode()}{line}"
        assert witnesses.cosigned(conn, centre.log, both, []) is None
        assert witnesses.newest(conn) == []

    laptop.store.write(work)


# --- laptops of the office


def test_a_certificate_that_nothing_can_be_sealed_to_makes_no_colleague(laptop: Unlocked, centre: Centre) -> None:
    def signed(**changes: Any) -> bytes:
        values: dict[str, Any] = {
            "device_id": b"", "sign_public": b"s" * 32, "seal_public": bytes(PrivateKey.generate().public_key),
            "office_public": bytes(32), "office": "0306", "number": 2, "valid_from_ms": NOW,
        }  # fmt: skip
        return devices.issue_certificate(Certificate(**{**values, **changes}), centre.pack_key)

    clock = laptop.store.clock
    assert laptop.store.read(lambda conn: colleagues.check(conn, signed())).number == 2
    before = laptop.store.read(everything)
    for changes in (
        {"seal_public": bytes(32)}, {"number": 1 << 63}, {"number": -1}, {"valid_from_ms": 1 << 60}, {"predecessor": b"x"},
        {"office": "0306" * 99},
    ):  # fmt: skip
        with pytest.raises(Refused, match="SY-444"):
            laptop.store.write(partial(colleagues.pair, clock=clock, certificate=signed(**changes)))
    assert laptop.store.read(everything) == before


def test_an_invitation_of_any_form_is_one_or_none(laptop: Unlocked) -> None:
    sound = [1, certificate(laptop), bytes(16), ["192.168.1.2:8101"], NOW]
    assert lan.read_invitation(invitation(cbor.encode(sound))).addresses == ("192.168.1.2:8101",)
    for wrong in (
        ["192.168.1.2"],
        ["192.168.1.2:99999"],
        ["192.168.1.2:0"],
        ["192.168.1.2:១"],
        [":80"],
        ["a" * 60 + ":1"],
    ):
        with pytest.raises(Refused, match="SY-457"):
            lan.read_invitation(invitation(cbor.encode([*sound[:3], wrong, NOW])))

    @EXAMPLES
    @given(misshapen(cbor.encode(sound)))
    def check(payload: bytes) -> None:
        try:
            found = lan.read_invitation(invitation(payload))
            laptop.store.read(lambda conn: colleagues.check(conn, found.certificate))
        except SalaError:
            pass

    check()


def invitation(payload: bytes) -> str:
    return lan.PREFIX + base64.b32encode(payload).decode("ascii").rstrip("=")


# --- officers


def test_a_statement_of_any_form_brings_an_officer_or_nobody(laptop: Unlocked) -> None:
    said = transfers.Transfer(
        officer=b"o" * 16, name="លឹម ដារ៉ា", latin="Lim Dara", from_office="0102", to_office="0306", role="chief", at_ms=NOW,
        by=bytes(16), by_name="ចាន់", made_ms=NOW,
    )  # fmt: skip

    @settings(EXAMPLES, max_examples=25)
    @given(misshapen(said.encode()))
    def check(inner: bytes) -> None:
        before, people = laptop.store.read(everything), laptop.officers()
        try:
            transfers.arrive(laptop, cbor.encode([inner, bytes(64)]), "ឃ្លាសម្ងាត់ថ្មី ១២៣៤", cost=keys.CHEAP)
        except SalaError:
            assert (laptop.store.read(everything), laptop.officers()) == (before, people)

    check()


def test_a_reset_answer_of_any_form_is_taken_or_refused(tmp_path: Path, laptop: Unlocked, centre: Centre) -> None:
    home, clock, officer = laptop.home, laptop.store.clock, laptop.officer
    words = "ឃ្លាសម្ងាត់ថ្មី ៤៥៦ ៧៨៩"
    laptop.lock()
    request = reset.begin(home, officer.id, words, clock, cost=keys.CHEAP)
    asked = reset.read(request)
    opened = SealedBox(centre.recovery).decrypt(asked.sealed)
    sound = cbor.encode([opened, b""])
    files = sorted(path.name for path in home.iterdir())

    def answer(payload: bytes) -> bytes:
        sealed = SealedBox(PublicKey(asked.fresh)).encrypt(payload)
        return cbor.encode([reset.ANSWER, sha256(request).digest(), sealed])

    @settings(EXAMPLES, max_examples=15)
    @given(misshapen(sound))
    def check(payload: bytes) -> None:
        assume(payload != sound)
        with pytest.raises((Refused, Known)):
            reset.finish(home, answer(payload), words, clock, cost=keys.CHEAP)
        assert sorted(path.name for path in home.iterdir()) == files

    check()
    reset.finish(home, answer(sound), words, clock, cost=keys.CHEAP).lock()
