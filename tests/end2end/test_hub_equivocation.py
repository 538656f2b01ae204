"""A centre that shows different offices different logs is found out: by its witness, by laptops, and by the two together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules import replicate
from sync import checkpoints, merkle, notes, witnesses
from sync.errors import Known
from sync.hub import centre as centres
from sync.hub import cosignatures, log, mirror
from sync.hub.centre import Centre
from sync.hub.mirror import Split
from sync.hub.relay import Relay, Settings, create
from sync.marks import SPLIT, mark
from tests.end2end.hall import NOW, Hall, serving, take_case
from tests.end2end.test_relay_province import NAME
from tests.hub.laptop import Laptop


@dataclass
class TwoFaces:
    """One centre's key, two logs: they agree up to ``fork`` entries and then differ."""

    hall: Hall
    other: Centre
    relay: Relay
    folder: Path
    fork: int

    def point(self, url: str) -> None:
        said = self.relay.settings
        self.relay.settings = Settings(said.name, said.province, (url,), said.log_name, said.log_key)


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoFaces]:
    hall = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(hall.roots))
    key = hall.hub.log.note_key
    made = create(tmp_path / "relay", Settings(NAME, "15", ("http://127.0.0.1:9",), key.name, key.public.hex()))
    hall.hub.storage.write(lambda tx: cosignatures.add(tx, NAME, "15", bytes(made.verify_key), "", NOW))
    hall.hub.settle()
    fork = hall.hub.storage.read(log.size)
    hall.hub.close()
    shutil.copytree(tmp_path / "hub", tmp_path / "other")
    hall.hub = centres.open_(tmp_path / "hub", hall.clock)
    other = centres.open_(tmp_path / "other", hall.clock)
    relay = Relay(tmp_path / "relay", hall.clock)
    yield TwoFaces(hall, other, relay, tmp_path, fork)
    relay.close()
    other.close()
    hall.close()


def test_hub_equivocation_detected(faces: TwoFaces) -> None:
    """The witness follows one face, a laptop the other; what the witness cosigned cannot be proved to the laptop."""
    hall = faces.hall
    for _ in range(3):
        faces.other.ingest.take(Laptop().batch(1))
    with serving(faces.other) as url:
        faces.point(url)
        assert faces.relay.run().cosigned == faces.fork + 3
    with serving(hall.hub) as url:
        hall.url = url
        laptop = hall.laptop(1)
        assert replicate.once(laptop)["enrolled"]
        take_case(laptop)
        assert replicate.once(laptop)["problems"] == []
        own = laptop.store.read(checkpoints.newest)
        assert own is not None and own.size > faces.fork
        cosigned = faces.relay.storage.read(faces.relay.mirror.cosigned)
        # The centre can only choose what it proves: nothing it sends makes the two agree.
        for proof in ([], [bytes(32)], hall.hub.storage.read(lambda tx: log.consistency(tx, faces.fork, own.size))):
            told = laptop.store.write(lambda c, p=proof: witnesses.cosigned(c, hall.hub.log.note_key, cosigned, p))  # type: ignore[misc]
            assert isinstance(told, Known) and (told.code, told.values["witness"]) == ("SY-481", NAME)
        assert laptop.store.read(lambda c: mark(c, SPLIT)) > 0
        evidence = laptop.store.read(lambda c: c.execute("SELECT note FROM witnessed").fetchone())["note"]
        assert notes.read_checkpoint(evidence, hall.hub.log.note_key).size == faces.fork + 3, (
            "signed by the centre itself"
        )
        # And the witness, shown the laptop's face, cosigns nothing and says so, for ever.
        faces.point(url)
        before = faces.relay.storage.read(faces.relay.mirror.cosigned)
        assert faces.relay.run().problem == "HB-197"
        assert faces.relay.storage.read(faces.relay.mirror.cosigned) == before
        alarm = faces.relay.storage.read(faces.relay.mirror.alarm)
        assert alarm is not None and len(alarm["notes"]) == 2
        assert {notes.read_checkpoint(one, hall.hub.log.note_key).size for one in alarm["notes"]} == {
            faces.fork + 3, hall.hub.storage.read(log.size),
        }  # fmt: skip


