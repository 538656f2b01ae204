"""A hub that was put back from an old copy takes laptops back by the certificates that it has given them itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from sync import cbor, devices, readmission, volume
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Refused
from sync.hub import centre as centres
from sync.hub import courier, signers
from sync.hub import readmission as hub_readmission
from sync.hub.centre import Centre
from tests.hub import tables
from tests.hub.laptop import NOW, Laptop, join, labels, slot


@pytest.fixture
def old_copy(tmp_path: Path) -> tuple[Path, Path]:
    """A hub's folder and an older copy of it, from before anybody enrolled."""
    centres.create(tables.lay(tmp_path / "hub"), SetClock(NOW), name="មជ្ឈមណ្ឌល", log_name="hub").close()
    shutil.copytree(tmp_path / "hub", tmp_path / "copy")
    return tmp_path / "hub", tmp_path / "copy"


def certificate_of(centre: Centre, laptop: Laptop) -> bytes:
    row = centre.storage.read(lambda tx: tx.one("SELECT certificate FROM device WHERE device = :d", {"d": laptop.id}))
    assert row is not None
    return bytes(row["certificate"])


def show(centre: Centre, certificates: list[bytes], place: bytes = b"s" * 16) -> int:
    return centre.storage.write(lambda tx: hub_readmission.readmit(centre, tx, readmission.encode(certificates, place)))


def joined_then_forgotten(old_copy: tuple[Path, Path], laptops: list[Laptop]) -> tuple[Centre, list[bytes]]:
    """The hub of the older copy in a new epoch, and the certificates that the newer one had given."""
    folder, copy = old_copy
    centre = centres.open_(folder, SetClock(NOW))
    certificates = [certificate_of(centre, join(centre, laptop)) for laptop in laptops]
    centre.close()
    return centres.new_epoch(copy, SetClock(NOW + 1)), certificates


def test_what_waited_is_accepted_and_the_second_time_changes_nothing(old_copy: tuple[Path, Path]) -> None:
    laptop = Laptop()
    centre, certificates = joined_then_forgotten(old_copy, [laptop])
    try:
        assert centre.ingest.take(laptop.batch(3)).label == "pending"
        assert show(centre, certificates) == 1
        assert set(labels(centre, laptop).values()) == {"accepted"}
        assert certificate_of(centre, laptop) == certificates[0]
        assert show(centre, certificates) == 0
        found = centre.storage.read(lambda tx: tx.query("SELECT slot, number, device FROM slot WHERE office = '0306'"))
        assert [(row["slot"], row["number"], row["device"]) for row in found] == [(b"s" * 16, 1, laptop.id)]
    finally:
        centre.close()


def test_a_stick_brings_the_certificates_too(old_copy: tuple[Path, Path], tmp_path: Path) -> None:
    laptop = Laptop()
    centre, certificates = joined_then_forgotten(old_copy, [laptop])
    try:
        data = laptop.batch(2)
        objects = [
            volume.Object("readmit", laptop.id.hex(), readmission.encode(certificates, b"s" * 16)),
            volume.Object("batch", sha256(data).hexdigest(), data),
        ]
        volume.write(tmp_path / "stick", "sala", objects)
        taken = courier.take(centre, tmp_path / "stick")
        assert not taken.problems and set(labels(centre, laptop).values()) == {"accepted"}
    finally:
        centre.close()


def test_a_number_that_somebody_has_by_now_is_not_taken_away(old_copy: tuple[Path, Path]) -> None:
    laptop, newcomer = Laptop(), Laptop()
    centre, certificates = joined_then_forgotten(old_copy, [laptop])
    try:
        said = devices.read_certificate(certificates[0], bytes(centre.keys.pack.verify_key))
        place = slot(centre)
        centre.storage.write(
            lambda tx: tx.execute(
                "UPDATE slot SET number = 1, device = :d WHERE slot = :s", {"d": newcomer.id, "s": place.slot}
            )
        )
        assert show(centre, certificates) == 1
        rows = centre.storage.read(lambda tx: tx.query("SELECT device FROM slot WHERE number = 1"))
        assert [row["device"] for row in rows] == [newcomer.id] and said.number == 1
    finally:
        centre.close()


