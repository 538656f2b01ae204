"""A province signs the certificates of its laptops: with a key at the hub at once, with a key of its own when it has signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules import replicate
from modules.session import Session
from sync import enrol, keys, readmission
from sync.clock import SystemClock
from tests.conftest import PASSPHRASE
from tests.sync.hub_process import Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    monkeypatch.setenv("SALA_ROOTS", str(tmp_path / "hub" / "roots"))
    yield made
    made.stop()


@pytest.fixture
def laptop(hub: Hub, tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    opened: list[Session] = []

    def make(office: str) -> Session:
        unlocked = enrol.setup(
            tmp_path / office, hub.pack(tmp_path / f"{office}.pack", office), officer_name="ចាន់ សុខា", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )  # fmt: skip
        opened.append(Session.open(unlocked))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


def test_a_key_at_the_hub_signs_at_once(hub: Hub, laptop: Callable[[str], Session]) -> None:
    province = hub.cli("role", "add", "province", "03")["key"]
    session = laptop("0306")
    report = replicate.once(session)
    assert report["enrolled"] and report["problems"] == []
    signers = session.store.read(enrol.signers)
    assert [key.hex() for key in signers][1:] == [province]
    assert session.store.read(enrol.certificate) is not None
    shown = session.store.read(readmission.shown)
    assert shown is not None
    _, certificates, proofs = readmission.read(shown)
    assert len(certificates) == 1 and [province in proof.decode() for proof in proofs] == [True]
    hub.cli("role", "rotate", "province-03")
    assert replicate.once(session)["enrolled"], "a certificate that was verified once stays one"
    assert session.store.read(enrol.certificate) is not None
    assert session.store.read(readmission.shown) == shown


def test_a_key_of_the_province_signs_when_it_can(hub: Hub, laptop: Callable[[str], Session], tmp_path: Path) -> None:
    key = tmp_path / "province.key"
    public = hub.cli("new-key", str(key))["public"]
    hub.cli("role", "add", "province", "03", "--public", public, "--holder", "សាលាខេត្តកំពង់ចាម")
    session = laptop("0306")
    session.commands.run("links.create", url="https://www.moi.gov.kh/x", title="x")
    report = replicate.once(session)
    assert not report["enrolled"] and [problem["code"] for problem in report["problems"]] == ["SY-473"]
    assert report["waiting"] == 0 or report["batches_sent"], "work does not wait for it"
    prepared, signed = tmp_path / "to-sign", tmp_path / "signed"
    assert hub.cli("prepare", "province-03", "--out", str(prepared))["laptops"] == 1
    looked = hub.cli("sign", str(prepared), "--key", str(key), "--out", str(signed))
    assert looked["laptops"][0]["words"] == session.store.read(enrol.request_words)
    assert hub.cli("accept", str(signed))["enrolled"] == [session.unlocked.device.device_id.hex()]
    report = replicate.once(session)
    assert report["enrolled"] and report["problems"] == [] and report["waiting"] == 0
