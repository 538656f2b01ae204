"""What laptops say of themselves: kept from signed questions only, old publications are noticed, older programs say nothing."""

from __future__ import annotations

import pytest

from sync import wire
from sync.cbor import Malformed, encode
from sync.clock import SetClock
from sync.hub import contacts, needs, reports
from sync.hub.centre import Centre
from sync.limits import DAY_MS
from sync.wire import About, Have
from tests.hub.laptop import Laptop, join

HASH = bytes(32)


def test_have_says_more_and_older_programs_need_not() -> None:
    said = Have([HASH], [], 4, HASH, 1, 9, About(12, 3, "1.2.0"))
    assert wire.read_have(said.encode()) == said
    silent = Have([HASH], [], 4, HASH, 1, 9)
    assert wire.read_have(silent.encode()) == silent
    for about in (
        [1, 2],
        [1, 2, 3],
        [-1, 2, "x"],
        [1, True, "x"],
        [1, 2, "x" * 41],
        [1, 2, "a\nb"],
        "x",
        [1, 2, "x", 4],
    ):
        with pytest.raises(Malformed):
            wire.read_have(encode({1: [], 2: [], 3: 0, 4: HASH, 5: 0, 6: 0, 7: about}))
    with pytest.raises(Malformed):
        wire.read_have(encode({1: [], 2: [], 3: 0, 4: HASH, 5: 0, 6: 0, 8: [1, 2, "x"]}))


def test_what_is_said_is_written_down_when_it_changed_or_a_minute_passed(centre: Centre, clock: SetClock) -> None:
    laptop = join(centre, Laptop())
    about = About(1, 5, "1.0")

    def stale(said: About | None) -> bool:
        return centre.storage.read(lambda tx: contacts.stale(tx, laptop.id, said, clock.wall_ms()))

    assert not stale(None) and stale(about)
    centre.storage.write(lambda tx: contacts.heard(tx, laptop.id, about, clock.wall_ms()))
    assert not stale(about) and stale(About(1, 4, "1.0"))
    clock.advance(contacts.SEEN_EVERY_MS + 1)
    assert stale(None) and stale(about)


def test_a_laptop_with_old_publications_is_seen_before_anybody_relies_on_them(centre: Centre, clock: SetClock) -> None:
    first, second = join(centre, Laptop()), join(centre, Laptop())
    centre.settle()
    held = centre.repository.version()
    for laptop, version in (
        (first, held),
        (second, held + 7_000),
    ):  # the second knows more than this hub: it was put back
        centre.storage.write(
            lambda tx, d=laptop.id, v=version: contacts.heard(tx, d, About(v, 2, "1.0"), clock.wall_ms())
        )  # type: ignore[misc]

    def ages() -> list[tuple[int | None, bool]]:
        found = centre.storage.read(lambda tx: contacts.ages(tx, clock.wall_ms()))
        return [(found[laptop.id]["age_ms"], bool(found[laptop.id]["old"])) for laptop in (first, second)]

    assert ages() == [(0, False), (0, False)]
    clock.advance(4 * DAY_MS)  # a new version comes because the old one nears its end
    join(centre, Laptop())
    centre.settle()
    assert centre.repository.version() > held
    assert ages() == [(4 * DAY_MS, False), (0, False)]
    clock.advance(4 * DAY_MS)
    assert ages() == [(8 * DAY_MS, True), (0, False)]
    offices = centre.storage.read(lambda tx: reports.board(tx, clock.wall_ms()))
    assert [(office["old"], office["waiting"]) for office in offices] == [(1, 4)]
    waiting = centre.storage.read(lambda tx: needs.needs(tx, offices, clock.wall_ms(), clock.wall_ms() + 400 * DAY_MS))
    assert [need.what for need in waiting if need.what == "old"] == ["old"]


def test_a_version_that_the_hub_does_not_remember_counts_as_old(centre: Centre, clock: SetClock) -> None:
    laptop = join(centre, Laptop())
    centre.settle()
    centre.storage.write(lambda tx: contacts.heard(tx, laptop.id, About(0, 0, "0.1"), clock.wall_ms()))
    found = centre.storage.read(lambda tx: contacts.ages(tx, clock.wall_ms()))[laptop.id]
    assert found["age_ms"] is None and found["old"]
