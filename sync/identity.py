"""Who this laptop and its officers are: keys that live only inside the encrypted database."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final

from nacl import utils
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey

from sync.errors import Refused
from sync.officer import Officer
from sync.slots import MAX_NAME
from sync.wipe import wipe
from sync.wrapping import unwrap, wrap

if TYPE_CHECKING:
    from sync.store import Connection

ROLES: Final = ("receiving", "cashier", "competent", "chief", "it", "reader")


@dataclass(frozen=True, slots=True)
class Identity:
    """This laptop. Made here, never leaves; a new one names its predecessor."""

    device_id: bytes  # 16: SHA-256 of the public signing key
    sign: SigningKey
    seal: PrivateKey
    blob_secret: bytes  # 32: keys of attachments are derived from it
    commit_secret: bytes  # 32: salts of the commitments of sealed bodies are derived from it


# --- the laptop


def new_device(conn: Connection, wall_ms: int) -> tuple[Identity, SigningKey]:
    """Make this laptop's keys and the key by which it issues for the office; an identity that was here is retired."""
    old = conn.execute("SELECT device_id FROM identity WHERE retired_ms IS NULL").fetchone()
    conn.execute("UPDATE identity SET retired_ms = ? WHERE retired_ms IS NULL", (wall_ms,))
    sign, seal, office = SigningKey.generate(), PrivateKey.generate(), SigningKey.generate()
    device = sha256(bytes(sign.verify_key)).digest()[:16]
    conn.execute(
        "INSERT INTO identity(device_id, sign, seal, office, blob_secret, commit_secret, predecessor, created_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (device, bytes(sign), bytes(seal), bytes(office), utils.random(32), utils.random(32), old and old[0], wall_ms),
    )
    return device_of(conn)


def device_of(conn: Connection) -> tuple[Identity, SigningKey]:
    """This laptop's keys and its issuing key of the office."""
    row = conn.execute("SELECT * FROM identity WHERE retired_ms IS NULL").fetchone()
    device = Identity(
        row["device_id"], SigningKey(row["sign"]), PrivateKey(row["seal"]), row["blob_secret"], row["commit_secret"]
    )
    return device, SigningKey(row["office"])


# --- its officers


def checked_name(name: str, latin: str, role: str) -> tuple[str, str, str]:
    """The names without surrounding spaces. Refused SY-119 when one is missing or too long."""
    name, latin = name.strip(), latin.strip()
    if not (0 < len(name) <= MAX_NAME and 0 < len(latin) <= MAX_NAME):
        raise Refused("SY-119", most=MAX_NAME)
    if role not in ROLES:
        raise ValueError(f"no role {role!r}")
    return name, latin, role


def insert_officer(conn: Connection, officer: Officer, seed: bytes, recovery: bytes | None, wall_ms: int) -> None:
    """Add ``officer`` with new keys, which only the ``seed`` of their slot opens (the draft key ``recovery`` also)."""
    conn.execute(
        "INSERT INTO officer(id, name, latin, role, sign_public, added_ms) VALUES (?, ?, ?, ?, x'', ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, latin = excluded.latin, role = excluded.role,"
        " added_ms = excluded.added_ms, removed_ms = NULL, moved_to = NULL, moved_ms = NULL",  # somebody who comes back
        (officer.id, officer.name, officer.latin, officer.role, wall_ms),
    )
    give_keys(conn, officer.id, seed, recovery, utils.random(32))


def give_keys(conn: Connection, officer: str, seed: bytes, recovery: bytes | None, draft_key: bytes) -> None:
    """A new signing key for ``officer`` and the given draft key, wrapped for ``seed``."""
    sign = SigningKey.generate()
    plain = bytes(sign) + draft_key
    secret = wrap(_officer_key(seed), plain, bytes.fromhex(officer))
    kept = SealedBox(PublicKey(recovery)).encrypt(draft_key) if recovery else None
    conn.execute(
        "UPDATE officer SET sign_public = ?, secret = ?, draft_recovery = ?, removed_ms = NULL WHERE id = ?",
        (bytes(sign.verify_key), secret, kept, officer),
    )
    wipe(plain, draft_key, sign._seed, sign._signing_key)


