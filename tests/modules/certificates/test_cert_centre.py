"""Two halls and a real centre: what is issued and revoked in one is known in the other after a stick went round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.session import Session
from sync import courier, enrol, keys
from sync.clock import SetClock
from sync.hub import centre as centres
from sync.hub import courier as hub_courier

NOW_MS = 1_795_305_600_000
NAMES = {
    "0306": {"km": "សាលាស្រុកកំពង់សៀម", "en": "Kampong Siem district hall"},
    "2102": {"km": "សាលាស្រុកបាទី", "en": "Bati district hall"},
}


@pytest.fixture
def country(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hall: Any
) -> Iterator[tuple[Any, Callable[[str], Session]]]:
    """A centre, and ``laptop(office)`` made from its packs. ``hall`` keeps to the modules of these tests."""
    clock = SetClock(NOW_MS)
    centre = centres.create(tmp_path / "centre", clock, name="MPTC", log_name="hub")
    roots = tmp_path / "roots-of-centre"
    roots.mkdir()
    (roots / "centre.pub").write_text(bytes(centre.keys.pack.verify_key).hex() + "\n")
    monkeypatch.setenv("SALA_ROOTS", str(roots))
    made: list[Session] = []

    def laptop(office: str) -> Session:
        facts = {"code": office, "name": NAMES[office], "province": {"km": "ខេត្ត", "en": "province"}}
        file = tmp_path / f"{office}.salapack"
        file.write_bytes(centre.enrol(facts, ["http://127.0.0.1:9"]))
        unlocked = enrol.setup(
            tmp_path / office, file, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", role="receiving",
            passphrase="ទន្លេសាប ឆ្នាំនេះ", clock=clock, cost=keys.CHEAP,
        )  # fmt: skip
        made.append(Session.open(unlocked))
        return made[-1]

    def round_trip(session: Session) -> None:
        """The stick goes to the centre and comes back."""
        clock.advance(60_000)
        stick = tmp_path / f"stick-{clock.wall}"
        stick.mkdir()
        courier.export(session.unlocked, stick)
        hub_courier.take(centre, stick)
        centre.settle()
        hub_courier.take(centre, stick)  # the publications of now lie on the stick as well
        courier.import_(session.unlocked, stick)

    laptop.round_trip = round_trip  # type: ignore[attr-defined]
    yield centre, laptop
    for session in made:
        session.close()
    centre.close()


def test_issued_here_checked_there_revoked_everywhere(country: Any, barber: dict[str, Any], tmp_path: Path) -> None:
    centre, laptop = country
    siem, bati = laptop("0306"), laptop("2102")
    siem.clock.advance(60_000)
    made = siem.commands.run("certificates.issue", template="barber-licence", data=barber)
    pdf = siem.commands.run("certificates.pdf", id=made["id"], out=str(tmp_path))["path"]

    def verdict(session: Session) -> tuple[str, str]:
        report = session.commands.run("certificates.check", source=pdf)
        return report["overall"], report["level"]

    assert verdict(siem) == ("valid", "amber")  # nobody else knows of it yet
    assert verdict(bati) == ("unknown_issuer", "red")
    laptop.round_trip(siem)
    laptop.round_trip(bati)
    assert verdict(bati) == ("valid", "green")
    laptop.round_trip(siem)
    assert verdict(siem) == ("valid", "green")

    siem.commands.run("certificates.revoke", id=made["id"], reason="fraud")
    assert verdict(siem) == ("revoked", "red")
    assert verdict(bati) == ("valid", "green")  # it cannot know
    laptop.round_trip(siem)
    laptop.round_trip(bati)
    assert verdict(bati) == ("revoked", "red")

    rows = centre.storage.read(lambda tx: tx.query("SELECT number, status, conflict FROM p_certificates_issued"))
    assert [dict(row) for row in rows] == [{"number": made["number"], "status": "revoked", "conflict": ""}]
    assert "ស្រីមុំ" not in repr(centre.storage.read(lambda tx: tx.query("SELECT * FROM p_certificates_issued")))
