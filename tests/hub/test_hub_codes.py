"""Codes that a person reads and another types: they replace a pack's own code, for 72 hours and five tries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sync import devices, enrol, keys, pack
from sync.clock import SetClock
from sync.errors import Refused
from sync.hub import codes
from sync.hub.centre import Centre
from sync.hub.enrolment import PACK_DAYS, Answer
from sync.hub.offices import office_facts
from sync.keys import Unlocked
from sync.limits import CODE_TRIES, DAY_MS
from tests.conftest import PASSPHRASE
from tests.hub.conftest import sala_hub
from tests.hub.laptop import ask

HOUR = 3_600_000


@pytest.fixture
def bare(centre: Centre, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unlocked:
    """A laptop that was set up from a pack without a code."""
    monkeypatch.setenv("SALA_ROOTS", str(centre.folder / "roots"))
    file = tmp_path / "0306.pack"
    file.write_bytes(centre.enrol(office_facts("0306"), ["http://127.0.0.1:9"], spoken=True))
    assert pack.read_file(file, pack.roots()).code == ""
    made = enrol.setup(
        tmp_path / "home", file, officer_name="ចាន់ សុខា", passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP
    )
    yield made  # type: ignore[misc]
    made.lock()


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


def send(centre: Centre, laptop: Unlocked) -> Answer:
    data = laptop.store.read(enrol.request)
    assert data is not None
    return ask(centre, data)


def test_a_pack_alone_enrols_nobody_and_a_spoken_code_does(centre: Centre, bare: Unlocked, clock: SetClock) -> None:
    assert bare.store.read(enrol.request) is None and bare.store.read(enrol.request_words) is None
    spoken = codes.issue(centre, "0306")
    assert (spoken.laptop, spoken.not_after_ms) == (1, clock.wall_ms() + 72 * HOUR)
    assert spoken.code not in str(centre.storage.read(lambda tx: tx.query("SELECT * FROM slot")))
    said = enrol.take_code(bare, spoken.code.lower().replace("-", " ").replace("1", "l").replace("0", "o"))
    answer = send(centre, bare)
    assert answer.status == 201 and answer.certificate
    bare.store.write(lambda conn: enrol.accept(conn, clock, answer.certificate or b""))
    assert centre.storage.read(lambda tx: tx.query("SELECT words FROM device"))[0]["words"] == said
    assert bare.store.read(enrol.request_words) == said
    assert refused(lambda: enrol.take_code(bare, spoken.code)) == "SY-333"
    assert refused(lambda: codes.issue(centre, "0306")) == "HB-185"


def test_a_code_ends_after_72_hours_and_after_five_tries(centre: Centre, bare: Unlocked, clock: SetClock) -> None:
    spoken = codes.issue(centre, "0306", 1)
    for _ in range(CODE_TRIES):
        enrol.take_code(bare, "0000000000")
        assert send(centre, bare).status == 403
    enrol.take_code(bare, spoken.code)
    assert send(centre, bare).status == 410
    late = codes.issue(centre, "0306")
    enrol.take_code(bare, late.code)
    clock.advance(72 * HOUR + 1)
    assert send(centre, bare).status == 410
    again = codes.issue(centre, "0306")
    enrol.take_code(bare, late.code)
    assert send(centre, bare).status == 403, "the older code ended with the new one"
    enrol.take_code(bare, again.code)
    assert send(centre, bare).status == 201


def test_an_expired_pack_is_revived_by_a_code(
    centre: Centre, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALA_ROOTS", str(centre.folder / "roots"))
    file = tmp_path / "0306.pack"
    file.write_bytes(centre.enrol(office_facts("0306"), []))
    clock.advance((PACK_DAYS + 1) * DAY_MS)
    setup = lambda code: enrol.setup(  # noqa: E731
        tmp_path / "home", file, officer_name="ក ខ", passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP, code=code
    )
    assert refused(lambda: setup("too short")) == "SY-475"
    laptop = setup(None)
    try:
        assert send(centre, laptop).status == 410
        enrol.take_code(laptop, codes.issue(centre, "0306").code)
        assert send(centre, laptop).status == 201
    finally:
        laptop.lock()


def test_a_code_is_for_one_laptop_that_waits(centre: Centre, clock: SetClock, tmp_path: Path) -> None:
    assert refused(lambda: codes.issue(centre, "0306")) == "HB-185"
    centre.enrol(office_facts("0306"), [])
    centre.enrol(office_facts("0306"), [])
    assert refused(lambda: codes.issue(centre, "0306")) == "HB-185"
    assert codes.issue(centre, " 0306 ", 2).laptop == 2
    assert refused(lambda: codes.issue(centre, "0306", 7)) == "HB-185"


@pytest.mark.parametrize("typed", ["", "ABC", "ABCDEFGHJKM", "ABCDEFGHU0", "១២៣៤៥៦៧៨៩០"])
def test_what_is_no_code_is_told_at_once(bare: Unlocked, typed: str) -> None:
    assert refused(lambda: enrol.take_code(bare, typed)) == "SY-475"


def test_codes_by_the_command_line(centre: Centre, tmp_path: Path) -> None:
    centre.close()
    made = sala_hub(centre.folder, "enrol", "0306", "--out", str(tmp_path / "a.pack"), "--spoken")
    assert made["laptop"] == 1 and devices.is_code(made["code"])
    again = sala_hub(centre.folder, "code", "0306")
    assert again["code"] != made["code"] and again["laptop"] == 1
    assert sala_hub(centre.folder, "code", "0401", ok=False)["error"]["code"] == "HB-185"
