"""Ops and batches made by hand, with fixed keys: for tests of the formats."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, cbor, ids, ops, sealing
from sync.ops import OpFields, SealedRef
from sync.store import Connection

NOW = 1_795_000_000_000
DEF_HASH = b"\xdf" * 32


def uuid7(wall_ms: int, number: int) -> bytes:
    """A UUIDv7 that is the same in every run."""
    value = (wall_ms & (1 << 48) - 1) << 80 | 7 << 76 | 2 << 62 | number
    return value.to_bytes(16, "big")


def fields(number: int, body: dict[str, Any] | SealedRef, **changes: Any) -> OpFields:
    values: dict[str, Any] = {
        "op_id": uuid7(NOW + number * 60_000, number), "kind": "forms.submission", "form": "barber-licence",
        "def_hash": DEF_HASH, "wall_ms": NOW + number * 60_000, "mono_ms": 1_000 + number, "boot_id": b"bootboot",
        "hub_floor_ms": NOW, "officer": b"officer-0306-001", "body": body,
    }  # fmt: skip
    return OpFields(**{**values, **changes})


@dataclass
class Desk:
    """A device with fixed keys that makes batches."""

    key: SigningKey = field(default_factory=lambda: SigningKey(b"\x01" * 32))
    officer: SigningKey = field(default_factory=lambda: SigningKey(b"\x02" * 32))
    agency: PrivateKey = field(default_factory=lambda: PrivateKey(b"\x03" * 32))
    recovery: PrivateKey = field(default_factory=lambda: PrivateKey(b"\x04" * 32))
    seed: bytes = b"\x05" * 32

    @property
    def public(self) -> bytes:
        return bytes(self.key.verify_key)

    @property
    def agency_id(self) -> bytes:
        return ids.key_id(bytes(self.agency.public_key))

    @property
    def recovery_id(self) -> bytes:
        return ids.key_id(bytes(self.recovery.public_key))

    def op(self, number: int, body: dict[str, Any], *, sealed: bool = False, **changes: Any) -> bytes:
        """The bytes of one op."""
        if not sealed:
            return fields(number, body, **changes).encode()
        made = fields(number, body, **changes)
        ref = SealedRef(self.agency_id, ops.commitment(self.seed, made.op_id, cbor.encode(body)))
        return fields(number, ref, **changes).encode()

    def group(self, bodies: list[dict[str, Any]], *, first_seq: int = 1, def_hash: bytes = DEF_HASH) -> bytes:
        return sealing.seal_group(
            device_id=batch.device_id(self.public), first_seq=first_seq, def_hash=def_hash, seed=self.seed,
            bodies=[cbor.encode(body) for body in bodies],
            recipients=[bytes(self.agency.public_key), bytes(self.recovery.public_key)], level=10,
        )  # fmt: skip

    def batch(self, bodies: list[dict[str, Any]], *, sealed: bool = False, level: int = 10, **changes: Any) -> bytes:
        """A batch of ``bodies`` with the officer's signature over the last op."""
        prev = changes.pop("prev", ops.genesis(self.public))
        made = [self.op(number, body, sealed=sealed) for number, body in enumerate(bodies, start=1)]
        last = prev
        for data in made:
            last = ops.op_hash(last, data)
        signature = self.officer.sign(ops.author_message(last)).signature
        values: dict[str, Any] = {
            "first_seq": 1, "prev": prev, "ops": made, "app_version": "0.1.0", "level": level,
            "authors": [batch.Author(b"officer-0306-001", len(made) - 1, signature)],
            "groups": [self.group(bodies)] if sealed else [],
            "recipients": sorted([self.agency_id, self.recovery_id]) if sealed else [],
        }  # fmt: skip
        return batch.build(self.key, **{**values, **changes})


FAMILY = ["សុខ", "ចាន់", "ឈឹម", "កែវ", "ហេង", "លី", "ម៉ៅ", "ពេជ្រ", "ស៊ុន", "នួន"]
GIVEN = ["វិបុល", "សុភា", "ដារ៉ា", "រតនា", "ស្រីមុំ", "ពិសិដ្ឋ", "ចន្ថា", "វណ្ណា", "សុផល", "បូរី"]
PLACES = ["ត្រពាំងឈូក", "ព្រែកលៀប", "អូរឫស្សី", "ទួលស្វាយ", "បឹងកក់", "កំពង់ធំ", "ស្វាយរៀង"]


def person(rng: random.Random) -> dict[str, Any]:
    """One record of about 480 bytes of JSON, as a district hall takes it."""
    return {
        "given_km": rng.choice(GIVEN), "family_km": rng.choice(FAMILY),
        "name_en": f"{rng.choice(['Sok', 'Chan', 'Chhim', 'Keo'])} {rng.choice(['Vibol', 'Sophea', 'Dara', 'Ratana'])}",
        "sex": rng.choice("MF"),
        "dob": f"{rng.randrange(1940, 2024):04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "nid": f"{rng.randrange(10**9):09d}", "phone": f"+855{rng.randrange(10**8):08d}",
        "village": rng.choice(PLACES), "commune": rng.choice(PLACES), "district": rng.choice(PLACES),
        "service": rng.choice(["birth", "death", "marriage", "residence", "land"]),
        "fee_riel": rng.choice([0, 400, 4000, 10000]),
        "remark": " ".join(rng.choice(FAMILY + GIVEN + PLACES) for _ in range(rng.randrange(0, 12))),
        "q": [rng.choice(["yes", "no", "na"]) for _ in range(10)],
        "gps": [round(11 + rng.random() * 2, 6), round(103 + rng.random() * 3, 6)],
    }  # fmt: skip


def everything(conn: Connection) -> dict[str, str]:
    """What stands in each table."""
    tables = [row["name"] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    return {
        name: sha256(
            repr([tuple(row) for row in conn.execute(f"SELECT * FROM {name}").fetchall()]).encode()
        ).hexdigest()
        for name in tables
        if not name.startswith(("sqlite_", "search_"))
    }
