"""Publications: what python-tuf's own client accepts, what stays the same when nothing changed, who may sign the next root."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from sync import pack, wire
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.hub import announce, decisions, downward, enrolment, exports, leases, publish, signers
from sync.hub.centre import Centre
from sync.hub.keys import load_roots
from sync.hub.publish import Repository, check
from sync.limits import DAY_MS, MAX_PUBLICATION
from tests.hub.laptop import NOW, OFFICE, Laptop, join


class FromFolder(FetcherInterface):
    """Reads a folder that was exported."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _fetch(self, url: str):  # type: ignore[no-untyped-def]
        from tuf.api.exceptions import DownloadHTTPError

        place = self._root / url
        if not place.is_file():
            raise DownloadHTTPError(url, 404)
        yield place.read_bytes()


def client(centre: Centre, tmp_path: Path, served: Path, root: bytes | None = None) -> Updater:
    place = tmp_path / "client"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    updater = Updater(
        str(place), "metadata/", str(place), "targets/", FromFolder(served), UpdaterConfig(prefix_targets_with_hash=True),
        bootstrap=root or (served / "metadata" / "1.root.json").read_bytes(),
    )  # fmt: skip
    updater._trusted_set.reference_time = datetime.fromtimestamp(centre.clock.wall_ms() / 1000, UTC)
    updater.refresh()
    return updater


def fetch(updater: Updater, name: str) -> bytes:
    target = updater.get_targetinfo(name)
    assert target is not None, name
    return Path(updater.download_target(target)).read_bytes()


def put(centre: Centre, name: str, data: bytes) -> None:
    centre.storage.write(lambda tx: announce.put(tx, {name: data}, centre.clock.wall_ms()))


def test_a_tuf_client_accepts_the_exported_folder(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    put(centre, "prices/fees.json", '{"ថ្លៃ": 4000}'.encode())
    centre.settle()
    exports.publications(centre, tmp_path / "stick")
    updater = client(centre, tmp_path, tmp_path / "stick")
    assert fetch(updater, "prices/fees.json") == '{"ថ្លៃ": 4000}'.encode()
    grants = wire.read_grants(fetch(updater, f"leases/{laptop.id.hex()}.cbor"))
    assert {grant.resource for grant in grants} == {"link-codes", "certificate-numbers", "receipt-numbers"}
    assert updater.get_targetinfo("devices/03.cbor") is not None


def test_nothing_new_publishes_nothing(centre: Centre, laptop: Laptop, clock: SetClock) -> None:
    centre.settle()
    version = centre.repository.listing().version
    clock.advance(3_600_000)
    assert centre.settle() == []
    centre.ingest.take(laptop.batch(3, kind="forms.submission"))
    assert centre.settle() == []
    assert centre.repository.listing().version == version


def test_a_quiet_centre_signs_anew_before_its_timestamp_lapses(centre: Centre, clock: SetClock) -> None:
    centre.settle()
    before = centre.repository.listing()
    clock.advance(4 * DAY_MS)
    assert centre.settle() == []
    after = centre.repository.listing()
    assert after.version == before.version + 1 and after.expires_ms > before.expires_ms


def test_dated_lists_keep_their_bytes_until_they_must_be_dated_anew(
    centre: Centre, laptop: Laptop, clock: SetClock
) -> None:
    centre.settle()
    clock.advance(downward.RENEW_MS - 1)
    assert not [name for name in centre.settle() if name.startswith(("trust/", "status/"))]
    clock.advance(2)
    assert [name for name in centre.settle() if name.startswith("trust/")] == ["trust/issuers-0306.cbor"]


def test_a_new_laptop_and_a_revoked_one_change_only_what_is_about_them(centre: Centre, clock: SetClock) -> None:
    first = join(centre, Laptop())
    centre.settle()
    second = join(centre, Laptop())
    changed = centre.settle()
    assert changed == ["devices/03.cbor", f"leases/{second.id.hex()}.cbor", "trust/issuers-0306.cbor"]
    clock.advance(1000)
    centre.storage.write(lambda tx: enrolment.revoke(tx, first.id, clock.wall))
    assert centre.settle() == ["devices/03.cbor", "trust/issuers-0306.cbor"]


def test_a_decision_reaches_its_laptop_sealed_and_with_stable_bytes(centre: Centre, laptop: Laptop) -> None:
    from nacl.public import SealedBox

    centre.ingest.take(laptop.batch(1))
    centre.storage.write(
        lambda tx: decisions.decide(tx, laptop.head, "sent_back", "សូមបន្ថែមហត្ថលេខា", "សុខា", centre.clock.wall_ms())
    )
    name = f"inbox/{laptop.id.hex()}.cbor"
    assert name in centre.settle()
    assert centre.settle() == []
    listed = next(target for target in centre.repository.listing().targets if target.name == name)
    notices = wire.read_notices(SealedBox(laptop.seal).decrypt(centre.repository.target(listed)))
    assert [(n.op, n.kind, n.body) for n in notices] == [
        (laptop.head, decisions.KIND, {"decision": "sent_back", "reason": "សូមបន្ថែមហត្ថលេខា"})
    ]


def test_withdrawn_is_gone_from_the_set(centre: Centre) -> None:
    centre.settle()
    centre.settle()  # what every hub publishes of itself
    put(centre, "forms/birth.json", b"{}")
    assert centre.settle() == ["forms/birth.json"]
    centre.storage.write(lambda tx: announce.withdraw(tx, ["forms/birth.json"], centre.clock.wall_ms()))
    assert centre.settle() == ["forms/birth.json"]
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: announce.withdraw(tx, ["forms/birth.json"], centre.clock.wall_ms()))
    assert refused.value.code == "HB-132"