def test_an_office_that_the_gazetteer_does_not_know_comes_back_by_its_code(old_copy: tuple[Path, Path]) -> None:
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        laptop = Laptop()
        said = Certificate(
            device_id=laptop.id, sign_public=bytes(laptop.sign.verify_key), seal_public=bytes(laptop.seal.public_key),
            office_public=bytes(laptop.issue.verify_key), office="9999", number=7, valid_from_ms=NOW,
        )  # fmt: skip
        assert show(centre, [devices.issue_certificate(said, centre.keys.pack)], slot(centre).slot) == 1
        rows = centre.storage.read(lambda tx: tx.query("SELECT name_km FROM office WHERE code = '9999'"))
        assert [row["name_km"] for row in rows] == ["9999"]
    finally:
        centre.close()


def test_nobody_comes_in_by_a_certificate_that_is_not_ours(old_copy: tuple[Path, Path]) -> None:
    laptop = Laptop()
    centre, certificates = joined_then_forgotten(old_copy, [laptop])
    try:
        said = devices.read_certificate(certificates[0], bytes(centre.keys.pack.verify_key))
        foreign = devices.issue_certificate(said, SigningKey.generate())
        broken = certificates[0][:-1] + bytes([certificates[0][-1] ^ 1])
        for bad in (foreign, broken):
            with pytest.raises(Malformed):
                show(centre, [certificates[0], bad])
            assert centre.storage.read(lambda tx: tx.one("SELECT 1 AS yes FROM device")) is None
    finally:
        centre.close()


def test_a_province_certifies_its_own_districts_only(old_copy: tuple[Path, Path]) -> None:
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        laptop, province = Laptop(), SigningKey.generate()
        public = bytes(province.verify_key)
        centre.storage.write(lambda tx: signers.add(tx, centre.folder, "province", "03", "ខេត្តកំពង់ចាម", public, NOW))
        said = Certificate(
            device_id=laptop.id, sign_public=bytes(laptop.sign.verify_key), seal_public=bytes(laptop.seal.public_key),
            office_public=bytes(laptop.issue.verify_key), office="0306", number=7, valid_from_ms=NOW,
        )  # fmt: skip
        with pytest.raises(Malformed, match="not certified here"):
            show(centre, [devices.issue_certificate(replace(said, office="0102"), province)])
        assert show(centre, [devices.issue_certificate(said, province)]) == 1
    finally:
        centre.close()


PROVINCE = SigningKey(b"p" * 32)
NEXT = SigningKey(b"n" * 32)


def certified(laptop: Laptop, key: SigningKey, office: str = "0306", number: int = 7) -> bytes:
    said = Certificate(
        device_id=laptop.id, sign_public=bytes(laptop.sign.verify_key), seal_public=bytes(laptop.seal.public_key),
        office_public=bytes(laptop.issue.verify_key), office=office, number=number, valid_from_ms=NOW,
    )  # fmt: skip
    return devices.issue_certificate(said, key)


def delegate(centre: Centre, key: SigningKey, province: str = "03") -> bytes:
    """Let a province sign with ``key``; the signed top metadata that says so."""
    public = bytes(key.verify_key)
    centre.storage.write(lambda tx: signers.add(tx, centre.folder, "province", province, "ខេត្ត", public, NOW))
    return published(centre)


def published(centre: Centre) -> bytes:
    """The top metadata as it is signed now."""
    centre.settle()
    places = (centre.folder / "published" / "metadata").glob("*.targets.json")
    return max(places, key=lambda place: int(place.name.partition(".")[0])).read_bytes()


def rotate(centre: Centre, key: SigningKey, *, stolen: bool = False) -> None:
    public = bytes(key.verify_key)
    centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, "province-03", public, NOW, stolen=stolen))


def with_proof(centre: Centre, certificate: bytes, *proofs: bytes) -> int:
    shown = readmission.encode([certificate], b"s" * 16, proofs)
    return centre.storage.write(lambda tx: hub_readmission.readmit(centre, tx, shown))


