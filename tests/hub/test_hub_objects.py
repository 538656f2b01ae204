"""Raw batches and attachments under their hash, in files and in an S3-compatible storage over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from sync import receipts
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.hub import centre as centres
from sync.hub import exports, moving, objects
from sync.hub.centre import SETTINGS, Centre
from sync.hub.objects import Bucket, Folder, Objects
from tests.hub.conftest import sala_hub
from tests.hub.laptop import NOW, Laptop, join, labels

KEYS = ("sala", "not-a-real-secret")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running S3 server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        serving = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},  # tests/absent hides boto3
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    httpx.get(url, timeout=5)
                    break
                except httpx.HTTPError:
                    assert serving.poll() is None
                    time.sleep(0.1)
            yield url
        finally:
            serving.terminate()
            serving.wait(20)


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty bucket."""
    name = f"sala-{sha256(request.node.nodeid.encode()).hexdigest()[:16]}"
    assert httpx.put(f"{s3}/{name}").status_code == 200
    return f"{s3}/{name}"


def in_bucket(url: str) -> Bucket:
    return Bucket(objects.address(url), "batches", lambda: KEYS)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    return Folder(tmp_path) if request.param == "folder" else in_bucket(request.getfixturevalue("bucket"))


def digest(data: bytes) -> bytes:
    return sha256(data).digest()


# --- the contract


def test_bytes_come_back_under_their_hash(place: Objects) -> None:
    found = {digest(data): data for data in (b"one", b"", b"\0" * 300_000)}
    assert not place.exists(digest(b"one"))
    for name, data in found.items():
        place.put(name, data)
        place.put(name, data)
    assert {name: place.get(name) for name in found} == found
    assert set(place.list()) == set(found) and place.exists(digest(b"one"))


def test_what_is_not_there_or_damaged_is_never_handed_out(place: Objects) -> None:
    with pytest.raises(Known) as known:
        place.get(digest(b"nothing"))
    assert known.value.code == "HB-167"
    place.put(digest(b"meant"), b"another")
    with pytest.raises(Known) as known:
        place.get(digest(b"meant"))
    assert (known.value.code, known.value.values) == ("HB-167", {"hash": digest(b"meant").hex()})


def test_a_storage_that_is_away_is_said_in_words(s3: str, tmp_path: Path) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = in_bucket(f"http://127.0.0.1:{nobody.getsockname()[1]}/sala")
        for ask in (
            lambda: away.put(bytes(32), b""),
            lambda: away.get(bytes(32)),
            lambda: away.exists(bytes(32)),
            lambda: [*away.list()],
        ):
            with pytest.raises(Known) as known:
                ask()
            assert known.value.code == "HB-166"
    with pytest.raises(Known) as known:
        in_bucket(f"{s3}/no-such-bucket").put(bytes(32), b"")
    assert (known.value.code, known.value.values["reason"]) == ("HB-166", "NoSuchBucket")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "s3://bucket",
        "https://host",
        "https://host/a/b",
        "https://key:secret@host/b",
        "https://h/b?x=1",
        "https://[::/b",
    ],
)
def test_what_is_no_bucket_is_refused_without_its_secret(wrong: str) -> None:
    with pytest.raises(Refused) as refused:
        objects.address(wrong)
    assert refused.value.code == "HB-168" and "secret" not in str(refused.value.values)


def test_an_address_names_host_bucket_and_region() -> None:
    assert objects.address("https://s3.example.kh:9000/sala/?region=kh-1") == objects.Address(
        "s3.example.kh:9000", "sala", True, "kh-1"
    )


# --- a whole hub


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIO_ACCESS_KEY", KEYS[0])
    monkeypatch.setenv("MINIO_SECRET_KEY", KEYS[1])


@pytest.fixture
def hub(tmp_path: Path, bucket: str, keys: None, database: str | None) -> Iterator[Centre]:
    made = centres.create(tmp_path / "hub", SetClock(NOW), name="hub", log_name="hub", url=database, bucket=bucket)
    yield made
    made.close()


