"""Raw batches, their receipts, chunks and the key files are the whole backup: what comes out is the old hub, or it is refused."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from sync import batch as batches
from sync import receipts
from sync.clock import SetClock, SystemClock
from sync.errors import Known, Refused
from sync.hub import announce, chunks, database, decisions, dispatch, enrolment, epochs, exports, keys, log, whole
from sync.hub import centre as centres
from sync.hub.centre import Centre
from sync.hub.replay import Replay
from sync.hub.site import FolderSite
from tests.hub.conftest import sala_hub
from tests.hub.laptop import NOW, Laptop, ask, join, labels, slot


def busy(centre: Centre, clock: SetClock) -> tuple[Laptop, Laptop]:
    """A hub in which everything has happened that raw batches of laptops cannot tell."""
    first, second = join(centre, Laptop()), join(centre, Laptop())
    wrong = slot(centre)
    ask(centre, Laptop().request(wrong, key=bytes(32)))
    for _ in range(3):
        centre.ingest.take(first.batch(3))
        clock.advance(1_000)
    copy = first.clone()
    centre.ingest.take(first.batch(2))
    centre.ingest.take(copy.batch(2))
    branch = batches.parse(first.clone().batch(1)).prev  # the head of the chain
    root = min((h for h, label in labels(centre, first).items() if label == "q:fork"), key=lambda h: seq(centre, h))
    centre.storage.write(lambda tx: decisions.decide(tx, root, "released", "ពិនិត្យរួច", "សុខា", clock.wall_ms()))
    centre.storage.write(lambda tx: decisions.decide(tx, branch, "sent_back", "សូមកែ", "សុខា", clock.wall_ms()))
    both = [
        bytes(row["hash"])
        for row in centre.storage.read(lambda tx: tx.query("SELECT hash FROM op ORDER BY seq LIMIT 2"))
    ]
    centre.storage.write(lambda tx: decisions.decide(tx, both[0], "send_again", "បាត់", "សុខា", NOW, more=both[1:]))
    late = join_late(centre)
    centre.ingest.take(second.batch(1, kind="gardens.planted"))
    behind = second.batch(2)
    centre.ingest.take(second.batch(1))
    centre.ingest.take(behind)
    centre.storage.write(lambda tx: enrolment.revoke(tx, second.id, clock.wall_ms()))
    centre.ingest.take(second.batch(1))
    centre.storage.write(lambda tx: announce.put(tx, {"forms/a.json": b"a" * 700_000, "forms/b.json": b"b"}, NOW))
    centre.storage.write(lambda tx: announce.withdraw(tx, ["forms/b.json"], NOW))
    piece = b"piece of a scan"
    centre.ingest.take_chunk(piece, sha256(piece).digest(), lambda h, data: chunks.put(centre.folder, h, data))
    centre.settle()
    return first, late


def seq(centre: Centre, op: bytes) -> int:
    row = centre.storage.read(lambda tx: tx.query("SELECT seq FROM op WHERE hash = :op", {"op": op}))[0]
    return int(row["seq"])


def join_late(centre: Centre) -> Laptop:
    """A laptop whose batches come before its enrolment."""
    laptop = Laptop()
    centre.ingest.take(laptop.batch(2))
    return join(centre, laptop)


def test_a_hub_made_from_the_second_site_is_the_living_one(centre: Centre, clock: SetClock, tmp_path: Path) -> None:
    busy(centre, clock)
    copied = exports.backup(centre, tmp_path / "site")
    found = whole.prove(centre, FolderSite(tmp_path / "site"))
    assert [name for name, one in found["subjects"].items() if not one["same"]] == []
    assert found["same"] and found["entries"] == copied.batches_in_all and found["chunks"] == 1
    assert found["subjects"]["ops"]["rows"] > 20 and found["subjects"]["decisions"]["rows"] == 4
    assert not list(centre.folder.glob("sala-rebuild-*"))


def test_what_the_second_site_lacks_makes_them_differ(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    exports.backup(centre, tmp_path / "site")
    centre.ingest.take(laptop.batch(1))
    found = whole.prove(centre, FolderSite(tmp_path / "site"))
    assert not found["same"] and not found["subjects"]["log"]["same"]


def test_an_ended_effect_is_not_asked_for_again(centre: Centre, tmp_path: Path) -> None:
    centre.storage.write(
        lambda tx: tx.execute(
            """INSERT INTO effect (id, kind, payload, state, tries, projection, changed_ms)
               VALUES ('e1', 'messages.dispatch', '{}', 'waiting', 0, 'messages', 5)"""
        )
    )
    centre.storage.write(lambda tx: dispatch.finish(tx, "e1", admin="សុខា", note="បានប្រគល់", now_ms=NOW))
    exports.backup(centre, tmp_path / "site")
    other, _ = restored(centre, tmp_path)
    try:
        assert other.storage.read(dispatch.waiting) == []
        assert other.storage.read(dispatch.ended)[0]["result"]["admin"] == "សុខា"
    finally:
        other.close()


def restored(centre: Centre, tmp_path: Path, name: str = "new") -> tuple[Centre, whole.Built]:
    """The hub made anew in another folder from ``tmp_path/site`` and the keys."""
    folder = tmp_path / name
    shutil.copytree(centre.folder / "keys", folder / "keys")
    return whole.restore(folder, FolderSite(tmp_path / "site"), SetClock(NOW + 60_000))


def test_a_restored_hub_begins_a_new_life_and_names_what_survived(
    centre: Centre, clock: SetClock, tmp_path: Path
) -> None:
    first, late = busy(centre, clock)
    exports.backup(centre, tmp_path / "site")
    survived = centre.storage.read(log.size)
    lost = first.batch(2)
    old = receipts.verify(centre.ingest.take(lost).receipt, centre.log.note_key)
    other, built = restored(centre, tmp_path)
    try:
        assert (built.epoch, other.log.epoch > 1, other.settings["name"]) == (1, True, centre.settings["name"])
        note = other.storage.read(lambda tx: epochs.note_of(tx, other.log.epoch))
        assert note is not None
        said = epochs.read(note, centre.log.note_key)
        assert (said.epoch, said.after, said.size) == (other.log.epoch, 1, survived)
        assert other.storage.read(other.log.verify) == []
        again = receipts.verify(other.ingest.take(lost).receipt, centre.log.note_key)
        assert again.checkpoint.epoch == other.log.epoch and again.leaf.batch_hash == old.leaf.batch_hash
        assert set(labels(other, first).values()) == {"accepted"}
        assert other.ingest.take(late.batch(1)).label == "accepted"
        assert other.settle()  # publications go on, with versions that no laptop has seen
        assert other.repository.listing().version > centre.repository.listing().version
    finally:
        other.close()


def own_file(centre: Centre) -> None:
    """Copying a hub's folder copies its database only where that is a file in it."""
    if centre.settings.get(database.SETTING):
        pytest.skip("the database is not in the folder")


