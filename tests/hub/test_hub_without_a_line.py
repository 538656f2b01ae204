"""What comes to the centre without a line: sealed sticks, QR codes, status texts; the page, the verbs, and what goes back."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from nacl.public import PrivateKey

from sync import couriers as hops
from sync import devices, heartbeat, qrframes, qrpicture, volume, wire
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.hub import centre as centres
from sync.hub import courier, couriers, heartbeats
from sync.hub.centre import Centre
from sync.volume import Object, Volume
from tests.hub import tables
from tests.hub.conftest import sala_hub
from tests.hub.console_hub import Browser, let_in, words
from tests.hub.laptop import NOW, Laptop, join, slot


def status(laptop: Laptop, seq: int | None = None, pending: int = 0, head: bytes | None = None) -> str:
    """The text message of a laptop."""
    at = laptop.seq if seq is None else seq
    payload = b"\x01" + laptop.id[:8] + at.to_bytes(4, "big") + (head or laptop.head)[:16] + pending.to_bytes(3, "big")
    return heartbeat.encode(payload, laptop.sign.sign(b"sala/heartbeat/v1\0" + payload).signature)


def have(laptop: Laptop) -> Object:
    return Object("have", laptop.id.hex(), wire.Have([], [], laptop.seq, laptop.head, 0, 0).encode())


def batch(data: bytes) -> Object:
    return Object("batch", sha256(data).hexdigest(), data)


# --- sealed sticks


def test_a_sealed_stick_goes_home_sealed_to_its_own_laptop(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    key = bytes(couriers.private(centre.keys).public_key)
    other, data = join(centre, Laptop()), laptop.batch(2)
    plain = other.batch(1)
    volume.write(tmp_path, "sealed", [have(laptop), batch(data)], seal=[key])
    volume.write(tmp_path, "open", [have(other), batch(plain)])
    taken = courier.take(centre, tmp_path)
    assert (taken.batches, taken.problems, len(taken.back)) == (2, [], 2)
    for name in map(Path, taken.back):
        mine = name.read_bytes().startswith(b"SALASEALED1\n")
        assert mine is name.stem.endswith(laptop.id.hex()[:8])
        with Volume(name, [laptop.seal] if mine else []) as found:
            assert {entry.name for entry, _ in found.of("receipt")} == {sha256(data if mine else plain).hexdigest()}
            assert {entry.name for entry, _ in found.of("missing")} == {(laptop if mine else other).id.hex()}
    strange = volume.write(tmp_path / "strange", "x", [batch(data)], seal=[bytes(PrivateKey.generate().public_key)])
    with pytest.raises(Known) as known:
        courier.take(centre, strange[0])
    assert known.value.code == "SY-440"


def test_a_sealed_stick_of_a_laptop_that_was_never_enrolled_is_taken_without_an_answer(
    centre: Centre, tmp_path: Path
) -> None:
    stranger, key = Laptop(), bytes(couriers.private(centre.keys).public_key)
    volume.write(tmp_path, "x", [have(stranger), batch(stranger.batch(1))], seal=[key])
    taken = courier.take(centre, tmp_path)
    assert (taken.batches, taken.back) == (1, [])


def test_laptops_learn_to_whom_they_can_seal(centre: Centre) -> None:
    relay = bytes(PrivateKey.generate().public_key)
    centre.storage.write(lambda tx: couriers.admit(tx, "ខេត្ត", relay))
    centre.settle()
    listed = {target.name: target for target in centre.repository.listing().targets}
    found = hops.read(centre.repository.target(listed[hops.TARGET]))
    assert found == [(couriers.CENTRE, bytes(couriers.private(centre.keys).public_key)), ("ខេត្ត", relay)]
    centre.storage.write(lambda tx: couriers.dismiss(tx, "ខេត្ត"))
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: couriers.dismiss(tx, "ខេត្ត"))
    assert refused.value.code == "SY-450"
    for name, key in (("", relay), (couriers.CENTRE, relay), ("x" * 200, relay), ("y", b"short")):
        with pytest.raises(ValueError, match="relay"):
            centre.storage.write(lambda tx, name=name, key=key: couriers.admit(tx, name, key))  # type: ignore[misc]


# --- QR codes


def test_a_laptop_is_enrolled_by_pictures_alone(centre: Centre) -> None:
    laptop, ticket = Laptop(), slot(centre)
    request = volume.pack([Object("enrol", ticket.slot.hex(), laptop.request(ticket))])
    shown = qrframes.encode_small(request)
    seen = qrpicture.texts(qrpicture.png(shown[0]))  # a photograph of the laptop's screen
    taken, answer = courier.take_bytes(centre, qrframes.collect(seen))
    assert (taken.enrolled, taken.problems) == (1, []) and answer is not None
    back = qrframes.collect(qrpicture.texts(qrpicture.moving(qrframes.encode_small(answer))))
    with Volume(back) as found:
        ((entry, certificate),) = found.of("certificate")
        assert {entry.type for entry in found.entries} == {"certificate"}  # no publications: they would not fit
    assert entry.name == laptop.id.hex()
    assert devices.read_certificate(certificate, bytes(centre.keys.pack.verify_key)).seal_public == bytes(
        laptop.seal.public_key
    )


def test_receipts_come_back_as_codes(centre: Centre, laptop: Laptop) -> None:
    data = laptop.batch(5)
    taken, answer = courier.take_bytes(centre, volume.pack([have(laptop), batch(data)]))
    assert taken.new_ops == 5 and answer is not None
    frames = qrframes.encode_small(answer)
    assert len(frames) < 12
    with Volume(qrframes.collect(frames)) as found:
        assert {entry.type for entry in found.entries} == {"receipt", "missing"}
    nothing, silent = courier.take_bytes(centre, volume.pack([]))
    assert (nothing.files, silent) == (1, None)


# --- status texts


def test_a_status_text_says_what_is_outstanding(centre: Centre, laptop: Laptop) -> None:
    centre.ingest.take(laptop.batch(3))
    laptop.batch(4)  # never came
    told = centre.storage.write(lambda tx: heartbeats.take(tx, status(laptop, pending=4), NOW))
    assert (told["seq"], told["held"], told["outstanding"], told["pending"], told["agrees"], told["newer"]) == (
        7, 3, 4, 4, None, True,
    )  # fmt: skip
    assert centre.storage.read(heartbeats.outstanding)[0]["outstanding"] == 4
    again = centre.storage.write(lambda tx: heartbeats.take(tx, status(laptop, pending=4), NOW + 5))
    assert again["newer"] is False and again["received_ms"] == NOW
    older = centre.storage.write(lambda tx: heartbeats.take(tx, status(laptop, seq=2), NOW + 9))
    assert (older["newer"], older["seq"]) == (False, 7)  # an old message that comes late replaces nothing


def test_a_text_that_contradicts_the_hub_shows_a_copy_at_work(centre: Centre, laptop: Laptop) -> None:
    centre.ingest.take(laptop.batch(2))
    agreed = centre.storage.write(lambda tx: heartbeats.take(tx, status(laptop), NOW))
    assert (agreed["agrees"], agreed["outstanding"]) == (True, 0)
    clone = centre.storage.write(lambda tx: heartbeats.take(tx, status(laptop, head=bytes(32), pending=1), NOW))
    assert clone["agrees"] is False
    fresh = join(centre, Laptop())
    assert centre.storage.write(lambda tx: heartbeats.take(tx, status(fresh), NOW))["agrees"] is True
    assert centre.storage.read(lambda tx: heartbeats.of_device(tx, bytes(16))) is None


def test_only_a_laptop_of_ours_is_believed(centre: Centre, laptop: Laptop) -> None:
    forged = status(laptop)
    payload = heartbeat.parse(forged).signed
    wrong = [
        status(Laptop()), "SALA1 nothing", heartbeat.encode(payload, bytes(64)),
        heartbeat.encode(payload, Laptop().sign.sign(b"sala/heartbeat/v1\0" + payload).signature),
    ]  # fmt: skip
    for text in wrong:
        with pytest.raises(Refused) as refused:
            centre.storage.write(lambda tx, text=text: heartbeats.take(tx, text, NOW))  # type: ignore[misc]
        assert refused.value.code == "SY-455"


# --- the page


@pytest.fixture
def browser(centre: Centre, client: httpx.Client) -> Browser:
    let_in(centre)
    made = Browser(client)
    assert made.log_in().status_code == 303
    return made


def test_the_page_takes_files_pictures_and_texts(
    centre: Centre, laptop: Laptop, browser: Browser, tmp_path: Path
) -> None:
    assert "គ្មានអ៊ីនធឺណិត" in words(browser.get("/console/sticks"))
    (path,) = volume.write(tmp_path, "office", [have(laptop), batch(laptop.batch(2))])
    page = browser.post("/console/sticks/file", files={"file": ("office.salabatch", path.read_bytes())})
    assert page.status_code == 200 and "កំណត់ត្រាថ្មី ២" in words(page)
    newcomer, ticket = Laptop(), slot(centre)
    request = qrframes.encode_small(volume.pack([Object("enrol", ticket.slot.hex(), newcomer.request(ticket))]))
    page = browser.post("/console/sticks/picture", files={"file": ("x.png", qrpicture.png(request[0]))})
    assert page.status_code == 200 and "data:image/png;base64," in page.text
    scanned = browser.post("/console/sticks/text", text="\n".join(request))
    assert scanned.status_code == 200 and "data:image/" in scanned.text  # again is no harm
    laptop.batch(3)
    page = browser.post("/console/sticks/text", text=status(laptop, pending=3))
    assert "កំណត់ត្រា ៣ នៅលើកុំព្យូទ័រនោះ" in words(page)
    href = page.text  # the table shows it from now on
    assert f"/console/office/{laptop_office(centre, laptop)}" in href


def laptop_office(centre: Centre, laptop: Laptop) -> str:
    row = centre.storage.read(lambda tx: tx.one("SELECT office FROM device WHERE device = :d", {"d": laptop.id}))
    assert row is not None
    return str(row["office"])


def test_the_page_refuses_in_words(centre: Centre, browser: Browser) -> None:
    assert browser.post("/console/sticks/file").status_code == 422
    assert browser.post("/console/sticks/picture").status_code == 422
    for path, files, fields, code in (
        ("file", {"file": ("x.salabatch", b"?")}, {}, "SY-372"), ("picture", {"file": ("x.png", b"?")}, {}, "SY-453"),
        ("text", None, {"text": "hello"}, "SY-455"), ("text", None, {"text": "SALA:Q1:x"}, "SY-452"),
        ("seal", None, {"name": "x", "key": "zz"}, "SY-450"), ("seal", None, {"name": "x", "act": "dismiss"}, "SY-450"),
    ):  # fmt: skip
        page = browser.post(f"/console/sticks/{path}", files=files, **fields)
        assert page.status_code == 422 and code in page.text
    key = bytes(PrivateKey.generate().public_key).hex()
    assert key[:16] in browser.post("/console/sticks/seal", name="ខេត្ត", key=key).text
    assert key[:16] not in browser.post("/console/sticks/seal", name="ខេត្ត", act="dismiss").text


# --- the verbs


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(tables.lay(folder), SetClock(NOW), name="hub", log_name="hub")
    laptop, newcomer, ticket = join(hub, Laptop()), Laptop(), slot(hub)
    hub.close()
    frames = qrframes.encode_small(volume.pack([Object("enrol", ticket.slot.hex(), newcomer.request(ticket))]))
    picture = tmp_path / "request.png"
    picture.write_bytes(qrpicture.png(frames[0]))
    done = sala_hub(folder, "take-codes", str(picture), "--out", str(tmp_path / "answer.png"))
    assert done["enrolled"] == 1 and qrpicture.texts(Path(done["picture"])) == done["codes"]
    told = sala_hub(folder, "heartbeat", *status(laptop).split())
    assert told["outstanding"] == 0 and len(sala_hub(folder, "heartbeat")) == 1
    assert sala_hub(folder, "heartbeat", "SALA1 x", ok=False)["error"]["code"] == "SY-455"
    key = "ab" * 32
    sala_hub(folder, "couriers", "admit", "relay", key)
    assert [hop["name"] for hop in sala_hub(folder, "couriers", "list")] == ["centre", "relay"]
    sala_hub(folder, "couriers", "dismiss", "relay")
    assert sala_hub(folder, "couriers", "dismiss", "relay", ok=False)["error"]["code"] == "SY-450"
