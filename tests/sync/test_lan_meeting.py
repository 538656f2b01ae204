"""Two laptops on the local network: who may speak, what a stranger gets, and that nothing of a message can be changed."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl import utils
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey

from sync import cbor, colleagues, devices, enrol, foreign, lan, listener, meeting, ops, volume
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Known, Refused, SalaError
from sync.keys import Unlocked
from sync.lan import Answer
from sync.listener import Listener
from sync.meeting import Host
from sync.store import Connection
from tests.sync.conftest import NOW, Centre


def certify(centre: Centre, laptop: Unlocked, number: int, **changes: object) -> bytes:
    """The centre's word for a laptop, kept by it."""
    device = laptop.device
    values = {
        "device_id": device.device_id, "sign_public": bytes(device.sign.verify_key), "seal_public": bytes(device.seal.public_key),
        "office_public": bytes(laptop.office_key.verify_key), "office": "0306", "number": number, "valid_from_ms": NOW, **changes,
    }  # fmt: skip
    made = devices.issue_certificate(Certificate(**values), centre.pack_key)  # type: ignore[arg-type]
    laptop.store.write(lambda conn: enrol.accept(conn, laptop.store.clock, made))
    return made


def work(laptop: Unlocked, n: int = 1, *, sealed: bool = False) -> None:
    def append(conn: Connection) -> None:
        for number in range(n):
            ops.append(
                conn, laptop, laptop.store.clock, kind="links.created", record=f"r{number}", form="links", def_hash=None,
                body={"n": number, "name": "សុខា"}, sealed=sealed,
            )  # fmt: skip

    laptop.store.write(append)


def held(laptop: Unlocked) -> list[str]:
    return laptop.store.read(
        lambda conn: [row["kind"] for row in conn.execute("SELECT kind FROM foreign_op ORDER BY seq").fetchall()]
    )


@pytest.fixture
def two(centre: Centre, new_laptop: Callable[..., Unlocked]) -> tuple[Unlocked, Unlocked]:
    one, other = new_laptop(1), new_laptop(2)
    certify(centre, one, 1)
    certify(centre, other, 2)
    return one, other


@pytest.fixture
def waiting(two: tuple[Unlocked, Unlocked]) -> Iterator[tuple[Listener, str, str]]:
    host = Host(two[0])
    ear = Listener(host)
    address = ear.start(["127.0.0.1"])
    yield ear, host.invitation(address).text(), address[0]
    ear.close()
    ear.close()  # again is no harm


