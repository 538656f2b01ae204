"""What stands witness on a laptop: a cosigned log that is not the one shown here is told, and nobody's word counts without a name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nacl.signing import SigningKey

from sync import audit_marks, cbor, checkpoints, line, merkle, notes, office, publications, witnesses
from sync.cbor import Malformed
from sync.errors import Known
from sync.marks import SPLIT, mark
from sync.notes import Checkpoint
from sync.transport import Transport
from sync.unlocked import Unlocked
from sync.witnesses import Countersigned
from tests.sync.bad_line import Line, Reply, Request
from tests.sync.conftest import NOW, Centre

PURSAT, TAKEO = SigningKey(b"\x21" * 32), SigningKey(b"\x22" * 32)
ENTRIES = [merkle.leaf_hash(bytes([n])) for n in range(6)]
HEADERS = {"Sala-Nonce": "5a" * 16}
OTHERS = [*ENTRIES[:2], *(merkle.leaf_hash(bytes([n, 1])) for n in range(4))]


@pytest.fixture
def named(laptop: Unlocked) -> Unlocked:
    """A laptop that knows the witness of Pursat."""
    value = cbor.encode([["pursat", "15", bytes(PURSAT.verify_key)]])
    laptop.store.write(lambda conn: publications.keep(conn, witnesses.TARGET, value, 1, NOW))
    return laptop


def shown(centre: Centre, entries: list[bytes], epoch: int = 1) -> str:
    """The centre's checkpoint over ``entries``."""
    return notes.sign(Checkpoint("hub", epoch, len(entries), merkle.root(entries)).text(), "hub", centre.log_key)


def cosigned(note: str, seconds: int = 77, name: str = "pursat", key: SigningKey = PURSAT) -> str:
    return note + notes.cosignature_line(notes.split(note)[0], name, key, seconds)


def seen_here(laptop: Unlocked, centre: Centre, entries: list[bytes]) -> None:
    laptop.store.write(lambda conn: checkpoints.advance(conn, shown(centre, entries), centre.log, [], NOW))


def told(laptop: Unlocked, centre: Centre, note: str, proof: list[bytes]) -> Known | None:
    return laptop.store.write(lambda conn: witnesses.cosigned(conn, centre.log, note, proof))


def test_a_cosigned_log_that_goes_on_from_here_or_leads_here_is_the_same(named: Unlocked, centre: Centre) -> None:
    assert told(named, centre, cosigned(shown(centre, ENTRIES[:3])), []) is None, "nothing is known here yet"
    seen_here(named, centre, ENTRIES[:4])
    for size in (2, 6):
        proof = merkle.consistency(ENTRIES[: max(size, 4)], min(size, 4))
        assert told(named, centre, cosigned(shown(centre, ENTRIES[:size]), 70 + size), proof) is None
    assert told(named, centre, cosigned(shown(centre, OTHERS, epoch=2), 90), []) is None, "another life of the log"
    assert [(one.epoch, one.size, one.cosigned_s) for one in named.store.read(witnesses.newest)] == [(2, 6, 90)]
    assert named.store.read(lambda conn: mark(conn, SPLIT)) == 0


def test_a_cosigned_log_that_parts_from_the_one_here_is_told_and_kept(named: Unlocked, centre: Centre) -> None:
    seen_here(named, centre, ENTRIES[:4])
    split = told(named, centre, cosigned(shown(centre, OTHERS)), merkle.consistency(OTHERS, 4))
    assert split is not None and split.code == "SY-481"
    assert (split.values["witness"], split.values["here"], split.values["there"]) == ("pursat", 4, 6)
    assert named.store.read(lambda conn: mark(conn, SPLIT)) == 77_000


def test_without_a_witness_that_the_centre_named_nothing_is_proved(named: Unlocked, centre: Centre) -> None:
    seen_here(named, centre, ENTRIES[:4])
    note = shown(centre, OTHERS)
    for other in (note, cosigned(note, name="takeo", key=TAKEO), cosigned(note, key=TAKEO)):
        assert told(named, centre, other, []) is None
    assert named.store.read(witnesses.newest) == []
    strange = notes.sign(notes.split(note)[0], "hub", TAKEO)
    with pytest.raises(Known, match="SY-310"):
        told(named, centre, cosigned(strange), [])


# --- asking


class Asked:
    """A centre of which only the answer to ``GET /v1/audit`` counts; ``paths``: what it was asked."""

    def __init__(self, note: str) -> None:
        self.note, self.status, self.body, self.paths = note, 200, b"", list[str]()
        self.line = Line("", before=self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.path == "/v1/log/checkpoint":
            return Reply(200, HEADERS, self.note.encode())
        self.paths.append(request.path)
        return Reply(self.status, HEADERS, self.body)


@pytest.fixture
def asked(centre: Centre) -> Iterator[Asked]:
    made = Asked(shown(centre, ENTRIES[:4]))
    yield made
    made.line.close()


def ask(laptop: Unlocked, asked: Asked) -> None:
    here = laptop.store.read(office.centre)
    assert here is not None
    with Transport((asked.line.url,), laptop.device, settings=line.Settings(), log=here.log) as way:
        witnesses.ask(laptop, way, here)


def test_it_is_asked_only_while_a_cosignature_is_missing(named: Unlocked, centre: Centre, asked: Asked) -> None:
    ask(named, asked)
    assert asked.paths == [], "nothing is there that could be cosigned"
    body = named.store.write(lambda conn: audit_marks.make(conn, named.store.clock))
    asked.status = 404
    ask(named, asked)
    assert asked.paths[-1] == "/v1/audit", "a centre of the first release goes without"
    seen_here(named, centre, ENTRIES[:4])
    asked.status, asked.body = 200, Countersigned("", "").encode()
    ask(named, asked)
    assert asked.paths[-1] == "/v1/audit?epoch=1&size=4"
    text = audit_marks.text(named.device.device_id, body["size"], body["root"])
    audit = f"{text}\n{notes.cosignature_line(text, 'hub', centre.log_key, 77)}"
    asked.body = Countersigned(audit, cosigned(shown(centre, ENTRIES[:4]))).encode()
    ask(named, asked)
    assert named.store.read(audit_marks.missing) is False
    before = len(asked.paths)
    ask(named, asked)
    assert len(asked.paths) == before


def test_an_answer_that_contradicts_what_is_here_is_told_and_a_malformed_one_refused(
    named: Unlocked, centre: Centre, asked: Asked
) -> None:
    named.store.write(lambda conn: audit_marks.make(conn, named.store.clock))
    seen_here(named, centre, ENTRIES[:4])
    asked.body = b"\xff"
    with pytest.raises(Malformed):
        ask(named, asked)
    asked.body = Countersigned("", cosigned(shown(centre, OTHERS[:4]))).encode()
    with pytest.raises(Known, match="SY-481"):
        ask(named, asked)
    assert named.store.read(lambda conn: mark(conn, SPLIT)) == 77_000, "kept, although the run ends with it"
