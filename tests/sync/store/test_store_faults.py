"""The power goes at every point of a unit of work, and while the key is being changed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.clock import SetClock
from sync.errors import Known
from sync.failpoint import failpoint
from sync.store import Store

Run = Callable[..., subprocess.CompletedProcess[str]]
KEY = bytes(range(32))

UNIT = """
import os, sys
from pathlib import Path
from sync import audit, schema, search
from sync.clock import SystemClock
from sync.store import Store, failpoint
clock = SystemClock()
store = Store.open(Path(sys.argv[1]), bytes(range(32)), clock=clock)
for number in range(3):
    def work(conn):
        conn.execute("INSERT INTO demo_note(words) VALUES (?)", (str(number),))
        failpoint("store")
        search.index(conn, f"record {os.getpid()} {number}", "demo.note", "ពាក្យ", str(number))
        failpoint("store")
        audit.append(conn, clock, {"what": "note", "number": number})
    store.write(work)
    print("acknowledged", number, flush=True)
store.close()
"""


def counts(store: Store) -> tuple[int, int, int, int]:
    row = store.read(
        lambda conn: conn.execute(
            """SELECT (SELECT count(*) FROM demo_note), (SELECT count(*) FROM search),
                      (SELECT count(*) FROM search_text), (SELECT count(*) FROM audit)"""
        ).fetchone()
    )
    return tuple(row)  # type: ignore[return-value]


def test_a_power_cut_at_every_point_keeps_what_was_acknowledged(store: Store, clock: SetClock, run_python: Run) -> None:
    store.close()
    acknowledged = points = 0
    while True:
        points += 1
        done = run_python(UNIT, store.folder, failpoint=f"store:{points}")
        acknowledged += len(re.findall("acknowledged", done.stdout))
        opened = Store.open(store.folder, KEY, clock=clock)
        found = counts(opened)
        assert opened.integrity() == []
        opened.close()
        assert len(set(found)) == 1, found  # every unit is whole
        assert acknowledged <= found[0] <= acknowledged + points
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert points == 3 * 6 + 1


REKEY = """
import sys
from pathlib import Path
from sync.clock import SystemClock
from sync.store import Store
store = Store.open(Path(sys.argv[1]), bytes(range(32)), clock=SystemClock())
print("begins", flush=True)
store.rekey(bytes(32), lambda: print("ready", flush=True))
store.close()
"""


@pytest.mark.parametrize("delay_ms", range(0, 60, 5))
def test_a_power_cut_while_the_key_changes_leaves_one_key_that_opens(
    store: Store, clock: SetClock, tmp_path: Path, delay_ms: int
) -> None:
    import os
    import sys
    import time

    store.write(
        lambda conn: conn.executemany("INSERT INTO demo_note(words) VALUES (?)", [("ក" * 1_000,) for _ in range(1_500)])
    )
    store.close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-c", REKEY, str(store.folder)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as lines:
        assert lines.readline() == "begins\n"
        assert lines.readline() == "ready\n"
        time.sleep(delay_ms / 1000)
        process.kill()
        process.wait()
    opened = [found for key in (bytes(32), KEY) if (found := opens(store.folder, key, clock))]  # as unlocking tries
    assert len(opened) == 1
    assert counts(opened[0])[0] == 1_500
    assert opened[0].integrity() == []
    opened[0].close()


def opens(folder: Path, key: bytes, clock: SetClock) -> Store | None:
    try:
        return Store.open(folder, key, clock=clock)
    except Known as error:
        if error.code == "SY-100":
            return None
        raise


def test_an_unarmed_failpoint_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALA_FAILPOINT", raising=False)
    failpoint("here")
    monkeypatch.setenv("SALA_FAILPOINT", "elsewhere:1")
    failpoint("here")
    monkeypatch.setenv("SALA_FAILPOINT", "here and now:2")
    failpoint("here and now")
