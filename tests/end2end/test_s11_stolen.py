"""S11: a laptop is stolen. What the thief finds, how fast he may guess, what the centre does, and how the office goes on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest

from modules import replicate
from modules.session import Session
from sync import backup, enrol, keys, outbox, passphrase, slots
from sync.clock import SetClock, SystemClock
from sync.errors import Known, Refused
from tests.conftest import PASSPHRASE
from tests.sync.hub_process import ROOT, Hub

CANARIES = ("រហស្យនាម កំពង់សៀម", "sala-canary-7f3a", "សំបុត្រសម្ងាត់ចាន់ធឿន")
FORMS: tuple[Literal["NFC"], Literal["NFD"]] = ("NFC", "NFD")
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
DAY_MS = 86_400_000


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    monkeypatch.setenv("SALA_ROOTS", str(made.folder / "roots"))
    yield made
    made.stop()


def new_office(hub: Hub, home: Path, cost: passphrase.Cost = keys.CHEAP) -> Session:
    pack = hub.pack(home.with_suffix(".pack"))
    return Session.open(
        enrol.setup(
            home,
            pack,
            officer_name="ចាន់ សុខា",
            officer_latin="Chan Sokha",
            passphrase=PASSPHRASE,
            clock=SystemClock(),
            cost=cost,
        )
    )


def link(session: Session, title: str) -> None:
    session.commands.run("links.create", url="https://www.kampongcham.gov.kh/", title=title)


def labels(hub: Hub, device: bytes) -> dict[str, int]:
    with closing(sqlite3.connect(next(hub.folder.glob("*.db")))) as conn:
        sql = "SELECT label, count(*) FROM op WHERE form = 'links' AND device = ? GROUP BY label"
        return dict(conn.execute(sql, (device,)).fetchall())


def found_in(folder: Path) -> list[str]:
    """Where a canary, in any writing that a disk may hold, stands in any file below ``folder``."""
    wanted = {
        unicodedata.normalize(form, text).encode(encoding)
        for text in (*CANARIES, PASSPHRASE) for form in FORMS for encoding in ENCODINGS
    }  # fmt: skip
    wanted |= {json.dumps(text).strip('"').encode() for text in CANARIES}
    return [
        f"{path.relative_to(folder)}: {needle[:20]!r}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for needle in wanted
        if needle in path.read_bytes()
    ]


WORK = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from desktop import crash
home, words, canaries = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split("|")
crash.begin(home)
session = Session.open(keys.unlock(home, "Chan Sokha", words, SystemClock()))
crash.mark_running(home, session.clock.wall_ms())
for text in canaries:
    session.commands.run("links.create", url="https://www.kampongcham.gov.kh/" + "x" * 10, title=text)
    from sync import drafts
    unlocked = session.unlocked
    def save(conn):
        drafts.save(conn, unlocked.officer.id, unlocked.draft_key, text[:8], "forms/x", text, {"answer": text}, 5)
    session.store.write(save)
    unlocked.blobs.add((text * 1000).encode(), "image/png")
if sys.argv[5] == "cut":
    os.kill(os.getpid(), signal.SIGKILL)
session.close()
crash.mark_ended(home)
crash.end()
"""


def at_work(home: Path, end: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", WORK, str(home), PASSPHRASE, "|".join(CANARIES), str(ROOT), end], cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1", "SALA_BALLAST_MIB": "0", "TMPDIR": str(home.parent)}, check=False,
    ).returncode  # fmt: skip


@pytest.mark.parametrize("end", ["closed", "cut"])
def test_the_disk_holds_no_plaintext(hub: Hub, tmp_path: Path, end: str) -> None:
    """Titles, answers of drafts, attachments, search words: after closing, and after the battery was torn out."""
    image = tmp_path / "disk"
    image.mkdir()
    session = new_office(hub, image / "home")
    session.close()
    assert (at_work(image / "home", end) == 0) is (end == "closed")
    names = {path.name for path in (image / "home").iterdir()}
    assert "office.db" in names
    assert ("office.db-wal" in names) is (end == "cut")
    assert found_in(image) == []
    again = keys.unlock(image / "home", "Chan Sokha", PASSPHRASE, SystemClock())
    counted = again.store.read(
        lambda conn: conn.execute("SELECT count(*) AS n FROM op WHERE form = 'links'").fetchone()
    )
    again.lock()
    assert counted["n"] == len(CANARIES), "the search looked at a disk that holds the work"


