"""Laptop and centre that meet by courier files only: any subset in any order any number of times."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from sync import (
    batch,
    clockwatch,
    courier,
    delivery,
    devices,
    marks,
    merkle,
    notes,
    ops,
    outbox,
    receipts,
    volume,
    wire,
)
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Known
from sync.keys import Unlocked
from sync.limits import CHUNK
from sync.receipts import Leaf, State
from sync.store import Connection
from sync.volume import Object, Volume
from tests.sync.conftest import NOW, Centre
from tests.sync.tuf_repo import Repo

ROOT = Path(__file__).parents[2]


def contents(path: Path) -> list[Object]:
    with Volume(path) as found:
        return [Object(entry.type, entry.name, _whole(found.read(entry))) for entry in found.entries]


def _whole(data: bytes | None) -> bytes:
    assert data is not None
    return data


class Office:
    """A centre that reads sticks with the shared formats and keeps a log."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.batches, self.chunks = centre, {}, set[str]()
        self.leaves: list[Leaf] = []
        self.new_ops = 0
        self.known: set[bytes] = set()

    def take(self, path: Path) -> int:
        """Take a stick; the number of ops that are new."""
        before = len(self.known)
        for file in volume.find(path):
            with Volume(file) as found:
                for _, data in found.of("batch"):
                    made = batch.parse(data)
                    if made.hash not in self.batches:
                        self.batches[made.hash] = made
                        self.leaves.append(
                            Leaf(made.hash, made.device_id, made.first_seq, made.last_seq, NOW, State.ACCEPTED)
                        )
                        self.known.update(op.hash for op in made.ops)
                self.chunks.update(
                    entry.name for entry, data in found.of("chunk") if sha256(data).hexdigest() == entry.name
                )
        return len(self.known) - before

    def note(self) -> tuple[str, list[bytes]]:
        hashed = [merkle.leaf_hash(leaf.data()) for leaf in self.leaves]
        point = notes.Checkpoint("hub", 1, len(hashed), merkle.root(hashed))
        return notes.sign(point.text(), "hub", self.centre.log_key), hashed

    def answers(
        self, laptop: Unlocked, lacks: list[bytes] | None = None, stable: int = 0, old: int = 0
    ) -> list[Object]:
        note, hashed = self.note()
        device = laptop.device.device_id
        status = wire.Status(
            device_id=device, hub_ms=NOW + 1, epoch=1, head_seq=0, stable_seq=stable, revocations=0, revoked=False
        )
        missing = wire.Missing(
            lacks or [],
            [],
            wire.issue_status(status, self.centre.log_key, self.centre.log.id()),
            note,
            merkle.consistency(hashed, old),
        )
        made = [
            Object(
                "receipt",
                leaf.batch_hash.hex(),
                receipts.issue(leaf, place, merkle.inclusion(hashed, place), note).encode(),
            )
            for place, leaf in enumerate(self.leaves)
        ]
        return [*made, Object("missing", device.hex(), missing.encode())]


def write_ops(laptop: Unlocked, clock: SetClock, n: int) -> None:
    def work(conn: Connection) -> None:
        for number in range(n):
            ops.append(
                conn,
                laptop,
                clock,
                kind="forms.submission",
                record=f"r{number}",
                form="f",
                def_hash=None,
                body={"n": number},
                sealed=True,
            )

    clock.advance(1_000)
    laptop.store.write(work)


def test_usb_any_subset_any_order(laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path) -> None:
    there, back, hub = tmp_path / "there", tmp_path / "back", Office(centre)
    files = []
    for number in range(4):
        write_ops(laptop, clock, 3)
        handed = courier.export(laptop, there)
        assert handed.batches == number + 1
        files += handed.files
    assert laptop.store.read(outbox.summary).sending == 12
    for name in (files[3], files[1], files[3], files[0], files[2]):
        hub.take(Path(name))
    assert len(hub.known) == 12 + 4 + 1  # and an audit checkpoint a batch, and the officer once
    assert hub.take(there) == 0
    answers = hub.answers(laptop)
    for part in (answers[2:], answers[:1], answers[1:2], answers):
        volume.write(back, f"part-{len(list(back.glob('*'))) if back.exists() else 0}", part)
    taken = courier.import_(laptop, back)
    assert (taken.files, taken.receipts, taken.waiting, taken.problems, taken.damaged) == (4, 4, 0, [], 0)
    assert courier.import_(laptop, back).receipts == 0
    assert laptop.store.read(outbox.summary).received == 12
    assert courier.export(laptop, there).batches == 0


