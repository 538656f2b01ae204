"""Power cuts: a real process is killed while typing and at every write point of finishing; then the profile is opened again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.faults import children

ROOT = Path(__file__).parents[3]
PASSPHRASE = "ពាក្យសម្ងាត់នៃសាលា"

OPEN = """
import json, os, sys
from pathlib import Path
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
home, passphrase, given = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
session = Session.open(keys.unlock(home, "ចាន់ សុខា", passphrase, SystemClock()))
run = session.commands.run
"""

TYPE = (
    OPEN
    + """
draft = run("forms.start", form="barber-licence")["draft"]
print(json.dumps({"draft": draft}), flush=True)
for field, value in given["answers"].items():
    run("forms.set_answer", draft=draft, field=field, value=value)
    print(json.dumps({"kept": field}), flush=True)
run("forms.attach", draft=draft, field="id_scan", path=given["scan"])
print(json.dumps({"kept": "id_scan"}), flush=True)
sys.stdin.readline()  # never comes
"""
)

FINISH = (
    OPEN
    + """
draft = run("forms.drafts")["drafts"][0]["draft"]
os.environ["SALA_FAILPOINT"] = given["failpoint"]
made = run("forms.finish", draft=draft)
del os.environ["SALA_FAILPOINT"]
print(json.dumps(made), flush=True)
os.kill(os.getpid(), 9)  # not even a clean end
"""
)

LOOK = (
    OPEN
    + """
from sync import audit
def look(c):
    one = lambda sql: c.execute(sql).fetchone()["n"]
    return {
        "ops": one("SELECT count(*) AS n FROM op WHERE kind = 'forms.submission'"),
        "used": one("SELECT sum(used) AS n FROM lease WHERE resource = 'receipt-numbers'"),
        "triggers": one("SELECT count(*) AS n FROM platform_trigger WHERE trigger = 'forms.finished'"),
        "sound": audit.verify(c).ok,
    }
state = session.store.read(look)
state["integrity"] = session.store.integrity()
state["drafts"] = run("forms.drafts")["drafts"]
state["submissions"] = run("forms.list")["rows"]
state["found"] = run("forms.list", filter="ស្រីមុំ")["total"]
if state["drafts"]:
    state["draft"] = run("forms.draft", draft=state["drafts"][0]["draft"])
print(json.dumps(state, ensure_ascii=False))
session.close()
"""
)


def child(script: str, home: Path, given: dict[str, Any]) -> subprocess.Popen[str]:
    """A process that one talks with."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("SALA_FAILPOINT", None)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home), PASSPHRASE, json.dumps(given)], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def look(home: Path) -> dict[str, Any]:
    """What a fresh start finds."""
    done = children.script(LOOK, home, PASSPHRASE, "{}")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def home(tmp_path: Path, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile on disk that nobody has open."""
    from sync import enrol, keys
    from sync.clock import SystemClock

    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    place = tmp_path / "home"
    enrol.setup(
        place, office_pack, officer_name="ចាន់ សុខា", passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP
    ).lock()
    return place


def typed(sheet: Any, scan: Path) -> dict[str, Any]:
    answers = sheet("barber-licence")
    answers.pop("id_scan")
    return {"answers": answers, "scan": str(scan)}


def kill_after(home: Path, given: dict[str, Any], last: str) -> list[str]:
    """Type in a real process and kill it the moment it says that ``last`` is kept; what it said was kept."""
    process = child(TYPE, home, given)
    assert process.stdout is not None
    kept: list[str] = []
    for said in process.stdout:
        kept.append(json.loads(said).get("kept", "draft"))
        if kept[-1] == last:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert kept[-1] == last
    return kept


@pytest.mark.parametrize("last", ["draft", "dob", "shop_name", "id_scan"])
def test_every_answer_that_was_kept_is_offered_back_after_a_kill(home: Path, sheet: Any, scan: Path, last: str) -> None:
    given = typed(sheet, scan)
    kept = kill_after(home, given, last)
    state = look(home)
    assert len(state["drafts"]) == 1 and state["sound"] and state["integrity"] == []
    assert set(kept) - {"draft"} <= set(state["draft"]["answers"])
    if last == "id_scan":
        assert state["drafts"][0]["title"]["km"].endswith("លឹម ស្រីមុំ")
        assert state["draft"]["problems"] == [] and state["draft"]["at"] == "id_scan"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", ["store", "audit"])
def test_finishing_is_whole_or_not_at_all_at_every_write_point(home: Path, sheet: Any, scan: Path, point: str) -> None:
    """Die at the first passing of a point, then at the second and so on, until a run gets through."""
    kill_after(home, typed(sheet, scan), "id_scan")
    outcomes: list[bool] = []
    for n in count(1):
        copy = home.with_name(f"{point}{n}")
        shutil.copytree(home, copy)
        done = children.script(FINISH, copy, PASSPHRASE, json.dumps({"failpoint": f"{point}:{n}"}))
        assert done.returncode == -signal.SIGKILL, done.stderr
        state = look(copy)
        assert state["sound"] and state["integrity"] == [], n
        drafts, rows = state["drafts"], state["submissions"]
        counts = (state["ops"], len(rows), state["used"], state["triggers"], state["found"], 1 - len(drafts))
        assert counts in ((0,) * 6, (1,) * 6), (n, counts)
        if drafts:
            assert state["draft"]["problems"] == [], "the draft is whole and can be finished again"
        outcomes.append(bool(rows))
        if done.stdout:
            assert rows[0]["receipt"] == json.loads(done.stdout)["receipt"], "what was answered is kept"
            break
    assert outcomes == sorted(outcomes) and {True, False} == set(outcomes), outcomes