def test_a_hub_keeps_its_raw_bytes_in_the_storage(hub: Centre, bucket: str, tmp_path: Path) -> None:
    laptop = join(hub, Laptop())
    sent = [laptop.batch(3) for _ in range(4)]
    for data in sent:
        hub.ingest.take(data)
    piece = os.urandom(1000)
    hub.ingest.take_chunk(piece, digest(piece), hub.put_chunk)
    rows = hub.storage.read(lambda tx: tx.query("SELECT hash, raw, size FROM batch WHERE via <> 'hub' ORDER BY idx"))
    assert [(row["hash"], bytes(row["raw"]), row["size"]) for row in rows] == [(digest(d), b"", len(d)) for d in sent]
    assert set(in_bucket(bucket).list()) == {digest(data) for data in sent}
    assert not (hub.folder / "chunks").exists()
    assert hub.storage.read(hub.log.verify) == []
    assert set(labels(hub, laptop).values()) == {"accepted"}
    hub.settle()
    assert all(found.sound for found in hub.rebuild().values())
    exports.backup(hub, tmp_path / "site")
    assert {digest(path.read_bytes()) for path in (tmp_path / "site").rglob("*.batch")} >= {
        digest(data) for data in sent
    }
    assert moving.check(hub).faults == []


def test_a_storage_that_loses_or_alters_a_batch_is_found_out(hub: Centre, bucket: str) -> None:
    laptop = join(hub, Laptop())
    gone, altered, whole = (laptop.batch(1) for _ in range(3))
    for data in (gone, altered, whole):
        hub.ingest.take(data)
    assert isinstance(hub.places.batches, Bucket)
    hub.places.batches.put(digest(altered), b"something else")
    name = digest(gone).hex()
    hub.places.batches._client.remove_object(objects.address(bucket).bucket, f"batches/{name[:2]}/{name}")
    assert sorted(moving.check(hub).faults) == sorted(f"batch {digest(data).hex()}" for data in (gone, altered))
    assert len([fault for fault in hub.storage.read(hub.log.verify) if fault.startswith("leaf")]) == 2


def test_no_receipt_without_the_storage(hub: Centre) -> None:
    laptop = join(hub, Laptop())
    working, data = hub.places.batches, laptop.batch(2)
    hub.storage.objects = in_bucket("http://127.0.0.1:9/sala")
    with pytest.raises(Known) as known:
        hub.ingest.take(data)
    assert known.value.code == "HB-166"
    assert labels(hub, laptop) == {}
    hub.storage.objects = working
    taken = hub.ingest.take(data)
    assert (taken.again, taken.new_ops) == (False, 2)
    assert receipts.verify(taken.receipt, hub.log.note_key).leaf.batch_hash == digest(data)


def test_what_lies_in_the_database_is_moved_and_nothing_is_lost(
    tmp_path: Path, bucket: str, keys: None, database: str | None
) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(folder, SetClock(NOW), name="hub", log_name="hub", url=database)
    laptop = join(hub, Laptop())
    sent = [laptop.batch(2) for _ in range(3)]
    for data in sent:
        hub.ingest.take(data)
    piece = os.urandom(500)
    hub.ingest.take_chunk(piece, digest(piece), hub.put_chunk)
    hub.close()
    assert sala_hub(folder, "objects", "move", bucket) == {"batches": 3, "chunks": 1}
    assert sala_hub(folder, "objects", "move", bucket) == {"batches": 0, "chunks": 0}
    refused = sala_hub(folder, "objects", "move", f"{bucket}-2", ok=False)
    assert refused["error"]["code"] == "HB-169"
    assert json.loads((folder / SETTINGS).read_text("utf-8"))[objects.SETTING] == bucket
    checked = sala_hub(folder, "objects", "check")
    assert (checked["chunks"], checked["faults"]) == (1, [])
    assert not [*(folder / "chunks").rglob("*.*")] and not [
        path for path in (folder / "chunks").rglob("*") if path.is_file()
    ]
    assert sala_hub(folder, "verify-log")["ok"]


def test_the_keys_of_the_storage_lie_in_a_file_of_the_hub(tmp_path: Path, bucket: str) -> None:
    folder = tmp_path / "hub"
    centres.create(folder, SetClock(NOW), name="hub", log_name="hub").close()
    (folder / "keys" / objects.KEY_FILE).write_text("\n".join(KEYS) + "\n", "ascii")
    found = objects.places({objects.SETTING: bucket}, folder).chunks
    found.put(digest(b"x"), b"x")
    assert found.get(digest(b"x")) == b"x"


