"""The hub's keys: one file each in ``keys/``, readable by the hub's user only. Made once by ``sala-hub init``.

What the running hub must not have is written to ``offline/``: the three root keys of the publications (two of them sign the
next root), the agency's and the recovery private keys. Whoever runs a real centre moves that folder to the people who keep
those keys and deletes it here; the hub needs none of them and so can neither read sealed bodies nor change its own root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nacl import utils
from nacl.public import PrivateKey, PublicKey
from nacl.signing import SigningKey

from sync.errors import Known

SIGNING: Final = ("log", "pack", "targets", "snapshot", "timestamp")
ROOTS: Final = ("root-1", "root-2", "root-3")
ROOT_THRESHOLD: Final = 2
SEALING: Final = ("agency", "recovery")
OFFLINE: Final = "offline"
RELEASE: Final = "release.pub"


@dataclass(frozen=True, slots=True)
class HubKeys:
    """Every key that the running hub holds."""

    log: SigningKey
    pack: SigningKey
    targets: SigningKey
    snapshot: SigningKey
    timestamp: SigningKey
    link_codes: bytes  # 32 bytes: the one permutation key of all link-code leases
    agency: PublicKey
    recovery: PublicKey
    device: SigningKey  # the hub's own device: signs what the centre does (sync/hub/acts.py)
    vault: bytes  # 32 bytes: hides secrets in the bodies of those acts
    folder: Path  # of the hub: keys of delegated roles lie in it too (sync/hub/signers.py)

    def release(self) -> bytes | None:
        """The public key that signs programs for laptops; None on a hub that has none."""
        place = self.folder / "keys" / RELEASE
        return _read(place) if place.exists() else None


def create(folder: Path) -> tuple[HubKeys, list[SigningKey]]:
    """Make all keys below ``folder``: the hub's, and the root keys for signing the first root. Known HB-103: some are there."""
    place, offline = folder / "keys", folder / OFFLINE
    if place.exists() or offline.exists():
        raise Known("HB-103")
    place.mkdir(parents=True, mode=0o700)
    offline.mkdir(mode=0o700)
    for name in SIGNING:
        write(place / f"{name}.key", bytes(SigningKey.generate()))
    for own in ("link-codes", "device", "vault"):
        write(place / f"{own}.key", utils.random(32))
    for name in SEALING:
        private = PrivateKey.generate()
        write(offline / f"{name}.key", bytes(private))
        write(place / f"{name}.pub", bytes(private.public_key))
    for name in ROOTS:
        write(offline / f"{name}.key", bytes(SigningKey.generate()))
    release = SigningKey.generate()  # signs programs: never at the hub
    write(offline / "release.key", bytes(release))
    write(place / RELEASE, bytes(release.verify_key))
    made = load(folder)
    roots = folder / "roots"
    roots.mkdir()
    (roots / "centre.pub").write_text(
        f"# signs office packs of this centre\n{bytes(made.pack.verify_key).hex()}\n", "ascii"
    )
    return made, load_roots([offline / f"{name}.key" for name in ROOTS])


def load(folder: Path) -> HubKeys:
    """The keys of a hub. Known HB-104 when ``sala-hub init`` has not made them."""
    place = folder / "keys"
    try:
        log, pack, targets, snapshot, timestamp = (SigningKey(_read(place / f"{name}.key")) for name in SIGNING)
        return HubKeys(
            log, pack, targets, snapshot, timestamp, link_codes=_read(place / "link-codes.key"),
            agency=PublicKey(_read(place / "agency.pub")), recovery=PublicKey(_read(place / "recovery.pub")),
            device=SigningKey(_own(place / "device.key")), vault=_own(place / "vault.key"), folder=folder,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Known("HB-104", folder=folder.name) from error


def load_roots(files: Sequence[Path]) -> list[SigningKey]:
    """Root keys from the files in which their keepers hold them. Known HB-106: a file is not readable or holds no key."""
    found = []
    for file in files:
        try:
            found.append(SigningKey(_read(file)))
        except (OSError, ValueError) as error:
            raise Known("HB-106", file=file.name) from error
    return found


def write(path: Path, key: bytes) -> None:
    """Keep a key in a new file that only its owner reads; durable when it returns. OSError, also when the file is there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def kept(folder: Path, name: str) -> bytes:
    """A 32-byte key of the hub in ``folder``, made when it is first asked for."""
    return _own(folder / "keys" / f"{name}.key")


def _own(path: Path) -> bytes:
    """A key that a hub of the first release has not made yet."""
    if not path.exists():
        write(path, utils.random(32))
    return _read(path)


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text("ascii").strip())
