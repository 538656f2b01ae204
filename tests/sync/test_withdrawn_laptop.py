"""A laptop that the centre has withdrawn: unsent work is put aside first, then the keys go. Killed anywhere, it goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey

from modules import replicate
from modules.session import Session
from sync import ballast, enrol, exchange, keys, ops, outbox, rescue, slots, withdrawal
from sync.clock import SystemClock
from sync.errors import Known, Refused
from sync.keys import Unlocked
from sync.store import Connection
from sync.volume import Volume
from tests.faults import children
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("hub") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def laptop(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unlocked]:
    """An enrolled laptop with three received ops and a draft."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    pack = tmp_path / "one.pack"
    hub.pack(pack)
    made = enrol.setup(
        tmp_path / "home", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
        clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    work(made, 3)
    exchange.run(made)
    yield made
    made.lock()


def work(unlocked: Unlocked, n: int, form: str = "links", **more: Any) -> None:
    def one(conn: Connection) -> None:
        ops.append(
            conn, unlocked, unlocked.store.clock, kind="links.created", record="r", form=form, def_hash=None,
            body={"note": "សំបុត្រ"}, sealed=False, **more,
        )  # fmt: skip

    for _ in range(n):
        unlocked.store.write(one)


def revoke(hub: Hub, unlocked: Unlocked) -> None:
    hub.cli("revoke", unlocked.device.device_id.hex())


def recovery(hub: Hub) -> PrivateKey:
    return PrivateKey(bytes.fromhex((hub.folder / "offline" / "recovery.key").read_text().strip()))


def agency(hub: Hub) -> Path:
    return hub.folder / "offline" / "agency.key"


def labels(hub: Hub, device: bytes) -> dict[str, int]:
    with sqlite3.connect(next(hub.folder.glob("*.db"))) as conn:
        sql = "SELECT label, count(*) FROM op WHERE form = 'links' AND device = ? GROUP BY label"
        return dict(conn.execute(sql, (device,)).fetchall())


_ids: dict[Path, bytes] = {}


@pytest.fixture(autouse=True)
def remember(laptop: Unlocked) -> None:
    """A locked profile no longer says who it was."""
    _ids[laptop.home] = laptop.device.device_id


def test_unsent_work_is_put_aside_before_the_keys_go(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    home, device = laptop.home, laptop.device.device_id
    blob = laptop.blobs.add(os.urandom(300_000), "image/png")
    work(laptop, 4, attach=(blob,))
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, 3))
    with pytest.raises(Known) as refused:
        work(laptop, 1)
    assert refused.value.code == "SY-404"
    with pytest.raises(Known) as told:
        rescue.obey(laptop)
    laptop.lock()
    assert told.value.code == "SY-402", told.value.values
    file = Path(str(told.value.values["file"]))
    assert file.parent == tmp_path / "home-unsent"

    assert slots.read(home).officers == ()
    for attempt in (lambda: keys.unlock(home, "Sok Dara", PASSPHRASE, SystemClock()), lambda: keys.names(home)):
        with pytest.raises(Known) as told:
            attempt()
        assert (told.value.code, told.value.values["file"]) == ("SY-402", str(file))
    assert b"SALABATCH1" not in file.read_bytes(), "nobody on the way sees what it holds"

    for key in (agency(hub), hub.folder / "offline" / "recovery.key"):
        report = hub.cli("import-unsent", str(file), "--key", str(key))
        assert report["problems"] == []
    assert report["again"] == 2  # the batch that had its receipt goes along, in case the centre had lost it
    assert labels(hub, device) == {"accepted": 3 + 4}, "the hub itself never revoked it here"
    wrong = tmp_path / "wrong.key"
    wrong.write_text(bytes(PrivateKey.generate()).hex())
    with pytest.raises(AssertionError, match="SY-406"):
        hub.cli("import-unsent", str(file), "--key", str(wrong))


