"""A device reduced to its keys and its chain: makes real signed batches, so that tests can send the hub anything a device could."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, devices, ops
from sync.devices import EnrolledOfficer, Request
from sync.hub.centre import Centre
from sync.hub.enrolment import Answer, Ticket, enrol, open_slot
from sync.ids import uuid7
from sync.ops import OpFields

NOW = 1_795_000_000_000  # 2026-11-18
OFFICER = bytes(range(16))
OFFICE = {
    "code": "0306",
    "name": {"km": "សាលាស្រុកកំពង់សៀម", "en": "Kampong Siem District Hall"},
    "province": {"km": "កំពង់ចាម", "en": "Kampong Cham"},
}


@dataclass
class Laptop:
    """One chain of ops. ``clone`` copies it with its keys, as a cloned disk image would."""

    sign: SigningKey = field(default_factory=SigningKey.generate)
    seal: PrivateKey = field(default_factory=PrivateKey.generate)
    issue: SigningKey = field(default_factory=SigningKey.generate)
    seq: int = 0
    head: bytes = b""
    now: int = NOW

    def __post_init__(self) -> None:
        self.head = self.head or ops.genesis(bytes(self.sign.verify_key))

    @property
    def id(self) -> bytes:
        return batch.device_id(bytes(self.sign.verify_key))

    def clone(self) -> Laptop:
        return Laptop(self.sign, self.seal, self.issue, self.seq, self.head, self.now)

    def op(self, body: dict[str, Any] | None = None, kind: str = "links.created") -> bytes:
        """The bytes of one op, not yet in the chain."""
        self.now += 1_000
        return OpFields(
            op_id=uuid7(self.now), kind=kind, form="links", def_hash=b"", wall_ms=self.now, mono_ms=1, boot_id=bytes(8), hub_floor_ms=0,
            officer=OFFICER, body=body if body is not None else {"note": "សួស្ដី"},
        ).encode()  # fmt: skip

    def batch(
        self,
        n: int = 1,
        *,
        made: Sequence[bytes] | None = None,
        first_seq: int | None = None,
        kind: str = "links.created",
    ) -> bytes:
        """The next ``n`` ops (or those that were ``made``) as a signed batch; the chain moves on."""
        made = list(made) if made is not None else [self.op(kind=kind) for _ in range(n)]
        data = batch.build(
            self.sign, first_seq=first_seq or self.seq + 1, prev=self.head, ops=made, app_version="test", level=1
        )
        for one in made:
            self.head = ops.op_hash(self.head, one)
        self.seq += len(made)
        return data

    def request(self, ticket: Ticket, office: str = "0306", key: bytes | None = None) -> bytes:
        """A signed wish to take the slot of ``ticket``."""
        asked = Request(
            slot=ticket.slot, office=office, sign_public=bytes(self.sign.verify_key), seal_public=bytes(self.seal.public_key),
            office_public=bytes(self.issue.verify_key), made_ms=NOW,
            officers=(EnrolledOfficer(OFFICER, "សុខ ដារ៉ា", "Sok Dara", "receiving", bytes(32)),),
        )  # fmt: skip
        return devices.make_request(asked, self.sign, key or ticket.key)


def slot(centre: Centre, office: dict[str, Any] = OFFICE) -> Ticket:
    """A new laptop slot of ``office``. Its key comes from no code, which would take a tenth of a second and is the pack's business."""
    ticket = Ticket(os.urandom(16), "", os.urandom(32))
    centre.storage.write(lambda tx: open_slot(tx, centre.keys, office, ticket, centre.clock.wall_ms()))
    return ticket


def ask(centre: Centre, request: bytes) -> Answer:
    """The hub's answer to an enrolment request."""
    asked, signed, mac = devices.read_request(request)
    return centre.storage.write(lambda tx: enrol(tx, centre.keys, asked, signed, mac, centre.clock.wall_ms()))


def join(centre: Centre, laptop: Laptop, office: dict[str, Any] = OFFICE) -> Laptop:
    """Enrol ``laptop``."""
    ticket = slot(centre, office)
    assert ask(centre, laptop.request(ticket, office["code"])).status == 201
    return laptop


def labels(centre: Centre, laptop: Laptop | None = None) -> dict[bytes, str]:
    """Op hash → label, of one device or of all."""
    rows = centre.storage.read(lambda tx: tx.query("SELECT hash, label, device FROM op"))
    return {row["hash"]: row["label"] for row in rows if laptop is None or row["device"] == laptop.id}


Joined = Callable[..., Laptop]
