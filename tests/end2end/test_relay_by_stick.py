"""A province's relay that only ever has sticks: how it begins, what it hears at once, and what laptops are told meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from modules import replicate
from modules.session import Session
from sync import batch, exchange, leases, lives, notes, outbox, volume
from sync.errors import Known
from sync.hub import centre as centres
from sync.hub import cosignatures, courier, exports, relay_run, relay_sticks, relay_words, relays
from sync.hub.relay import Relay, Settings, create
from sync.marks import EPOCH, mark, set_mark
from sync.notes import Checkpoint, NoteKey
from sync.transport import Transport
from sync.volume import Object, Volume
from tests.end2end.hall import Hall, scan, serving, take_case
from tests.end2end.test_relay_province import DEAD, NAME, served
from tests.sync import bad_line
from tests.sync.bad_line import Reply, Request

MINUTE = 60_000


@dataclass
class Province:
    """A centre, and a relay that has no line to it at all."""

    hall: Hall
    relay: Relay
    folder: Path
    trips: int = 0

    def carry(self) -> relay_sticks.Taken:
        """One stick from the relay to the centre and home again."""
        stick = self.stick()
        relay_sticks.export(self.relay, stick)
        self.hall.clock.advance(MINUTE)
        assert courier.take(self.hall.hub, stick).problems == []
        self.hall.clock.advance(MINUTE)
        back = relay_sticks.take(self.relay, stick)
        assert back.problems == []
        return back

    def stick(self) -> Path:
        self.trips += 1
        return self.folder / f"stick-{self.trips}"

    def life(self) -> int:
        row = self.relay.storage.read(lambda tx: tx.one("SELECT value FROM meta WHERE name = 'relay/epoch'"))
        return int(row["value"]) if row else 0

    def left(self) -> int:
        count = "SELECT count(*) AS n FROM handed WHERE state = 'waiting'"
        return int(self.relay.storage.read(lambda tx: tx.query(count))[0]["n"])

    def put_aside(self, to: Path) -> None:
        place = self.hall.hub.folder
        self.hall.hub.close()
        shutil.copytree(place, to)
        self.hall.hub = centres.open_(place, self.hall.clock)

    def put_back(self, copy: Path) -> None:
        self.hall.hub.close()
        self.hall.clock.advance(2 * MINUTE)
        self.hall.hub = centres.new_epoch(copy, self.hall.clock)


@pytest.fixture
def province(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Province]:
    hall = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(hall.roots))
    key = hall.hub.log.note_key
    made = create(tmp_path / "relay", Settings(NAME, "03", (DEAD,), key.name, key.public.hex()))
    hall.hub.storage.write(
        lambda tx: cosignatures.add(tx, NAME, "03", bytes(made.verify_key), "សុខា", hall.clock.wall_ms())
    )
    hall.hub.settle()
    relay = Relay(tmp_path / "relay", hall.clock)
    yield Province(hall, relay, tmp_path)
    relay.close()
    hall.close()


def run(laptop: Session, *urls: str) -> exchange.Report:
    log = centres_log(laptop)
    return exchange.run(laptop.unlocked, Transport(urls, laptop.unlocked.device, log=log))


def centres_log(laptop: Session) -> NoteKey:
    from sync import office

    found = laptop.store.read(office.centre)
    assert found is not None
    return found.log


def at_centre(province: Province) -> set[bytes]:
    rows = province.hall.hub.storage.read(lambda tx: tx.query("SELECT hash FROM batch WHERE via <> 'hub'"))
    return {bytes(row["hash"]) for row in rows}


def test_before_its_first_word_laptops_are_told_and_go_elsewhere(province: Province) -> None:
    (laptop,) = province.hall.enrolled(1)
    take_case(laptop)
    assert province.relay.figures()["ready"] is False
    with served(province.relay) as lan:
        with pytest.raises(Known) as known:
            run(laptop, lan)
        assert (known.value.code, known.value.values["relay"]) == ("SY-484", NAME)
        with pytest.raises(Known) as known:
            run(laptop, lan, DEAD)
        assert known.value.code == "SY-484", "the cause that somebody can mend, not the line that is always missing"
        with serving(province.hall.hub) as up:
            report = run(laptop, lan, up)
        assert (report.batches_received > 0, report.waiting, report.problems) == (True, 0, [])


def test_one_stick_is_all_it_needs_to_begin(province: Province) -> None:
    (laptop,) = province.hall.enrolled(1)
    take_case(laptop)
    with served(province.relay) as lan:
        first = province.carry()
        assert first.publications > 0 and province.relay.figures()["ready"] is True
        report = run(laptop, lan)
        assert (report.batches_handed, report.problems) == (1, []), "the list of relays came with the relay's own stick"
        assert laptop.store.read(outbox.summary).sending > 0, "amber: on its way, and no more"
        assert province.carry().receipts == 1
        report = run(laptop, lan)
        assert (report.batches_received, report.problems) == (1, [])
        assert laptop.store.read(outbox.summary).waiting == laptop.store.read(outbox.summary).sending == 0
    [row] = province.hall.hub.storage.read(cosignatures.relays)
    assert row["seen_ms"] and row["waiting"] == 1, "the centre knows it by its sticks"


def test_what_only_the_centre_can_answer_is_said(province: Province) -> None:
    laptop = province.hall.laptop(1)
    province.carry()
    take_case(laptop)
    with served(province.relay) as lan:
        report = run(laptop, lan)
        assert [(one["step"], one["code"]) for one in report.problems] == [("enrol", "SY-485")]
        assert report.batches_handed > 0, "its work is on its way all the same"
        province.carry()
        assert at_centre(province)


def test_numbers_and_the_second_sites_word_come_by_the_relays_stick(province: Province, tmp_path: Path) -> None:
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    with served(province.relay) as lan:
        take_case(laptop)
        run(laptop, lan)
        province.carry()
        now = province.hall.clock.wall_ms()
        device = laptop.unlocked.device.device_id
        exports.backup(province.hall.hub, tmp_path / "site", confirm=True)
        grant = leases_of(province, device)
        province.carry()
        assert run(laptop, lan).problems == []
        assert laptop.store.read(outbox.summary).stable > 0
        assert grant in {row.id for row in laptop.store.read(lambda c: leases.active(c, "link-codes", now))}
    kept = "SELECT count(*) AS n FROM handed WHERE what = 'batch' AND raw <> x''"
    assert province.relay.storage.read(lambda tx: tx.query(kept))[0]["n"] == 0, "its room is free again"


def leases_of(province: Province, device: bytes) -> str:
    """The centre gives the laptop one more block; its id."""
    from sync.hub import leases as centres_leases

    hub, now = province.hall.hub, province.hall.clock.wall_ms()
    slot = hub.storage.read(lambda tx: tx.query("SELECT * FROM slot WHERE device = :d", {"d": device}))[0]
    sql = "SELECT lease FROM lease WHERE slot = :s AND resource = 'link-codes'"
    before = {row["lease"] for row in hub.storage.read(lambda tx: tx.query(sql, {"s": slot["slot"]}))}
    hub.storage.write(lambda tx: centres_leases.grant(tx, hub.keys, resource="link-codes", slot=slot, now_ms=now))
    hub.settle()
    after = {row["lease"] for row in hub.storage.read(lambda tx: tx.query(sql, {"s": slot["slot"]}))}
    (made,) = after - before
    return bytes(made).hex()


def test_a_new_life_of_the_log_is_heard_with_any_stick(province: Province, tmp_path: Path) -> None:
    """The centre lost what it had receipted: the relay offers it again although nothing on the stick is about its work."""
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    province.put_aside(tmp_path / "older")
    with served(province.relay) as lan:
        take_case(laptop)
        run(laptop, lan)
    old = province.stick()
    relay_sticks.export(province.relay, old)
    courier.take(province.hall.hub, old)
    relay_sticks.take(province.relay, old)
    assert province.left() == 0
    lost = at_centre(province)
    province.put_back(tmp_path / "older")
    assert not lost <= at_centre(province)
    someone = province.hall.laptop(2)
    passing = province.stick()
    replicate.export(someone, passing)
    courier.take(province.hall.hub, passing)
    relay_sticks.take(province.relay, passing)
    assert (province.life(), province.left() > 0) == (province.hall.hub.log.epoch, True)
    assert relay_sticks.take(province.relay, old).receipts == 0 and province.left() > 0, (
        "old receipts prove nothing now"
    )
    province.carry()
    assert lost <= at_centre(province) and province.left() == 0


def test_laptops_at_the_relay_prove_what_died_and_hand_in_just_that(province: Province, tmp_path: Path) -> None:
    """One life later the relay holds nothing any more, and the centre lacks what the laptop has a receipt for."""
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    with served(province.relay) as lan:
        for place in ("before", "after"):
            take_case(laptop)
            scan(laptop)
            run(laptop, lan)
            province.carry()
            assert run(laptop, lan).problems == []
            if place == "before":
                province.put_aside(tmp_path / "older")
        assert laptop.store.read(outbox.summary).waiting == 0
        had, pieces_had = at_centre(province), pieces_of(province)
        province.relay.storage.write(lambda tx: tx.execute("UPDATE handed SET raw = x'' WHERE what = 'batch'"))
        province.put_back(tmp_path / "older")
        lost, left = had - at_centre(province), pieces_had - pieces_of(province)
        assert lost and left
        report = run(laptop, lan)
        assert (report.batches_lost, report.problems) == (0, []), "the relay has not heard of it either"
        province.carry()
        report = run(laptop, lan)
        assert (report.batches_lost, report.batches_handed, report.problems) == (len(lost), len(lost), [])
        province.carry()
        assert (lost - at_centre(province), left - pieces_of(province)) == (set(), set())
        report = run(laptop, lan)
        assert (report.batches_received, report.batches_lost, report.problems) == (len(lost), 0, [])
        assert laptop.store.read(outbox.summary).waiting == laptop.store.read(outbox.summary).sending == 0


def _says(status: int, body: bytes) -> Callable[[Request, Reply], Reply]:
    """A relay that answers strangely how a life began."""
    return lambda asked, reply: Reply(status, reply.headers, body) if asked.path.startswith("/v1/log/epoch/") else reply


def test_a_relay_of_an_earlier_life_turns_nothing_green(province: Province) -> None:
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    with served(province.relay) as lan:
        take_case(laptop)
        run(laptop, lan)
        province.carry()
        known = laptop.store.read(lambda conn: mark(conn, EPOCH))
        laptop.store.write(lambda conn: set_mark(conn, EPOCH, 1 << 40))
        assert run(laptop, lan).batches_received == 0
        laptop.store.write(lambda conn: set_mark(conn, EPOCH, known))
        assert run(laptop, lan).batches_received == 1


def pieces_of(province: Province) -> set[bytes]:
    return {bytes(row["hash"]) for row in province.hall.hub.storage.read(lambda tx: tx.query("SELECT hash FROM chunk"))}


def test_a_relay_that_cannot_say_how_a_life_began_changes_nothing(province: Province, tmp_path: Path) -> None:
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    with served(province.relay) as lan:
        take_case(laptop)
        run(laptop, lan)
        province.carry()
        run(laptop, lan)
        province.put_aside(tmp_path / "older")
        province.put_back(tmp_path / "older")
        province.carry()
        province.relay.storage.write(lambda tx: tx.execute("DELETE FROM meta WHERE name LIKE 'relay/life/%'"))
        before = laptop.store.read(lambda conn: mark(conn, EPOCH))
        report = run(laptop, lan)
        assert (report.batches_lost, laptop.store.read(lambda conn: mark(conn, EPOCH))) == (0, before)
        province.carry()
        hub = province.hall.hub
        other = Checkpoint(hub.log.name, 1, 0, bytes(32)).text()
        forged = notes.sign(f"{lives.HEAD}\n{hub.log.name}/{hub.log.epoch + 1}\n{other}", hub.log.name, hub.keys.log)
        for status, body, code in ((500, b"", "SY-351"), (200, forged.encode(), "SY-310")):
            way = bad_line.Line(lan, after=_says(status, body))
            report = run(laptop, way.url)
            way.close()
            assert (report.batches_lost, [one["code"] for one in report.problems]) == (0, [code])
        report = run(laptop, lan)
        assert (report.batches_lost, report.problems) == (0, []), "it can say now: everything survived"
        assert laptop.store.read(lambda conn: mark(conn, EPOCH)) == province.hall.hub.log.epoch


def test_what_survived_is_receipted_in_the_new_life_and_not_carried_for_ever(
    province: Province, tmp_path: Path
) -> None:
    (laptop,) = province.hall.enrolled(1)
    province.carry()
    with served(province.relay) as lan:
        take_case(laptop)
        run(laptop, lan)
    province.carry()
    province.put_aside(tmp_path / "older")
    province.put_back(tmp_path / "older")
    province.carry()
    assert province.left() > 0, "it is told of the new life, and doubts"
    assert province.carry().receipts > 0
    assert province.left() == 0
    assert province.carry().receipts == 0


def test_a_restored_centre_proves_old_receipts_anew_to_laptops_too(province: Province, tmp_path: Path) -> None:
    (laptop,) = province.hall.enrolled(1)
    take_case(laptop)
    stick = province.stick()
    replicate.export(laptop, stick)
    courier.take(province.hall.hub, stick)
    province.put_aside(tmp_path / "older")
    province.put_back(tmp_path / "older")
    answer = courier.take(province.hall.hub, stick)
    from sync import receipts

    with Volume(Path(answer.back[0])) as found:
        texts = [data.decode() for _, data in found.of("receipt")]
    hub = province.hall.hub
    proofs = [receipts.verify(text, hub.log.note_key) for text in texts]
    assert {proof.checkpoint.epoch for proof in proofs} == {hub.log.epoch} and len(proofs) == answer.again
    assert replicate.import_(laptop, stick)["problems"] == []
    assert laptop.store.read(outbox.summary).waiting == 0


def test_a_relay_that_the_centre_does_not_know_gets_no_answer(province: Province, tmp_path: Path) -> None:
    hub = province.hall.hub
    stick = province.stick()
    province.relay.key = SigningKey.generate()
    relay_sticks.export(province.relay, stick)
    taken = courier.take(hub, stick)
    assert ([one["code"] for one in taken.problems], taken.back) == (["HB-193"], [])
    said = relays.introduce(relays.Introduction([], 9, 9, ""), province.relay.key)
    key = batch.device_id(bytes(hub.storage.read(cosignatures.relays)[0]["public"]))
    forged = said.replace(batch.device_id(bytes(province.relay.key.verify_key)), key)
    volume.write(tmp_path / "forged", "x", [Object("relay", NAME, forged)])
    taken = courier.take(hub, tmp_path / "forged")
    assert ([one["code"] for one in taken.problems], taken.back) == (["SY-310"], [])
    assert hub.storage.read(cosignatures.relays)[0]["waiting"] in (None, 0)


def test_nobodys_word_counts_but_the_centres(province: Province, tmp_path: Path) -> None:
    from sync import wire

    hub, stranger = province.hall.hub, SigningKey.generate()
    (laptop,) = province.hall.enrolled(1)
    device = laptop.unlocked.device
    note = notes.sign(notes.Checkpoint(hub.log.name, 1 << 40, 5, bytes(32)).text(), hub.log.name, stranger)
    status = wire.Status(
        device_id=device.device_id, hub_ms=5, epoch=9, head_seq=9, stable_seq=9, revocations=0, revoked=False
    )
    word = relays.Word(
        device.device_id, bytes(device.sign.verify_key), wire.issue_status(status, stranger, hub.log.note_key.id()), ""
    )
    stick = tmp_path / "forged"
    volume.write(
        stick, "x", [Object("checkpoint", "newest", note.encode()), Object("words", NAME, relays.encode_words([word]))]
    )
    assert [one["code"] for one in relay_sticks.take(province.relay, stick).problems] == ["SY-310", "SY-310"]
    assert (province.relay.figures()["ready"], province.life()) == (False, 0)


def test_an_older_word_replaces_no_newer_one(province: Province) -> None:
    hub, relay = province.hall.hub, province.relay
    (laptop,) = province.hall.enrolled(1)
    device = laptop.unlocked.device.device_id

    def said() -> bytes:
        province.hall.clock.advance(MINUTE)
        return relays.encode_words(hub.storage.read(lambda tx: relays.words(hub, tx, [device])))

    old, new = said(), said()
    for data in (new, old):
        relay_words.take_words(relay, data)
    kept = relay.storage.read(lambda tx: tx.query("SELECT status FROM heard"))[0]["status"]
    assert kept == relays.read_words(new)[0].status
    relay.storage.write(lambda tx: relay_run.lives_on(tx, hub.log.epoch + 1))
    relay_words.take_words(relay, said())
    assert relay.storage.read(lambda tx: tx.query("SELECT status FROM heard"))[0]["status"] == kept, (
        "of an earlier life"
    )


def test_an_old_stick_turns_no_publications_back(province: Province) -> None:
    first = province.stick()
    relay_sticks.export(province.relay, first)
    courier.take(province.hall.hub, first)
    province.hall.clock.advance(10 * 24 * 60 * MINUTE)
    province.hall.hub.settle()
    province.carry()
    place = province.relay.published.read("metadata/timestamp.json")
    assert place is not None
    newest = place.read_bytes()
    assert relay_sticks.take(province.relay, first).problems == []
    assert place.read_bytes() == newest


def test_a_stranger_cannot_be_introduced() -> None:
    from sync.cbor import Malformed

    with pytest.raises(Malformed):
        relays.read_introduction(b"\xd2\x80")
    with pytest.raises(Malformed):
        relays.read_introduction(relays.introduce(relays.Introduction([b"short"], 1, 1, ""), SigningKey.generate()))


@pytest.mark.parametrize(
    "text", ["sala.epoch/v2\nhub/2\nhub/1\n0\n{root}\n", "sala.epoch/v1\nother/2\nhub/1\n0\n{root}\n", "x\n"]
)
def test_a_note_about_something_else_is_no_beginning(text: str) -> None:
    from sync.cbor import Malformed

    key = SigningKey.generate()
    root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    with pytest.raises(Malformed):
        lives.read(notes.sign(text.format(root=root), "hub", key), NoteKey("hub", bytes(key.verify_key)))
    with pytest.raises(Malformed):
        lives.read(
            notes.sign(text.format(root=root), "hub", SigningKey.generate()), NoteKey("hub", bytes(key.verify_key))
        )
