"""Which delegated roles of the publications a laptop needs to read, and what they may say.

python-tuf does not verify a cached delegated role again when its delegator changes, so none is cached: every role that is
read is fetched and verified against the delegator of this very refresh. A role whose version and delegation are those of
the last refresh that took everything from it has nothing new, so it is not fetched: on a slow line that matters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuf.api.metadata import DelegatedRole, Delegations, Snapshot, TargetFile, Targets
    from tuf.ngclient import Updater

    from sync.store import Connection

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
PROVINCE: Final = "province-"  # a role of this name speaks for the laptops of one province


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one role, so that the next refresh may leave it out."""

    role: str
    version: int
    basis: bytes  # SHA-256 of the delegation: its keys, threshold and paths


@dataclass(slots=True)
class Delegated:
    """What the delegated roles say. ``refused``: role or target name → code."""

    targets: dict[str, TargetFile] = field(default_factory=dict)
    read: dict[str, Read] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # target name → role


def load(updater: Updater, top: Targets, snapshot: Snapshot, known: Mapping[str, Read], province: str) -> Delegated:
    """Verify and read every role that may bring something new to a laptop of ``province``.

    Codes: SY-341 not to be had, SY-342 expired, SY-343 forged or not the version of the snapshot, SY-460 a target that the
    role may not sign.
    """
    from tuf.api import exceptions

    found = Delegated()
    for role, basis in _roles(top.delegations):
        if not _NAME.fullmatch(role.name):  # a name is a name of a file too
            found.refused[role.name[:60]] = "SY-343"
            continue
        meta = snapshot.meta.get(f"{role.name}.json")
        if meta is None or (role.name.startswith(PROVINCE) and role.name != PROVINCE + province):
            continue  # nothing was ever signed, or it is about laptops elsewhere
        now = Read(role.name, meta.version, basis)
        if known.get(role.name) == now:
            continue
        try:
            said = updater._load_targets(role.name, "targets")
        except exceptions.ExpiredMetadataError:
            found.refused[role.name] = "SY-342"
        except exceptions.DownloadError:
            found.refused[role.name] = "SY-341"
        except exceptions.RepositoryError:
            found.refused[role.name] = "SY-343"
        else:
            found.read[role.name] = now
            _take(found, role, said)
    return found


def _roles(delegations: Delegations | None) -> Iterator[tuple[DelegatedRole, bytes]]:
    """Each role with what its delegation consists of."""
    if delegations is None or delegations.roles is None:
        return
    for role in delegations.roles.values():
        keys = {keyid: delegations.keys[keyid].to_dict() for keyid in role.keyids if keyid in delegations.keys}
        yield role, _digest([role.to_dict(), keys])


def _take(found: Delegated, role: DelegatedRole, said: Targets) -> None:
    for name, target in said.targets.items():
        if not role.is_delegated_path(name):
            found.refused[name] = "SY-460"
        elif name not in found.targets:  # the earlier role is the more trusted one
            found.targets[name] = target
            found.sources[name] = role.name


def _digest(value: Any) -> bytes:
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()


# --- what is remembered


def known(conn: Connection) -> dict[str, Read]:
    """What was read of each role, by name."""
    rows = conn.execute("SELECT role, version, basis FROM role_read").fetchall()
    return {row["role"]: Read(row["role"], row["version"], row["basis"]) for row in rows}


def remember(conn: Connection, read: Read) -> None:
    """Everything that ``read`` names was taken."""
    conn.execute(
        """INSERT INTO role_read (role, version, basis) VALUES (?, ?, ?)
           ON CONFLICT (role) DO UPDATE SET version = excluded.version, basis = excluded.basis""",
        (read.role, read.version, read.basis),
    )
