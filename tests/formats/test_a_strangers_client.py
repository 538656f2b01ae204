"""The documents are enough: a client written from docs/formats alone works with a real centre, over the line and by stick."""

from __future__ import annotations

import ast
import re
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from sync import batch, sealing
from tests.formats import stranger
from tests.formats.stranger import Device, Line, Pack
from tests.hub.conftest import Process, sala_hub

DEFINITION = sha256(b"a form").digest()
BODY = {"name": "សុខ ដារ៉ា", "fee_riel": 4000}


class Centre:
    """A centre as IT staff set it up; everything at it is done through its command line and its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        sala_hub(folder / "hub", "init", "--log-name", "hub")
        self.process = Process(folder / "hub").start()

    def device(self, name: str) -> Device:
        made = sala_hub(
            self.folder / "hub", "enrol", "0306", "--out", str(self.folder / name), "--url", self.process.url
        )
        pinned = (self.folder / "hub" / "roots" / "centre.pub").read_text("utf-8")
        signer = re.findall(r"^[0-9a-f]{64}", pinned, re.M)[0]
        return Device(Pack.read(Path(made["pack"]).read_bytes(), bytes.fromhex(signer)))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    made = Centre(tmp_path_factory.mktemp("stranger"))
    yield made
    made.process.stop()


def enrolled(hub: Centre, name: str) -> tuple[Device, Line]:
    device = hub.device(name)
    line = Line(device.pack.data["hub_urls"][0], device)
    status, note = line.call("GET", "/v1/log/checkpoint")
    assert status == 200
    device.grown(note.decode(), [])
    request = device.request()
    status, certificate = line.call("POST", "/v1/enrol", request)
    assert (status, device.certified(certificate)) == (201, device.pack.data["number"])
    assert line.call("POST", "/v1/enrol", request) == (200, certificate), "the same again"
    return device, line


def declare(device: Device) -> stranger.Op:
    officer = bytes(device.officer.verify_key)
    body = {
        "officer": device.officer_id.hex(), "name": "ភ្ញៀវ", "latin": "Stranger", "role": "receiving", "public": officer,
    }  # fmt: skip
    return device.act("sync.officer", "sync", body)


def test_what_a_stranger_sends_over_the_line_is_received_and_proven(hub: Centre) -> None:
    device, line = enrolled(hub, "line.pack")
    declare(device)
    sealed = device.act("forms.submission", "barber-licence", BODY, definition=DEFINITION, sealed=True)
    data = device.batch(1)
    digest = sha256(data).digest()

    status, answer = line.call("POST", "/v1/have", device.have([digest]), signed=True)
    lacks, said = device.missing(answer)
    assert (status, lacks, said[4], said[7]) == (200, [digest], 0, False)
    before = device.known
    assert before is not None

    status, text = line.call("PUT", f"/v1/batches/{digest.hex()}", data)
    found = stranger.receipt(text.decode(), *device.pack.log)
    assert (status, found.batch, found.device, found.first, found.last) == (201, digest, device.id, 1, 2)
    assert line.call("PUT", f"/v1/batches/{digest.hex()}", data) == (200, text), "the identical receipt"
    path = f"/v1/log/consistency?epoch={found.checkpoint.epoch}&old={before.size}&new={found.checkpoint.size}"
    status, proof = line.call("GET", path)
    hashes = [b64decode(one, validate=True) for one in proof.decode().splitlines()]
    assert status == 200 and stranger.consistent(before, found.checkpoint, hashes)
    assert not stranger.consistent(before, found.checkpoint, [*hashes[:-1], bytes(32)])

    status, answer = line.call("POST", "/v1/have", device.have([digest]), signed=True)
    lacks, said = device.missing(answer)
    assert (lacks, said[4]) == ([], 2) and device.known is not None and device.known.size >= found.checkpoint.size
    status, answer = line.call("GET", f"/v1/receipts?after={found.index}", signed=True)
    texts, after, more = (stranger.uncbor(answer)[key] for key in (1, 2, 3))
    assert (status, texts, after, more) == (200, [text.decode()], found.index + 1, False)

    key = (hub.folder / "hub" / "offline" / "agency.key").read_text("utf-8")
    opened = sealing.open_bodies(batch.parse(data), PrivateKey(bytes.fromhex(re.findall(r"[0-9a-f]{64}", key)[0])))
    assert opened == {sealed.hash: BODY}, "the agency's desk reads it"


def test_the_stranger_knows_nothing_of_the_program() -> None:
    tree = ast.parse(Path(stranger.__file__).read_text("utf-8"))
    named = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    named |= {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    ours = ("sync", "modules", "desktop", "i18n", "tests", "tools")
    assert named and not [name for name in named if (name or "").partition(".")[0] in ours]


def test_requests_are_signed_once(hub: Centre) -> None:
    device, line = enrolled(hub, "signed.pack")
    nonce = line.nonce
    assert line.call("GET", "/v1/receipts?after=0", signed=True)[0] == 200
    line.nonce = nonce
    assert line.call("GET", "/v1/receipts?after=0", signed=True)[0] == 401, "spent; the answer brings another one"
    assert line.call("GET", "/v1/receipts?after=0", signed=True)[0] == 200
    line.device = Device(device.pack)
    assert line.call("GET", "/v1/receipts?after=0", signed=True)[0] == 403


def test_the_work_of_a_laptop_that_nobody_knows_yet_is_received_and_waits(hub: Centre) -> None:
    device = hub.device("unknown.pack")
    line = Line(device.pack.data["hub_urls"][0], device)
    declare(device)
    data = device.batch(1)
    status, text = line.call("PUT", f"/v1/batches/{sha256(data).hexdigest()}", data)
    assert (status, stranger.receipt(text.decode(), *device.pack.log).label) == (201, 1)


def test_what_a_stranger_puts_on_a_stick_is_received_and_answered(hub: Centre) -> None:
    device = hub.device("stick.pack")
    declare(device)
    first = device.batch(1)
    device.act("sync.note", "sync", {"a kind that": "this centre does not know"})
    second = device.batch(2)
    names = [sha256(data).digest() for data in (first, second)]
    stick = hub.folder / "stick"
    stick.mkdir()
    objects = [("batch", name.hex(), data) for name, data in zip(names, (first, second), strict=True)]
    objects += [
        ("have", device.id.hex(), device.have(names)),
        ("enrol", device.pack.data["slot"].hex(), device.request()),
    ]
    (stick / "mine.salabatch").write_bytes(stranger.courier(objects))

    taken = sala_hub(hub.folder / "hub", "import", str(stick))
    assert (taken["batches"], taken["enrolled"], taken["problems"], len(taken["back"])) == (2, 1, [], 1)
    back = stranger.uncourier(Path(taken["back"][0]).read_bytes())
    kinds = {kind: data for kind, _, data in back}
    assert device.certified(kinds["certificate"]) == device.pack.data["number"]
    receipts = [stranger.receipt(data.decode(), *device.pack.log) for kind, _, data in back if kind == "receipt"]
    assert [(one.batch, one.label) for one in receipts] == [(names[0], 0), (names[1], 4)]
    lacks, said = device.missing(kinds["missing"])
    assert (lacks, said[4]) == ([], 2)
    assert {"metadata", "target"} <= kinds.keys()
    leases = [data for kind, name, data in back if kind == "target" and name.endswith(f".{device.id.hex()}.cbor")]
    assert {row[1] for row in stranger.uncbor(leases[0])} == {"receipt-numbers", "certificate-numbers", "link-codes"}
    assert sala_hub(hub.folder / "hub", "verify-log")["ok"] is True
