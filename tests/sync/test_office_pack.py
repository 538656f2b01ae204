"""Office packs and enrolment: what a bare machine believes, and what it asks the hub for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sync import cbor, cose, devices, enrol, keys, leases, office, pack, publications
from sync.batch import device_id
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.devices import Certificate, EnrolledOfficer, Request
from sync.errors import Known, Refused
from sync.keys import Unlocked
from tests.sync.conftest import NOW, PASSPHRASE, Centre

ROOT = Path(__file__).parents[2]


# --- the file


def test_a_pack_reads_back(centre: Centre) -> None:
    made = centre.pack(
        7, publications={"forms/a.cbor": b"form"}, officers=({"name": "សុខ", "latin": "Sok", "role": "chief"},)
    )
    found = pack.parse(pack.build(made, centre.pack_key), pack.roots())
    assert replace(found, signer=b"", officers=tuple(found.officers)) == made
    assert found.signer == bytes(centre.pack_key.verify_key)


def test_every_damaged_byte_is_refused(centre: Centre) -> None:
    data = pack.build(centre.pack(), centre.pack_key)
    for place in range(0, len(data), 3):
        bent = bytearray(data)
        bent[place] ^= 1 << place % 8
        with pytest.raises(Refused) as refused:
            pack.parse(bytes(bent), pack.roots())
        assert refused.value.code in ("SY-331", "SY-330")
    for end in (0, 10, len(data) - 1):
        with pytest.raises(Refused) as refused:
            pack.parse(data[:end], pack.roots())
        assert refused.value.code == "SY-331"


def test_a_signer_that_is_not_pinned_is_refused_unless_its_digits_were_compared(centre: Centre, tmp_path: Path) -> None:
    stranger = SigningKey.generate()
    file = tmp_path / "office.salapack"
    file.write_bytes(pack.build(centre.pack(), stranger))
    with pytest.raises(Refused) as refused:
        pack.read_file(file, pack.roots())
    assert (refused.value.code, refused.value.values["office"]) == ("SY-330", "0306")
    shown = str(refused.value.values["words"])
    assert shown == devices.words(bytes(stranger.verify_key))
    khmer = shown.translate({ord(str(digit)): chr(0x17E0 + digit) for digit in range(10)})
    for typed in (shown, shown.replace(" ", ""), khmer.replace(" ", "-")):
        assert pack.read_file(file, pack.roots(), typed).office["code"] == "0306"
    for typed in (devices.words(b"other"), shown[:-1], ""):
        with pytest.raises(Refused, match="SY-330"):
            pack.read_file(file, pack.roots(), typed)


def test_a_signer_cannot_name_another_key(centre: Centre) -> None:
    """The signer that the pack names must be the one that signed, whoever is pinned."""
    stranger = SigningKey.generate()
    signed = cose.parse(pack.build(centre.pack(), centre.pack_key), pack.CONTENT_TYPE, 1 << 20)
    for key_id in (signed.key_id, device_id(bytes(stranger.verify_key))):
        data = cose.sign(stranger, signed.payload, content_type=pack.CONTENT_TYPE, key_id=key_id, aad=pack.AAD)
        with pytest.raises(Refused, match="SY-331"):
            pack.parse(data, pack.roots())


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2}, {"slot": b"x"}, {"number": 0}, {"office": {"code": "0306"}}, {"hub_urls": [1]}, {"publications": {"a": 1}},
        {"leases": [[1]]}, {"officers": [1]}, {"agency_seal": b"short"}, {"extra": 1}, {"code": 5},
    ],
)  # fmt: skip
def test_packs_of_another_shape_are_refused(centre: Centre, changes: dict[str, Any]) -> None:
    signed = cose.parse(pack.build(centre.pack(), centre.pack_key), pack.CONTENT_TYPE, 1 << 20)
    payload = cbor.encode({**cbor.decode(signed.payload), **changes})
    data = cose.sign(centre.pack_key, payload, content_type=pack.CONTENT_TYPE, key_id=signed.key_id, aad=pack.AAD)
    with pytest.raises(Refused, match="SY-331"):
        pack.parse(data, pack.roots())


def test_a_pack_is_bounded_and_a_missing_file_is_a_refusal(centre: Centre, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="too big"):
        pack.build(centre.pack(publications={"a": bytes(5 << 20)}), centre.pack_key)
    (tmp_path / "big").write_bytes(bytes(5 << 20))
    for name in ("big", "none"):
        with pytest.raises(Refused, match="SY-331"):
            pack.read_file(tmp_path / name, [])


def test_roots_are_files_of_hex_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALA_ROOTS", str(tmp_path))
    assert pack.roots() == []
    (tmp_path / "a.pub").write_text("# the ministry\n" + "ab" * 16 + "\n" + "cd" * 16 + "  # second half\n")
    (tmp_path / "notes.txt").write_text("not a key")
    assert pack.roots() == [bytes.fromhex("ab" * 16 + "cd" * 16)]
    (tmp_path / "b.pub").write_text("ab")
    with pytest.raises(ValueError, match=r"b\.pub"):
        pack.roots()


@given(st.binary(max_size=64))
def test_digits_are_six_groups_of_five(data: bytes) -> None:
    shown = devices.words(data)
    assert [len(group) for group in shown.split(" ")] == [5] * 6
    assert devices.same_words(shown, shown)
    assert not devices.same_words(shown, devices.words(data + b"x"))


# --- setup


def test_setup_makes_a_working_laptop_without_a_network(laptop: Unlocked, clock: SetClock) -> None:
    facts = office.read(laptop.store)
    assert (facts["code"], facts["name"]["en"], facts["device_number"]) == ("0306", "Kang Meas District Hall", 1)
    assert laptop.officer.role == "receiving"
    assert laptop.store.read(lambda conn: leases.active(conn, "certificate-numbers", clock.wall_ms()))[0].size == 100
    request, signed, mac = devices.read_request(laptop.store.read(enrol.request) or b"")
    assert request.device_id == laptop.device.device_id
    assert request.office_public == bytes(laptop.office_key.verify_key)
    assert [one.id.hex() for one in request.officers] == [laptop.officer.id]
    for typed, right in (("0123456789", True), ("oI234-5678 9", True), ("0123456780", False)):
        assert devices.code_holds(devices.code_key(typed, request.slot), signed, mac) is right
    shown = laptop.store.read(enrol.request_words) or ""
    assert devices.same_words(shown, devices.words(laptop.store.read(enrol.request) or b""))


def test_initial_publications_are_in_the_database(new_laptop: Callable[..., Unlocked]) -> None:
    made = new_laptop(2, publications={"trust/issuers-0306.cbor": b"list"})
    assert made.store.read(lambda conn: publications.get(conn, "trust/issuers-0306.cbor")) == b"list"
    assert made.store.read(lambda conn: publications.get(conn, "forms/none")) is None
    assert made.store.read(lambda conn: publications.names(conn, "trust/")) == ["trust/issuers-0306.cbor"]


def test_a_second_setup_is_refused(laptop: Unlocked, centre: Centre, tmp_path: Path, clock: SetClock) -> None:
    laptop.lock()
    other = {"code": "0101", "name": {"km": "ក", "en": "A"}, "province": {"km": "ក", "en": "A"}}
    for changes, code in (({}, "SY-333"), ({"office": other}, "SY-332")):
        file = tmp_path / "again.salapack"
        file.write_bytes(pack.build(centre.pack(2, **changes), centre.pack_key))
        with pytest.raises(Refused) as refused:
            enrol.setup(tmp_path / "laptop-1", file, officer_name="សុខ ដារ៉ា", passphrase=PASSPHRASE, clock=clock)
        assert refused.value.code == code


def test_a_newer_pack_of_the_same_office_brings_leases(
    laptop: Unlocked, centre: Centre, tmp_path: Path, clock: SetClock
) -> None:
    file = tmp_path / "new.salapack"
    file.write_bytes(pack.build(centre.pack(5, hub_urls=("https://hub.example",)), centre.pack_key))
    enrol.renew(laptop, file)
    assert laptop.store.read(lambda conn: len(leases.active(conn, "link-codes", clock.wall_ms()))) == 2
    found = laptop.store.read(office.centre)
    assert found is not None
    assert (found.urls, found.number) == (("https://hub.example",), 5)
    file.write_bytes(pack.build(centre.pack(5, office={**centre.pack().office, "code": "0101"}), centre.pack_key))
    with pytest.raises(Refused, match="SY-332"):
        enrol.renew(laptop, file)


def test_an_agency_key_that_changed_leaves_older_ops_readable(
    laptop: Unlocked, centre: Centre, tmp_path: Path, clock: SetClock
) -> None:
    from sync import batch, cutting, delivery, ops, sealing

    def append(conn: Any) -> None:
        ops.append(
            conn,
            laptop,
            clock,
            kind="forms.submission",
            record="r",
            form="f",
            def_hash=None,
            body={"a": 1},
            sealed=True,
        )

    laptop.store.write(append)
    newer = Centre(pack_key=centre.pack_key, log_key=centre.log_key, recovery=centre.recovery)
    file = tmp_path / "new.salapack"
    file.write_bytes(pack.build(newer.pack(1), centre.pack_key))
    enrol.renew(laptop, file)
    laptop.store.write(append)
    made = cutting.cut(laptop, "0") or b""
    found = batch.parse(laptop.store.read(lambda conn: delivery.data(conn, made)))
    assert len(found.groups) == 2
    assert [len(sealing.open_bodies(found, key)) for key in (centre.agency, newer.agency, centre.recovery)] == [1, 1, 2]


CUT_SHORT = """
import sys
from pathlib import Path
from sync import enrol, keys
from sync.clock import SetClock
home, file = Path(sys.argv[1]), Path(sys.argv[2])
enrol.setup(home, file, officer_name="សុខ ដារ៉ា", passphrase=sys.argv[3], clock=SetClock(1), cost=keys.CHEAP).lock()
"""


def test_a_setup_that_was_cut_short_is_taken_up_again(centre: Centre, tmp_path: Path) -> None:
    file = tmp_path / "office.salapack"
    file.write_bytes(pack.build(centre.pack(), centre.pack_key))
    for point in ("setup:profile-made:1", "setup:before-commit:1", ""):
        environment = {**os.environ, "SALA_FAILPOINT": point} if point else dict(os.environ)
        done = subprocess.run(
            [sys.executable, "-c", CUT_SHORT, str(tmp_path / "home"), str(file), PASSPHRASE], cwd=ROOT, env=environment
        )
        assert (done.returncode == 0) == (point == "")
    unlocked = keys.unlock(tmp_path / "home", "សុខ ដារ៉ា", PASSPHRASE, SetClock(2))
    assert office.read(unlocked.store)["code"] == "0306"
    unlocked.lock()


# --- request and certificate


def request_of(device: SigningKey, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "slot": b"s" * 16, "office": "0306", "sign_public": bytes(device.verify_key), "seal_public": b"e" * 32, "office_public": b"o" * 32,
        "officers": (EnrolledOfficer(b"i" * 16, "សុខ", "Sok", "chief", b"p" * 32),), "made_ms": NOW,
    }  # fmt: skip
    return Request(**{**values, **changes})


def test_a_request_cannot_be_given_another_key_on_the_way() -> None:
    """Key substitution: whoever does not know the code can sign with a key of their own, and the code does not fit."""
    code = devices.code_key("ABCDEF2345", b"s" * 16)
    device, thief = SigningKey.generate(), SigningKey.generate()
    request, signed, mac = devices.read_request(devices.make_request(request_of(device), device, code))
    assert request == request_of(device)
    assert devices.code_holds(code, signed, mac)
    stolen = devices.make_request(request_of(thief), thief, b"guess" * 6 + b"xx")
    _, signed, _ = devices.read_request(stolen)
    assert not devices.code_holds(code, signed, mac)
    inner = cbor.decode(devices.make_request(request_of(device), thief, code))[0]
    with pytest.raises(Malformed):
        devices.read_request(cbor.encode([inner, mac]))


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": b"s"},
        {"seal_public": b""},
        {"predecessor": b"x"},
        {"made_ms": -1},
        {"office": "x" * 200},
        {"sign_public": b"k" * 31},
    ],
)
def test_requests_of_another_shape_are_refused(changes: dict[str, Any]) -> None:
    device = SigningKey.generate()
    with pytest.raises(Malformed, match="enrol"):
        devices.read_request(devices.make_request(request_of(device, **changes), device, bytes(32)))


def test_broken_requests_are_refused() -> None:
    device = SigningKey.generate()
    officer = EnrolledOfficer(b"short", "", "", "", b"")
    for data in (
        b"", cbor.encode([b"", b""]), cbor.encode({1: 2}), bytes(2 << 20),
        devices.make_request(request_of(device, officers=(officer,)), device, bytes(32)),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            devices.read_request(data)


def test_codes_are_ten_signs_that_nobody_confuses() -> None:
    code = devices.new_code(bytes(range(10)))
    assert len(code) == 10
    assert not set(code) & set("ILOU")
    assert devices.code_key("01ABCDEFGH", b"s" * 16) == devices.code_key("oi-abcde fgh", b"s" * 16)


def test_a_certificate_is_believed_from_the_pack_key_alone(laptop: Unlocked, centre: Centre, clock: SetClock) -> None:
    device = laptop.device
    said = Certificate(
        device_id=device.device_id, sign_public=bytes(device.sign.verify_key), seal_public=bytes(device.seal.public_key),
        office_public=bytes(laptop.office_key.verify_key), office="0306", number=1, valid_from_ms=NOW,
    )  # fmt: skip
    forged = devices.issue_certificate(said, SigningKey.generate())
    with pytest.raises(Known, match="SY-472"):
        laptop.store.write(lambda conn: enrol.accept(conn, clock, forged))
    altered = bytearray(devices.issue_certificate(said, centre.pack_key))
    altered[-1] ^= 1
    with pytest.raises(Malformed):
        laptop.store.write(lambda conn: enrol.accept(conn, clock, bytes(altered)))
    of_another = devices.issue_certificate(replace(said, sign_public=b"k" * 32), centre.pack_key)
    assert laptop.store.write(lambda conn: enrol.accept(conn, clock, of_another)) is False
    assert laptop.store.read(enrol.certificate) is None
    data = devices.issue_certificate(said, centre.pack_key)
    assert laptop.store.write(lambda conn: enrol.accept(conn, clock, data)) is True
    assert laptop.store.write(lambda conn: enrol.accept(conn, clock, data)) is False
    assert laptop.store.read(enrol.certificate) == said
    assert laptop.store.read(enrol.request) is None
    assert (
        len((laptop.store.read(enrol.request_words) or "").split()) == 6
    )  # to compare with the console, also afterwards
