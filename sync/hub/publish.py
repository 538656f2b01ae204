"""What the centre sends down, as a TUF repository (python-tuf): ``metadata/`` and ``targets/`` that a line, a folder or a stick serve.

Targets are kept in the database and written out with consistent snapshots, so a half-written publication is never served.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import SigningKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from sync.clock import Clock
from sync.errors import Refused
from sync.hub.keys import HubKeys
from sync.limits import MAX_PUBLICATION

EXPIRES: Final = {"root": 365, "targets": 90, "snapshot": 30, "timestamp": 7}  # days


class Repository:
    """The published repository in one folder."""

    def __init__(self, folder: Path, keys: HubKeys, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._signers = {role: _signer(getattr(keys, role)) for role in EXPIRES}
        self._lock = threading.Lock()
        (folder / "metadata").mkdir(parents=True, exist_ok=True)
        (folder / "targets").mkdir(exist_ok=True)
        if not (folder / "metadata" / "1.root.json").exists():
            self._write_root()

    def root(self) -> bytes:
        """The root metadata that laptops start from."""
        return (self.folder / "metadata" / "1.root.json").read_bytes()

    def publish(self, targets: Mapping[str, bytes]) -> list[str]:
        """Make ``targets`` the published set; returns the names whose bytes changed. Writes nothing when all is current."""
        with self._lock:
            present = self._load_targets()
            known = {name: target.hashes["sha256"] for name, target in present.signed.targets.items()} if present else {}
            wanted = {name: sha256(data).hexdigest() for name, data in targets.items()}
            changed = sorted(name for name in known.keys() | wanted.keys() if known.get(name) != wanted.get(name))
            if present is not None and not changed and not self._stale():
                return []
            for name, data in targets.items():
                self._write_target(name, data)
            self._write_metadata(targets)
            return changed

    def listing(self) -> dict[str, Any]:
        """What is published: version, expiry of each role, and the targets with size and hash."""
        present, snapshot = self._load_targets(), self._load_snapshot()
        if present is None or snapshot is None:
            return {"version": 0, "expires": "", "targets": []}
        timestamp = Metadata[Timestamp].from_file(str(self.folder / "metadata" / "timestamp.json")).signed
        return {
            "version": snapshot.signed.version,
            "expires": timestamp.expires.date().isoformat(),
            "targets": [
                {"name": name, "bytes": target.length, "sha256": target.hashes["sha256"]}
                for name, target in sorted(present.signed.targets.items())
            ],
        }

    def read(self, path: str) -> Path | None:
        """The file of a request path below ``metadata/`` or ``targets/``; None when there is none or the path is not plain."""
        place = (self.folder / path).resolve()
        inside = any(place.is_relative_to((self.folder / part).resolve()) for part in ("metadata", "targets"))
        return place if inside and place.is_file() else None

    # --- inside

    def _expiry(self, role: str) -> datetime:
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC).replace(microsecond=0)
        return now + timedelta(days=EXPIRES[role])

    def _write_root(self) -> None:
        root = Root(consistent_snapshot=True, expires=self._expiry("root"))
        for role, signer in self._signers.items():
            root.add_key(signer.public_key, role)
        signed: Metadata[Root] = Metadata(root)
        signed.sign(self._signers["root"])
        self._write(self.folder / "metadata" / "1.root.json", signed.to_bytes())

    def _load_targets(self) -> Metadata[Targets] | None:
        snapshot = self._load_snapshot()
        if snapshot is None:
            return None
        version = snapshot.signed.meta["targets.json"].version
        return Metadata[Targets].from_file(str(self.folder / "metadata" / f"{version}.targets.json"))

    def _load_snapshot(self) -> Metadata[Snapshot] | None:
        place = self.folder / "metadata" / "timestamp.json"
        if not place.exists():
            return None
        timestamp = Metadata[Timestamp].from_file(str(place)).signed
        return Metadata[Snapshot].from_file(str(self.folder / "metadata" / f"{timestamp.snapshot_meta.version}.snapshot.json"))

    def _stale(self) -> bool:
        """Half of the shortest life is over: sign anew, so that a quiet centre stays fresh."""
        expires = Metadata[Timestamp].from_file(str(self.folder / "metadata" / "timestamp.json")).signed.expires
        return self._expiry("timestamp") - expires > timedelta(days=EXPIRES["timestamp"] / 2)

    def _write_target(self, name: str, data: bytes) -> None:
        head, _, tail = name.rpartition("/")
        place = self.folder / "targets" / head / f"{sha256(data).hexdigest()}.{tail}"
        if not place.exists():
            self._write(place, data)

    def _write_metadata(self, targets: Mapping[str, bytes]) -> None:
        snapshot = self._load_snapshot()
        version = snapshot.signed.version + 1 if snapshot else 1
        listed = Targets(version=version, expires=self._expiry("targets"))
        for name, data in sorted(targets.items()):
            listed.targets[name] = TargetFile.from_data(name, data, ["sha256"])
        self._sign(listed, "targets", f"{version}.targets.json")
        self._sign(
            Snapshot(version=version, expires=self._expiry("snapshot"), meta={"targets.json": MetaFile(version)}),
            "snapshot",
            f"{version}.snapshot.json",
        )
        timestamp = Timestamp(version=version, expires=self._expiry("timestamp"), snapshot_meta=MetaFile(version))
        self._sign(timestamp, "timestamp", "timestamp.json")  # last: until now everybody sees the old set whole

    def _sign(self, signed: Any, role: str, name: str) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(self._signers[role])
        self._write(self.folder / "metadata" / name, metadata.to_bytes())

    def _write(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.part")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)


def _signer(key: SigningKey) -> CryptoSigner:
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(key)))


def check_name(name: str) -> str:
    """A target's name: plain parts below one of the known folders. Refused HB-130."""
    parts = name.split("/")
    plain = all(part and part[0].isalnum() and all(c.isalnum() or c in "-_." for c in part) for part in parts)
    if not name.isascii() or len(parts) < 2 or not plain or parts[0] not in {"ref", "trust", "forms", "prices", "status", "templates", "app"}:
        raise Refused("HB-130", name=name)
    return name


def check_size(name: str, data: bytes) -> None:
    if len(data) > MAX_PUBLICATION:
        raise Refused("HB-131", name=name, size=len(data))
