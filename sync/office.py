"""Which office this laptop serves and where its centre is: the office pack's facts, in the encrypted database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync.notes import NoteKey

if TYPE_CHECKING:
    from sync.pack import OfficePack
    from sync.store import Connection, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """What replication must know of the hub and of who may read sealed bodies."""

    office: str
    slot: bytes
    number: int
    code: str  # one-time enrolment code
    urls: tuple[str, ...]
    log: NoteKey
    agency_seal: bytes
    recovery_seal: bytes
    tuf_root: bytes
    signer: bytes  # the pack key; also signs device certificates


def install(conn: Connection, pack: OfficePack) -> None:
    """Keep the facts of ``pack``; those of an older pack of the same office give way."""
    conn.execute("DELETE FROM office")
    conn.execute(
        "INSERT INTO seal_key (public, recovery) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (pack.agency_seal, pack.recovery_seal),
    )
    conn.execute(
        """INSERT INTO office (id, code, facts, slot, number, enrol_code, hub_urls, log_name, log_key, agency_seal,
               recovery_seal, tuf_root, signer) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            pack.office["code"], json.dumps(dict(pack.office), ensure_ascii=False), pack.slot, pack.number, pack.code,
            json.dumps(pack.hub_urls), pack.log.name, pack.log.public, pack.agency_seal, pack.recovery_seal,
            pack.tuf_root, pack.signer,
        ),
    )  # fmt: skip


def read(store: Store) -> dict[str, Any]:
    """The office: ``{"code", "name": {"km", "en"}, "province": …, …, "device_number"}``; empty before setup."""

    def work(conn: Connection) -> dict[str, Any]:
        row = conn.execute("SELECT facts, number FROM office").fetchone()
        return {**json.loads(row["facts"]), "device_number": row["number"]} if row else {}

    return store.read(work)


def centre(conn: Connection) -> Centre | None:
    """The centre of this laptop's office, or None before setup."""
    row = conn.execute("SELECT * FROM office").fetchone()
    if row is None:
        return None
    return Centre(
        office=row["code"], slot=row["slot"], number=row["number"], code=row["enrol_code"],
        urls=tuple(json.loads(row["hub_urls"])), log=NoteKey(row["log_name"], row["log_key"]),
        agency_seal=row["agency_seal"], recovery_seal=row["recovery_seal"], tuf_root=row["tuf_root"],
        signer=row["signer"],
    )  # fmt: skip