def test_a_stick_that_was_days_on_its_way_says_nothing_against_the_clock(
    laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    there, back, hub = tmp_path / "there", tmp_path / "back", Office(centre)
    write_ops(laptop, clock, 1)
    hub.take(Path(courier.export(laptop, there).files[0]))
    volume.write(back, "answer", hub.answers(laptop))
    clock.advance(3 * 86_400_000)
    assert courier.import_(laptop, back).problems == []
    found = laptop.store.read(lambda conn: clockwatch.state(conn, clock))
    assert (found.doubt, found.ahead_ms, found.now_ms) == ("", 0, clock.wall_ms())


def test_an_old_word_of_the_hub_that_is_told_again_says_nothing_against_the_clock(
    laptop: Unlocked, clock: SetClock
) -> None:
    said = wire.Status(
        device_id=laptop.device.device_id, hub_ms=NOW, epoch=1, head_seq=0, stable_seq=0, revocations=0, revoked=False
    )
    for later in (0, 86_400_000):
        clock.advance(later)
        fresh = replace(said, hub_ms=NOW + later)
        laptop.store.write(lambda conn, fresh=fresh: delivery.take_status(conn, fresh, clock))  # type: ignore[misc]
        assert laptop.store.read(lambda conn: clockwatch.state(conn, clock)).doubt == ""
    clock.advance(1_000)
    laptop.store.write(lambda conn: delivery.take_status(conn, said, clock))
    assert laptop.store.read(lambda conn: clockwatch.state(conn, clock)).doubt == ""


def test_an_export_carries_enrolment_attachments_and_what_is_known(
    laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    blob, draft = (
        laptop.blobs.add(os.urandom(300_000), "image/png", chunk_size=CHUNK),
        laptop.blobs.add(b"of a draft", "image/png"),
    )

    def work(conn: Connection) -> None:
        ops.append(
            conn,
            laptop,
            clock,
            kind="forms.submission",
            record="r",
            form="f",
            def_hash=None,
            body={},
            sealed=True,
            attach=[blob],
        )

    laptop.store.write(work)
    handed = courier.export(laptop, tmp_path / "stick", progress=lambda *_: None)
    assert (handed.enrolment, handed.batches, handed.chunks, handed.waiting) == (True, 1, 3, 1)
    found = {}
    for item in contents(Path(handed.files[0])):
        found.setdefault(item.type, []).append(item)
    assert devices.read_request(found["enrol"][0].data)[0].device_id == laptop.device.device_id
    assert wire.read_have(found["have"][0].data).batches == [bytes.fromhex(found["batch"][0].name)]
    assert {item.name for item in found["chunk"]} == {blob, *(name.hex() for name in laptop.blobs.chunks(blob))}
    assert draft not in {item.name for item in found["chunk"]}
    assert handed.bytes == Path(handed.files[0]).stat().st_size


def test_a_stick_brings_certificate_and_publications(
    new_laptop: Callable[..., Unlocked], centre: Centre, tmp_path: Path
) -> None:
    repo = Repo(tmp_path / "published", NOW).publish(trust__issuers=b"list")
    laptop = new_laptop(1, tuf_root=repo.root())
    said = Certificate(
        device_id=laptop.device.device_id, sign_public=bytes(laptop.device.sign.verify_key), seal_public=b"e" * 32,
        office_public=bytes(laptop.office_key.verify_key), office="0306", number=1, valid_from_ms=NOW,
    )  # fmt: skip
    objects = [
        Object("certificate", laptop.device.device_id.hex(), devices.issue_certificate(said, centre.pack_key)),
        Object("certificate", "00" * 16, b"of another"),
        *(Object("metadata", path.name, path.read_bytes()) for path in (repo.folder / "metadata").iterdir()),
        *(
            Object("target", str(path.relative_to(repo.folder / "targets")), path.read_bytes())
            for path in (repo.folder / "targets").rglob("*.*")
        ),
    ]
    volume.write(tmp_path / "stick", "x", objects)
    taken = courier.import_(laptop, tmp_path / "stick")
    assert (taken.enrolled, taken.publications, taken.problems) == (True, ["trust/issuers"], [])
    (tmp_path / "stick" / "bad.salabatch").write_bytes(b"no courier file")
    again = courier.import_(laptop, tmp_path / "stick")
    assert [problem["code"] for problem in again.problems] == ["SY-372"]
    assert again.publications == []
    with pytest.raises(Known, match="SY-372"):
        courier.import_(laptop, tmp_path / "stick" / "bad.salabatch")


def test_a_forged_stick_changes_nothing(laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path) -> None:
    write_ops(laptop, clock, 2)
    handed = courier.export(laptop, tmp_path / "there")
    forger = Office(Centre(log_key=SigningKey.generate()))
    forger.take(Path(handed.files[0]))
    objects = [*forger.answers(laptop), Object("certificate", laptop.device.device_id.hex(), b"forged")]
    volume.write(tmp_path / "back", "x", objects)
    taken = courier.import_(laptop, tmp_path / "back")
    assert taken.receipts == 0
    assert {problem["code"] for problem in taken.problems} == {"SY-310"}
    assert laptop.store.read(outbox.summary).sending == 2


def test_what_a_restored_centre_lacks_goes_again(
    laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    hub = Office(centre)
    for _ in range(2):
        write_ops(laptop, clock, 2)
        courier.export(laptop, tmp_path / "there")
    hub.take(tmp_path / "there")
    volume.write(tmp_path / "back", "1", hub.answers(laptop))
    assert courier.import_(laptop, tmp_path / "back").receipts == 2
    lost = list(hub.batches)[1]
    volume.write(tmp_path / "back", "2", hub.answers(laptop, lacks=[lost], old=2))
    taken = courier.import_(laptop, tmp_path / "back" / "2.salabatch")
    assert (taken.batches_lost, taken.waiting) == (1, 2)
    assert [item.hash for item in laptop.store.read(delivery.pending)] == [lost]


def test_a_centre_that_went_back_is_found_by_stick_too(
    laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    hub, other = Office(centre), Office(centre)
    write_ops(laptop, clock, 2)
    hub.take(Path(courier.export(laptop, tmp_path / "there").files[0]))
    volume.write(tmp_path / "back", "1", hub.answers(laptop))
    courier.import_(laptop, tmp_path / "back" / "1.salabatch")
    other.leaves = [Leaf(bytes(32), bytes(16), 1, 1, 5, State.ACCEPTED)]
    volume.write(tmp_path / "back", "2", other.answers(laptop))
    taken = courier.import_(laptop, tmp_path / "back" / "2.salabatch")
    assert [problem["code"] for problem in taken.problems] == ["SY-320"]
    assert laptop.store.read(lambda conn: marks.mark(conn, marks.ROLLBACK)) == clock.wall_ms()
    hub.leaves = hub.leaves[:0]
    volume.write(tmp_path / "back", "3", hub.answers(laptop))
    assert courier.import_(laptop, tmp_path / "back" / "3.salabatch").problems == []  # merely an older stick


def test_stable_batches_let_go_of_their_bytes(
    laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    hub = Office(centre)
    write_ops(laptop, clock, 2)
    hub.take(Path(courier.export(laptop, tmp_path / "there").files[0]))
    volume.write(tmp_path / "back", "1", hub.answers(laptop, stable=4))
    courier.import_(laptop, tmp_path / "back")
    summary = laptop.store.read(outbox.summary)
    assert (summary.stable, summary.received) == (2, 0)
    assert (
        laptop.store.read(lambda conn: conn.execute("SELECT sum(length(bytes)) AS n FROM batch").fetchone()["n"]) == 0
    )


EXPORT = """
import sys
from pathlib import Path
from sync import courier, keys
from sync.clock import SetClock
unlocked = keys.unlock(Path(sys.argv[1]), "Sok Dara", sys.argv[2], SetClock(1_795_000_500_000))
courier.export(unlocked, Path(sys.argv[3]))
unlocked.lock()
"""


@pytest.mark.parametrize(
    "point", ["cut:before-insert", "cut:before-commit", "courier:written", "courier:renamed", "store"]
)
def test_a_power_cut_while_exporting_loses_and_doubles_nothing(
    point: str, laptop: Unlocked, clock: SetClock, centre: Centre, tmp_path: Path
) -> None:
    from tests.sync.conftest import PASSPHRASE

    write_ops(laptop, clock, 5)
    laptop.lock()
    hub, stick = Office(centre), tmp_path / "stick"
    for nth in range(1, 40, 4 if point == "store" else 1):
        done = subprocess.run(
            [sys.executable, "-c", EXPORT, str(tmp_path / "laptop-1"), PASSPHRASE, str(stick)],
            cwd=ROOT, env={**os.environ, "SALA_FAILPOINT": f"{point}:{nth}"},
        )  # fmt: skip
        if stick.exists() and list(stick.glob("*.salabatch")):
            hub.take(stick)
        if done.returncode == 0:
            break
    assert done.returncode == 0
    hub.take(stick)
    bodies = [op.fields.kind for made in hub.batches.values() for op in made.ops]
    assert len(hub.known) == len(set(bodies) and {op.hash for made in hub.batches.values() for op in made.ops})
    assert sum(kind == "forms.submission" for kind in bodies) == 5


def test_two_runs_never_overlap(laptop: Unlocked, tmp_path: Path) -> None:
    from sync.exchange import LOCK
    from sync.lockfile import locked

    with locked(laptop.home / LOCK):
        for call in (lambda: courier.export(laptop, tmp_path), lambda: courier.import_(laptop, tmp_path)):
            with pytest.raises(Known, match="SY-352"):
                call()
    courier.export(laptop, tmp_path)