def test_a_key_that_was_rotated_since_still_brings_its_laptops_back(old_copy: tuple[Path, Path]) -> None:
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        delegate(centre, PROVINCE)
        rotate(centre, NEXT)
        assert show(centre, [certified(Laptop(), PROVINCE)]) == 1
        centre.storage.write(lambda tx: signers.remove(tx, "province-03", NOW))
        assert show(centre, [certified(Laptop(), NEXT, number=8)]) == 1
        with pytest.raises(Malformed, match="not certified here"):
            show(centre, [certified(Laptop(), NEXT, "0102")])
    finally:
        centre.close()


def test_a_stolen_key_brings_nobody_in_and_never_signs_again(old_copy: tuple[Path, Path]) -> None:
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        proof = delegate(centre, PROVINCE)
        rotate(centre, NEXT, stolen=True)
        for proofs in ((), (proof,)):
            with pytest.raises(Malformed, match="not certified here"):
                with_proof(centre, certified(Laptop(), PROVINCE), *proofs)
        with pytest.raises(Refused, match="HB-181"):
            rotate(centre, PROVINCE)
        assert with_proof(centre, certified(Laptop(), NEXT), proof) == 1
        rotate(centre, NEXT)  # the same again changes nothing
        assert show(centre, [certified(Laptop(), NEXT, number=8)]) == 1
    finally:
        centre.close()


def test_signed_publications_prove_a_province_that_the_older_copy_never_heard_of(old_copy: tuple[Path, Path]) -> None:
    folder, copy = old_copy
    centre = centres.open_(folder, SetClock(NOW))
    proof = delegate(centre, PROVINCE)
    other = delegate(centre, NEXT, "01")
    centre.close()
    centre = centres.new_epoch(copy, SetClock(NOW + 1))
    try:
        laptop = Laptop()
        certificate = certified(laptop, PROVINCE)
        with pytest.raises(Malformed, match="not certified here"):
            with_proof(centre, certificate)
        with pytest.raises(Malformed, match="not certified here"):
            with_proof(centre, certified(laptop, NEXT), proof, other)  # 01's key, an office of 03
        plain = published(centre)
        with pytest.raises(Malformed, match="not certified here"):
            with_proof(centre, certificate, plain)  # ours, but it names no province
        assert with_proof(centre, certificate, plain, proof) == 1
    finally:
        centre.close()


def test_a_forged_proof_is_refused(old_copy: tuple[Path, Path]) -> None:
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        proof = delegate(centre, PROVINCE)
        mine = bytes(NEXT.verify_key).hex().encode()
        forged = proof.replace(bytes(PROVINCE.verify_key).hex().encode(), mine)
        roots = centre.repository.root()
        for bad in (forged, roots, b"", b"{}", b"[" * 100_000, proof[:-9]):
            with pytest.raises(Malformed, match="proof"):
                with_proof(centre, certified(Laptop(), NEXT), bad)
    finally:
        centre.close()


def test_what_this_hub_knows_already_is_not_judged_again(old_copy: tuple[Path, Path]) -> None:
    """A re-keyed laptop shows the certificate of its first key too, signed with a key that was stolen since."""
    centre = centres.open_(old_copy[0], SetClock(NOW))
    try:
        delegate(centre, PROVINCE)
        first = certified(Laptop(), PROVINCE)
        assert show(centre, [first]) == 1
        rotate(centre, NEXT, stolen=True)
        assert show(centre, [first, certified(Laptop(), NEXT, number=8)]) == 1
    finally:
        centre.close()


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x00" * ((1 << 20) + 1), readmission.encode([], b"short")])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        readmission.read(data)


@pytest.mark.parametrize(
    "value",
    [
        [b"s" * 16, ["text"]], [b"s" * 16, [], ["text"]], [b"s" * 16, [], []  , []], [b"s" * 16, {}], [b"s" * 15, []],
        [b"s" * 16, [b""] * (readmission.MOST + 1)], [b"s" * 16, [], [b""] * (readmission.MOST_PROOFS + 1)],
    ],
)  # fmt: skip
def test_a_list_of_something_else_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        readmission.read(cbor.encode(value))
