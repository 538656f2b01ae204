"""The power goes at every write point of taking another laptop's stick: afterwards nothing is lost, doubled or half there."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from modules import replicate
from modules.session import Session
from sync import keys
from tests.end2end.hall import PASSPHRASE, Hall, cases, conflicts, pair, take_case
from tests.faults import children

ROOT = Path(__file__).parents[2]
CHILD = """
import json, sys
from pathlib import Path
from modules import replicate
from modules.session import Session
from sync import keys
from sync.clock import SetClock
from tests.faults import children
home, officer, stick, now = sys.argv[1:]
session = Session.open(keys.unlock(Path(home), officer, sys.stdin.readline().strip(), SetClock(int(now))))
print(json.dumps(replicate.import_(session, Path(stick))["problems"]))
session.close()
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("point", ["foreign:batch", "foreign:ops", "foreign:bodies", "store"])
def test_a_laptop_that_dies_while_it_takes_a_colleagues_stick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    hall = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(hall.roots))
    try:
        one, other = hall.enrolled(1, 2)
        pair(one, other)
        first = take_case(one)["receipt"]
        hall.tell(one, other)
        for laptop, phone in ((one, "011222333"), (other, "099888777")):
            case = laptop.commands.run("forms.case_by_receipt", text=first)
            laptop.commands.run("forms.correct", id=case["id"], changes={"phone": phone}, reason="កែ")
            hall.clock.advance(60_000)
        take_case(one)
        stick = tmp_path / "stick"
        replicate.export(one, stick)
        home, officer = other.unlocked.home, other.officer.id
        other.close()
        hall.opened.remove(other)
        deaths = next(n - 1 for n in count(1) if not _dies(home, officer, stick, hall.clock.wall_ms(), f"{point}:{n}"))
        assert deaths >= 1
        again = Session.open(keys.unlock(home, officer, PASSPHRASE, hall.clock))
        hall.opened.append(again)
        assert replicate.import_(again, stick)["problems"] == []
        hall.tell(again, one)
        assert cases(again) == cases(one) and len(cases(one)) == 2
        assert conflicts(again) == conflicts(one) != {}
    finally:
        hall.close()


def _dies(home: Path, officer: str, stick: Path, now_ms: int, failpoint: str) -> bool:
    """Whether a process that takes the stick dies at that passing; when it lives, it has taken everything."""
    done = children.script(CHILD, home, officer, stick, now_ms, text=PASSPHRASE + "\n", SALA_FAILPOINT=failpoint)
    if done.returncode == 0:
        assert json.loads(done.stdout) == []
        return False
    assert done.returncode < 0, done.stderr
    return True
