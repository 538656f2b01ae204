"""The window's part in an inspection, and what it says of work that a province's relay holds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop.bridge import Bridge
from desktop.shell.outbox import OutboxPage
from desktop.shell.settings_safety import SafetyPane
from i18n import catalog
from modules.session import Session
from sync import audit_marks, cutting
from sync.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

SHOTS = os.environ.get("SALA_SHOTS")  # a folder: keep pictures of what a person sees


@pytest.fixture
def bridge(open_office: Callable[..., Session], qtbot: QtBot) -> Iterator[Bridge]:
    made = Bridge(open_office("chief", role="chief"))
    yield made
    made.close()


def done(qtbot: QtBot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=20_000)


def shot(widget: Any, name: str) -> None:
    if SHOTS:
        widget.grab().save(f"{SHOTS}/{name}-{catalog.language()}.png")


@pytest.mark.parametrize("language", ["km", "en"])
def test_the_log_is_exported_from_the_window(bridge: Bridge, qtbot: QtBot, tmp_path: Path, language: str) -> None:
    catalog.use(language)  # type: ignore[arg-type]
    pane = SafetyPane(bridge)
    qtbot.addWidget(pane)
    pane.resize(980, 1400)
    pane.show()
    done(qtbot, bridge)
    out = tmp_path / "log.jsonl"
    pane.export_log(out)
    assert not pane.inspect.isEnabled()
    done(qtbot, bridge)
    assert pane.inspect.isEnabled()
    head = json.loads(out.read_text("utf-8").splitlines()[0])
    assert head["sala"] == "audit/1" and head["office"] == "0306"
    assert "log.jsonl" in pane.verdict.details()
    shot(pane, "safety-export")
    pane.export_log(tmp_path / "nowhere" / "x" / "log.jsonl")
    done(qtbot, bridge)
    assert "SY-480" in pane.verdict.details()


def test_what_the_centre_cosigned_is_said(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    catalog.use("en")
    session = bridge.session
    session.store.write(lambda conn: audit_marks.make(conn, session.clock))
    session.store.write(lambda conn: conn.execute("UPDATE audit_mark SET note = 'x'"))
    session.store.write(
        lambda conn: conn.execute("INSERT INTO witnessed VALUES ('pursat', 1, 9, x'00', 'note', 1795000000)")
    )
    pane = SafetyPane(bridge)
    qtbot.addWidget(pane)
    pane.resize(980, 1400)
    pane.show()
    pane.refresh()
    done(qtbot, bridge)
    qtbot.waitUntil(lambda: "pursat" in pane.stands.text())
    assert "rows of this log" in pane.stands.text()
    shot(pane, "safety-stands")
    pane.export_log(tmp_path / "log.jsonl")
    done(qtbot, bridge)
    assert "cosigned the first" in pane.verdict.details()


@pytest.mark.parametrize("language", ["km", "en"])
def test_work_that_the_province_holds_is_said_in_the_outbox(bridge: Bridge, qtbot: QtBot, language: str) -> None:
    catalog.use(language)  # type: ignore[arg-type]
    session = bridge.session
    session.commands.run("links.create", url="https://moi.gov.kh/", title="ក្រសួងមហាផ្ទៃ")
    digest = cutting.cut(session.unlocked, VERSION)
    now = session.clock.wall_ms()
    session.store.write(
        lambda conn: conn.execute(
            "UPDATE batch SET state = 'sent', sent_ms = ?, handed_ms = ?, handed_to = 'pursat' WHERE hash = ?",
            (now, now, digest),
        )
    )
    page = OutboxPage(bridge)
    qtbot.addWidget(page)
    page.resize(1024, 600)
    page.show()
    page.refresh()
    done(qtbot, bridge)
    qtbot.waitUntil(lambda: "pursat" in page.handed.text().replace("\u200b", ""))
    shot(page, "outbox-handed")