def test_the_signed_status_is_enough_and_nothing_unsent_means_nothing_to_carry(hub: Hub, laptop: Unlocked) -> None:
    revoke(hub, laptop)
    session = Session.open(laptop)
    work(laptop, 2)
    with pytest.raises(Known) as told:
        replicate.once(session)
    assert told.value.code == "SY-407"
    session.close()
    assert labels(hub, _ids[laptop.home]) == {"accepted": 3, "q:revoked": 2}
    assert list(rescue.place(laptop.home).glob("*.salabatch"))  # no second site has it yet: put aside in silence


def test_the_provinces_list_is_enough(hub: Hub, laptop: Unlocked) -> None:
    """What stands in the signed publication is heard before anything else of the run, also without any line to the hub itself."""
    from sync import cbor

    data = cbor.encode(
        {"revocations": 1, "devices": [], "revoked": [[bytes(16), 5, 1], [laptop.device.device_id, 3, 1]]}
    )
    assert withdrawal.listed(data, laptop.device.device_id) == 3
    assert withdrawal.listed(data, b"x" * 16) is None
    revoke(hub, laptop)
    hub.cli("export", "--publications", str(laptop.home.parent / "published"))
    from sync import refreshing

    refreshing.refresh(laptop, refreshing.Folder(laptop.home.parent / "published"))
    assert laptop.store.read(withdrawal.told)


def test_drafts_and_records_stay_for_the_provinces_key(hub: Hub, laptop: Unlocked) -> None:
    from sync import drafts

    def save(conn: Connection) -> None:
        drafts.save(conn, laptop.officer.id, laptop.draft_key, "d1", "forms/x", "ពាក្យសុំ", {"a": 1}, 5)

    laptop.store.write(save)
    home = laptop.home
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, None))
    rescue.carry_out(laptop)
    laptop.lock()
    again = keys.recover(
        home, "Sok Dara", PASSPHRASE + " ថ្មី", recovery=recovery(hub), clock=SystemClock(), cost=keys.CHEAP
    )
    try:
        found = again.store.read(lambda conn: drafts.get(conn, again.officer.id, again.draft_key, "d1"))
        assert found is not None
        assert found["body"] == {"a": 1}
        assert again.store.read(outbox.summary).received == 3
    finally:
        again.lock()
    with pytest.raises(Refused) as nobody:
        keys.recover(home, "Keo Chan", PASSPHRASE, recovery=recovery(hub), clock=SystemClock(), cost=keys.CHEAP)
    assert nobody.value.code == "SY-112"


def test_another_open_program_only_delays_it(laptop: Unlocked) -> None:
    other = keys.unlock(laptop.home, "Sok Dara", PASSPHRASE, SystemClock())
    work(laptop, 1)
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, None))
    with pytest.raises(Known) as later:
        rescue.obey(laptop)
    assert later.value.code == "SY-403"
    other.lock()
    laptop.lock()
    unlocked = keys.unlock(laptop.home, "Sok Dara", PASSPHRASE, SystemClock())
    with pytest.raises(Known) as told:
        Session.open(unlocked)
    unlocked.lock()
    assert told.value.code == "SY-402", told.value.values
    assert len(list(rescue.place(laptop.home).iterdir())) == 1, "the file was written once"


def test_a_full_disk_erases_nothing(laptop: Unlocked, monkeypatch: pytest.MonkeyPatch) -> None:
    work(laptop, 1)
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, None))

    def full(*_: object, **__: object) -> None:
        raise Known("SY-370")

    with monkeypatch.context() as patched:
        patched.setattr("sync.volume.write", full)
        with pytest.raises(Known) as later:
            rescue.obey(laptop)
        session = Session.open(laptop)  # what is here can still be looked at and carried away
    assert (later.value.code, later.value.values["reason"]) == ("SY-403", "SY-370")
    assert slots.read(laptop.home).officers
    with pytest.raises(Known) as told:
        Session.open(laptop)
    assert told.value.code == "SY-402", told.value.values
    session.close()


