"""Everything that goes down to laptops, gathered from the database: what admins publish, leases, notices, device lists, and what
modules make of their projections (trust lists, status lists).

A laptop on a slow line takes every target that changed, so nothing may change without need: a new date alone is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey

from sync import cbor
from sync.hub import cosignatures, couriers, enrolment, epochs, leases, signers
from sync.hub.keys import HubKeys
from sync.hub.projections import Projection
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS
from sync.wire import Notice, encode_notices

RENEW_MS: Final = 7 * DAY_MS  # a module's target is dated anew this often even when its content stays
KEPT_NOTICES: Final = 500  # the newest ones a laptop is told


@runtime_checkable
class Publishing(Protocol):
    """A projection that makes publications of its tables: the same arguments give the same bytes."""

    def publications(
        self, tx: Any, offices: Sequence[Mapping[str, Any]], now_ms: int, sign: Callable[[bytes], bytes], public: bytes
    ) -> Mapping[str, bytes]: ...


@dataclass(slots=True)
class Gathered:
    """What is to be published, and what must be remembered so that the next gathering gives the same bytes."""

    targets: dict[str, bytes]
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def gather(tx: Tx, projections: Sequence[Projection], keys: HubKeys, now_ms: int, *, private: bool = True) -> Gathered:
    """Everything that is to be published now. Only reads, so that uploads are not held up; see :func:`remember`.

    ``private``: with the parts of single laptops too, their leases and notices.
    """
    found = Gathered(
        {str(row["name"]): bytes(row["data"]) for row in tx.query("SELECT name, data FROM target ORDER BY name")}
    )
    found.targets |= enrolment.device_lists(tx)
    if cosignatures.relays(tx):
        found.targets[cosignatures.TARGET] = cosignatures.publication(tx)
    found.targets |= couriers.publication(tx, keys)
    found.targets |= signers.publication(tx)
    if private:
        _single(tx, now_ms, found)
    for projection in projections:
        if isinstance(projection, Publishing):
            _build(tx, projection, keys.targets, now_ms, found)
    return found


def _single(tx: Tx, now_ms: int, found: Gathered) -> None:
    """What is for one laptop each."""
    for row in tx.query("SELECT s.device, s.slot FROM slot s WHERE s.device IS NOT NULL ORDER BY s.device"):
        found.targets[f"leases/{row['device'].hex()}.cbor"] = leases.publication(tx, row["slot"], now_ms)
    for row in tx.query(
        """SELECT d.device, d.seal_public, max(n.seq) AS last FROM notice n JOIN device d ON d.device = n.device
           GROUP BY d.device, d.seal_public"""
    ):
        found.targets[f"inbox/{row['device'].hex()}.cbor"] = _inbox(tx, row, found)


def remember(tx: Tx, gathered: Gathered) -> None:
    """Keep what :func:`gather` made."""
    for statement, values in gathered.notes:
        tx.execute(statement, values)


def notify(tx: Tx, device: bytes, op: bytes, kind: str, body: Mapping[str, Any], now_ms: int) -> None:
    """Tell a laptop what the centre decided about one of its ops; it travels sealed with the next publications.

    Numbers have no holes within a life of the log, so a hub that is made anew from its raw batches gives the same ones.
    """
    last = tx.query("SELECT coalesce(max(seq), 0) AS last FROM notice")[0]["last"]
    tx.execute(
        "INSERT INTO notice (seq, device, op, kind, body, made_ms) VALUES (:seq, :device, :op, :kind, :body, :now)",
        {
            "seq": max(int(last) + 1, epochs.least_notice(tx)), "device": device, "op": op, "kind": kind,
            "body": cbor.encode(dict(body)), "now": now_ms,
        },
    )  # fmt: skip


def _inbox(tx: Tx, device: Row, found: Gathered) -> bytes:
    """The sealed notices of a device; sealed anew only when there is a new one, for a sealed box never has the same bytes twice."""
    kept = tx.one(
        "SELECT data FROM inbox WHERE device = :d AND last_seq = :last", {"d": device["device"], "last": device["last"]}
    )
    if kept:
        return bytes(kept["data"])
    rows = tx.query(
        "SELECT seq, op, kind, body FROM notice WHERE device = :d ORDER BY seq DESC LIMIT :most",
        {"d": device["device"], "most": KEPT_NOTICES},
    )
    notices = [Notice(row["seq"], row["op"], row["kind"], cbor.decode(row["body"])) for row in reversed(rows)]
    data = SealedBox(PublicKey(device["seal_public"])).encrypt(encode_notices(notices))
    found.notes.append((_KEEP_INBOX, {"d": device["device"], "last": device["last"], "data": data}))
    return data


def _build(tx: Tx, projection: Publishing, key: SigningKey, now_ms: int, found: Gathered) -> None:
    """A module's targets; those whose content is what it was keep their bytes and with them their date."""
    offices = _offices(tx)

    def build(date_ms: int) -> Mapping[str, bytes]:
        return projection.publications(
            tx, offices, date_ms, lambda message: key.sign(message).signature, bytes(key.verify_key)
        )

    kept = {row["name"]: row for row in tx.query("SELECT name, basis, data, made_ms FROM built")}
    fresh: Mapping[str, bytes] | None = None
    for name, basis in build(0).items():
        old = kept.get(name)
        if old and old["basis"] == basis and now_ms - old["made_ms"] < RENEW_MS:
            found.targets[name] = bytes(old["data"])
            continue
        fresh = fresh if fresh is not None else build(now_ms)
        found.targets[name] = fresh[name]
        found.notes.append((_KEEP_BUILT, {"name": name, "basis": basis, "data": fresh[name], "now": now_ms}))


_KEEP_INBOX: Final = """INSERT INTO inbox (device, last_seq, data) VALUES (:d, :last, :data)
    ON CONFLICT (device) DO UPDATE SET last_seq = :last, data = :data"""
_KEEP_BUILT: Final = """INSERT INTO built (name, basis, data, made_ms) VALUES (:name, :basis, :data, :now)
    ON CONFLICT (name) DO UPDATE SET basis = :basis, data = :data, made_ms = :now"""


def _offices(tx: Tx) -> list[dict[str, Any]]:
    """Every office with its laptops' issuing keys, for the trust lists."""
    keys: dict[str, list[dict[str, Any]]] = {}
    for row in tx.query(
        """SELECT d.office, d.office_public, s.made_ms, d.revoked_ms FROM device d JOIN slot s ON s.device = d.device
           ORDER BY d.office, s.made_ms, d.device"""
    ):  # a laptop may issue from the day its pack was made, long before it first reaches the hub
        key = {"public": row["office_public"], "from_ms": row["made_ms"], "withdrawn_ms": row["revoked_ms"]}
        keys.setdefault(row["office"], []).append(key)
    return [
        {"code": row["code"], "name": {"km": row["name_km"], "en": row["name_en"]}, "keys": keys.get(row["code"], [])}
        for row in tx.query("SELECT code, name_km, name_en FROM office ORDER BY code")
    ]
