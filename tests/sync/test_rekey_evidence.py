"""Evidence that a copy of a laptop is at work, shown to every copy: who has to take new keys does, and nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import batch, cutting, delivery, devices, enrol, keys, leases, ops, rekey, succession
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Known, Refused
from sync.marks import FORKED, mark, set_mark
from sync.store import Connection
from sync.succession import Evidence
from sync.unlocked import Unlocked
from sync.version import VERSION
from tests.sync.conftest import NOW, PASSPHRASE, Centre


@pytest.fixture
def copies(laptop: Unlocked, clock: SetClock, tmp_path: Path) -> Iterator[list[Unlocked]]:
    """Three copies of a laptop that has one op in a batch."""
    add(laptop, "before")
    cut(laptop)
    home = laptop.home
    laptop.lock()
    for number in range(2):
        shutil.copytree(home, tmp_path / f"copy-{number}")
    made = [
        keys.unlock(place, "Sok Dara", PASSPHRASE, clock) for place in (home, tmp_path / "copy-0", tmp_path / "copy-1")
    ]
    yield made
    for unlocked in made:
        unlocked.lock()


def add(unlocked: Unlocked, note: str) -> None:
    unlocked.store.write(
        lambda conn: ops.append(
            conn, unlocked, unlocked.store.clock, kind="links.created", record="r", form="links", def_hash=None, body={"note": note},
            sealed=False,
        )
    )  # fmt: skip


def cut(unlocked: Unlocked) -> bytes:
    digest = cutting.cut(unlocked, VERSION)
    assert digest is not None
    return unlocked.store.read(lambda conn: delivery.data(conn, digest))


def shown(centre: Centre, *batches: bytes) -> bytes:
    """The centre's evidence: these batches begin with the ops in question."""
    first = batch.parse(batches[0])
    evidence = Evidence(device_id=first.device_id, seq=first.first_seq, parent=first.prev, batches=batches, hub_ms=NOW)
    return succession.issue_evidence(evidence, centre.log_key, b"kkkk")


def free(unlocked: Unlocked) -> int:
    return sum(
        lease.size - lease.used for lease in unlocked.store.read(lambda conn: leases.active(conn, "link-codes", NOW))
    )


def apart(copies: list[Unlocked]) -> list[bytes]:
    """Each copy has done another thing since; its batch."""
    for number, one in enumerate(copies):
        add(one, f"copy {number}")
    return [cut(one) for one in copies]


def test_a_copy_takes_new_keys_for_evidence_about_itself_only(copies: list[Unlocked], centre: Centre) -> None:
    first, second, third = copies
    batches, old = apart(copies), first.device.device_id
    evidence = shown(centre, batches[0], batches[1])
    first.store.write(lambda conn: set_mark(conn, FORKED, 5))
    assert not rekey.take(first, evidence), "the one that the centre follows"
    assert first.store.read(lambda conn: mark(conn, FORKED)) == 0
    assert not rekey.take(third, evidence), "about two other copies"
    assert rekey.take(second, evidence) and not rekey.take(second, evidence), "once is enough"
    assert [one.device.device_id == old for one in copies] == [True, False, True]
    told = second.store.read(rekey.told)
    assert told is not None and (told.cause, told.number) == ("fork", 0)
    assert free(second) == 0 and free(first) > 0
    assert [one.device_id for one in second.store.read(rekey.former)] == [old]
    second.store.write(lambda conn: rekey.seen(conn, NOW))
    assert second.store.read(rekey.told) is None


def test_who_does_not_have_the_op_is_behind(copies: list[Unlocked], centre: Centre) -> None:
    first, second, _ = copies
    add(first, "further")
    assert rekey.take(second, shown(centre, cut(first)))
    told = second.store.read(rekey.told)
    assert told is not None and told.cause == "behind"


def test_until_the_certificate_comes_the_request_stays(copies: list[Unlocked], centre: Centre) -> None:
    first, second, _ = copies
    batches = apart(copies)
    rekey.take(second, shown(centre, batches[0], batches[1]))
    second.store.write(rekey.answered)
    asked, _, _, _ = succession.read_request(second.store.read(rekey.request) or b"")
    assert (asked.device_id, asked.predecessor) == (second.device.device_id, first.device.device_id)
    assert second.store.read(enrol.certificate) is None
    said = Certificate(
        device_id=asked.device_id, sign_public=asked.sign_public, seal_public=asked.seal_public, office_public=asked.office_public,
        office="0306", number=7, valid_from_ms=NOW, predecessor=asked.predecessor,
    )  # fmt: skip
    certificate = devices.issue_certificate(said, centre.pack_key)
    assert second.store.write(lambda conn: enrol.accept(conn, second.store.clock, certificate))
    for _ in range(2):
        second.store.write(rekey.answered)
        told = second.store.read(rekey.told)
        assert told is not None and (told.number, second.store.read(rekey.request)) == (7, None)


def test_when_the_disk_refuses_the_old_keys_stay_in_force(copies: list[Unlocked], centre: Centre) -> None:
    _, second, _ = copies
    batches, old, numbers = apart(copies), second.device.device_id, free(second)
    evidence = shown(centre, batches[0], batches[1])

    def refuse(conn: Connection) -> None:
        conn.execute("CREATE TRIGGER full BEFORE INSERT ON rekey BEGIN SELECT RAISE(ABORT, 'no room'); END")

    second.store.write(refuse)
    with pytest.raises(Exception, match="no room"):
        rekey.take(second, evidence)
    assert (second.device.device_id, free(second), second.store.read(rekey.request)) == (old, numbers, None)
    second.store.write(lambda conn: conn.execute("DROP TRIGGER full"))
    assert rekey.take(second, evidence)


def test_evidence_that_the_centre_did_not_sign_or_without_a_centre_changes_nothing(
    copies: list[Unlocked], centre: Centre, clock: SetClock, tmp_path: Path
) -> None:
    _, second, _ = copies
    batches, old = apart(copies), second.device.device_id
    forged = shown(Centre(), batches[0], batches[1])
    with pytest.raises((Malformed, Known)):
        rekey.take(second, forged)
    assert second.device.device_id == old
    bare = keys.create_profile(
        tmp_path / "bare", officer=second.officer, passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP
    )
    try:
        with pytest.raises(Refused, match="SY-303"):
            rekey.take(bare, shown(centre, batches[0], batches[1]))
    finally:
        bare.lock()