def test_a_guess_costs_half_a_second_and_the_lock_grows(hub: Hub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    cost = passphrase.measured_cost()
    assert cost.memory >= 64 << 10, "KiB: Argon2id over 64 MiB at least"
    new_office(hub, home, cost).close()
    clock = SetClock(SystemClock().wall_ms(), 1_000, b"boot0001")
    spent = []
    for _ in range(4):
        began = time.thread_time()
        with pytest.raises(Refused):
            keys.unlock(home, "Chan Sokha", "ពាក្យខុស ពាក្យខុស", clock)
        spent.append(time.thread_time() - began)
    assert min(spent) > 0.4, f"{spent}: measured for half a second on this machine"

    def refused() -> int:
        with pytest.raises(Refused) as no:
            keys.unlock(home, "Chan Sokha", PASSPHRASE if locked else "ពាក្យខុស ពាក្យខុស", clock)
        wait = no.value.values["wait_s"]
        assert isinstance(wait, int)
        return wait

    locked = False
    assert refused() == 30, "the fifth wrong one"
    locked = True
    clock.wall += 10 * 365 * DAY_MS
    assert refused() == 30, "another date does not shorten it"
    clock.boot_id, clock.mono = b"boot0002", 5
    assert refused() == 30, "nor does a restart"
    clock.mono += 29_000
    assert refused() == 1
    clock.mono += 1_000
    locked = False
    assert refused() == 60, "and it grows"
    (home / "attempts.cbor").unlink()
    assert refused() >= 30, "nor does removing the count"
    clock.mono += 3_600_000
    keys.unlock(home, "Chan Sokha", PASSPHRASE, clock).lock()


def test_one_verb_revokes_by_sequence_and_the_office_goes_on(hub: Hub, tmp_path: Path) -> None:
    """Ten records were received, four were not. The thief even knows the passphrase."""
    office = new_office(hub, tmp_path / "home")
    device = office.unlocked.device.device_id
    for n in range(10):
        link(office, f"ថ្ងៃទី១ {n}")
    assert replicate.once(office)["waiting"] == 0
    backup.write(office.unlocked, tmp_path / "usb.sala-backup")
    for n in range(4):
        link(office, f"ថ្ងៃទី២ {n}")
    office.close()
    stolen = tmp_path / "stolen"
    shutil.copytree(tmp_path / "home", stolen)
    shutil.rmtree(tmp_path / "home")

    revoked: dict[str, Any] = hub.cli("revoke", device.hex())
    assert revoked["cutoff_seq"] >= 10

    # --- the thief connects: what comes after the cut-off waits, and the laptop lets go of its keys
    thief = Session.open(keys.unlock(stolen, "Chan Sokha", PASSPHRASE, SystemClock()))
    with pytest.raises(Known) as told:
        replicate.once(thief)
    assert told.value.code == "SY-407"
    thief.close()
    assert labels(hub, device) == {"accepted": 10, "q:revoked": 4}
    assert slots.read(stolen).officers == ()
    with pytest.raises(Known):
        keys.unlock(stolen, "Chan Sokha", PASSPHRASE, SystemClock())

    # --- the office goes on: last evening's backup on another laptop, and a new pack
    backup.restore(tmp_path / "usb.sala-backup", tmp_path / "second")
    unlocked = keys.unlock(tmp_path / "second", "Chan Sokha", PASSPHRASE, SystemClock())
    enrol.renew(unlocked, hub.pack(tmp_path / "second.pack"))
    second = Session.open(unlocked)
    assert second.unlocked.device.device_id != device
    assert second.commands.run("links.list")["total"] == 10
    for n in range(4):
        link(second, f"ថ្ងៃទី២ ម្ដងទៀត {n}")
    report = replicate.once(second)
    assert (report["problems"], report["waiting"]) == ([], 0)
    assert labels(hub, second.unlocked.device.device_id) == {"accepted": 4}, "only one day was typed again"
    assert second.store.read(outbox.summary).waiting == 0
    second.close()
    assert labels(hub, device) == {"accepted": 10, "q:revoked": 4}, "what the thief's laptop held is not lost either"
