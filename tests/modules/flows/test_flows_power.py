"""Power cuts: a real process dies at every write point of finishing a form and of the flow that follows. Nothing doubles or is lost."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.session import Session
from tests.faults import children

ROOT = Path(__file__).parents[3]

OPEN = """
import json, os, sys
from pathlib import Path
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from tests.faults import children
home, passphrase, given = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
session = Session.open(keys.unlock(home, "ចាន់ សុខា", passphrase, SystemClock()))
run = session.commands.run
"""
FINISH = (
    OPEN
    + """
os.environ["SALA_FAILPOINT"] = given["failpoint"]
run("forms.fill", form="barber-licence", answers=given["answers"], finish=True)
del os.environ["SALA_FAILPOINT"]
session.close()
"""
)
LOOK = (
    OPEN
    + """
def look(c):
    one = lambda sql: c.execute(sql).fetchone()[0]
    return {
        "submissions": one("SELECT count(*) FROM op WHERE kind = 'forms.submission'"),
        "certificates": one("SELECT count(*) FROM op WHERE kind = 'certificates.issued'"),
        "links": one("SELECT count(*) FROM op WHERE kind = 'links.created'"),
        "messages": one("SELECT count(*) FROM messages_campaign"),
        "done": one("SELECT count(*) FROM flows_run WHERE state = 'done'"),
        "steps": one("SELECT coalesce(sum(json_array_length(journal)), 0) FROM flows_run"),
        "waiting": one("SELECT count(*) FROM platform_trigger WHERE delivered_ms IS NULL"),
        "certificate_numbers": one("SELECT sum(used) FROM lease WHERE resource = 'certificate-numbers'"),
    }
state = session.store.read(look)
state["integrity"] = session.store.integrity()
print(json.dumps(state))
session.close()
"""
)


def child(script: str, home: Path, passphrase: str, given: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return children.script(script, home, passphrase, json.dumps(given))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_kill_at_any_point_leaves_all_of_a_flow_or_none_and_then_all(
    open_office: Callable[..., Session], answers: dict[str, Any], tmp_path: Path
) -> None:
    passphrase = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"
    session = open_office("base", role="chief")
    session.commands.run("flows.enable", flow="barber-licence")
    session.close()
    kills = 0
    for name in ("flows", "store"):
        for nth in range(1, 60, 1 if name == "flows" else 2):
            home = tmp_path / f"{name}-{nth}"
            shutil.copytree(tmp_path / "base", home)
            died = child(FINISH, home, passphrase, {"failpoint": f"{name}:{nth}", "answers": answers})
            if died.returncode != -signal.SIGKILL:
                assert died.returncode == 0, died.stderr
                break
            kills += 1
            looked = child(LOOK, home, passphrase, {})
            assert looked.returncode == 0, looked.stderr
            state = json.loads(looked.stdout)
            n = state["submissions"]
            assert n in (0, 1) and state["waiting"] == 0 and state["integrity"] == [], (name, nth, state)
            effects = [state[what] for what in ("certificates", "links", "messages", "done", "certificate_numbers")]
            assert effects == [n] * 5, (name, nth, state)
            assert state["steps"] == 3 * n
            shutil.rmtree(home)
    assert kills >= 8
