"""Sticks: the same bytes as online, any subset, any order, any number of times; the answer goes home on the same stick."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from sync import devices, notes, receipts, volume, wire
from sync.clock import SetClock
from sync.errors import Known
from sync.hub import courier, log
from sync.hub.centre import Centre
from sync.volume import Object, Volume
from tests.hub.laptop import Laptop, join, labels, slot


def batch_object(data: bytes) -> Object:
    return Object("batch", sha256(data).hexdigest(), data)


def stick(folder: Path, *objects: Object, stem: str = "office") -> Path:
    return volume.write(folder, stem, objects)[0]


def answers(centre: Centre, taken: courier.Taken, type_: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in taken.back:
        with Volume(Path(path)) as opened:
            assert opened.whole
            found.update({entry.name: data for entry, data in opened.of(type_)})
    return found


def test_a_laptop_without_a_line_is_enrolled_and_receipted(centre: Centre, tmp_path: Path) -> None:
    laptop, ticket = Laptop(), slot(centre)
    data, chunk = laptop.batch(3), b"sealed piece"
    offered = wire.Have([sha256(data).digest(), bytes(32)], [sha256(chunk).digest()], laptop.seq, laptop.head, 0, 0)
    stick(
        tmp_path, Object("have", laptop.id.hex(), offered.encode()), batch_object(data), Object("chunk", sha256(chunk).hexdigest(), chunk),
        Object("enrol", ticket.slot.hex(), laptop.request(ticket)),
    )  # fmt: skip
    taken = courier.take(centre, tmp_path)
    assert (taken.files, taken.batches, taken.new_ops, taken.chunks, taken.enrolled, taken.problems) == (
        1,
        1,
        3,
        1,
        1,
        [],
    )
    assert set(labels(centre, laptop).values()) == {"accepted"}
    certificate = answers(centre, taken, "certificate")[laptop.id.hex()]
    assert devices.read_certificate(certificate, bytes(centre.keys.pack.verify_key)).office == "0306"
    text = answers(centre, taken, "receipt")[sha256(data).hexdigest()].decode()
    assert receipts.verify(text, centre.log.note_key).leaf.last_seq == 3
    missing = wire.read_missing(answers(centre, taken, "missing")[laptop.id.hex()])
    assert (list(missing.batches), list(missing.chunks)) == ([bytes(32)], [])
    assert notes.read_checkpoint(missing.note, centre.log.note_key).size == centre.storage.read(log.size)
    names = {name.partition(".")[2] if "/" not in name else name for name in answers(centre, taken, "target")}
    assert [name for name in names if name.startswith("leases/")] and "timestamp.json" in answers(
        centre, taken, "metadata"
    )


def test_the_publications_on_the_way_back_are_for_these_laptops_only(
    centre: Centre, laptop: Laptop, tmp_path: Path
) -> None:
    join(centre, Laptop())
    stick(tmp_path, Object("have", laptop.id.hex(), wire.Have([], [], 0, laptop.head, 0, 0).encode()))
    leases = [name for name in answers(centre, courier.take(centre, tmp_path), "target") if name.startswith("leases/")]
    assert len(leases) == 1 and leases[0].endswith(f"{laptop.id.hex()}.cbor")


def test_any_order_and_twice_is_the_same(centre: Centre, laptop: Laptop, tmp_path: Path, clock: SetClock) -> None:
    batches = [laptop.batch(2) for _ in range(3)]
    stick(tmp_path / "a", *map(batch_object, reversed(batches)))
    first = courier.take(centre, tmp_path / "a")
    clock.advance(5_000)
    second = courier.take(centre, tmp_path / "a")  # its own answer lies there too by now
    assert (first.batches, first.again, second.batches, second.again) == (3, 0, 0, 3)
    assert answers(centre, first, "receipt") == answers(centre, second, "receipt")
    rows = centre.storage.read(lambda tx: tx.query("SELECT via FROM batch WHERE device = :d", {"d": laptop.id}))
    assert {row["via"] for row in rows} == {"courier"}


def test_a_damaged_object_costs_only_itself(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    first, second = laptop.batch(2), laptop.batch(2)
    strange = [
        Object("batch", "zz", first), Object("have", "zz", b""), Object("enrol", "x", b"?"), Object("chunk", bytes(32).hex(), b"other"),
        Object("batch", bytes(32).hex(), b"no batch"),
    ]  # fmt: skip
    path = stick(tmp_path, batch_object(first), batch_object(second), *strange)
    data = path.read_bytes()
    place = data.index(second[-40:])
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    taken = courier.take(centre, path)
    assert (taken.batches, taken.damaged, taken.cut_off) == (1, 1, 1)
    assert len(taken.problems) == 6
    assert {problem["code"] for problem in taken.problems} == {"HB-110", "HB-111", "SY-310"}
    assert set(answers(centre, taken, "receipt")) == {sha256(first).hexdigest()}


def test_a_cut_off_file_gives_what_it_holds(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    first, second = laptop.batch(2), laptop.batch(2)
    path = stick(tmp_path, batch_object(first), batch_object(second))
    path.write_bytes(path.read_bytes()[:-200])
    taken = courier.take(centre, path, back=tmp_path / "back")
    assert (taken.batches, taken.cut_off) == (1, 1)
    assert Path(taken.back[0]).parent == tmp_path / "back"


def test_what_is_no_courier_file_is_said(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "bad.salabatch").write_bytes(b"something else")
    with pytest.raises(Known) as known:
        courier.take(centre, tmp_path / "bad.salabatch")
    assert known.value.code == "SY-372"
    stick(tmp_path, batch_object(laptop.batch(1)), stem="good")
    taken = courier.take(centre, tmp_path)
    assert (taken.batches, [problem["file"] for problem in taken.problems]) == (1, ["bad.salabatch"])


def test_an_empty_folder_is_said(centre: Centre, tmp_path: Path) -> None:
    (tmp_path / "sala-centre-1.salabatch").write_bytes(b"")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(Known) as known:
            courier.take(centre, folder)
        assert known.value.code in ("SY-374", "SY-371")


def test_a_refused_enrolment_names_its_cause(centre: Centre, tmp_path: Path) -> None:
    laptop, ticket = Laptop(), slot(centre)
    stick(tmp_path, Object("enrol", ticket.slot.hex(), laptop.request(ticket, key=bytes(32))))
    taken = courier.take(centre, tmp_path)
    assert [problem["code"] for problem in taken.problems] == ["HB-123"]
    assert taken.back == []