@pytest.mark.parametrize(
    "name", ["fees.json", "keys/x.key", "forms/../x", "forms/", "forms/ទម្រង់.json", "/forms/x", "forms/.x", "a" * 130]
)
def test_a_name_that_could_be_misread_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        check(name, b"")
    assert refused.value.code == "HB-130"


def test_a_huge_file_is_refused_and_then_none_of_the_others_is_published(centre: Centre) -> None:
    big = bytes(MAX_PUBLICATION + 1)
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: announce.put(tx, {"forms/a.json": b"{}", "forms/b.json": big}, 1))
    assert refused.value.code == "HB-131"
    assert centre.storage.read(announce.by_hand) == {}


@pytest.mark.parametrize(
    "path",
    [
        "metadata/../../keys/log.key",
        "metadata",
        "targets/",
        "keys/log.key",
        "metadata/.x",
        "metadata//x",
        "publish.lock",
    ],
)
def test_no_request_leaves_the_repository(centre: Centre, path: str) -> None:
    assert centre.repository.read(path) is None


def test_two_root_keys_sign_the_next_root_and_clients_follow(centre: Centre, tmp_path: Path, clock: SetClock) -> None:
    centre.settle()
    old = centre.repository.root()
    files = [centre.folder / "offline" / f"root-{n}.key" for n in (1, 2, 3)]
    with pytest.raises(Refused) as refused:
        centre.repository.renew_root(load_roots([files[0], centre.folder / "keys" / "log.key"]))
    assert refused.value.code == "HB-133"
    clock.advance(300 * DAY_MS)
    assert centre.repository.renew_root(load_roots(files[1:])) == 2
    clock.advance(100 * DAY_MS)
    put(centre, "forms/new.json", b"{}")
    centre.settle()
    exports.publications(centre, tmp_path / "later")
    assert fetch(client(centre, tmp_path, tmp_path / "later", old), "forms/new.json") == b"{}"


def _refilled(centre: Centre, laptop: Laptop) -> bytes:
    """The leases of a laptop after one more block of link codes."""
    row = centre.storage.read(lambda tx: tx.query("SELECT * FROM slot WHERE device = :d", {"d": laptop.id}))[0]
    now = centre.clock.wall_ms()
    centre.storage.write(lambda tx: leases.grant(tx, centre.keys, resource="link-codes", slot=row, now_ms=now))
    return centre.storage.read(lambda tx: leases.publication(tx, row["slot"], now))


