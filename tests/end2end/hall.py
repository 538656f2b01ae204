"""A hall with several laptops and its centre, all real, without a line: what the scenarios without a network play in."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from modules import replicate
from modules.session import Session
from sync import enrol, keys, ops
from sync.clock import SetClock
from sync.hub import app, courier
from sync.hub import centre as centres
from sync.hub.centre import Centre
from sync.hub.offices import office_facts
from sync.store import Connection
from tests.hub import tables

NOW = 1_795_000_000_000  # 2026-11-18
PASSPHRASE = "ទន្លេសាប ឆ្នាំនេះ ៤៥៦"
OFFICERS = (("ចាន់ សុខា", "Chan Sokha"), ("សុខ ដារ៉ា", "Sok Dara"), ("លឹម ចន្ថា", "Lim Chantha"))
PERSON: dict[str, Any] = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "Lim Sreymom"}, "sex": "female", "dob": "1990-05-17", "id_card": "012345678",
    "phone": "012345678", "address": {"code": "03060101", "house": "12"},
}  # fmt: skip
MOTORBIKE = {**PERSON, "subject": "សុំចុះបញ្ជីម៉ូតូ", "business": False, "checked": True}


@dataclass
class Hall:
    """One office at its centre. ``laptop(n)`` sets the n-th up; ``tell`` carries a stick from one to another."""

    folder: Path
    url: str = "http://127.0.0.1:9"
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    office: str = "0306"
    hub: Centre = field(init=False)
    opened: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = centres.create(tables.lay(self.folder / "hub"), self.clock, name="មជ្ឈមណ្ឌលសាកល្បង", log_name="hub")

    @property
    def roots(self) -> Path:
        return self.folder / "hub" / "roots"

    def laptop(self, number: int, office: str = "") -> Session:
        """Another laptop of the office with its own officer; not yet enrolled."""
        name = f"laptop-{office or self.office}-{number}"
        pack = self.folder / f"{name}.pack"
        pack.write_bytes(self.hub.enrol(office_facts(office or self.office), [self.url]))
        khmer, latin = OFFICERS[number - 1]
        unlocked = enrol.setup(
            self.folder / name, pack, officer_name=khmer, officer_latin=latin, role="receiving", passphrase=PASSPHRASE,
            clock=self.clock, cost=keys.CHEAP,
        )  # fmt: skip
        self.opened.append(Session.open(unlocked))
        return self.opened[-1]

    def to_centre(self, *laptops: Session, via: str = "stick") -> courier.Taken:
        """All of ``laptops`` hand one stick to the centre and take it back."""
        stick = self.folder / f"{via}-{self.clock.wall_ms()}"
        for laptop in laptops:
            replicate.export(laptop, stick)
            self.clock.advance(1_000)
        taken = courier.take(self.hub, stick)
        for laptop in laptops:
            assert replicate.import_(laptop, stick)["problems"] == []
        self.clock.advance(1_000)
        return taken

    def enrolled(self, *numbers: int) -> list[Session]:
        """These laptops, known to the centre."""
        made = [self.laptop(number) for number in numbers]
        self.to_centre(*made)
        return made

    def tell(self, one: Session, other: Session) -> dict[str, Any]:
        """One stick from ``one`` to ``other``; what came of it there."""
        return carry(self.folder, self.clock, one, other)

    def close(self) -> None:
        for session in self.opened:
            session.close()
        self.hub.close()


@dataclass
class Copy:
    """Copies of closed ``profiles``, opened by their officers, to play in without a centre. The profiles stay as they are."""

    folder: Path
    profiles: list[Path]
    clock: SetClock
    laptops: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        for profile, (_, latin) in zip(self.profiles, OFFICERS, strict=False):
            home = shutil.copytree(profile, self.folder / profile.name)
            self.laptops.append(Session.open(keys.unlock(home, latin, PASSPHRASE, self.clock)))

    def tell(self, one: Session, other: Session) -> dict[str, Any]:
        return carry(self.folder, self.clock, one, other)

    def close(self) -> None:
        for session in self.laptops:
            session.close()


def carry(folder: Path, clock: SetClock, one: Session, other: Session) -> dict[str, Any]:
    """One stick from ``one`` to ``other``; what came of it there."""
    stick = folder / f"between-{clock.wall_ms()}"
    clock.advance(1_000)
    replicate.export(one, stick)
    return replicate.import_(other, stick)


@contextmanager
def serving(hub: Centre) -> Iterator[str]:
    """The centre over a line: its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        server = uvicorn.Server(uvicorn.Config(app.create(hub), log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def pair(one: Session, other: Session) -> None:
    """Each takes the other's certificate, as the two persons do by QR."""
    from sync import colleagues

    for here, there in ((one, other), (other, one)):
        replicate.pair(here, there.store.read(colleagues.own_certificate))


def take_case(laptop: Session, **other: Any) -> dict[str, Any]:
    """A citizen's motorbike registration, finished."""
    return dict(
        laptop.commands.run(
            "forms.fill",
            form="general-application",
            service="motorbike-registration",
            answers={**MOTORBIKE, **other},
            finish=True,
        )
    )


def scan(laptop: Session, count: int = 3) -> list[bytes]:
    """A finished case with a scan of so many pieces; their names, the manifest's first."""
    blob = laptop.unlocked.blobs.add(os.urandom(count * 1_000), "image/png", chunk_size=1_000)

    def work(conn: Connection) -> None:
        ops.append(
            conn, laptop.unlocked, laptop.clock, kind="sync.review", record=os.urandom(4).hex(), form="forms", def_hash=None,
            body={"text": "ស្កេន"}, sealed=True, attach=[blob],
        )  # fmt: skip

    laptop.store.write(work)
    return [bytes.fromhex(blob), *laptop.unlocked.blobs.chunks(blob)]


def cases(laptop: Session) -> dict[str, dict[str, Any]]:
    """Receipt number → what this laptop shows of the case, without what is its own affair (ids and states)."""
    rows = laptop.commands.run("forms.list", limit=500)["rows"]
    shown = {}
    for row in rows:
        case = laptop.commands.run("forms.show", id=row["id"])
        shown[row["receipt"]] = {
            "answers": case["answers"], "fee": case["fee"], "due": case["due"], "person": case["person"], "state": case["state"],
            "changes": sorted((c["op"], c["kind"], c["reason"], str(c["after"]), str(c["before"])) for c in case["changes"]),
        }  # fmt: skip
    return shown


def conflicts(laptop: Session) -> dict[str, Any]:
    """Receipt → field → the values in conflict, the one that stands first."""
    found = laptop.commands.run("forms.conflicts")["cases"]
    return {
        case["receipt"]: {one["field"]: [value["value"] for value in one["values"]] for one in case["fields"]}
        for case in found
    }