def test_a_laptops_own_batch_tells_the_witness_of_another_log(faces: TwoFaces) -> None:
    """A batch says which checkpoint its laptop had seen: the relay that carries it holds that against the log it knows."""
    hall = faces.hall
    faces.other.ingest.take(Laptop().batch(1))
    for _ in range(9):
        faces.other.ingest.take(Laptop().batch(1))
    with serving(faces.other) as url:
        faces.point(url)
        faces.relay.run()
    with serving(hall.hub) as url:
        hall.url = url
        laptop = hall.laptop(1)
        replicate.once(laptop)
    take_case(laptop)
    from sync import cutting, delivery
    from sync.version import VERSION

    digest = cutting.cut(laptop.unlocked, VERSION)
    assert digest is not None
    data = laptop.store.read(lambda c: delivery.data(c, digest))
    assert faces.relay.storage.read(faces.relay.mirror.alarm) is None
    assert faces.relay.take(data, digest) is None, "the work itself is taken: it is nobody's fault"
    alarm = faces.relay.storage.read(faces.relay.mirror.alarm)
    assert alarm is not None and laptop.unlocked.device.device_id.hex() in alarm["why"]


def test_a_log_that_went_back_is_not_cosigned(faces: TwoFaces) -> None:
    hall = faces.hall
    for _ in range(4):
        hall.hub.ingest.take(Laptop().batch(1))
    with serving(hall.hub) as url:
        faces.point(url)
        assert faces.relay.run().cosigned == faces.fork + 4
    faces.other.ingest.take(Laptop().batch(1))
    with serving(faces.other) as url:
        faces.point(url)
        assert faces.relay.run().problem == "HB-197"
        assert "went back" in str(faces.relay.figures()["alarm"])


def test_an_older_answer_of_the_same_log_is_no_crime(faces: TwoFaces) -> None:
    hall = faces.hall
    with serving(faces.other) as url:  # the copy stands where the log was before
        faces.point(url)
        faces.relay.run()
    hall.hub.ingest.take(Laptop().batch(1))
    with serving(hall.hub) as url:
        faces.point(url)
        assert faces.relay.run().problem == ""
    with serving(faces.other) as url:
        faces.point(url)
        assert (faces.relay.run().problem, faces.relay.figures()["alarm"]) == ("", "")


def test_a_new_life_that_claims_another_past_is_not_followed(faces: TwoFaces) -> None:
    hall = faces.hall
    for _ in range(2):
        hall.hub.ingest.take(Laptop().batch(1))
    with serving(hall.hub) as url:
        faces.point(url)
        faces.relay.run()
    faces.other.ingest.take(Laptop().batch(1))
    faces.other.close()
    faces.other = centres.new_epoch(faces.folder / "other", hall.clock)
    with serving(faces.other) as url:
        faces.point(url)
        assert faces.relay.run().problem == "HB-197"
        assert faces.relay.figures()["alarm"] == "a new life of another log"


def test_a_new_life_that_names_what_survived_is_followed_and_never_left_again(faces: TwoFaces) -> None:
    hall = faces.hall
    for _ in range(2):
        hall.hub.ingest.take(Laptop().batch(1))
    with serving(hall.hub) as url:
        faces.point(url)
        faces.relay.run()
    faces.other.close()
    faces.other = centres.new_epoch(faces.folder / "other", hall.clock)
    with serving(faces.other) as url:
        faces.point(url)
        done = faces.relay.run()
        assert done.problem == "" and done.cosigned == faces.other.storage.read(log.size)
        seen = faces.relay.storage.read(faces.relay.mirror.seen)
        assert seen.epoch == faces.other.log.epoch > 1
        root = faces.relay.storage.read(lambda tx: faces.relay.mirror.root(tx, seen.size))
        assert root == faces.other.storage.read(lambda tx: log.range_hash(tx, 0, seen.size))
    with serving(hall.hub) as url:
        faces.point(url)
        assert faces.relay.run().problem == "HB-197"  # the first life is over
        assert faces.relay.figures()["alarm"] == "an older life of the log"
    assert issubclass(Split, Exception) and mirror.ALARM and merkle.EMPTY_ROOT
