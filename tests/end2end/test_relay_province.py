"""A province's relay between an office and the centre: all real, over loopback; the line upwards comes and goes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import uvicorn
from nacl.signing import SigningKey

from modules import replicate
from modules.session import Session
from sync import checkpoints, notes, ops, outbox, piecenote, receipts, relayed, volume, wire, withdrawal, witnesses
from sync.audit_export import verifier_key
from sync.clock import SetClock
from sync.hub import centre as centres
from sync.hub import cosignatures, exports, mirror, relay_app, relay_sticks
from sync.hub import courier as centre_sticks
from sync.hub.relay import Relay, Settings, create
from sync.notes import Checkpoint
from sync.transport import Answer
from tests.end2end.hall import NOW, Hall, pair, serving, take_case
from tests.hub.conftest import sala_hub
from tests.sync import bad_line
from tests.sync.bad_line import Reply, Request

NAME = "pursat"
DEAD = "http://127.0.0.1:9"


@contextmanager
def served(relay: Relay) -> Iterator[str]:
    """The relay on the LAN: its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        server = uvicorn.Server(uvicorn.Config(relay_app.create(relay), log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@dataclass
class Province:
    """A centre, a relay whose line upwards can be cut, and a laptop that knows the relay first."""

    hall: Hall
    relay: Relay
    up: str
    lan: str

    def line(self, *, cut: bool) -> None:
        upstream = (DEAD,) if cut else (self.up,)
        self.relay.settings = Settings(**{**_facts(self.relay.settings), "upstream": upstream})

    def laptop(self, number: int) -> Session:
        """Enrolled through the relay."""
        self.hall.url = self.lan
        session = self.hall.laptop(number)
        self.hall.hub.settle()
        self.relay.run()
        assert replicate.once(session)["enrolled"]
        return session


def _facts(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in ("name", "province", "upstream", "log_name", "log_key")}


@pytest.fixture
def province(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Province]:
    hall = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(hall.roots))
    key = hall.hub.log.note_key
    with serving(hall.hub) as up:
        folder = tmp_path / "relay"
        made = create(folder, Settings(NAME, "15", (up,), key.name, key.public.hex()))
        hall.hub.storage.write(
            lambda tx: cosignatures.add(tx, NAME, "15", bytes(made.verify_key), "សុខា", hall.clock.wall_ms())
        )
        hall.hub.settle()
        relay = Relay(folder, hall.clock)
        assert relay.run().problem == ""
        with served(relay) as lan:
            yield Province(hall, relay, up, lan)
        relay.close()
    hall.close()


class Line:
    """Just enough of a line for publications, which anybody may fetch."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, method: str, path: str, *, limit: int) -> Answer:
        answer = httpx.request(method, self._url + path)
        return Answer(answer.status_code, answer.content[:limit])


def states(session: Session) -> tuple[int, int, int]:
    summary = session.store.read(outbox.summary)
    return summary.waiting, summary.sending, summary.received + summary.stable


def test_work_is_handed_over_and_turns_green_only_by_the_centres_receipt(province: Province) -> None:
    laptop = province.laptop(1)
    province.line(cut=True)
    take_case(laptop)
    before = states(laptop)
    report = replicate.once(laptop)
    assert (report["batches_handed"], report["batches_received"]) == (1, 0)
    waiting, sending, received = states(laptop)
    assert waiting == 0 and sending > 0 and received == before[2], "amber: handed to the province, not green"
    [held] = laptop.store.read(outbox.summary).handed
    assert (held["relay"], held["batches"], held["ops"] > 0) == (NAME, 1, True)
    assert replicate.once(laptop)["batches_sent"] == 0, "what the relay holds is not sent to it again"
    province.line(cut=False)
    done = province.relay.run()
    assert (done.forwarded, done.receipts, done.problem) == (1, 1, "")
    report = replicate.once(laptop)
    assert report["batches_received"] >= 1 and report["problems"] == []
    assert states(laptop)[1] == 0 and laptop.store.read(outbox.summary).handed == []


def test_the_relay_hands_on_the_same_bytes_once(province: Province) -> None:
    laptop = province.laptop(1)
    take_case(laptop)
    replicate.once(laptop)
    sent = [bytes(row["bytes"]) for row in laptop.store.read(lambda c: c.execute("SELECT bytes FROM batch").fetchall())]
    first, again = province.relay.run(), province.relay.run()
    assert first.forwarded >= 1 and again.forwarded == 0
    stored = province.hall.hub.storage.read(lambda tx: tx.query("SELECT raw FROM batch WHERE via <> 'hub'"))
    assert set(sent) <= {bytes(row["raw"]) for row in stored}


def test_a_relay_that_dies_with_work_loses_none_of_it(province: Province) -> None:
    laptop = province.laptop(1)
    province.line(cut=True)
    take_case(laptop)
    assert replicate.once(laptop)["batches_handed"] == 1
    again = Relay(province.relay.folder, province.hall.clock)  # another process over the same folder
    try:
        assert again.run().forwarded == 1
    finally:
        again.close()


def test_the_centre_lost_what_it_had_and_the_relay_offers_it_again(province: Province, tmp_path: Path) -> None:
    import shutil

    hall, laptop = province.hall, province.laptop(1)
    hall.hub.close()
    shutil.copytree(tmp_path / "hub", tmp_path / "copy")
    hall.hub = centres.open_(tmp_path / "hub", hall.clock)
    with serving(hall.hub) as up:
        province.up = up
        province.line(cut=False)
        take_case(laptop)
        assert replicate.once(laptop)["batches_handed"] == 1
        assert province.relay.run().forwarded == 1
    hall.hub.close()
    hall.hub = centres.new_epoch(tmp_path / "copy", hall.clock)
    with serving(hall.hub) as up:
        province.up = up
        province.line(cut=False)
        done = province.relay.run()
        assert (done.problem, done.forwarded) == ("", 1), "no laptop had to send anything"
        assert province.relay.storage.read(province.relay.mirror.seen).epoch == hall.hub.log.epoch > 1
        assert province.relay.storage.read(province.relay.mirror.alarm) is None, (
            "a new life that names what survived is no crime"
        )
        rows = hall.hub.storage.read(lambda tx: tx.query("SELECT DISTINCT label FROM op"))
        assert [row["label"] for row in rows] == ["accepted"]


def test_publications_come_down_through_the_relay(province: Province) -> None:
    laptop = province.laptop(1)
    known = laptop.store.read(witnesses.known)
    assert [(one.key.name, one.province, one.key.public) for one in known] == [
        (NAME, "15", bytes(province.relay.key.verify_key))
    ]
    province.line(cut=True)
    assert replicate.once(laptop)["problems"] == []  # from the relay's own copy


def test_a_receipt_carries_the_provinces_cosignature(province: Province) -> None:
    laptop = province.laptop(1)
    take_case(laptop)
    replicate.once(laptop)
    province.relay.run()  # hands on …
    assert province.relay.run().cosigned > 0  # … and cosigns the log with it in
    hub, device = province.hall.hub, laptop.unlocked.device.device_id
    from sync.hub import answers

    texts = hub.storage.read(lambda tx: answers.receipts(tx, device, 0)).texts
    key = notes.NoteKey(NAME, bytes(province.relay.key.verify_key))
    for text in texts:
        receipt = receipts.verify(text, hub.log.note_key)
        assert (
            notes.cosigned_by(receipts.note_of(receipt), key)
            == NOW // 1000 + (province.hall.clock.wall_ms() - NOW) // 1000
        )
    replicate.once(laptop)
    [seen] = laptop.store.read(witnesses.newest)
    assert (seen.witness, seen.epoch) == (NAME, 1) and seen.size > 0
    relays = hub.storage.read(cosignatures.relays)
    assert (relays[0]["waiting"], relays[0]["alarm"], relays[0]["size"]) == (
        0,
        "",
        hub.storage.read(lambda tx: seen.size),
    )


def test_a_relay_that_the_centre_has_not_named_proves_nothing(province: Province) -> None:
    laptop = province.laptop(1)
    hub = province.hall.hub
    hub.storage.write(lambda tx: cosignatures.remove(tx, NAME, "សុខា", NOW))
    hub.settle()
    assert province.relay.run().problem != "", "the centre does not answer it any more"
    province.relay.published.refresh(Line(province.up))
    take_case(laptop)
    province.line(cut=True)
    report = replicate.once(laptop)
    assert report["batches_handed"] == 0
    assert "SY-482" in [problem["code"] for problem in report["problems"]]


def test_by_stick_in_both_directions(province: Province, tmp_path: Path) -> None:
    laptop = province.laptop(1)
    province.line(cut=True)
    take_case(laptop)
    replicate.once(laptop)
    written = relay_sticks.export(province.relay, tmp_path / "stick")
    assert written["batches"] == 1
    taken = centre_sticks.take(province.hall.hub, tmp_path / "stick")
    assert (taken.batches, taken.problems) == (1, [])
    back = relay_sticks.take(province.relay, tmp_path / "stick")
    assert back.receipts == 1 and back.problems == []
    assert replicate.once(laptop)["batches_received"] == 1


def test_a_colleagues_work_goes_on_by_the_relay_and_its_receipt_comes_home(province: Province) -> None:
    here, away = province.laptop(1), province.laptop(2)
    pair(here, away)
    province.line(cut=True)
    take_case(away)
    province.hall.tell(away, here)
    first = replicate.once(here)
    assert (first["carried_on"] >= 1, first["problems"]) == (True, [])
    assert replicate.once(here)["carried_on"] == 0, "what the relay holds is not sent to it again"
    province.relay.storage.write(lambda tx: tx.execute("DELETE FROM handed WHERE what = 'batch'"))
    assert replicate.once(here)["carried_on"] == first["carried_on"], "unless it has lost it"
    assert states(away)[2] < sum(states(away))
    province.line(cut=False)
    assert province.relay.run().problem == ""
    assert replicate.once(here)["problems"] == []
    kept = here.store.read(lambda conn: conn.execute("SELECT receipt FROM foreign_batch").fetchall())
    assert kept and all(row["receipt"] for row in kept)
    province.hall.tell(here, away)
    assert states(away)[:2] == (0, 0), "green at the laptop that made it, by the centre's own receipt"


def test_a_relay_that_is_not_on_the_centres_list_takes_no_colleagues_work_off_us(province: Province) -> None:
    here, away = province.laptop(1), province.laptop(2)
    pair(here, away)
    province.line(cut=True)
    take_case(away)
    province.hall.tell(away, here)
    province.relay.key = SigningKey.generate()
    report = replicate.once(here)
    assert (report["carried_on"], [one["code"] for one in report["problems"]]) == (0, ["SY-482"])


def test_pieces_that_a_stick_has_carried_are_not_carried_again(province: Province, tmp_path: Path) -> None:
    some = [bytes([n]) * 100 for n in range(70)]  # more than one note of the centre names
    for data in some:
        province.relay.take_chunk(data, sha256(data).digest())
    assert relay_sticks.export(province.relay, tmp_path / "stick")["chunks"] == len(some)
    centre_sticks.take(province.hall.hub, tmp_path / "stick")
    left = sorted((tmp_path / "stick").glob("*.salabatch"))
    log, now = province.hall.hub.log, province.hall.clock.wall_ms()
    forged = piecenote.say(piecenote.Held(log.epoch, now, [bytes(32)]), log.note_key, SigningKey.generate())
    volume.write(tmp_path / "forged", "sala", [volume.Object("pieces", "00", forged.encode())])
    assert [one["code"] for one in relay_sticks.take(province.relay, tmp_path / "forged").problems] == ["SY-310"]
    assert relay_sticks.export(province.relay, tmp_path / "again")["chunks"] == len(some), "nothing heard yet"
    assert len(left) > 1 and relay_sticks.take(province.relay, tmp_path / "stick").problems == []
    assert relay_sticks.export(province.relay, tmp_path / "last")["chunks"] == 0
    more = sha256(b"one more").digest()
    province.relay.take_chunk(b"one more", more)
    for name, epoch in (("older life", log.epoch - 1), ("new life", log.epoch + 1)):
        said = piecenote.say(piecenote.Held(epoch, now, [more]), log.note_key, province.hall.hub.keys.log)
        volume.write(tmp_path / name, "sala", [volume.Object("pieces", "00", said.encode())])
        assert relay_sticks.take(province.relay, tmp_path / name).problems == []
        waits = relay_sticks.export(province.relay, tmp_path / f"after {name}")["chunks"]
        assert waits == (1 if name == "older life" else 0)


def test_bytes_are_let_go_when_a_second_site_has_them(province: Province, tmp_path: Path) -> None:
    laptop = province.laptop(1)
    take_case(laptop)
    replicate.once(laptop)
    province.relay.run()
    kept = "SELECT count(*) AS n FROM handed WHERE what = 'batch' AND raw <> x''"
    assert province.relay.storage.read(lambda tx: tx.query(kept))[0]["n"] >= 1
    exports.backup(province.hall.hub, tmp_path / "site", confirm=True)
    province.relay.run()
    assert province.relay.storage.read(lambda tx: tx.query(kept))[0]["n"] == 0
    replicate.once(laptop)
    assert laptop.store.read(outbox.summary).stable > 0, "the centre's word came through the relay"


def test_no_room_means_come_again(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    from sync.hub import relay as module

    laptop = province.laptop(1)
    take_case(laptop)
    monkeypatch.setattr(module, "ROOM", 1 << 60)
    report = replicate.once(laptop)
    assert "SY-354" in [problem["code"] for problem in report["problems"]]
    assert states(laptop)[2] == 0 or report["batches_sent"] == 0


def test_without_a_first_word_of_the_centre_laptops_go_elsewhere(tmp_path: Path) -> None:
    create(tmp_path / "relay", Settings(NAME, "15", (DEAD,), "hub", "00" * 32))
    relay = Relay(tmp_path / "relay", SetClock(NOW))
    try:
        assert relay.run().problem == "SY-350"
        assert relay.storage.read(relay.mirror.cosigned) == ""
    finally:
        relay.close()


def test_the_command_line_makes_adds_and_runs_a_relay(province: Province, tmp_path: Path) -> None:
    key = verifier_key(province.hall.hub.log.note_key)
    folder = tmp_path / "second"
    made = sala_hub(
        folder, "relay", "init", "--name", "kampot", "--province", "07", "--upstream", province.up, "--key", key
    )
    hub = province.hall.hub
    hub.storage.write(lambda tx: cosignatures.add(tx, "kampot", "07", bytes.fromhex(made["key"]), "", NOW))
    done = sala_hub(folder, "relay", "run")
    assert done["cosigned"] > 0 and done["publications"] > 0
    status = sala_hub(folder, "relay", "status")
    assert (status["name"], status["alarm"]) == ("kampot", "") and status["log"] == done["cosigned"]
    assert sala_hub(folder, "relay", "export", str(tmp_path / "stick"))["batches"] == 0
    assert sala_hub(
        folder, "relay", "init", "--name", "x", "--province", "07", "--upstream", "y", "--key", key, ok=False
    )
    assert mirror.SEEN


def add_with_a_scan(session: Session) -> None:
    unlocked = session.unlocked
    blob = unlocked.blobs.add(b"scan", "image/png")
    unlocked.store.write(
        lambda conn: ops.append(
            conn, unlocked, session.clock, kind="links.created", record="r", form="links", def_hash=None, body={"note": "x"},
            sealed=False, attach=(blob,),
        )
    )  # fmt: skip


def test_attachments_are_handed_over_and_only_what_the_relay_lacks(province: Province) -> None:
    laptop = province.laptop(1)
    province.line(cut=True)
    add_with_a_scan(laptop)
    assert replicate.once(laptop)["problems"] == []
    held = province.relay.storage.read(lambda tx: tx.query("SELECT hash FROM handed WHERE what = 'chunk'"))
    assert held
    before = province.relay.figures()
    assert replicate.once(laptop)["problems"] == [] and province.relay.figures() == before


def test_before_it_is_enrolled_a_laptop_asks_a_relay_for_nothing(province: Province) -> None:
    province.hall.url = province.lan
    laptop = province.hall.laptop(1)
    province.line(cut=True)
    report = replicate.once(laptop)
    assert not report["enrolled"] and laptop.store.read(checkpoints.newest) is None


def test_a_relay_that_answers_strangely_moves_nothing(province: Province) -> None:
    """It may know nothing, hand on words about another laptop, or the centre's own word about another log."""
    laptop, hub = province.laptop(1), province.hall.hub
    log, device = hub.log.note_key, laptop.unlocked.device.device_id
    said: list[bytes | int] = []

    def instead(request: Request, reply: Reply) -> Reply:
        if request.path != "/v1/relayed":
            return reply
        found = said[-1]
        return Reply(found, reply.headers, b"") if isinstance(found, int) else Reply(200, reply.headers, found)

    way = bad_line.Line(province.lan, after=instead)
    try:
        laptop.store.write(lambda conn: conn.execute("UPDATE office SET hub_urls = ?", (json.dumps([way.url]),)))
        plain = relayed.Answer([], [], [], b"", "", "", [])
        of_other = wire.Status(
            device_id=bytes(16), hub_ms=NOW, epoch=1, head_seq=9_000, stable_seq=9_000, revocations=0, revoked=True
        )
        status = wire.issue_status(of_other, hub.keys.log, log.id())
        own = laptop.store.read(checkpoints.newest)
        assert own is not None
        other = notes.sign(Checkpoint(log.name, own.epoch, own.size, bytes(32)).text(), log.name, hub.keys.log)
        text = notes.split(other)[0]
        split = other + notes.cosignature_line(text, NAME, province.relay.key, NOW // 1000)
        for answer, codes in (
            (404, ["SY-351"]), (replace(plain, status=status).encode(), []), (replace(plain, cosigned=split).encode(), ["SY-481"]),
        ):  # fmt: skip
            said.append(answer)
            assert [problem["code"] for problem in replicate.once(laptop)["problems"]] == codes
        assert laptop.store.read(checkpoints.newest) == own and not laptop.store.read(withdrawal.told)
        assert laptop.unlocked.device.device_id == device
    finally:
        way.close()
