"""Who signs which part of the publications: leases and decisions the hub itself, districts' laptops their province, trust
lists and forms the agency that they belong to.

The key of a role is the hub's (``keys/role-<name>.key``) or its keeper's. Of a keeper's key the hub has the public half only:
what is to be signed leaves as a file and comes back signed (``sync/hub/signing.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from sync import certifiers
from sync.delegations import PROVINCE
from sync.errors import Known, Refused
from sync.hub import acts, keys
from sync.hub.parts import Delegate
from sync.hub.storage import Row, Tx

ACT: Final = "sync.role"  # kind of act
OWN: Final = ("leases", "inbox")  # parts of single laptops: signed all day, so always by the hub
PATHS: Final[dict[str, tuple[str, ...]]] = {
    "leases": ("leases/*",),
    "inbox": ("inbox/*",),
    "province": ("devices/{}.cbor",),
    "issuer": ("trust/issuers-{}.cbor", "trust/issuers-{}-*.cbor", "status/{}.cwt", "status/{}-*.cwt"),
    "forms": ("forms/{}/*", "forms/{}/*/*"),
}
KINDS: Final = tuple(PATHS)
_SUBJECT = re.compile(r"[a-z0-9]{2,20}")
_LONGEST: Final = 120  # characters of a keeper's name


def name_of(kind: str, subject: str) -> str:
    """``province-03``. A slash would become %2F in file names, which servers and sticks treat differently."""
    return f"{kind}-{subject}" if subject else kind


def listing(tx: Tx) -> list[Row]:
    """Every role, by name."""
    return tx.query("SELECT * FROM role ORDER BY name")


def one(tx: Tx, name: str) -> Row:
    """Refused HB-180 when there is none of that name."""
    found = tx.one("SELECT * FROM role WHERE name = :name", {"name": name})
    if found is None:
        raise Refused("HB-180", role=name[:60])
    return found


def begin(tx: Tx, folder: Path, now_ms: int) -> None:
    """The roles that every hub has."""
    for name in OWN:
        if tx.one("SELECT 1 AS yes FROM role WHERE name = :name", {"name": name}) is None:
            _insert(tx, name, "", "", _made(folder, name), online=True, now_ms=now_ms)


def add(tx: Tx, folder: Path, kind: str, subject: str, holder: str, public: bytes | None, now_ms: int) -> Row:
    """Delegate a part. ``public``: the key of a keeper elsewhere; None: the hub makes and holds the key.

    Refused HB-181: the kind or its subject is none, a name is missing, the role exists, or the key is no key.
    """
    subject, holder = subject.strip().lower(), holder.strip()[:_LONGEST]
    if (
        kind not in PATHS
        or kind in OWN
        or not _SUBJECT.fullmatch(subject)
        or (kind == "province" and not _province(subject))
    ):
        raise Refused("HB-181", role=f"{kind[:20]} {subject[:20]}")
    name = name_of(kind, subject)
    if tx.one("SELECT 1 AS yes FROM role WHERE name = :name", {"name": name}) or (public is not None and not holder):
        raise Refused("HB-181", role=name)
    key = _made(folder, name) if public is None else _checked(tx, public, name)
    _insert(tx, kind, subject, holder, key, online=public is None, now_ms=now_ms)
    return one(tx, name)


def rotate(tx: Tx, folder: Path, name: str, public: bytes | None, now_ms: int, *, stolen: bool = False) -> Row:
    """A new key for a role: the keeper's ``public`` one, or for None a new one that the hub makes.

    What a keeper signed with the old key counts no longer: until they sign anew, laptops keep what they have. Certificates
    of laptops stay good, unless the old key was ``stolen``: then no laptop comes back by one (``sync/hub/readmission.py``).
    """
    found = one(tx, name)
    if public is None and not found["online"]:
        raise Refused("HB-184", role=name)
    key = _made(folder, name) if public is None else _checked(tx, public, name)
    if key != found["public"]:
        _end(tx, found, now_ms, stolen=stolen)
    tx.execute(
        "UPDATE role SET public = :public, online = :online, metadata = NULL, changed_ms = :now WHERE name = :name",
        {"public": key, "online": int(public is None), "now": now_ms, "name": name},
    )
    acts.record(tx, ACT, {"role": name}, now_ms, [("role", "name", name)])
    return one(tx, name)


def remove(tx: Tx, name: str, now_ms: int, *, stolen: bool = False) -> None:
    """End a delegation; what it covered is signed by the top role from now on. Refused HB-181 for the hub's own ones."""
    if name in OWN:
        raise Refused("HB-181", role=name)
    _end(tx, one(tx, name), now_ms, stolen=stolen)
    tx.execute("DELETE FROM role WHERE name = :name", {"name": name})
    acts.record(tx, ACT, {"role": name, "ended": True}, rows=[("role", "name", name)])


