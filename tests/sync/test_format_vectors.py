"""The public specifications in docs/formats: their examples are what the program reads and writes."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, cbor, devices, ids, ops, pack, receipts, sealing
from sync.notes import NoteKey
from sync.ops import SealedRef
from sync.volume import Volume
from tests.sync.samples import Desk, fields

FORMATS = Path(__file__).parents[2] / "docs" / "formats"
BODY = {"name": "សុខ ដារ៉ា", "fee_riel": 4000}


def vectors(name: str) -> dict[str, bytes]:
    """The named blocks of a specification."""
    text = (FORMATS / f"{name}.md").read_text("utf-8")
    found = {key: bytes.fromhex(value) for key, value in re.findall(r"```hex (\S+)\n(.*?)```", text, re.DOTALL)}
    found.update((key, value.encode()) for key, value in re.findall(r"```text (\S+)\n(.*?)```", text, re.DOTALL))
    return found


def test_the_op_of_the_specification() -> None:
    v, desk = vectors("op"), Desk()
    assert v["device-public"] == desk.public == bytes(SigningKey(b"\x01" * 32).verify_key)
    assert ops.read_fields(cbor.decode(v["op"])) == fields(1, BODY)
    assert fields(1, BODY).encode() == v["op"]
    assert ops.genesis(desk.public) == v["genesis"]
    assert ops.op_hash(v["genesis"], v["op"]) == v["op-hash"]
    assert cbor.encode(BODY) == v["body"]
    assert ids.key_id(bytes(PrivateKey(b"\x03" * 32).public_key)) == v["agency-key-id"]
    sealed = ops.read_fields(cbor.decode(v["sealed-op"]))
    assert sealed.body == SealedRef(v["agency-key-id"], v["commitment"])
    assert ops.commitment(v["seed"], sealed.op_id, v["body"]) == v["commitment"]
    assert ops.author_holds(v["op-hash"], v["officer-public"], v["author-signature"])


def test_the_batch_of_the_specification() -> None:
    v, op = vectors("batch"), vectors("op")
    found = batch.parse(v["batch"])
    assert found.hash == v["batch-hash"] == sha256(v["batch"]).digest()
    assert (found.ops[0].data, found.last, found.device_public) == (op["op"], op["op-hash"], op["device-public"])
    assert found.authors[0].signature == op["author-signature"]
    sealed = batch.parse(v["sealed-batch"])
    assert sealed.ops[0].data == op["sealed-op"]
    for private in (PrivateKey(b"\x03" * 32), PrivateKey(b"\x04" * 32)):
        assert list(sealing.open_bodies(sealed, private).values()) == [BODY]


def test_the_receipt_of_the_specification() -> None:
    v, data = vectors("receipt"), vectors("batch")["batch"]
    found = receipts.verify(v["receipt"].decode(), NoteKey("hub", v["log-public"]))
    assert found.leaf.data() == v["leaf"]
    assert receipts.belongs(found, batch.parse(data))
    assert v["log-public"] == bytes(SigningKey(b"\x0a" * 32).verify_key)


def test_the_courier_file_of_the_specification(tmp_path: Path) -> None:
    (tmp_path / "x.salabatch").write_bytes(vectors("courier")["courier"])
    with Volume(tmp_path / "x.salabatch") as found:
        assert found.whole
        assert [(entry.name, data) for entry, data in found.of("receipt")] == [
            (vectors("batch")["batch-hash"].hex(), vectors("receipt")["receipt"])
        ]


def test_the_office_pack_of_the_specification() -> None:
    v = vectors("office-pack")
    found = pack.parse(v["pack"], [v["pack-key"]])
    assert (found.office["code"], found.number, found.leases[0].resource) == ("0306", 1, "receipt-numbers")
    assert f"`{devices.words(v['pack-key'])}`" in (FORMATS / "office-pack.md").read_text("utf-8")
    assert v["pack-key"] == bytes(SigningKey(b"\x0d" * 32).verify_key)


def test_the_cosigned_receipt_and_the_new_life_of_the_specification() -> None:
    from sync import notes
    from sync.hub import epochs

    v = vectors("receipt")
    log, witness = NoteKey("hub", v["log-public"]), NoteKey("pursat", v["witness-public"])
    found = receipts.verify(v["cosigned-receipt"].decode(), log)
    assert found.leaf == receipts.verify(v["receipt"].decode(), log).leaf
    assert notes.cosigned_by(receipts.note_of(found), witness) == 1_795_000_000
    said = epochs.read(v["epoch-note"].decode(), log)
    assert (said.epoch, said.after, said.size, said.root) == (2, 1, 2, found.checkpoint.root)


def test_the_audit_log_of_the_specification() -> None:
    from sync import audit_export, audit_marks, merkle, notes
    from sync.audit import _row_hash

    v, log = vectors("audit"), NoteKey("hub", vectors("receipt")["log-public"])
    first = _row_hash(1, bytes(32), v["event-1"])
    assert (first, _row_hash(2, first, v["event-2"])) == (v["row-1"], v["row-2"])
    assert merkle.root([merkle.leaf_hash(v["row-1"]), merkle.leaf_hash(v["row-2"])]) == v["root"]
    note = v["audit-note"].decode()
    device = batch.device_id(vectors("op")["device-public"])
    assert notes.split(note)[0] == audit_marks.text(device, 2, v["root"])
    assert notes.cosigned_by(note, log) == 1_795_000_000
    assert audit_export.verifier_key(log) == v["centre-key"].decode()


def test_a_relays_receipt_of_the_specification() -> None:
    from sync import relayed

    key = NoteKey("pursat", vectors("receipt")["witness-public"])
    assert (
        relayed.read_handed(vectors("relay")["handed"].decode(), key, vectors("batch")["batch-hash"])
        == 1_795_000_000_000
    )
