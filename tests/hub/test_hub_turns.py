"""Turns: one computes at a time, the one that stores is next, and a failure passes the turn on."""

from __future__ import annotations

import threading

import pytest

from sync.hub.turns import Turns


def test_whoever_stores_goes_before_those_that_wait_to_check() -> None:
    turns, order = Turns(), list[str]()
    inside, go, waits = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with turns.checking():
            inside.set()
            go.wait(10)
            order.append("first")

    def later() -> None:
        waits.set()
        with turns.checking():
            order.append("check")

    def store() -> None:
        with turns.storing():
            order.append("store")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert inside.wait(10)
    threads += [threading.Thread(target=work) for work in (later, later, store)]
    for thread in threads[1:]:
        thread.start()
    while turns._storing == 0:
        pass
    assert order == []  # one at a time
    go.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "store", "check", "check"]


def test_a_group_waits_for_those_that_wait_to_check_but_not_for_long() -> None:
    turns, order = Turns(), list[str]()
    inside, go = threading.Event(), threading.Event()

    def check(name: str) -> None:
        with turns.checking():
            inside.set()
            go.wait(10)
            order.append(name)

    def group() -> None:
        turns.gather(10)
        order.append("group")

    threads = [threading.Thread(target=check, args=(name,)) for name in ("check", "check")]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    while turns._waiting == 0:
        pass
    turns.gather(0.01)  # both are still at it
    assert order == []
    threads.append(threading.Thread(target=group))
    threads[2].start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert order == ["check", "check", "group"]


@pytest.mark.parametrize("turn", ["checking", "storing"])
def test_a_failure_passes_the_turn_on(turn: str) -> None:
    turns = Turns()
    with pytest.raises(ArithmeticError), getattr(turns, turn)():
        raise ArithmeticError
    with turns.checking():
        pass
    with turns.storing():
        pass