def test_a_second_site_in_a_bucket_is_a_whole_backup(hub: Centre, s3: str, tmp_path: Path) -> None:
    from sync.hub import exports, site, whole

    laptop = join(hub, Laptop())
    hub.ingest.take(laptop.batch(3))
    assert httpx.put(f"{s3}/second-site-{hub.folder.parent.name[-8:].lower().strip('_')}").status_code == 200
    where = site.at(f"{s3}/second-site-{hub.folder.parent.name[-8:].lower().strip('_')}", hub.folder)
    first = exports.backup(hub, where, confirm=True)
    assert first.confirmed and first.batches == first.batches_in_all
    assert exports.backup(hub, where).batches == 0
    assert whole.prove(hub, where)["same"]


def test_a_log_is_not_called_broken_because_the_storage_is_away(hub: Centre) -> None:
    hub.ingest.take(join(hub, Laptop()).batch(1))
    working = hub.storage.objects
    hub.storage.objects = in_bucket("http://127.0.0.1:9/sala")
    with pytest.raises(Known) as known:
        hub.storage.read(hub.log.verify)
    assert known.value.code == "HB-166"
    hub.storage.objects = None  # somebody has taken the storage out of the settings
    assert len(hub.storage.read(hub.log.verify)) == 1
    hub.storage.objects = working
    assert hub.storage.read(hub.log.verify) == []


def test_a_hub_that_is_made_anew_keeps_its_bytes_in_the_storage_again(
    hub: Centre, bucket: str, tmp_path: Path, s3: str
) -> None:
    laptop = join(hub, Laptop())
    sent, piece = [laptop.batch(2) for _ in range(3)], os.urandom(700)
    for data in sent:
        hub.ingest.take(data)
    hub.ingest.take_chunk(piece, digest(piece), hub.put_chunk)
    exports.backup(hub, tmp_path / "site")
    assert isinstance(hub.places.batches, Bucket)
    hub.places.batches.put(digest(sent[1]), b"altered there")  # the old bucket is used again, its damage is put right

    def keys_only(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(hub.folder / "keys", folder / "keys")
        return folder

    away = sala_hub(
        keys_only("away"), "rebuild", "--from", str(tmp_path / "site"), "--objects", "http://127.0.0.1:9/b", ok=False
    )
    assert away["error"]["code"] == "HB-166" and not (tmp_path / "away" / SETTINGS).exists()
    fresh = f"{s3}/new-{bucket.rpartition('/')[2]}"
    assert httpx.put(fresh).status_code == 200
    for name, where in (("again", bucket), ("anew", fresh)):
        folder = keys_only(name)
        assert sala_hub(folder, "rebuild", "--from", str(tmp_path / "site"), "--objects", where)["chunks"] == 1
        assert json.loads((folder / SETTINGS).read_text("utf-8"))[objects.SETTING] == where
        assert {digest(data) for data in sent} <= set(in_bucket(where).list())
        assert not (folder / "chunks").exists()
        made = centres.open_(folder, SetClock(NOW))
        try:
            rows = made.storage.read(lambda tx: tx.query("SELECT raw FROM batch WHERE via <> 'hub'"))
            assert [bytes(row["raw"]) for row in rows] == [b""] * 3
            assert moving.check(made).faults == [] and made.storage.read(made.log.verify) == []
            made.ingest.take(laptop.batch(1))
        finally:
            made.close()


def test_what_was_rebuilt_into_the_database_is_moved_afterwards(hub: Centre, bucket: str, tmp_path: Path) -> None:
    data = join(hub, Laptop()).batch(2)
    hub.ingest.take(data)
    exports.backup(hub, tmp_path / "site")
    folder = tmp_path / "anew"
    shutil.copytree(hub.folder / "keys", folder / "keys")
    sala_hub(folder, "rebuild", "--from", str(tmp_path / "site"))
    assert objects.SETTING not in json.loads((folder / SETTINGS).read_text("utf-8"))
    assert sala_hub(folder, "objects", "move", bucket)["batches"] == 1
    assert sala_hub(folder, "objects", "check")["faults"] == []