@pytest.mark.parametrize("database", [None])  # the copy is the folder with its database
def test_after_an_older_copy_a_new_epoch_goes_on_for_log_and_publications(
    centre: Centre, laptop: Laptop, tmp_path: Path, clock: SetClock
) -> None:
    from sync import merkle, notes, receipts
    from sync.hub import answers
    from sync.hub import centre as centres

    first = laptop.batch(2)
    old_receipt = centre.ingest.take(first).receipt
    centre.settle()
    centre.close()
    shutil.copytree(centre.folder, tmp_path / "backup")

    lived_on = centres.open_(centre.folder, clock)
    lost = laptop.batch(2)
    lived_on.ingest.take(lost)
    for number in range(3):
        put(lived_on, "forms/x.json", str(number).encode())
        lived_on.settle()
    exports.publications(lived_on, tmp_path / "seen")
    updater = client(lived_on, tmp_path, tmp_path / "seen")
    seen = notes.read_checkpoint(lived_on.storage.read(lived_on.log.latest), lived_on.log.note_key)
    lived_on.close()

    shutil.rmtree(centre.folder)
    shutil.copytree(tmp_path / "backup", centre.folder)
    restored = centres.new_epoch(centre.folder, clock)
    restored.settle()
    checkpoint = notes.read_checkpoint(restored.storage.read(restored.log.latest), restored.log.note_key)
    assert (checkpoint.epoch > 1, checkpoint.size > 1, checkpoint.root != merkle.EMPTY_ROOT) == (True, True, True)
    receipts.require_advance(seen, checkpoint, [])  # no alarm: a new life of the log
    assert receipts.verify(old_receipt, restored.log.note_key).index >= 0
    have = wire.Have([receipts.read_leaf(receipts.verify(old_receipt, restored.log.note_key).leaf.data()).batch_hash],
                     [], laptop.seq, laptop.head, seen.epoch, seen.size)  # fmt: skip
    assert restored.storage.read(lambda tx: answers.missing(restored, tx, laptop.id, have)).proof == []
    assert restored.ingest.take(lost).label == "accepted"
    assert restored.storage.read(restored.log.verify) == []
    exports.publications(restored, tmp_path / "after")
    updater = Updater(
        str(tmp_path / "client"), "metadata/", str(tmp_path / "client"), "targets/", FromFolder(tmp_path / "after"),
        UpdaterConfig(prefix_targets_with_hash=True), bootstrap=(tmp_path / "seen" / "metadata" / "1.root.json").read_bytes(),
    )  # fmt: skip
    updater._trusted_set.reference_time = datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)
    updater.refresh()  # a laptop that saw the later versions believes the restored hub
    assert updater.get_targetinfo("forms/x.json") is None
    grants = wire.read_grants(_refilled(restored, laptop))
    spans = sorted((grant.content["from"], grant.content["to"]) for grant in grants if grant.resource == "link-codes")
    assert spans[0][1] + 1_000_000 < spans[1][0]  # what may have been given out meanwhile is left out
    number = pack.parse(restored.enrol(OFFICE, []), [bytes(restored.keys.pack.verify_key)]).number
    assert enrolment.EPOCH_NUMBERS < number <= 9_999
    restored.close()


def test_a_root_key_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.key").write_text("not hex")
    for name in ("bad.key", "missing.key"):
        with pytest.raises(Known) as known:
            load_roots([tmp_path / name])
        assert known.value.code == "HB-106"


def test_old_versions_and_their_targets_are_forgotten_in_time(centre: Centre) -> None:
    for number in range(45):
        put(centre, "forms/changing.json", str(number).encode())
        centre.publish()
    versions = list((centre.folder / "published" / "metadata").glob("*.targets.json"))
    targets = list((centre.folder / "published" / "targets" / "forms").iterdir())
    assert 20 <= len(versions) <= 40 and len(targets) <= 40
    listed = next(target for target in centre.repository.listing().targets if target.name == "forms/changing.json")
    assert centre.repository.target(listed) == b"44"


def test_before_the_first_set_there_are_only_roots(centre: Centre, clock: SetClock, tmp_path: Path) -> None:
    made = Repository(tmp_path / "new", centre.keys, clock)
    made.begin(load_roots([centre.folder / "offline" / f"root-{number}.key" for number in (1, 2, 3)]))
    assert [name for name, _ in made.files()] == ["metadata/1.root.json"]
    assert (made.version(), made.listing().targets, made.publish({}) == [], made.version()) == (0, [], True, 1)


def test_a_lost_part_of_a_role_of_the_past_holds_nobody_up(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_KEPT_VERSIONS", 2)
    centre.storage.write(lambda tx: signers.add(tx, centre.folder, "forms", "moi", "ក្រសួងមហាផ្ទៃ", None, NOW))
    put(centre, "forms/moi/birth/1.json", b"{}")
    centre.settle()
    centre.storage.write(lambda tx: signers.remove(tx, "forms-moi", NOW))
    centre.settle()
    for lost in (centre.folder / "published" / "metadata").glob("*.forms-moi.json"):
        lost.unlink()
    for number in range(5):
        put(centre, "forms/other.json", str(number).encode())
        centre.settle()
    assert len(list((centre.folder / "published" / "metadata").glob("*.snapshot.json"))) < 6
    reader = client(centre, tmp_path, centre.repository.folder)
    assert (fetch(reader, "forms/moi/birth/1.json"), fetch(reader, "forms/other.json")) == (b"{}", b"4")
