"""Home: what waits for this officer, from every module and from the shell, in the order of urgency."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from desktop.kit.wrap import Label
from desktop.shell.home import HomePage
from desktop.shell.home_parts import LineCard
from i18n.catalog import tr

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame

Settle = Callable[[], None]


def home(frame: Frame) -> HomePage:
    page = frame.page("home")
    assert isinstance(page, HomePage)
    return page


def lines(frame: Frame) -> list[list[str]]:
    """The words of every line that waits, from top to bottom."""
    held = home(frame).lines
    cards = [item.widget() for n in range(held.count()) if (item := held.itemAt(n)) is not None]
    return [[label.words() for label in card.findChildren(Label)] for card in cards if isinstance(card, LineCard)]


def test_a_new_office_sees_how_to_begin(frame: Frame) -> None:
    assert home(frame).start.isVisible()
    assert lines(frame) == []
    assert home(frame).hello.words().endswith("ចាន់ សុខា")


def test_first_actions_come_from_the_modules_and_open_their_pages(frame: Frame, qtbot: QtBot) -> None:
    actions = home(frame).first
    assert [action.module for action in actions] == ["forms", "certificates", "links", "messages"]
    with qtbot.waitSignal(frame.bridge.open_wanted) as wanted:
        actions[2].pressed.emit()
    assert wanted.args == ["links", actions[2].command.page]


def test_a_draft_and_what_waits_are_shown(frame: Frame, bridge: Bridge, qtbot: QtBot, settle: Settle) -> None:
    from sync import drafts

    unlocked, now_ms = bridge.session.unlocked, bridge.session.clock.wall_ms()
    title = "អាជ្ញាប័ណ្ណជាងកាត់សក់ · លឹម ស្រីមុំ"
    bridge.session.store.write(
        lambda conn: drafts.save(conn, unlocked.officer.id, unlocked.draft_key, "d1", "forms/x", title, {}, now_ms)
    )
    bridge.run_now("links.create", url="https://www.kampongcham.gov.kh/")
    frame.open("home")
    settle()
    qtbot.waitUntil(lambda: len(lines(frame)) == 2)
    assert lines(frame)[0][0] == title
    assert lines(frame)[1][0] == tr("{count} waiting to be sent", count="1")
    assert not home(frame).start.isVisible()


def test_what_the_centre_sent_back_stays_until_it_is_corrected(
    frame: Frame, bridge: Bridge, qtbot: QtBot, settle: Settle
) -> None:
    from sync import inbox
    from sync.wire import Notice

    made = bridge.run_now("links.create", url="https://www.kampongcham.gov.kh/", title="ទំព័រដើម")
    store = bridge.session.store
    op = store.read(lambda conn: conn.execute("SELECT hash FROM op WHERE kind = 'links.created'").fetchone()["hash"])
    body: dict[str, Any] = {"decision": "sent_back", "reason": "រូបថតមិនច្បាស់"}
    now_ms = bridge.session.clock.wall_ms()
    store.write(lambda conn: inbox.receive(conn, [Notice(1, op, "sync.review", body)], now_ms))
    frame.open("home")
    settle()
    qtbot.waitUntil(lambda: any("រូបថតមិនច្បាស់" in word for line in lines(frame) for word in line))
    assert lines(frame)[0][0] == "ទំព័រដើម"
    frame.open("outbox")
    outbox = frame.page("outbox")
    outbox.tabs._tabs["decided"].click()  # type: ignore[attr-defined]
    settle()
    assert outbox.table.rows.words(0, 4) == "បានបញ្ជូនត្រឡប់"  # type: ignore[attr-defined]
    outbox.table.choose_row(0)  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: outbox.reason.isVisible())  # type: ignore[attr-defined]
    turn_off = next(
        c.id for c in bridge.session.commands.list() if c.id.startswith("links.") and c.writes and "code" in _needs(c)
    )
    bridge.run_now(turn_off, code=made["code"])
    frame.open("home")
    settle()
    qtbot.waitUntil(lambda: not any("រូបថតមិនច្បាស់" in word for line in lines(frame) for word in line))


def _needs(command: Any) -> list[str]:
    return list(command.params.get("required", ()))
