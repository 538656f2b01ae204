"""Drafts: durable, sealed to their officer, thirty days in the bin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync import ballast, drafts, keys
from sync.clock import SetClock
from sync.errors import Known
from sync.keys import CHEAP, Unlocked
from sync.officer import Officer
from sync.store import Connection
from sync.wrapping import WrongKey

DAY = 86_400_000


class Desk:
    """One officer's drafts."""

    def __init__(self, unlocked: Unlocked, officer: str | None = None, key: bytes | None = None) -> None:
        self.store = unlocked.store
        self.who = (officer or unlocked.officer.id, key or unlocked.draft_key)

    def save(self, id: str, body: dict[str, Any], subject: str = "forms/x", title: str = "t", at: int = 1) -> None:
        self.store.write(lambda conn: drafts.save(conn, *self.who, id, subject, title, body, at))

    def get(self, id: str) -> dict[str, Any] | None:
        return self.store.read(lambda conn: drafts.get(conn, *self.who, id))

    def ids(self, prefix: str = "") -> list[str]:
        return [one["id"] for one in self.store.read(lambda conn: drafts.list_(conn, *self.who, prefix))]

    def bin(self) -> list[str]:
        return [one["id"] for one in self.store.read(lambda conn: drafts.bin_(conn, *self.who))]

    def discard(self, id: str, at: int = 1) -> None:
        self.store.write(lambda conn: drafts.discard(conn, self.who[0], id, at))


@pytest.fixture
def desk(profile: Unlocked) -> Desk:
    return Desk(profile)


def test_a_draft_comes_back_as_it_was(desk: Desk) -> None:
    body = {"ឈ្មោះ": "សុខ", "n": 1.5, "list": [None, True, {"deep": "x" * 200_000}]}
    desk.save("d1", {"first": 1})
    desk.save("d1", body, "forms/barber", "ចំណងជើង", 7)
    assert desk.get("d1") == {"id": "d1", "subject": "forms/barber", "title": "ចំណងជើង", "body": body, "updated_ms": 7}
    assert desk.get("d2") is None


def test_newest_first_and_by_subject(desk: Desk) -> None:
    desk.save("a", {}, "forms/x", at=1)
    desk.save("b", {}, "links/y", at=3)
    desk.save("c", {}, "forms/z", at=2)
    assert desk.ids() == ["b", "c", "a"]
    assert desk.ids("forms/") == ["c", "a"]
    assert desk.ids("forms/x") == ["a"]


def test_no_new_draft_is_begun_without_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.save("d1", {"begun": 1})
    asked: list[Path] = []

    def little(folder: Path) -> int:
        asked.append(folder)
        return 100 << 20

    monkeypatch.setattr(ballast, "free", little)
    with pytest.raises(Known, match="SY-105"):
        desk.save("d2", {})
    desk.save("d1", {"begun": 2})
    assert asked == [desk.store.folder]
    assert desk.ids() == ["d1"]


def test_another_officer_neither_sees_nor_overwrites_it(profile: Unlocked, desk: Desk) -> None:
    dara = keys.add_officer(profile, Officer("", "ចាន់ ដារា", "Chan Dara", "it"), "long enough", cost=CHEAP)
    other = Desk(profile, dara.id, b"k" * 32)
    desk.save("d1", {"mine": 1})
    assert other.get("d1") is None
    assert other.ids() == []
    with pytest.raises(LookupError):
        other.save("d1", {"theirs": 1})
    other.discard("d1")
    assert desk.get("d1") is not None
    with pytest.raises(WrongKey):
        Desk(profile, key=b"k" * 32).get("d1")


def test_a_draft_cannot_be_passed_off_as_another(desk: Desk) -> None:
    desk.save("d1", {"one": 1})
    desk.save("d2", {"two": 2})
    desk.store.write(lambda conn: conn.execute("UPDATE draft SET body = (SELECT body FROM draft WHERE id = 'd1')"))
    with pytest.raises(WrongKey):
        desk.get("d2")


def test_the_bin_keeps_thirty_days(desk: Desk) -> None:
    for id, at in (("a", 0), ("b", 10 * DAY)):
        desk.save(id, {})
        desk.discard(id, at)
        desk.discard(id, at + 99)  # once is enough
    assert desk.ids() == []
    assert desk.get("a") is None
    assert desk.bin() == ["b", "a"]
    assert desk.store.write(lambda conn: drafts.empty_bin(conn, 30 * DAY)) == 0
    assert desk.store.write(lambda conn: drafts.empty_bin(conn, 30 * DAY + 1)) == 1
    assert desk.bin() == ["b"]
    desk.store.write(lambda conn: drafts.restore(conn, desk.who[0], "b"))
    assert desk.ids() == ["b"]


def test_saving_takes_it_out_of_the_bin(desk: Desk) -> None:
    desk.save("a", {})
    desk.discard("a")
    desk.save("a", {"again": 1})
    assert (desk.ids(), desk.bin()) == (["a"], [])


def test_unlocking_empties_the_bin(profile: Unlocked, desk: Desk, clock: SetClock) -> None:
    desk.save("a", {})
    desk.discard("a", clock.wall)
    profile.lock()
    clock.wall += 31 * DAY
    again = keys.unlock(profile.home, "Sok Vibol", "ផ្កាឈូក ពណ៌ ស", clock)
    count: Any = lambda conn: conn.execute("SELECT count(*) FROM draft").fetchone()[0]  # noqa: E731
    assert again.store.read(count) == 0
    again.lock()


def test_nothing_of_a_draft_is_readable_in_the_table(desk: Desk) -> None:
    desk.save("d1", {"name": "canary"}, "forms/canary", "canary")

    def raw(conn: Connection) -> bytes:
        row = conn.execute("SELECT * FROM draft").fetchone()
        return b"".join(str(value).encode() if not isinstance(value, bytes) else value for value in row)

    assert b"canary" not in desk.store.read(raw)
