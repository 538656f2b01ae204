"""What a hostile person would send: well-formed, signed where it must be, and still not what it has to be."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import (
    audit,
    audit_marks,
    base45,
    cbor,
    checkpoints,
    cose,
    delegations,
    devices,
    keys,
    notes,
    ops,
    publications,
    qrframes,
    readmission,
    relayed,
    sealedfeed,
    sealedfile,
    wire,
    withdrawal,
    witnesses,
)
from sync.batch import device_id
from sync.cbor import Malformed
from sync.clock import SystemClock
from sync.errors import Known, Refused
from sync.limits import MAX_HAVE, MAX_MESSAGE, MAX_NOTE, MAX_OP, MAX_PROOF, MAX_SEQ
from sync.notes import Checkpoint, NoteKey
from sync.store import Connection
from sync.unlocked import Unlocked

KEY = SigningKey(b"\x07" * 32)
PUBLIC = bytes(KEY.verify_key)
NAMED = NoteKey("pursat", PUBLIC)
HASH = bytes(32)


# --- enrolment

REQUEST: dict[int, Any] = {
    1: 1, 2: bytes(16), 3: "0306", 4: PUBLIC, 5: bytes(32), 6: bytes(32), 7: [], 8: 5, 9: b"",
}  # fmt: skip
CERTIFICATE: dict[int, Any] = {1: 1, 2: PUBLIC, 3: bytes(32), 4: bytes(32), 5: "0306", 6: 1, 7: 5, 8: b""}


def request(changed: dict[int, Any], key_id: bytes = b"") -> bytes:
    payload = cbor.encode({**REQUEST, **changed})
    named = key_id or device_id(PUBLIC)
    return cose.sign(KEY, payload, content_type=devices._REQUEST_TYPE, key_id=named, aad=devices._REQUEST_AAD)


def certificate(changed: dict[int, Any]) -> bytes:
    return devices.sign_certificate(cbor.encode({**CERTIFICATE, **changed}), KEY)


def test_the_samples_are_what_they_must_be() -> None:
    assert devices.read_signed_request(request({})).office == "0306"
    assert devices.read_certificate(certificate({}), PUBLIC).number == 1
    assert devices.office_of(certificate({})) == "0306"


@pytest.mark.parametrize(
    "changed",
    [
        {1: 2}, {2: bytes(15)}, {3: 306}, {4: bytes(31)}, {5: b""}, {6: bytes(33)}, {7: {}}, {8: -1}, {8: MAX_SEQ + 1}, {9: bytes(8)},
        {10: 1}, {3: "x" * 1_000}, {7: [[bytes(16), "a", "b", "chief", bytes(31)]]}, {7: [[bytes(15), "a", "b", "chief", bytes(32)]]},
        {7: [[bytes(16), "a" * 1_000, "b", "chief", bytes(32)]]}, {7: ["chief"]},
    ],
)  # fmt: skip
def test_a_signed_request_with_other_fields_is_none(changed: dict[int, Any]) -> None:
    with pytest.raises(Malformed):
        devices.read_signed_request(request(changed))


def test_a_request_speaks_for_its_own_key_only() -> None:
    with pytest.raises(Malformed):
        devices.read_signed_request(request({}, key_id=bytes(16)))
    with pytest.raises(Malformed):
        devices.read_signed_request(request({4: bytes(SigningKey(b"\x08" * 32).verify_key)}))
    for data in (b"", bytes(MAX_MESSAGE + 1), cbor.encode([b"x"]), cbor.encode(["x", b"y"])):
        with pytest.raises(Malformed):
            devices.read_request(data)


@pytest.mark.parametrize("changed", [{1: 2}, {2: bytes(31)}, {3: b""}, {4: "x"}, {6: "1"}, {7: b""}, {8: 5}, {9: 1}])
def test_a_signed_certificate_with_other_fields_is_none(changed: dict[int, Any]) -> None:
    with pytest.raises(Malformed):
        devices.read_certificate(certificate(changed), PUBLIC)


def test_a_certificate_without_an_office_names_none() -> None:
    for changed in ({5: 306}, {5: b"0306"}):
        with pytest.raises(Malformed):
            devices.office_of(certificate(changed))


# --- notes and messages


def test_a_cosignature_is_found_by_name_key_and_time() -> None:
    text = Checkpoint("hub", 1, 3, HASH).text()
    note = f"{text}\n{notes.cosignature_line(text, NAMED.name, KEY, 77)}"
    assert notes.line_of(note, NAMED, 77) == notes.cosignature_line(text, NAMED.name, KEY, 77)
    other = NoteKey("pursat", bytes(SigningKey(b"\x09" * 32).verify_key))
    for key, seconds in ((NAMED, 78), (other, 77), (NoteKey("hub", PUBLIC), 77)):
        with pytest.raises(Malformed):
            notes.line_of(note, key, seconds)


@pytest.mark.parametrize(
    "about", [5, [], [1, 2], [1, 2, 3], [1, 2, "x" * 1_000], [1, 2, "a\n"], [-1, 2, "a"], [1, "2", "a"]]
)
def test_what_a_laptop_says_of_itself_is_bounded(about: object) -> None:
    value: Any = cbor.decode(wire.Have([], [], 0, HASH, 0, 0, wire.About(1, 2, "1.0")).encode())
    assert wire.read_have(cbor.encode(value)).about == wire.About(1, 2, "1.0")
    with pytest.raises(Malformed):
        wire.read_have(cbor.encode({**value, 7: about}))


ANSWER = {1: [HASH], 2: [], 3: ["r"], 4: b"", 5: "", 6: "", 7: [HASH]}
QUESTION = {1: [HASH], 2: [HASH], 3: 1, 4: 2}
COUNTERSIGNED = {1: "", 2: "", 3: [HASH]}


@pytest.mark.parametrize(
    ("read", "sound", "changes"),
    [
        (relayed.read_question, QUESTION, [
            {5: 1}, {1: [b""]}, {2: ["x"]}, {1: [HASH] * (MAX_HAVE + 1)}, {2: [HASH] * (MAX_HAVE + 1)}, {3: -1}, {4: -1},
            {3: MAX_SEQ + 1}, {4: MAX_SEQ + 1}, {1: HASH},
        ]),
        (relayed.read_answer, ANSWER, [
            {8: 1}, {1: [b""]}, {7: [b"x"]}, {3: [b"r"]}, {2: [HASH] * (MAX_HAVE + 1)}, {5: "x" * (MAX_NOTE + 1)},
            {7: [HASH] * (MAX_PROOF + 1)}, {4: ""},
        ]),
        (witnesses.read_countersigned, COUNTERSIGNED, [
            {4: 1}, {1: "x" * (MAX_NOTE + 1)}, {2: b""}, {3: [b""]}, {3: [HASH] * (MAX_PROOF + 1)}, {3: ["x"]},
        ]),
    ],
)  # fmt: skip
def test_messages_of_relays_and_witnesses(read: Callable[[bytes], Any], sound: Any, changes: list[Any]) -> None:
    assert read(cbor.encode(sound)) is not None
    for change in changes:
        with pytest.raises(Malformed):
            read(cbor.encode({**sound, **change}))


def test_a_relays_receipt_is_about_one_batch_and_by_its_key() -> None:
    note = notes.sign(relayed.handed_text("pursat", HASH, 55), "pursat", KEY)
    assert relayed.read_handed(note, NAMED, HASH) == 55
    other = NoteKey("pursat", bytes(SigningKey(b"\x09" * 32).verify_key))
    for key, digest in ((NAMED, bytes([1]) * 32), (other, HASH), (NoteKey("takeo", PUBLIC), HASH)):
        with pytest.raises(Malformed):
            relayed.read_handed(note, key, digest)


def test_the_list_of_witnesses_is_bounded_and_plain(laptop: Unlocked) -> None:
    def known(value: object) -> list[witnesses.Witness]:
        def work(conn: Connection) -> list[witnesses.Witness]:
            conn.execute("DELETE FROM publication")
            publications.keep(conn, witnesses.TARGET, cbor.encode(value), 1, 5)
            return witnesses.known(conn)

        return laptop.store.write(work)

    assert known([["pursat", "15", PUBLIC]]) == [witnesses.Witness("15", NAMED)]
    many: list[Any] = [["pursat", "15", PUBLIC]] * 10_000
    strange: list[Any] = [{}, "x", many, [["pursat", "15", b""]], [["pursat", 15, PUBLIC]], [1]]
    for value in strange:
        with pytest.raises(Malformed):
            known(value)

    def handed(conn: Connection) -> str:
        publications.keep(conn, witnesses.TARGET, cbor.encode([["takeo", "21", HASH], ["pursat", "15", PUBLIC]]), 2, 5)
        return relayed.take_handed(conn, HASH, notes.sign(relayed.handed_text("pursat", HASH, 55), "pursat", KEY))

    assert laptop.store.write(handed) == "pursat"
    with pytest.raises(Malformed):
        laptop.store.write(lambda conn: relayed.take_handed(conn, HASH, notes.sign("x\n", "pursat", KEY)))


# --- the audit log's cosignature


def test_a_cosignature_of_the_audit_log_is_about_a_mark_of_this_laptop(laptop: Unlocked) -> None:
    device, clock = laptop.device.device_id, laptop.store.clock
    body = laptop.store.write(lambda conn: audit_marks.make(conn, clock))
    size, root = body["size"], body["root"]
    log = NoteKey("hub", PUBLIC)

    def signed(text: str, key: SigningKey = KEY) -> str:
        return f"{text}\n{notes.cosignature_line(text, 'hub', key, 77)}"

    sound = audit_marks.text(device, size, root)
    for note in (
        signed(audit_marks.text(bytes(16), size, root)), signed(audit_marks.text(device, size, HASH)), signed(sound, SigningKey(HASH)),
        signed(audit_marks.text(device, size + 1, root)), signed(sound.replace(f"\n{size}\n", "\n\u0661\n")), signed(sound + "x\n"),
        signed(sound.replace(f"\n{size}\n", "\n-1\n")),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            laptop.store.write(lambda conn, note=note: audit_marks.take(conn, device, note, log))  # type: ignore[misc]
    laptop.store.write(lambda conn: audit_marks.take(conn, device, signed(sound), log))
    assert laptop.store.read(audit_marks.missing) is False


def test_marks_of_a_branch_that_parted_earlier_than_the_centre_knows_go_too(laptop: Unlocked) -> None:
    """Behind, and with ops of its own in the same places: only what the centre has cosigned is surely shared."""
    device, clock = laptop.device.device_id, laptop.store.clock

    def checkpoint(conn: Connection) -> int:
        audit.append(conn, clock, {"what": "x"})
        body = audit_marks.make(conn, clock)
        ops.append(
            conn,
            laptop,
            clock,
            kind=audit.CHECKPOINT_KIND,
            record="",
            form="sync",
            def_hash=None,
            body=body,
            sealed=False,
        )
        return int(body["size"])

    sizes = [laptop.store.write(checkpoint) for _ in range(4)]
    places = laptop.store.read(lambda conn: [row[0] for row in conn.execute("SELECT seq FROM op ORDER BY seq")])[-4:]

    def left(place: int, parent: bytes, cosigned: int | None) -> tuple[int, list[int]]:
        class Undone(Exception):
            pass

        found: list[Any] = []

        def work(conn: Connection) -> None:
            if cosigned is not None:
                conn.execute("UPDATE audit_mark SET note = 'x' WHERE size = ?", (cosigned,))
            found.append(audit_marks.go_back(conn, device, place, parent))
            found.append([mark.size for mark in audit_marks.every(conn)])
            raise Undone

        with pytest.raises(Undone):
            laptop.store.write(work)
        return found[0], found[1]

    hashes = laptop.store.read(lambda conn: {row[0]: row[1] for row in conn.execute("SELECT seq, hash FROM op")})
    assert left(places[2], hashes[places[1]], None) == (places[1], sizes[:2])
    assert left(places[2], bytes(32), sizes[0]) == (places[0], sizes[:1])
    assert left(places[2], bytes(32), None) == (0, [])


# --- pictures, sealed files, delegated roles


@pytest.mark.parametrize("text", ["A", "AAAA", "áA", "aa", "::::::", ":::", "GGW", "AA\x00", "::"])
def test_what_is_no_base45(text: str) -> None:
    with pytest.raises(base45.NotBase45):
        base45.decode(text)


def test_every_length_of_base45_reads_back() -> None:
    for size in range(6):
        assert base45.decode(base45.encode(b"\xff" * size)) == b"\xff" * size


def test_frames_with_something_behind_the_data_are_refused() -> None:
    packed = cbor.zip_bytes(b"letter", 3) + b"more"
    found = qrframes.Collector()
    found.set, found.total, found.pieces = sha256(packed).digest()[:8].hex().upper(), 1, {1: packed}
    with pytest.raises(Malformed, match="trailing"):
        found.data()


@pytest.mark.parametrize(
    "boxes",
    [
        5, {}, [5], [[bytes(8), bytes(79)]], [[bytes(7), bytes(80)]], [["x", bytes(80)]], [[bytes(8)]],
        [[bytes(8), bytes(80)]] * 11,
    ],
)  # fmt: skip
def test_a_sealed_file_with_another_head_is_none(boxes: object) -> None:
    data = sealedfile.MAGIC + cbor.encode(boxes)
    with pytest.raises(Known) as refused:
        sealedfile.Reader(io.BytesIO(data), len(data), [PrivateKey(HASH)])
    assert refused.value.code == "SY-372"


def test_a_sealed_file_that_ends_too_early_reads_what_is_there() -> None:
    box, out = PrivateKey(HASH), io.BytesIO()
    writer = sealedfile.Writer(out, [bytes(box.public_key)])
    writer.write(b"x" * 100)
    writer.finish()
    data = out.getvalue()
    stated = sealedfile.Reader(io.BytesIO(data), len(data) + 5 * sealedfile.BLOCK, [box])
    assert stated.read().rstrip(b"\0") == b"x" * 100
    assert sealedfile.Reader(io.BytesIO(data), len(data), [box]).read(100) == b"x" * 100


def test_a_later_role_never_replaces_what_an_earlier_one_signed() -> None:
    from tuf.api.metadata import DelegatedRole, TargetFile, Targets

    found = delegations.Delegated()
    first, second = (DelegatedRole(name, ["k"], 1, False, paths=["forms/*"]) for name in ("first", "second"))
    for role, data in ((first, b"1"), (second, b"2")):
        said = Targets(1)
        for name in ("forms/a.json", "trust/b.cbor"):
            said.targets[name] = TargetFile.from_data(name, data, ["sha256"])
        delegations._take(found, role, said)
    assert found.sources == {"forms/a.json": "first"} and found.refused == {"trust/b.cbor": "SY-460"}
    assert found.targets["forms/a.json"].length == 1
    assert found.targets["forms/a.json"].hashes["sha256"] == sha256(b"1").hexdigest()


def test_pages_of_the_sealed_feed_are_bounded() -> None:
    assert sealedfeed.read_page(sealedfeed.Page([], 5, True).encode()) == sealedfeed.Page([], 5, True)
    sound = {1: 5, 2: 1, 3: []}
    changes: list[Any] = [{1: -1}, {2: 2}, {3: {}}, {3: [[]] * 10_000}, {4: 0}, {3: [1]}, {3: [[b"", b"", "", [-1]]]}]
    for change in changes:
        with pytest.raises(Malformed):
            sealedfeed.read_page(cbor.encode({**sound, **change}))
    with pytest.raises(Malformed):
        sealedfeed.read_page(bytes(sealedfeed.MAX_PAGE + 1))


def test_what_is_too_large_or_names_an_unknown_attachment_is_never_half_written(laptop: Unlocked) -> None:
    def add(conn: Connection, body: dict[str, Any], attach: list[str]) -> None:
        ops.append(
            conn, laptop, laptop.store.clock, kind="links.created", record="r", form="links", def_hash=None, body=body, sealed=False,
            attach=attach,
        )  # fmt: skip

    before = laptop.store.read(lambda conn: conn.execute("SELECT count(*) FROM op").fetchone()[0])
    with pytest.raises(Refused, match="SY-302"):
        laptop.store.write(lambda conn: add(conn, {"note": ["x" * 4_000] * (MAX_OP // 4_000)}, []))
    with pytest.raises(LookupError):
        laptop.store.write(lambda conn: add(conn, {"note": "x"}, ["00" * 32]))
    assert laptop.store.read(lambda conn: conn.execute("SELECT count(*) FROM op").fetchone()[0]) == before


def test_a_laptop_that_was_never_certified_shows_nothing(laptop: Unlocked) -> None:
    assert laptop.store.read(readmission.shown) is None
    assert laptop.store.write(checkpoints.state) is None, "and states no log that it never saw"


def test_an_op_that_nobody_could_open_or_that_comes_too_late_is_not_made(laptop: Unlocked, tmp_path: Path) -> None:
    def add(unlocked: Unlocked, form: str = "links", *, sealed: bool = False, attach: tuple[str, ...] = ()) -> str:
        return unlocked.store.write(
            lambda conn: ops.append(
                conn, unlocked, unlocked.store.clock, kind="links.created", record="r", form=form, def_hash=None, body={"note": "x"},
                sealed=sealed, attach=attach,
            )
        )  # fmt: skip

    officer = laptop.officers()[0]
    bare = keys.create_profile(
        tmp_path / "bare", officer=officer, passphrase="ពាក្យសម្ងាត់ ១២៣", clock=SystemClock(), cost=keys.CHEAP
    )
    try:
        with pytest.raises(Refused, match="SY-303"):
            add(bare, sealed=True)
    finally:
        bare.lock()
    blob = laptop.blobs.add(b"scan", "image/png")
    made = add(laptop, attach=(blob,))
    row = laptop.store.read(
        lambda conn: conn.execute("SELECT bytes FROM op WHERE hash = ?", (bytes.fromhex(made),)).fetchone()
    )
    body = cbor.decode(row["bytes"])
    assert list(body[10][ops.ATTACHMENT_KEYS]) == [blob]
    assert add(laptop, sealed=True) != made
    laptop.store.write(lambda conn: withdrawal.heard(conn, laptop.store.clock, None))
    with pytest.raises(Known, match="SY-404"):
        add(laptop)
    assert add(laptop, "sync"), "the program itself still says what it did"
