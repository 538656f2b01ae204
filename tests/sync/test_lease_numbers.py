"""Numbers of a lease: burnt in order, never twice, given back, refilled, at an end."""

from __future__ import annotations

import pytest

from sync import leases, marks
from sync.clock import SetClock
from sync.errors import Refused
from sync.keys import Unlocked
from sync.store import Connection
from sync.wire import LeaseGrant
from tests.sync.conftest import Centre


def test_numbers_are_burnt_in_order_and_never_twice(laptop: Unlocked, clock: SetClock) -> None:
    taken = [
        laptop.store.write(lambda conn: leases.take(conn, "receipt-numbers", clock.wall_ms()))[1] for _ in range(100)
    ]
    assert taken == list(range(100))
    with pytest.raises(Refused) as refused:
        laptop.store.write(lambda conn: leases.take(conn, "receipt-numbers", clock.wall_ms()))
    assert refused.value.code == "SY-301"


def test_a_number_is_given_back_when_the_record_is_not_saved(laptop: Unlocked, clock: SetClock) -> None:
    def fails(conn: Connection) -> None:
        leases.take(conn, "receipt-numbers", clock.wall_ms())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        laptop.store.write(fails)
    assert laptop.store.write(lambda conn: leases.take(conn, "receipt-numbers", clock.wall_ms()))[1] == 0


def test_leases_lapse_by_the_later_of_both_clocks(laptop: Unlocked, clock: SetClock) -> None:
    now = clock.wall_ms()
    assert laptop.store.read(lambda conn: len(leases.active(conn, "link-codes", now))) == 1
    assert laptop.store.read(lambda conn: leases.active(conn, "link-codes", now + 61 * 86_400_000)) == []
    laptop.store.write(lambda conn: marks.raise_floor(conn, marks.HUB_TIME, now + 61 * 86_400_000))
    assert laptop.store.read(lambda conn: leases.active(conn, "link-codes", now)) == []


def test_a_refill_is_asked_for_below_fifty(laptop: Unlocked, clock: SetClock) -> None:
    assert laptop.store.read(lambda conn: leases.running_out(conn, clock.wall_ms())) == []
    for _ in range(51):
        laptop.store.write(lambda conn: leases.take(conn, "link-codes", clock.wall_ms()))
    assert laptop.store.read(lambda conn: leases.running_out(conn, clock.wall_ms())) == ["link-codes"]


def test_a_lease_that_comes_again_keeps_its_burnt_numbers(laptop: Unlocked, clock: SetClock, centre: Centre) -> None:
    grant = centre.pack(1).leases[0]
    laptop.store.write(lambda conn: leases.take(conn, grant.resource, clock.wall_ms()))
    laptop.store.write(lambda conn: leases.install(conn, grant))
    assert laptop.store.read(lambda conn: leases.active(conn, grant.resource, clock.wall_ms()))[0].used == 1


def test_numbers_that_are_given_once_more_are_used_up_already(
    laptop: Unlocked, clock: SetClock, centre: Centre
) -> None:
    """Two lives of the hub's log from one copy give a laptop the same block under two names."""
    blocks = [
        LeaseGrant(bytes([n]) * 16, "test-numbers", {"prefix": "0306-1-", "first": first}, 10, clock.wall_ms() + 1)
        for n, first in enumerate((1, 1, 11))
    ]

    def taken(conn: Connection) -> list[int]:
        for block in blocks:
            leases.install(conn, block)
        found = [leases.take(conn, "test-numbers", clock.wall_ms()) for _ in range(20)]
        return [lease.content["first"] + n for lease, n in found]

    assert sorted(laptop.store.write(taken)) == list(range(1, 21))
    with pytest.raises(Refused, match="SY-301"):
        laptop.store.write(lambda conn: leases.take(conn, "test-numbers", clock.wall_ms()))
