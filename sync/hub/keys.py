"""The hub's keys: one file each in ``keys/``, readable by the hub's user only. Made once by ``sala-hub init``.

The agency's and the recovery private keys are written to ``offline/``: whoever runs a real centre moves that folder to the
agency and to the province on a stick and deletes it here, because the hub itself must not be able to read sealed bodies.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nacl import utils
from nacl.public import PrivateKey, PublicKey
from nacl.signing import SigningKey

from sync.errors import Known

SIGNING: Final = ("log", "pack", "root", "targets", "snapshot", "timestamp")
SEALING: Final = ("agency", "recovery")


@dataclass(frozen=True, slots=True)
class HubKeys:
    """Every key that the running hub holds."""

    log: SigningKey
    pack: SigningKey
    root: SigningKey
    targets: SigningKey
    snapshot: SigningKey
    timestamp: SigningKey
    link_codes: bytes  # 32 bytes: the one permutation key of all link-code leases
    agency: PublicKey
    recovery: PublicKey


def create(folder: Path) -> HubKeys:
    """Make all keys below ``folder``. Known HB-103 when some are there: keys are never overwritten."""
    place, offline = folder / "keys", folder / "offline"
    if place.exists():
        raise Known("HB-103")
    place.mkdir(parents=True, mode=0o700)
    offline.mkdir(mode=0o700)
    for name in SIGNING:
        _write(place / f"{name}.key", bytes(SigningKey.generate()))
    _write(place / "link-codes.key", utils.random(32))
    for name in SEALING:
        private = PrivateKey.generate()
        _write(offline / f"{name}.key", bytes(private))
        _write(place / f"{name}.pub", bytes(private.public_key))
    made = load(folder)
    roots = folder / "roots"
    roots.mkdir()
    (roots / "centre.pub").write_text(f"# signs office packs of this centre\n{bytes(made.pack.verify_key).hex()}\n", "ascii")
    return made


def load(folder: Path) -> HubKeys:
    """The keys of a hub. Known HB-104 when ``sala-hub init`` has not made them."""
    place = folder / "keys"
    try:
        signing = {name: SigningKey(_read(place / f"{name}.key")) for name in SIGNING}
        return HubKeys(
            **signing,
            link_codes=_read(place / "link-codes.key"),
            agency=PublicKey(_read(place / "agency.pub")),
            recovery=PublicKey(_read(place / "recovery.pub")),
        )
    except FileNotFoundError as error:
        raise Known("HB-104", folder=folder.name) from error


def _write(path: Path, key: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text("ascii").strip())