CHILD = """
import sys
from pathlib import Path
from sync import keys, rescue
from sync.clock import SystemClock
from sync.errors import Known
unlocked = keys.unlock(Path(sys.argv[1]), "Sok Dara", sys.argv[2], SystemClock())
try:
    rescue.obey(unlocked)
except Known as told:
    print(told.code)
"""
POINTS = [
    *(("store", n) for n in range(2, 40, 3)), ("audit", 2), ("audit", 4), ("cut:before-insert", 1), ("cut:before-commit", 1),
    ("courier:written", 1), ("courier:renamed", 1), ("withdraw:put-aside", 1), ("withdraw:noted", 1), ("rekey", 1), ("rekey", 2),
]  # fmt: skip


@pytest.mark.slow
def test_killed_between_any_two_steps_nothing_is_lost(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    home, device = laptop.home, laptop.device.device_id
    blob = laptop.blobs.add(os.urandom(1_000), "image/png")
    work(laptop, 5, attach=(blob,))
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, None))
    laptop.lock()
    before = tmp_path / "before"
    shutil.copytree(home, before)
    died = 0
    for point, nth in POINTS:
        shutil.rmtree(home)
        shutil.rmtree(rescue.place(home), ignore_errors=True)
        shutil.copytree(before, home)
        died += _child(home, SALA_FAILPOINT=f"{point}:{nth}").returncode != 0
        for _ in range(2):
            if slots.read(home).officers:
                _child(home)
        found = withdrawal.carried_out(home)
        assert found is not None, (point, nth)
        with Volume(Path(found.file), [recovery(hub)]) as volume:
            assert volume.whole
            kinds = [entry.type for entry in volume.entries]
        assert (kinds.count("batch"), kinds.count("chunk")) == (2, 2), (point, nth)
        opened = keys.recover(
            home, "Sok Dara", PASSPHRASE, recovery=recovery(hub), clock=SystemClock(), cost=keys.CHEAP
        )
        assert (
            opened.store.read(
                lambda conn: conn.execute("SELECT count(*) AS n FROM op WHERE form = 'links'").fetchone()
            )["n"]
            == 8
        )
        opened.lock()
    assert died > 8
    assert found is not None
    assert hub.cli("import-unsent", found.file, "--key", str(agency(hub)))["problems"] == []
    assert labels(hub, device) == {"accepted": 8}


def _child(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return children.script(CHILD, home, PASSPHRASE, **environment)


def test_what_was_received_before_a_restore_counts_though_it_is_revoked_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub is put back from an older copy, the laptop is revoked there, and offers again what it has receipts for."""
    own = Hub(tmp_path / "own").start()
    try:
        monkeypatch.setenv("SALA_ROOTS", str(own.folder / "roots"))
        pack = own.pack(tmp_path / "own.pack")
        unlocked = enrol.setup(
            tmp_path / "own-home", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )  # fmt: skip
        device = unlocked.device.device_id
        work(unlocked, 1)
        exchange.run(unlocked)
        own.stop()
        shutil.copytree(own.folder, tmp_path / "copy")
        own.start()
        work(unlocked, 2)
        exchange.run(unlocked)
        own.stop()
        shutil.rmtree(own.folder)
        shutil.copytree(tmp_path / "copy", own.folder)
        own.cli("new-epoch")
        own.cli("revoke", device.hex())
        own.start()
        work(unlocked, 1)
        report = exchange.run(unlocked)
        assert report.batches_lost == 1
        assert labels(own, device) == {"accepted": 3, "q:revoked": 1}
        unlocked.lock()
    finally:
        own.stop()


def test_notes_that_are_no_notes(tmp_path: Path, laptop: Unlocked) -> None:
    from sync.cbor import Malformed

    for text in ("", "{", "[]", '{"told_ms": 1}'):
        ballast.keep(laptop.home / withdrawal.NOTE, text.encode())
        assert withdrawal.carried_out(laptop.home) is None
    for bad in (b"\x80", b"\xa1\x67revoked\x81\x80"):
        with pytest.raises(Malformed):
            withdrawal.listed(bad, bytes(16))
