"""A laptop before, at and after its enrolment: codes that are read out, packs that cannot be kept, places of other laptops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync import devices, enrol, keys, leases, office, pack, slots
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Refused
from sync.marks import RESTORED, set_mark
from sync.unlocked import Unlocked
from sync.wire import LeaseGrant
from tests.sync.conftest import NOW, PASSPHRASE, Centre


def certified(laptop: Unlocked, centre: Centre) -> bytes:
    device = laptop.device
    said = Certificate(
        device_id=device.device_id, sign_public=bytes(device.sign.verify_key), seal_public=bytes(device.seal.public_key),
        office_public=bytes(laptop.office_key.verify_key), office="0306", number=1, valid_from_ms=NOW,
    )  # fmt: skip
    return devices.issue_certificate(said, centre.pack_key)


def certify(laptop: Unlocked, centre: Centre) -> None:
    data = certified(laptop, centre)
    assert laptop.store.write(lambda conn: enrol.accept(conn, SetClock(NOW), data))


def packed(centre: Centre, tmp_path: Path, number: int = 1, **changes: Any) -> Path:
    file = tmp_path / "office.salapack"
    file.write_bytes(pack.build(centre.pack(number, **changes), centre.pack_key))
    return file


def set_up(home: Path, file: Path, code: str | None = None) -> Unlocked:
    return enrol.setup(
        home, file, officer_name="សុខ ដារ៉ា", passphrase=PASSPHRASE, clock=SetClock(NOW), cost=keys.CHEAP, code=code
    )


def test_a_pack_with_a_lease_of_another_form_leaves_nothing(centre: Centre, tmp_path: Path) -> None:
    home = tmp_path / "home"
    strange = LeaseGrant(bytes(16), "link-codes", {"first": [1]}, 100, NOW + 86_400_000)
    with pytest.raises(Refused, match="SY-331"):
        set_up(home, packed(centre, tmp_path, leases=[strange]))
    assert not home.exists()
    made = set_up(home, packed(centre, tmp_path))
    assert office.read(made.store)["code"] == "0306"
    assert made.store.read(lambda conn: [lease.id for lease in leases.active(conn, "link-codes", NOW)]) != [
        bytes(16).hex()
    ]
    made.lock()


class Stopped(SetClock):
    """Somebody stops the program when the time is asked for the ``nth`` time."""

    def __init__(self, nth: int) -> None:
        super().__init__(NOW)
        self.left = nth

    def wall_ms(self) -> int:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().wall_ms()


def test_a_setup_that_was_stopped_leaves_a_locked_profile_and_is_taken_up_again(centre: Centre, tmp_path: Path) -> None:
    file, nth, after_profile = packed(centre, tmp_path), 0, 0
    while True:
        nth += 1
        home = tmp_path / f"home-{nth}"
        try:
            stopped = enrol.setup(
                home, file, officer_name="សុខ ដារ៉ា", passphrase=PASSPHRASE, clock=Stopped(nth), cost=keys.CHEAP
            )
        except KeyboardInterrupt:
            after_profile += slots.exist(home)
            made = set_up(home, file)
            assert office.read(made.store)["code"] == "0306"
            made.lock()
        else:
            stopped.lock()
            break
    assert after_profile


def test_a_code_that_was_read_out_makes_the_request_of_a_pack_without_one(centre: Centre, tmp_path: Path) -> None:
    file, home = packed(centre, tmp_path, code=""), tmp_path / "home"
    for wrong in ("012345678", "012345678U", "0123456789" * 9):
        with pytest.raises(Refused, match="SY-475"):
            set_up(home, file, wrong)
    assert not home.exists()
    made = set_up(home, file)
    assert (made.store.read(enrol.request), made.store.read(enrol.request_words)) == (None, None)
    with pytest.raises(Refused, match="SY-475"):
        enrol.take_code(made, "U" * 10)
    words = enrol.take_code(made, "0123456789")
    sent = made.store.read(enrol.request) or b""
    request, signed, mac = devices.read_request(sent)
    assert words == devices.words(sent) == made.store.read(enrol.request_words)
    assert devices.code_holds(devices.code_key("0123456789", request.slot), signed, mac)
    certify(made, centre)
    with pytest.raises(Refused, match="SY-333"):
        enrol.take_code(made, "0123456789")
    made.lock()


def test_before_its_pack_a_laptop_asks_for_nothing_and_believes_no_certificate(centre: Centre, tmp_path: Path) -> None:
    made = set_up(tmp_path / "other", packed(centre, tmp_path))
    officer, certificate = made.officer, certified(made, centre)
    made.lock()
    bare = keys.create_profile(
        tmp_path / "home", officer=officer, passphrase=PASSPHRASE, clock=SetClock(NOW), cost=keys.CHEAP
    )
    try:
        with pytest.raises(Refused, match="SY-303"):
            enrol.take_code(bare, "0123456789")
        assert bare.store.read(enrol.signers) == ()
        with pytest.raises(Refused, match="SY-303"):
            bare.store.write(lambda conn: enrol.accept(conn, SetClock(NOW), certificate))
        assert (bare.store.read(enrol.request), bare.store.read(enrol.certificate)) == (None, None)
    finally:
        bare.lock()
    taken_up = set_up(tmp_path / "home", packed(centre, tmp_path))
    assert office.read(taken_up.store)["code"] == "0306"
    taken_up.lock()


def test_only_a_laptop_that_a_backup_brought_back_takes_another_place(
    laptop: Unlocked, centre: Centre, tmp_path: Path
) -> None:
    certify(laptop, centre)
    before, file = laptop.device.device_id, packed(centre, tmp_path, 5)
    with pytest.raises(Refused, match="SY-333"):
        enrol.renew(laptop, file)
    assert laptop.device.device_id == before
    laptop.store.write(lambda conn: set_mark(conn, RESTORED, 1))
    enrol.renew(laptop, file)
    assert laptop.device.device_id != before
    assert laptop.store.read(enrol.certificate) is None
    assert devices.read_request(laptop.store.read(enrol.request) or b"")[0].slot == bytes([5]) * 16
    certify(laptop, centre)
    with pytest.raises(Refused, match="SY-333"):
        enrol.renew(laptop, packed(centre, tmp_path, 6))