def ask(address: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(*address.split(":"), timeout=10)
    try:
        line.request(method, path, body or None, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_they_meet_and_each_has_the_others_ops(
    two: tuple[Unlocked, Unlocked], waiting: tuple[Listener, str, str]
) -> None:
    one, other = two
    work(one, 3)
    work(other, 2, sealed=True)
    met = meeting.visit(other, waiting[1])
    assert (met.number, met.paired, met.problems) == (1, True, []) and met.taken > 0
    assert held(other).count("links.created") == 3 and held(one).count("links.created") == 2
    bodies = one.store.read(
        lambda conn: foreign.unapplied(conn, ["links.created"])
    )  # sealed to the agency, opened for the colleague
    assert [op.body["name"] for op in bodies] == ["សុខា", "សុខា"] and bodies[0].number == 2
    again = meeting.visit(other, waiting[1])
    assert (again.paired, again.taken, again.rounds) == (False, 0, 2)
    work(one)
    assert meeting.visit(other, waiting[1]).taken > 0


def test_a_long_history_goes_in_many_messages(
    two: tuple[Unlocked, Unlocked], waiting: tuple[Listener, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "_ROOM", 3_000)
    one, other = two
    for _ in range(6):
        work(one, 5, sealed=True)
        meeting._cut(one)
    met = meeting.visit(other, waiting[1])
    assert met.rounds > 3 and held(other).count("links.created") == 30


def test_a_stranger_gets_a_challenge_and_nothing_else(waiting: tuple[Listener, str, str]) -> None:
    _, _, address = waiting
    status, challenge = ask(address, "GET", lan.CHALLENGE)
    assert status == 200 and len(challenge) == 32
    for method, path, body in (
        ("GET", "/", b""), ("GET", "/v1/lan/meet", b""), ("POST", "/", b"x"), ("POST", lan.MEET, b""), ("POST", lan.MEET, b"x" * 100),
        ("POST", lan.MEET, SealedBox(PrivateKey.generate().public_key).encrypt(b"hello")),
    ):  # fmt: skip
        assert ask(address, method, path, body) == (404, b"")
    assert ask(address, "POST", lan.MEET, b"", **{"Content-Length": str(1 << 40)}) == (404, b"")


def test_many_wrong_tries_close_the_ear(two: tuple[Unlocked, Unlocked]) -> None:
    ended = threading.Event()
    ear = Listener(Host(two[0]), ended.set)
    address = ear.start(["127.0.0.1"])[0]
    for _ in range(listener.MOST_WRONG):
        ask(address, "GET", "/")
    assert ended.wait(5)
    with pytest.raises(OSError):
        ask(address, "GET", lan.CHALLENGE)


def test_without_a_network_it_is_said(two: tuple[Unlocked, Unlocked]) -> None:
    with pytest.raises(Known) as known:
        Listener(Host(two[0])).start([])
    assert known.value.code == "SY-458"
    assert all(meeting.local(address) for address in meeting.own_addresses())
    for foreign_host in ("8.8.8.8", "example.com", "2001:4860:4860::8888", ""):
        assert not meeting.local(foreign_host)
    for near in ("127.0.0.1", "192.168.1.2", "10.0.0.9", "172.16.4.4", "169.254.3.3", "fe80::1"):
        assert meeting.local(near)


def answer(host: Host, visitor: Unlocked, **changes: bytes) -> bytes:
    """What the host says to a request of ``visitor``, of which some parts are other than they should be."""
    waits = host._unlocked
    own = visitor.store.read(colleagues.own_certificate)
    challenge = changes.get("challenge") or host.challenge()
    secret = changes.get("secret", host._secret)
    there = waits.store.read(colleagues.own_certificate)
    other = visitor.store.read(lambda conn: colleagues.check(conn, there))
    proof = changes.get("proof", lan.proof(secret, challenge, own))
    sealed = lan.seal_request(visitor.device, own, other, challenge, proof, changes.get("body", volume.pack([])))
    return host.answer(sealed)


def test_only_who_saw_the_screen_is_paired_and_only_once_each_challenge(two: tuple[Unlocked, Unlocked]) -> None:
    one, other = two
    host = Host(one)
    for wrong in ({"secret": bytes(16)}, {"proof": b""}, {"challenge": utils.random(32)}):
        with pytest.raises(SalaError) as refused:
            answer(host, other, **wrong)
        assert refused.value.code in ("SY-457", "SY-310")
    assert one.store.read(colleagues.present) == []
    spent = host.challenge()
    answer(host, other, challenge=spent)
    assert [found.number for found in one.store.read(colleagues.present)] == [2]
    with pytest.raises(SalaError):
        answer(host, other, challenge=spent)  # said once more by somebody who listened
    answer(host, other, proof=b"")  # a colleague needs no secret any more


def test_an_invitation_grows_old(two: tuple[Unlocked, Unlocked], clock: SetClock) -> None:
    one, other = two
    host = Host(one)
    text = host.invitation(("127.0.0.1:1",)).text()
    clock.advance(lan.LIVES_MS + 1)
    with pytest.raises(Refused) as refused:
        meeting.visit(other, text)
    assert refused.value.code == "SY-457"
    with pytest.raises(Refused):
        answer(host, other)
    assert one.store.read(colleagues.present) == []


def test_nothing_of_a_message_can_be_changed(two: tuple[Unlocked, Unlocked], centre: Centre) -> None:
    one, other = two
    host, device = Host(one), other.device
    mine, theirs = other.store.read(colleagues.own_certificate), one.store.read(colleagues.own_certificate)
    certificate = other.store.read(lambda conn: colleagues.check(conn, theirs))
    challenge = host.challenge()
    proof = lan.proof(host._secret, challenge, mine)
    good = cbor.decode(
        SealedBox(one.device.seal).decrypt(
            lan.seal_request(device, mine, certificate, challenge, proof, volume.pack([]))
        )
    )
    box = SealedBox(PublicKey(certificate.seal_public))
    stranger = SigningKey.generate()
    changed = [
        [*good[:3], volume.pack([volume.Object("held", "aa" * 16, b"\x80")]), good[4]], [*good[:4], stranger.sign(b"x").signature],
        good[:4], [good[0], good[1], b"short", good[3], good[4]], {"a": 1}, [theirs, *good[1:]],
    ]  # fmt: skip
    for wrong in changed:
        host._challenges.append(challenge)
        with pytest.raises(SalaError):
            host.answer(box.encrypt(cbor.encode(wrong)))
    host._challenges.append(challenge)
    assert host.answer(box.encrypt(cbor.encode(good)))


def test_an_answer_is_for_one_question_of_one_laptop(two: tuple[Unlocked, Unlocked], centre: Centre) -> None:
    one, other = two
    challenge = utils.random(32)
    there = devices.read_certificate(one.store.read(colleagues.own_certificate), bytes(centre.pack_key.verify_key))
    here = devices.read_certificate(other.store.read(colleagues.own_certificate), bytes(centre.pack_key.verify_key))
    sealed = lan.seal_answer(one.device, here, challenge, Answer(b"body", more=True))
    assert lan.open_answer(sealed, other.device, there, challenge) == Answer(b"body", more=True)
    for device, speaker, asked in (
        (other.device, there, utils.random(32)), (other.device, here, challenge), (one.device, there, challenge),
    ):  # fmt: skip
        with pytest.raises(SalaError):
            lan.open_answer(sealed, device, speaker, asked)
    with pytest.raises(SalaError):
        lan.open_answer(bytes(9 << 20), other.device, there, challenge)
    with pytest.raises(SalaError):
        lan.open_answer(
            SealedBox(other.device.seal.public_key).encrypt(cbor.encode([1])), other.device, there, challenge
        )


def test_who_may_be_a_colleague(
    two: tuple[Unlocked, Unlocked], centre: Centre, new_laptop: Callable[..., Unlocked], clock: SetClock
) -> None:
    one, other = two
    third = new_laptop(3)
    with pytest.raises(Refused) as unknown:
        third.store.read(colleagues.own_certificate)
    assert unknown.value.code == "SY-442"
    own = one.store.read(colleagues.own_certificate)
    elsewhere = devices.issue_certificate(
        Certificate(
            device_id=b"", sign_public=bytes(32), seal_public=bytes(32), office_public=bytes(32), office="0401", number=1, valid_from_ms=1
        ), centre.pack_key,
    )  # fmt: skip
    forged = devices.issue_certificate(
        Certificate(
            device_id=b"", sign_public=bytes(32), seal_public=bytes(32), office_public=bytes(32), office="0306", number=1, valid_from_ms=1
        ), SigningKey.generate(),
    )  # fmt: skip
    for wrong, code in ((own, "SY-445"), (elsewhere, "SY-443"), (forged, "SY-444"), (b"x", "SY-444")):
        with pytest.raises(Refused) as refused:
            one.store.write(lambda conn, wrong=wrong: colleagues.pair(conn, clock, wrong))  # type: ignore[misc]
        assert refused.value.code == code
    theirs = other.store.read(colleagues.own_certificate)
    one.store.write(lambda conn: colleagues.pair(conn, clock, theirs))
    revoked = cbor.encode({"revocations": 1, "devices": [], "revoked": [[other.device.device_id, 0, NOW]]})
    from sync import publications

    one.store.write(lambda conn: publications.keep(conn, "devices/03.cbor", revoked, 1, NOW))
    assert one.store.read(colleagues.present) == []  # a revoked laptop is no colleague any more
    with pytest.raises(Refused) as gone:
        one.store.write(lambda conn: colleagues.pair(conn, clock, theirs))
    assert gone.value.code == "SY-446"


def test_parting_ends_giving_and_taking(two: tuple[Unlocked, Unlocked], clock: SetClock) -> None:
    one, other = two
    theirs = other.store.read(colleagues.own_certificate)
    one.store.write(lambda conn: colleagues.pair(conn, clock, theirs))
    one.store.write(lambda conn: colleagues.part(conn, clock, other.device.device_id))
    assert one.store.read(colleagues.present) == []
    with pytest.raises(Refused):
        one.store.write(lambda conn: colleagues.part(conn, clock, bytes(16)))
    work(other)
    meeting._cut(other)
    data = other.store.read(lambda conn: bytes(conn.execute("SELECT bytes FROM batch").fetchone()["bytes"]))
    with pytest.raises(Refused) as refused:
        one.store.write(lambda conn: foreign.take_batch(conn, clock, data))
    assert refused.value.code == "SY-447"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80) | st.binary(max_size=300).map(lambda data: lan.PREFIX + data.hex().upper()))
def test_no_text_but_an_invitation_is_one(text: str) -> None:
    with pytest.raises(Refused) as refused:
        lan.read_invitation(text)
    assert refused.value.code == "SY-457"


def test_an_invitation_survives_paper_and_typing(two: tuple[Unlocked, Unlocked], tmp_path: Path) -> None:
    from sync import qrpicture

    made = Host(two[0]).invitation(("192.168.1.7:5000", "10.0.0.3:5000"))
    text = made.text()
    assert lan.read_invitation(f"  {text[:40].lower()}\n{text[40:]} ") == made
    assert qrpicture.texts(qrpicture.png(text)) == [text]
    nobody = Host(two[0]).invitation(("127.0.0.1:9", "8.8.8.8:80")).text()
    with pytest.raises(Known) as known:
        meeting.visit(two[1], nobody)
    assert known.value.code == "SY-456"