def open_officer(conn: Connection, officer: str, seed: bytes) -> tuple[Officer, SigningKey, bytes]:
    """The officer, their signing key and their draft key."""
    row = conn.execute("SELECT * FROM officer WHERE id = ?", (officer,)).fetchone()
    secret = unwrap(_officer_key(seed), row["secret"], bytes.fromhex(officer))
    sign, draft_key = SigningKey(secret[:32]), secret[32:]
    wipe(secret)
    return Officer(row["id"], row["name"], row["latin"], row["role"]), sign, draft_key


@dataclass(frozen=True, slots=True)
class Named:
    """Who an officer is, as the slots file would say it."""

    officer: bytes
    name: str
    latin: str


def found(conn: Connection, name_or_id: str) -> Named:
    """An officer whose slot is gone, by Khmer name, Latin name or id (hex), who works here again. Refused SY-112."""
    wanted = name_or_id.strip().casefold()
    for row in conn.execute(
        "SELECT id, name, latin FROM officer ORDER BY removed_ms IS NOT NULL, added_ms DESC"
    ).fetchall():
        if wanted in (row["id"], row["name"].casefold(), row["latin"].casefold()):
            return Named(bytes.fromhex(row["id"]), row["name"], row["latin"])
    raise Refused("SY-112", name=name_or_id)


def recovered_draft_key(conn: Connection, officer: str, recovery: PrivateKey) -> bytes:
    """The draft key that the province's key opens; a new one for an officer who was added without recovery."""
    row = conn.execute("SELECT draft_recovery FROM officer WHERE id = ?", (officer,)).fetchone()
    return SealedBox(recovery).decrypt(row[0]) if row[0] else utils.random(32)


def officers(conn: Connection) -> list[Officer]:
    """Everybody who works here now, in the order in which they were added."""
    rows = conn.execute("SELECT * FROM officer WHERE removed_ms IS NULL ORDER BY rowid")
    return [Officer(row["id"], row["name"], row["latin"], row["role"]) for row in rows]


def officer_public(conn: Connection, officer: str) -> bytes:
    """The public signing key of an officer, also of one who has left. LookupError for an unknown id."""
    row = conn.execute("SELECT sign_public FROM officer WHERE id = ?", (officer,)).fetchone()
    if row is None:
        raise LookupError(officer)
    return bytes(row[0])


def remove_officer(conn: Connection, officer: str, wall_ms: int) -> None:
    """Keep the name for the records, forget the private keys. Drafts stay for the province's recovery key."""
    conn.execute("UPDATE officer SET removed_ms = ?, secret = NULL WHERE id = ?", (wall_ms, officer))


def moved_to(conn: Connection, officer: str, now_ms: int) -> str | None:
    """The office to which ``officer`` has moved by now, or None."""
    row = conn.execute("SELECT moved_to, moved_ms FROM officer WHERE id = ?", (officer,)).fetchone()
    return row["moved_to"] if row and row["moved_ms"] is not None and row["moved_ms"] <= now_ms else None


def undeclared(conn: Connection) -> list[tuple[str, dict[str, object]]]:
    """Officers whose key the hub has not been told of: (record, body) of the ``sync.officer`` ops to append."""
    rows = conn.execute(
        "SELECT id, name, latin, role, sign_public, recovered_ms FROM officer ORDER BY added_ms, id"
    ).fetchall()
    wanted = {f"{row['id']}/{row['sign_public'].hex()[:16]}": row for row in rows}
    told = conn.execute("SELECT record FROM op_line WHERE form = 'sync' AND kind = 'sync.officer'").fetchall()
    for row in told:
        wanted.pop(row["record"], None)
    return [
        (
            record,
            {
                "officer": row["id"], "name": row["name"], "latin": row["latin"], "role": row["role"],
                "public": row["sign_public"], **({"recovered_ms": row["recovered_ms"]} if row["recovered_ms"] else {}),
            },
        )
        for record, row in wanted.items()
    ]  # fmt: skip


def _officer_key(seed: bytes) -> bytes:
    return blake2b(key=seed, digest_size=32, person=b"sala/officer/v1").digest()
