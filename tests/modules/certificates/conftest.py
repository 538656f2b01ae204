"""Halls with certificates: laptops of several offices, what the centre publishes to them, and invented holders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from modules import manifest
from modules.certificates import statuslist, trustlist
from modules.certificates.trustlist import IssuerKey
from modules.session import Session
from sync import enrol, keys, pack, publications
from sync.clock import SetClock
from sync.notes import NoteKey
from sync.pack import OfficePack
from sync.wire import LeaseGrant

NOW_S = 1_795_305_600  # 2026-11-22 07:00 in Phnom Penh
DAY_S = 86_400
PASSPHRASE = "ទន្លេសាប ឆ្នាំនេះ"
NAMES = {
    "0306": {"km": "សាលាស្រុកកំពង់សៀម", "en": "Kampong Siem district hall"},
    "2102": {"km": "សាលាស្រុកបាទី", "en": "Bati district hall"},
}
BARBER: dict[str, Any] = {
    "name_km": "លឹម ស្រីមុំ",
    "name_latin": "Lim Sreymom",
    "sex": "female",
    "birth": "១២/០៥/១៩៩០",
    "shop_name": "ហាងកាត់សក់ ស្រីមុំ",
    "chairs": "៣",
    "shop_place": "03060507",
    "shop_house": "ផ្ទះលេខ ១២ ផ្លូវជាតិលេខ៧",
}
ATTESTATION: dict[str, Any] = {
    "name_km": "សុខ ចាន់ដារ៉ា",
    "name_latin": "SOK CHANDARA",
    "sex": "male",
    "birth": "1985-01-30",
    "place": "03060507",
    "statement": "សាមីខ្លួនមានទីលំនៅពិតប្រាកដនៅក្នុងភូមិខាងលើ តាំងពីឆ្នាំ២០១៥",
}
MODULES = {"certificates", "forms"}


@dataclass
class Hall:
    """One laptop of one office, unlocked."""

    session: Session
    clock: SetClock
    office: str

    def run(self, verb: str, /, **params: Any) -> Any:
        return self.session.commands.run(f"certificates.{verb}", **params)

    def issue(self, **changes: Any) -> dict[str, Any]:
        """A barber licence with ``changes`` to its data."""
        return dict(self.run("issue", template="barber-licence", data=BARBER | changes))

    def public(self) -> bytes:
        return bytes(self.session.unlocked.office_key.verify_key)

    def publish(self, name: str, data: bytes, version: int = 1) -> None:
        """Let a verified publication arrive."""
        self.session.store.write(lambda conn: publications.keep(conn, name, data, version, self.clock.wall_ms()))

    def trust(self, *others: Hall, made_s: int | None = None, withdrawn_s: int | None = None) -> None:
        """Let the trust lists of other halls arrive here."""
        for other in others:
            key = IssuerKey(other.public(), NOW_S - 100 * DAY_S, withdrawn_s)
            made = NOW_S if made_s is None else made_s
            self.publish(
                trustlist.name_of(other.office), trustlist.write(other.office, NAMES[other.office], [key], made)
            )

    def statuses(
        self, issuer: str, states: dict[int, Any] | None = None, made_s: int | None = None, version: int = 1
    ) -> None:
        """Let a status list arrive here."""
        key = SigningKey(b"\x07" * 32)
        made = NOW_S if made_s is None else made_s
        data = statuslist.write(
            issuer, states or {}, made, sign=lambda message: key.sign(message).signature, public=bytes(key.verify_key)
        )
        self.publish(f"status/{issuer}.cwt", data, version)


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hall]]:
    """Makes a laptop: ``hall(office="0306", number=7, size=100)``."""
    real = manifest.installed
    monkeypatch.setattr(
        manifest, "installed", lambda folder=manifest.MODULES: [each for each in real(folder) if each.id in MODULES]
    )
    pack_key, log_key, agency, recovery = (
        SigningKey.generate(),
        SigningKey.generate(),
        PrivateKey.generate(),
        PrivateKey.generate(),
    )
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "test.pub").write_text(bytes(pack_key.verify_key).hex() + "\n")
    monkeypatch.setenv("SALA_ROOTS", str(roots))
    made: list[Hall] = []

    def make(office: str = "0306", number: int = 7, *, size: int = 100, first: int = 38) -> Hall:
        clock = SetClock(NOW_S * 1000)
        content = {"prefix": f"{office}-{number}-", "first": first, "width": 6, "index": 1000 * number}
        grants = [
            LeaseGrant(bytes([number]) * 16, "certificate-numbers", content, size, (NOW_S + 60 * DAY_S) * 1000),
            LeaseGrant(
                bytes([number, 1]) * 8, "receipt-numbers", {"prefix": f"{office}-{number:02}-", "first": 1, "width": 6}, 100,
                (NOW_S + 60 * DAY_S) * 1000,
            ),
        ]  # fmt: skip
        office_pack = OfficePack(
            office={"code": office, "name": NAMES[office], "province": {"km": "កំពង់ចាម", "en": "Kampong Cham"}},
            slot=bytes([number]) * 16, number=number, code="0123456789", code_not_after_ms=(NOW_S + DAY_S) * 1000,
            hub_urls=("http://127.0.0.1:9",), log=NoteKey("hub", bytes(log_key.verify_key)),
            agency_seal=bytes(agency.public_key), recovery_seal=bytes(recovery.public_key), tuf_root=b"", leases=grants,
            made_ms=NOW_S * 1000,
        )  # fmt: skip
        file = tmp_path / f"{office}-{number}.salapack"
        file.write_bytes(pack.build(office_pack, pack_key))
        unlocked = enrol.setup(
            tmp_path / f"home-{office}-{number}", file, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", role="receiving",
            passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP,
        )  # fmt: skip
        made.append(Hall(Session.open(unlocked), clock, office))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


@pytest.fixture
def siem(hall: Callable[..., Hall]) -> Hall:
    """The hall of Kampong Siem."""
    return hall()


@pytest.fixture
def bati(hall: Callable[..., Hall]) -> Hall:
    """Another district's hall."""
    return hall("2102", 3)


@pytest.fixture
def barber() -> dict[str, Any]:
    """Data of a barber licence, as typed."""
    return dict(BARBER)


@pytest.fixture
def attestation() -> dict[str, Any]:
    return dict(ATTESTATION)


@pytest.fixture
def as_json() -> Callable[[Any], Any]:
    """Proof that a command's result can go to a script."""
    return lambda result: json.loads(json.dumps(result, ensure_ascii=False))


@pytest.fixture
def reseal() -> Callable[[str, Callable[[bytes], bytes]], str]:
    """A text whose COSE bytes were changed by ``change`` and packed again, as a forger would."""
    import zlib

    from modules.certificates import kh1
    from sync import base45

    def make(text: str, change: Callable[[bytes], bytes]) -> str:
        content = change(kh1.read(text).cose)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(content) + packer.flush()
        return "KH1:" + base45.encode(b"\x78\xda" + body + zlib.adler32(content).to_bytes(4, "big"))

    return make
