"""The bridge and its threads: answers on the GUI thread, bursts as one signal, refusals told once, nothing after the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication

from desktop.worker import Worker
from i18n.errors import Refused, SalaError
from modules.contract import Changed

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.bridge import Bridge


def test_answers_arrive_on_the_gui_thread(qtbot: QtBot) -> None:
    worker = Worker(2, "test")
    threads: list[tuple[bool, bool]] = []

    def call() -> int:
        threads.append((threading.current_thread() is threading.main_thread(), False))
        return 7

    got: list[int] = []

    def then(result: int) -> None:
        got.append(result)
        threads.append((QThread.currentThread() is QApplication.instance().thread(), True))  # type: ignore[union-attr]

    worker.run(call, then)
    qtbot.waitUntil(lambda: got == [7])
    assert threads == [(False, False), (True, True)]
    worker.stop()


def test_a_failure_is_told_and_a_bug_has_its_own_signal(qtbot: QtBot) -> None:
    worker = Worker(1, "test")
    told: list[Exception] = []

    def fail() -> None:
        raise ValueError("x")

    worker.run(fail, lambda _: None, told.append)
    with qtbot.waitSignal(worker.bug):
        worker.run(fail, lambda _: None)
    assert [type(error) for error in told] == [ValueError]
    worker.stop()


def test_after_the_end_nothing_is_delivered(qtbot: QtBot) -> None:
    worker = Worker(1, "test")
    free = threading.Event()
    got: list[Any] = []
    worker.run(free.wait, got.append)
    worker.silence()
    free.set()
    worker.stop()
    QApplication.processEvents()
    assert got == []


def test_a_burst_of_changes_is_one_signal(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[Changed] = []
    bridge.changed.connect(heard.append)

    def burst() -> None:
        for number in range(200):
            bridge.session.bus.publish(
                Changed(frozenset({f"k{number % 3}"}), frozenset({f"r{number}"}), "forms.finish")
            )

    thread = threading.Thread(target=burst)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert len(heard) == 1
    assert heard[0].kinds == {"k0", "k1", "k2"}
    assert len(heard[0].ids) == 200
    assert heard[0].origin == "forms.finish"
    bridge.session.bus.publish(Changed(frozenset({"k"}), frozenset(), "sync"))
    qtbot.waitUntil(lambda: len(heard) == 2)


def test_a_refusal_goes_to_the_one_who_asked_else_to_the_banner(bridge: Bridge, qtbot: QtBot) -> None:
    mine: list[SalaError] = []
    everybodys: list[SalaError] = []
    bridge.refused.connect(everybodys.append)
    bridge.run("no.such", failed=mine.append)
    qtbot.waitUntil(lambda: len(mine) == 1)
    assert everybodys == []
    assert isinstance(mine[0], Refused)
    bridge.run("no.such")
    qtbot.waitUntil(lambda: len(everybodys) == 1)


def test_a_bug_is_told_without_its_inside(bridge: Bridge, qtbot: QtBot) -> None:
    told: list[SalaError] = []
    bridge.refused.connect(told.append)

    def bug() -> None:
        raise KeyError("លឹម ស្រីមុំ")

    bridge.work(bug)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0].code == "UI-001"
    assert "លឹម" not in str(told[0])


def test_writing_commands_say_when_it_was_saved(bridge: Bridge, qtbot: QtBot) -> None:
    writing = next(c for c in bridge.session.commands.list() if c.id == "links.create")
    assert writing.writes
    assert bridge.saved_ms is None
    with qtbot.waitSignal(bridge.saved):
        bridge.run("links.create", url="https://www.kampongcham.gov.kh/")
    assert bridge.saved_ms is not None


def test_drafts_are_found_and_put_away(bridge: Bridge, qtbot: QtBot) -> None:
    from sync import drafts

    unlocked, now_ms = bridge.session.unlocked, bridge.session.clock.wall_ms()
    bridge.session.store.write(
        lambda conn: drafts.save(conn, unlocked.officer.id, unlocked.draft_key, "d1", "forms/x", "ព្រាង", {}, now_ms)
    )
    found: list[list[str]] = []
    ask: Callable[[], None] = lambda: bridge.drafts(lambda rows: found.append([row.title for row in rows]))  # noqa: E731
    ask()
    qtbot.waitUntil(lambda: found == [["ព្រាង"]])
    bridge.discard_draft("d1", lambda _: ask())
    qtbot.waitUntil(lambda: found == [["ព្រាង"], []])