def delegate(folder: Path, row: Row) -> Delegate:
    """A role as publishing needs it. Known HB-104 when the hub's key of it is gone."""
    paths = tuple(path.format(row["subject"]) for path in PATHS[row["kind"]])
    key = _read(folder, row) if row["online"] else None
    return Delegate(row["name"], paths, row["public"], key, row["metadata"])


def delegates(tx: Tx, folder: Path) -> Sequence[Delegate]:
    """Every delegated role, by name."""
    return [delegate(folder, row) for row in listing(tx)]


def province_key(tx: Tx, folder: Path, office: str) -> tuple[Row | None, SigningKey | None]:
    """The role of an office's province and its key if the hub holds it; (None, None): no such delegation."""
    row = tx.one("SELECT * FROM role WHERE name = :name", {"name": name_of("province", office[:2])})
    return (row, _read(folder, row) if row["online"] else None) if row else (None, None)


def certified(tx: Tx, office: str) -> tuple[list[bytes], list[bytes]]:
    """Keys that certified laptops of an office's province, the present one first, and those of them that were stolen."""
    name = name_of("province", office[:2])
    present = tx.query("SELECT public FROM role WHERE name = :name", {"name": name})
    former = tx.query("SELECT public, stolen FROM former_key WHERE role = :name ORDER BY ended_ms DESC", {"name": name})
    good = [bytes(row["public"]) for row in (*present, *former) if not row.get("stolen")]
    return good, [bytes(row["public"]) for row in former if row["stolen"]]


def publication(tx: Tx) -> dict[str, bytes]:
    """The target that names every key which certified laptops of a province and was not stolen; none without provinces."""
    rows = tx.query(
        """SELECT name, public FROM role WHERE kind = 'province'
           UNION SELECT role, public FROM former_key WHERE stolen = 0 AND role LIKE 'province-%' ORDER BY 1, 2"""
    )
    named = [(row["name"].removeprefix(PROVINCE), bytes(row["public"])) for row in rows]
    return {certifiers.TARGET: certifiers.encode(named)} if named else {}


# --- keys


def new_key(place: Path, key: SigningKey | None = None) -> bytes:
    """Make a signing key in a file of its own; its public half. Known HB-106 when it cannot be written."""
    key = key or SigningKey.generate()
    try:
        keys.write(place, bytes(key))
    except OSError as error:
        raise Known("HB-106", file=place.name) from error
    return bytes(key.verify_key)


def _insert(tx: Tx, kind: str, subject: str, holder: str, public: bytes, *, online: bool, now_ms: int) -> None:
    tx.execute(
        """INSERT INTO role (name, kind, subject, holder, public, online, added_ms, changed_ms)
           VALUES (:name, :kind, :subject, :holder, :public, :online, :now, :now)""",
        {
            "name": name_of(kind, subject), "kind": kind, "subject": subject, "holder": holder, "public": public,
            "online": int(online), "now": now_ms,
        },
    )  # fmt: skip
    name = name_of(kind, subject)
    acts.record(tx, ACT, {"role": name}, now_ms, [("role", "name", name)])


def _end(tx: Tx, row: Row, now_ms: int, *, stolen: bool) -> None:
    """Remember the key that a role had."""
    tx.execute(
        """INSERT INTO former_key (public, role, ended_ms, stolen) VALUES (:key, :role, :now, :stolen)
           ON CONFLICT (public) DO UPDATE SET role = :role, ended_ms = :now, stolen = :stolen""",
        {"key": row["public"], "role": row["name"], "now": now_ms, "stolen": int(stolen)},
    )
    acts.record(tx, ACT, {"role": row["name"], "former": True}, now_ms, [("former_key", "public", row["public"])])


def _key_file(folder: Path, name: str, public: bytes) -> Path:
    return folder / "keys" / f"role-{name}-{public.hex()[:16]}.key"


def _made(folder: Path, name: str) -> bytes:
    """The public half of a new key. Each has a file of its own, so that a change that is not kept takes nothing away."""
    key = SigningKey.generate()
    return new_key(_key_file(folder, name, bytes(key.verify_key)), key)


def _read(folder: Path, row: Row) -> SigningKey:
    place = _key_file(folder, row["name"], row["public"])
    try:
        return SigningKey(bytes.fromhex(place.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise Known("HB-104", folder=folder.name) from error


def _checked(tx: Tx, public: bytes, name: str) -> bytes:
    """A keeper's key; one that was stolen is none any more."""
    found = tx.one("SELECT stolen FROM former_key WHERE public = :key", {"key": public})
    if len(public) != 32 or (found is not None and found["stolen"]):
        raise Refused("HB-181", role=name)
    return public


def _province(code: str) -> bool:
    from i18n import gazetteer

    try:
        return len(code) == 2 and gazetteer.unit(code).level == "province"
    except KeyError:
        return False
