"""S20: the centre sends a case back, accepts another, asks for a third once more; nothing holds up anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.shell import outbox_rows
from modules import replicate, reviews
from modules.session import Session
from sync import enrol, inbox, keys, outbox, pieces
from sync.clock import SystemClock
from sync.wire import Notice
from tests.bench.people import varied
from tests.end2end.three_days import PASSPHRASE, copy_answers
from tests.faults import children
from tests.faults.worker import scan
from tests.sync.hub_process import Hub

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
REASON = "សូមពិនិត្យថ្ងៃខែឆ្នាំកំណើតឡើងវិញ"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    yield made
    made.stop()


@pytest.fixture
def office(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    pack = hub.pack(tmp_path / "office.salapack")
    made = Session.open(
        enrol.setup(
            tmp_path / "home", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )
    )  # fmt: skip
    yield made
    made.close()


def finish(session: Session, number: int) -> dict[str, Any]:
    made: dict[str, Any] = session.commands.run(
        "forms.fill", form="birth-extract-copy", answers=varied(number), finish=True
    )
    return made


def finish_with_scan(session: Session, number: int, folder: Path) -> dict[str, Any]:
    place = folder / "scan.png"
    place.write_bytes(scan(120))
    answers = {**copy_answers(number), "original_scan": [str(place)]}
    made: dict[str, Any] = session.commands.run("forms.fill", form="copy-legalisation", answers=answers, finish=True)
    return made


def states(session: Session) -> dict[str, str]:
    return {row["id"]: row["shown_state"] for row in session.commands.run("forms.list")["rows"]}


def tray(session: Session) -> list[tuple[str, str]]:
    """What Home tells the officer that came back: the case and the reason."""
    return [(row["record"], row["note"]) for row in session.store.read(outbox_rows.sent_back)]


def test_sent_back_accepted_and_asked_for_once_more(hub: Hub, office: Session, tmp_path: Path) -> None:
    bad, good = finish(office, 1), finish(office, 2)
    again = finish_with_scan(office, 3, tmp_path)
    assert replicate.once(office)["waiting"] == 0
    hub.cli("decide", bad["op"], "sent_back", "--reason", REASON, "--admin", "សុខា")
    hub.cli("decide", good["op"], "accepted", "--admin", "សុខា")
    replicate.once(office)
    assert states(office) == {bad["id"]: "sent_back", good["id"]: "accepted", again["id"]: "received"}
    case = office.commands.run("forms.show", id=bad["id"])
    assert (case["review"], case["review_reason"]) == ("sent_back", REASON)
    assert tray(office) == [(bad["id"], REASON)]
    assert [row["id"] for row in office.commands.run("forms.list", state="sent_back")["rows"]] == [bad["id"]]
    assert [row["id"] for row in office.commands.run("forms.list", state="accepted")["rows"]] == [good["id"]]

    office.commands.run("forms.correct", id=bad["id"], changes={"dob": "01/02/1941"}, reason=REASON)
    assert states(office)[bad["id"]] == "waiting" and tray(office) == []
    assert replicate.once(office)["waiting"] == 0
    assert states(office)[bad["id"]] == "received"
    assert office.commands.run("forms.show", id=bad["id"])["review"] == ""

    hub.cli("decide", again["op"], "send_again", "--reason", "រូបស្កេនបាត់", "--admin", "សុខា")
    replicate.once(office)
    assert states(office)[again["id"]] == "waiting"
    assert office.commands.run("forms.show", id=again["id"])["review_reason"] == "រូបស្កេនបាត់"
    rows = office.store.read(lambda conn: outbox_rows.read(conn, ("waiting",)))
    assert "រូបស្កេនបាត់" in [row["note"] for row in rows if row["record"] == again["id"]]
    assert office.store.read(pieces.count) > 0
    report = replicate.once(office)
    assert report["batches_received"] >= 1 and report["chunks_sent"] > 0 and report["waiting"] == 0
    assert states(office)[again["id"]] == "received"
    assert office.commands.run("forms.show", id=again["id"])["review_reason"] == ""
    assert tray(office) == []


def test_a_decision_that_nobody_understands_holds_up_none(hub: Hub, office: Session) -> None:
    first, second = finish(office, 1), finish(office, 2)
    replicate.once(office)
    strange = [
        Notice(1_000, bytes.fromhex(first["op"]), "sync.review", {"decision": 5, "reason": [b"\x00"]}),
        Notice(1_001, os.urandom(32), "sync.review", {"decision": "sent_back", "reason": "?"}),
        Notice(1_002, bytes.fromhex(first["op"]), "from.the.future", {}),
        Notice(1_003, bytes.fromhex(second["op"]), "sync.review", {"decision": "sent_back", "reason": REASON}),
    ]
    office.store.write(lambda conn: inbox.receive(conn, strange, office.clock.wall_ms()))
    assert reviews.deliver(office) == 3
    assert states(office) == {first["id"]: "received", second["id"]: "sent_back"}
    assert [notice["kind"] for notice in office.store.read(inbox.waiting)] == ["from.the.future"]
    assert reviews.deliver(office) == 0, "each is taken in once"
    assert office.store.read(outbox.summary).waiting == 0


def test_an_older_word_never_hides_a_newer_one(hub: Hub, office: Session) -> None:
    case = finish(office, 1)
    changed = office.commands.run("forms.correct", id=case["id"], changes={"dob": "01/02/1941"}, reason=REASON)
    notices = [
        Notice(1, bytes.fromhex(changed["op"]), "sync.review", {"decision": "accepted"}),
        Notice(2, bytes.fromhex(case["op"]), "sync.review", {"decision": "sent_back", "reason": REASON}),
    ]
    office.store.write(lambda conn: inbox.receive(conn, notices, office.clock.wall_ms()))
    reviews.deliver(office)
    assert states(office) == {case["id"]: "accepted"}


def test_a_decision_survives_a_power_cut_while_it_is_taken_in(hub: Hub, office: Session) -> None:
    case = finish(office, 1)
    notice = Notice(1, bytes.fromhex(case["op"]), "sync.review", {"decision": "sent_back", "reason": REASON})
    office.store.write(lambda conn: inbox.receive(conn, [notice], office.clock.wall_ms()))
    home = office.unlocked.home
    office.close()
    opening = (
        "import sys; from pathlib import Path; from sync import keys; from sync.clock import SystemClock; "
        "from modules.session import Session; "
        "Session.open(keys.unlock(Path(sys.argv[1]), 'Sok Dara', sys.argv[2], SystemClock())).close()"
    )
    done = children.script(opening, home, PASSPHRASE, SALA_FAILPOINT="review:before-commit:1")
    assert done.returncode < 0
    again = Session.open(keys.unlock(home, "Sok Dara", PASSPHRASE, SystemClock()))
    try:
        assert states(again) == {case["id"]: "sent_back"}
        assert tray(again) == [(case["id"], REASON)]
    finally:
        again.close()
