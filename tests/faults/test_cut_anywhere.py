"""The power goes at every write point of work that the simulated days do not pass: packing away the audit log, a new pack for a
laptop that a backup brought back, and carrying a colleague's work and scans on to the centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync import (
    audit,
    audit_marks,
    audit_purge,
    backup,
    care,
    colleagues,
    courier,
    enrol,
    exchange,
    foreign,
    foreign_files,
    marks,
    ops,
)
from sync.hub.offices import office_facts
from sync.keys import Unlocked
from tests.simulation import template
from tests.simulation.centre import copy
from tests.simulation.laptop import Laptop
from tests.simulation.points import LAPTOP
from tests.simulation.world import World, world

DAY = 86_400_000


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A centre and its laptops on a perfect line."""
    with world(1) as made:
        monkeypatch.setenv("SALA_ROOTS", str(made.folder / "hub" / "roots"))
        made.roads = None
        yield made


def cut_anywhere(days: World, laptop: Laptop, action: Callable[[Unlocked], Any], holds: Callable[[], None]) -> set[str]:
    """Let the power go at the first and at the last passing of every write point of ``action``; ``holds`` after it is done once more.

    Gives the names of the points.
    """
    laptop.lock()
    before = laptop.home.with_name("before-the-cut")
    copy(laptop.home, before)
    days.points.order.clear()
    assert laptop.work(action) is True
    names = dict(enumerate((name for whose, name in days.points.order if whose == LAPTOP), 1))
    holds()
    places = {name: n for n, name in reversed(names.items())} | {f"{name} again": n for n, name in names.items()}
    for n in sorted(set(places.values())):
        laptop.close()
        copy(before, laptop.home)
        days.points.armed[LAPTOP] = n
        assert laptop.work(action) is None and LAPTOP not in days.points.armed, "it died"
        assert laptop.work(action) is True
        holds()
    return set(names.values())


def test_packing_away_the_audit_log(days: World) -> None:
    laptop = days.laptops[0]

    def old_rows(unlocked: Unlocked) -> None:
        clock = unlocked.store.clock

        def work(conn: Any) -> None:
            for number in range(20):
                audit.append(conn, clock, {"what": "looked", "record": str(number)})
            body = audit_marks.make(conn, clock)
            ops.append(
                conn,
                unlocked,
                clock,
                kind=audit.CHECKPOINT_KIND,
                record="",
                form="sync",
                def_hash=None,
                body=body,
                sealed=False,
            )
            conn.execute("UPDATE audit_mark SET note = 'cosigned' WHERE size = ?", (body["size"],))
            marks.raise_floor(conn, marks.HUB_TIME, laptop.clock.wall_ms() + (audit_purge.KEPT_DAYS + 1) * DAY)

        unlocked.store.write(work)

    def pack_away(unlocked: Unlocked) -> bool:
        return unlocked.store.write(lambda conn: audit_purge.archive(conn, unlocked.store.clock)) >= 0

    def whole() -> None:
        store = laptop.unlocked.store
        packed = [row[0] for row in store.read(audit_purge.archived)]
        left = [row["seq"] for row in laptop.rows("SELECT seq FROM audit ORDER BY seq")]
        assert packed and packed + left == list(range(1, left[-1] + 1))
        assert store.read(audit.verify).ok and care.problems(laptop.unlocked) == []

    laptop.work(old_rows)
    assert cut_anywhere(days, laptop, pack_away, whole) >= {"audit:archived", "audit:purged", "store"}


def test_a_new_pack_for_a_laptop_that_a_backup_brought_back(days: World) -> None:
    lost, centre = days.laptops[0], days.site.centre
    lost.write("links.created", 2, sealed=False)
    lost.sync()
    file, pack = days.folder / "usb.sala-backup", days.folder / "second.salapack"
    backup.write(lost.unlocked, file)
    lost.close()
    found = Laptop("second", days.folder / "second", lost.clock, days.points)
    backup.restore(file, found.home)
    pack.write_bytes(centre.enrol(office_facts("0306"), [template.URL]))

    def renewed(unlocked: Unlocked) -> bool:
        enrol.renew(unlocked, pack)
        return True

    def goes_on() -> None:
        found.write("links.created", 1, sealed=False)
        report = found.sync()
        assert not isinstance(report, str) and report is not None and (report.problems, report.waiting) == ([], 0)
        device = found.unlocked.device.device_id
        assert device not in lost.devices
        labels = {row["label"] for row in days.site.rows("SELECT label FROM op WHERE device = :d", d=device)}
        assert labels == {"accepted"}
        days.site.restore(0, new_epoch=False)  # for the next cut the centre has not seen it yet

    days.site.backup()
    try:
        passed = cut_anywhere(days, found, renewed, goes_on)
    finally:
        found.close()
    assert passed >= {"setup:device-replaced", "setup:before-commit"}


def test_carrying_a_colleagues_work_and_scan_on(days: World) -> None:
    one, other = days.laptops[:2]
    for here, there in ((one, other), (other, one)):
        pair(here, there.unlocked.store.read(colleagues.own_certificate))
    one.write("links.created", 3, sealed=True, attachment=b"scan" * 100)
    for giver, taker in ((one, other), (other, one)):  # the second one asks for the scan's pieces
        giver.export(days.folder / f"{giver.name}-stick")
        taker.import_(days.folder / f"{giver.name}-stick")
    last = days.folder / "last"
    one.export(last)
    made = {row["hash"] for row in one.rows("SELECT hash FROM op")}

    def both_ways(unlocked: Unlocked) -> bool:
        taken = courier.import_(unlocked, last)
        report = exchange.run(unlocked)
        return taken.problems == report.problems == []

    def has_all() -> None:
        held = [row["hash"] for row in days.site.rows("SELECT hash FROM op WHERE label = 'accepted'")]
        assert made <= set(held) and len(held) == len(set(held))
        assert other.unlocked.store.read(foreign.to_carry) == [] == other.unlocked.store.read(foreign_files.lacking)
        assert care.problems(other.unlocked) == []
        days.site.restore(0, new_epoch=False)  # for the next cut the centre has not seen it yet

    days.site.backup()
    passed = cut_anywhere(days, other, both_ways, has_all)
    assert passed >= {"office:after-put", "foreign:piece", "foreign:file"}


def pair(here: Laptop, card: bytes) -> None:
    here.work(lambda unlocked: unlocked.store.write(lambda conn: colleagues.pair(conn, unlocked.store.clock, card)))