def test_two_lives_of_the_log_at_one_second_site(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    own_file(centre)
    shutil.copytree(centre.folder, tmp_path / "copy")
    lost = laptop.batch(2)
    centre.ingest.take(lost)
    stranger = laptop.clone()
    exports.backup(centre, tmp_path / "site")
    again = centres.new_epoch(tmp_path / "copy", SetClock(NOW + 5))
    try:
        again.ingest.take(stranger.batch(1))
        exports.backup(again, tmp_path / "site")
        other, built = restored(again, tmp_path)
        try:
            assert built.anew == 1 and built.set_aside == []  # the lost batch, which nobody had offered again
            assert other.storage.read(other.log.verify) == []
            assert len(labels(other, laptop)) == 3
        finally:
            other.close()
    finally:
        again.close()


def test_acts_of_a_lost_life_are_named_and_set_aside(centre: Centre, tmp_path: Path) -> None:
    own_file(centre)
    shutil.copytree(centre.folder, tmp_path / "copy")
    join(centre, Laptop())
    exports.backup(centre, tmp_path / "site")
    again = centres.new_epoch(tmp_path / "copy", SetClock(NOW + 5))
    try:
        exports.backup(again, tmp_path / "site")
        other, built = restored(again, tmp_path)
        other.close()
        assert len(built.set_aside) >= 1
    finally:
        again.close()


def test_a_hole_in_the_copies_costs_no_record(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    sent = [laptop.batch(2) for _ in range(4)]
    for data in sent:
        centre.ingest.take(data)
    site = tmp_path / "site"
    exports.backup(centre, site)
    name = sha256(sent[1]).hexdigest()
    (site / "batches" / name[:2] / f"{name}.batch").write_bytes(b"bit rot")
    other, built = restored(centre, tmp_path)
    try:
        assert built.anew == 2
        assert sorted(labels(other, laptop).values()) == ["accepted"] * 2 + ["pending"] * 4
        other.ingest.take(sent[1])  # the laptop offers what the hub lacks
        assert set(labels(other, laptop).values()) == {"accepted"}
    finally:
        other.close()


@pytest.mark.parametrize("what", ["nothing", "a hub", "another key"])
def test_where_nothing_can_be_built(centre: Centre, laptop: Laptop, tmp_path: Path, what: str) -> None:
    centre.ingest.take(laptop.batch(1))
    site, folder = tmp_path / "site", tmp_path / "new"
    if what != "nothing":
        exports.backup(centre, site)
    if what == "another key":
        keys.create(folder)
    else:
        shutil.copytree(centre.folder / "keys", folder / "keys")
    if what == "a hub":
        (folder / "hub.json").write_text("{}")
    with pytest.raises(Known) as refused:
        whole.build(folder, FolderSite(site), SystemClock())
    assert refused.value.code == {"nothing": "HB-190", "a hub": "HB-103", "another key": "HB-190"}[what]


def test_an_act_cannot_name_anything_but_tables(centre: Centre) -> None:
    from sync.cbor import Malformed
    from sync.hub.replay import _put

    with pytest.raises(Malformed):
        centre.storage.write(lambda tx: _put(tx, "slot; DROP TABLE slot", "slot", b"", []))
    assert Replay(centre.keys).known == set()


def test_a_command_line_proves_and_restores(tmp_path: Path) -> None:
    hub = centres.create(tmp_path / "hub", SystemClock(), name="hub", log_name="hub")
    laptop = join(hub, Laptop())
    hub.ingest.take(laptop.batch(3))
    hub.settle()
    hub.close()
    site = str(tmp_path / "site")
    assert sala_hub(tmp_path / "hub", "export", site, "--confirm")["confirmed"]
    assert sala_hub(tmp_path / "hub", "rebuild", "--compare", site)["same"]
    shutil.copytree(tmp_path / "hub" / "keys", tmp_path / "new" / "keys")
    made = sala_hub(tmp_path / "new", "rebuild", "--from", site)
    assert (made["epoch"] > 1, made["anew"]) == (True, 0) and made["note"].startswith("sala.epoch/v1\n")
    assert sala_hub(tmp_path / "new", "verify-log")["ok"]
    assert not sala_hub(tmp_path / "hub", "rebuild", "--from", site, ok=False).get("epoch")  # there is a hub


def test_stable_moves_only_when_the_second_site_has_answered(
    centre: Centre, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.ingest.take(laptop.batch(2))
    exports.backup(centre, tmp_path / "site")
    assert centre.storage.read(lambda tx: centres.stable(tx, laptop.id)) == 0  # copied, but nobody confirmed
    monkeypatch.setattr("sync.durable.replace", lambda *_: None)  # a disk that keeps nothing
    centre.ingest.take(laptop.batch(1))
    with pytest.raises((Known, Refused)):
        exports.backup(centre, tmp_path / "site", confirm=True)
    assert centre.storage.read(lambda tx: centres.stable(tx, laptop.id)) == 0
    monkeypatch.undo()
    exports.backup(centre, tmp_path / "site", confirm=True)
    assert centre.storage.read(lambda tx: centres.stable(tx, laptop.id)) == 3
