"""A forgotten passphrase: the request travels, not the laptop; nothing that was not sent is lost and no draft is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from sync import audit, cbor, drafts, identity, keys, reset, slots
from sync.clock import SetClock
from sync.errors import Refused
from sync.keys import Unlocked
from sync.officer import Officer
from tests.sync.conftest import NOW

PROVINCE = PrivateKey(b"p" * 32)
OLD, NEW = "ឃ្លាសម្ងាត់ដែលភ្លេច ១២៣", "ឃ្លាសម្ងាត់ថ្មី ៤៥៦ ៧៨៩"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def home(tmp_path: Path, clock: SetClock) -> Path:
    """A locked profile of two officers; the first left a draft."""
    made = keys.create_profile(
        tmp_path / "home", officer=Officer("", "ចាន់ សុខា", "Chan Sokha", "receiving"), passphrase=OLD, clock=clock,
        cost=keys.CHEAP, recovery=bytes(PROVINCE.public_key),
    )  # fmt: skip
    keys.add_officer(made, Officer("", "លឹម ដារ៉ា", "Lim Dara", "chief"), OLD + "២", cost=keys.CHEAP)
    made.store.write(
        lambda conn: drafts.save(conn, made.officer.id, made.draft_key, "d" * 32, "forms/x", "t", {"a": "ចម្លើយ"}, NOW)
    )
    made.lock()
    return tmp_path / "home"


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


def begin(home: Path, clock: SetClock, name: str = "Chan Sokha") -> bytes:
    return reset.begin(home, name, NEW, clock, cost=keys.CHEAP)


def finish(home: Path, data: bytes, clock: SetClock, words: str = NEW) -> Unlocked:
    return reset.finish(home, data, words, clock, cost=keys.CHEAP)


def test_the_officer_goes_on_with_their_drafts_and_a_new_key(home: Path, clock: SetClock) -> None:
    request = begin(home, clock)
    assert reset.waiting(home) == request
    shown = reset.read(request)
    assert (shown.name, shown.latin, shown.made_ms) == ("ចាន់ សុខា", "Chan Sokha", NOW)
    answer = reset.answer(request, PROVINCE)
    unlocked = finish(home, answer, clock)
    try:
        draft = unlocked.store.read(lambda conn: drafts.get(conn, unlocked.officer.id, unlocked.draft_key, "d" * 32))
        assert draft is not None and draft["body"] == {"a": "ចម្លើយ"}
        told = dict(unlocked.store.read(identity.undeclared))
        assert [body["recovered_ms"] for body in told.values() if "recovered_ms" in body] == [NOW]
        assert "passphrase recovered" in str(
            unlocked.store.read(lambda conn: [row[0] for row in conn.execute("SELECT event FROM audit")])
        )
        assert unlocked.store.read(audit.verify).ok
    finally:
        unlocked.lock()
    assert reset.waiting(home) is None
    assert refused(lambda: keys.unlock(home, "Chan Sokha", OLD, clock)) == "SY-114"
    keys.unlock(home, "Chan Sokha", NEW, clock).lock()
    keys.unlock(home, "Lim Dara", OLD + "២", clock).lock()
    assert refused(lambda: finish(home, answer, clock)) == "SY-471"


def test_neither_request_nor_answer_opens_anything_by_itself(home: Path, clock: SetClock) -> None:
    request = begin(home, clock)
    answer = reset.answer(request, PROVINCE)
    kept = (home / reset.FILE).read_bytes()
    unlocked = keys.unlock(home, "Lim Dara", OLD + "២", clock)
    key = bytes(bytearray(unlocked.database_key))  # a copy: locking wipes the other
    unlocked.lock()
    assert key not in request and key not in answer and key not in kept
    assert refused(lambda: finish(home, answer, clock, "a passphrase that a thief tries")) == "SY-114"
    assert refused(lambda: reset.answer(request, PrivateKey.generate())) == "SY-116"


def test_an_answer_is_for_one_request_only(home: Path, clock: SetClock) -> None:
    first = reset.answer(begin(home, clock), PROVINCE)
    second = reset.answer(begin(home, clock), PROVINCE)
    assert refused(lambda: finish(home, first, clock)) == "SY-470"
    altered = bytearray(second)
    altered[-1] ^= 1
    assert refused(lambda: finish(home, bytes(altered), clock)) == "SY-470"
    for wrong in (b"", b"\xff", cbor.encode([reset.ANSWER]), bytes(5_000)):
        assert refused(lambda wrong=wrong: finish(home, wrong, clock)) == "SY-470"
    finish(home, second, clock).lock()


@pytest.mark.parametrize("place", range(9))
def test_a_request_that_was_touched_is_none(home: Path, clock: SetClock, place: int) -> None:
    values = cbor.decode(begin(home, clock))
    values[place] = b"x" if place else "sala/other/v1"
    if place in (2, 3):
        values[place] = "ក" * 200
    assert refused(lambda: reset.answer(cbor.encode(values), PROVINCE)) == "SY-470"


def test_a_foreign_draft_key_is_noticed(home: Path, clock: SetClock) -> None:
    values = cbor.decode(begin(home, clock))
    values[6] = bytes(80)
    assert refused(lambda: reset.answer(cbor.encode(values), PROVINCE)) == "SY-470"


def test_nobody_and_short_passphrases_are_told_at_once(home: Path, clock: SetClock, tmp_path: Path) -> None:
    assert refused(lambda: begin(home, clock, "Nobody")) == "SY-112"
    assert refused(lambda: reset.begin(home, "Chan Sokha", "short", clock)) == "SY-113"
    assert refused(lambda: reset.finish(home, b"", NEW, clock)) == "SY-471"
    keys.create_profile(
        tmp_path / "bare", officer=Officer("", "ក ខ", "A B", "it"), passphrase=OLD, clock=clock, cost=keys.CHEAP
    ).lock()
    assert refused(lambda: begin(tmp_path / "bare", clock, "A B")) == "SY-117"
    (home / reset.FILE).write_bytes(b"torn")
    assert reset.waiting(home) is None


def test_a_profile_of_an_older_sala_shows_its_drafts_after_the_next_unlocking(home: Path, clock: SetClock) -> None:
    found = slots.read(home)
    slots.write(home, slots.Slots(found.generation, found.officers, found.recovery))
    assert reset.read(begin(home, clock)).draft == b""
    keys.unlock(home, "Lim Dara", OLD + "២", clock).lock()
    assert len(reset.read(begin(home, clock)).draft) == 80


def test_a_removal_that_was_cut_off_is_finished_by_the_reset(home: Path, clock: SetClock) -> None:
    """Both database keys are in the recovery slot then."""
    unlocked = keys.unlock(home, "Lim Dara", OLD + "២", clock)
    both = [b"n" * 32, bytes(bytearray(unlocked.database_key))]
    unlocked.lock()
    slots.write(home, slots.read(home).sealed_anew(both[::-1]))
    answer = reset.answer(begin(home, clock), PROVINCE)
    finish(home, answer, clock).lock()
    keys.unlock(home, "Lim Dara", OLD + "២", clock).lock()


@pytest.mark.parametrize("point", ["recover", "reset:done"])
def test_killed_in_the_middle_the_same_answer_finishes_it(
    home: Path, clock: SetClock, tmp_path: Path, point: str
) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(reset.answer(begin(home, clock), PROVINCE))
    script = (
        "import sys; from pathlib import Path; from sync import failpoint, keys, reset; from sync.clock import SetClock\n"
        f"reset.finish(Path({str(home)!r}), Path({str(answer)!r}).read_bytes(), {NEW!r}, SetClock({NOW}), cost=keys.CHEAP)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "SALA_FAILPOINT": f"{point}:1"},
        check=False,
    )
    assert done.returncode == -9, "the point was reached"
    finish(home, answer.read_bytes(), clock).lock()
    keys.unlock(home, "Chan Sokha", NEW, clock).lock()


def test_what_is_no_request_is_told(home: Path, clock: SetClock) -> None:
    for wrong in (b"", b"\xff", bytes(5_000), cbor.encode([1, 2])):
        assert refused(lambda wrong=wrong: reset.answer(wrong, PROVINCE)) == "SY-470"
    assert len(reset.spoken(begin(home, clock)).split()) == 6
    (home / reset.FILE).write_bytes(cbor.encode(["sala/reset-open/v1", b"", b"", 1, 1, b""]))
    assert reset.waiting(home) is None


def test_an_answer_with_something_else_inside_is_none(home: Path, clock: SetClock) -> None:
    from hashlib import sha256

    from nacl.public import PublicKey, SealedBox

    request = begin(home, clock)
    for inside in (b"\xff", cbor.encode([b"short", b""]), cbor.encode([1])):
        sealed = SealedBox(PublicKey(reset.read(request).fresh)).encrypt(inside)
        data = cbor.encode([reset.ANSWER, sha256(request).digest(), sealed])
        assert refused(lambda data=data: finish(home, data, clock)) == "SY-470"
