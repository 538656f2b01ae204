"""What the centre sends down, as a TUF repository (python-tuf): ``metadata/`` and ``targets/`` that a line, a folder or a stick serve.

Snapshots are consistent and the timestamp is written last, so whoever reads meanwhile sees the old set whole. One process
publishes at a time; a set that did not change is not published again until its timestamp is half over.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import SigningKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from sync import durable
from sync.clock import Clock
from sync.errors import Known, Refused
from sync.hub.keys import ROOT_THRESHOLD, HubKeys
from sync.limits import MAX_PUBLICATION
from sync.lockfile import locked

EXPIRES: Final = {"root": 365, "targets": 90, "snapshot": 30, "timestamp": 7}  # days
FOLDERS: Final = frozenset(
    {"ref", "trust", "forms", "prices", "status", "templates", "app"}
)  # what an admin may publish below
_ONLINE: Final = ("targets", "snapshot", "timestamp")
_KEPT_VERSIONS: Final = 20  # laptops on slow lines finish with the set that they began with
_LOCK_S: Final = 20
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # with room for the hash before it


@dataclass(frozen=True, slots=True)
class Listed:
    """One published target."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is published now. Times are milliseconds."""

    version: int
    expires_ms: int  # of the timestamp: signed anew by itself while the hub runs
    root_version: int
    root_expires_ms: int  # somebody must bring the root keys before this
    targets: Sequence[Listed]


class Repository:
    """The published repository in one folder."""

    def __init__(self, folder: Path, keys: HubKeys, clock: Clock, least_version: int = 1) -> None:
        self.folder = folder
        self._least_version = least_version  # after a restore: laptops have seen higher versions than this copy knows
        self._metadata = folder / "metadata"
        self._clock = clock
        self._signers = {role: _signer(getattr(keys, role)) for role in _ONLINE}

    def begin(self, roots: Sequence[SigningKey]) -> None:
        """Make the first root, signed by all of ``roots``, of which two may make the next."""
        self._metadata.mkdir(parents=True)
        (self.folder / "targets").mkdir()
        root = Root(version=1, consistent_snapshot=True, expires=self._expiry("root"))
        signers = [_signer(key) for key in roots]
        for signer in signers:
            root.add_key(signer.public_key, "root")
        root.roles["root"].threshold = ROOT_THRESHOLD
        for role in _ONLINE:
            root.add_key(self._signers[role].public_key, role)
        self._write_root(root, signers)

    def renew_root(self, roots: Sequence[SigningKey]) -> int:
        """Sign the next root, a year longer; its version. Refused HB-133 unless enough of the root keys are there."""
        with self._locked():
            root = self._root().signed
            signers = [_signer(key) for key in roots]
            known = {
                signer.public_key.keyid: signer
                for signer in signers
                if signer.public_key.keyid in root.roles["root"].keyids
            }
            if len(known) < ROOT_THRESHOLD:
                raise Refused("HB-133", found=len(known), needed=ROOT_THRESHOLD)
            root.version += 1
            root.expires = self._expiry("root")
            self._write_root(root, list(known.values()))
            return root.version

    def root(self) -> bytes:
        """The newest root metadata: what new laptops start from."""
        return self._newest_root().read_bytes()

    def publish(self, targets: Mapping[str, bytes]) -> list[str]:
        """Make ``targets`` the published set; returns the names whose bytes changed. Writes nothing when all is current."""
        with self._locked():
            present = self._targets()
            known = {name: target.hashes["sha256"] for name, target in present.targets.items()} if present else {}
            wanted = {name: sha256(data).hexdigest() for name, data in targets.items()}
            changed = sorted(name for name in known.keys() | wanted.keys() if known.get(name) != wanted.get(name))
            if present is not None and not changed and not self._stale():
                return []
            for name, data in targets.items():
                if known.get(name) != wanted[name]:
                    self._write_target(name, data, wanted[name])
            self._write_metadata(targets)
            self._forget(frozenset(wanted.values()))
            return changed

    def read(self, path: str) -> Path | None:
        """The file of a request path below ``metadata/`` or ``targets/``; None when there is none or the path is not plain."""
        parts = path.split("/")
        plain = len(parts) > 1 and parts[0] in ("metadata", "targets") and all(_PART.fullmatch(part) for part in parts)
        place = self.folder.joinpath(*parts) if plain else self.folder
        return place if place.is_file() else None

    def target(self, listed: Listed) -> bytes:
        """The bytes of a published target."""
        return (self.folder / "targets" / _hashed(listed.name, listed.sha256)).read_bytes()

    def listing(self) -> Listing:
        """What is published now, by name."""
        root, targets = self._root().signed, self._targets()
        timestamp = self._timestamp()
        listed = [
            Listed(name, target.length, target.hashes["sha256"])
            for name, target in sorted(targets.targets.items() if targets else ())
        ]
        version, expires = (timestamp.version, timestamp.expires) if timestamp else (0, root.expires)
        return Listing(version, _ms(expires), root.version, _ms(root.expires), listed)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that a laptop may need now: roots, the current metadata, the current targets, with their paths."""
        targets, timestamp, snapshot = self._targets(), self._timestamp(), self._snapshot()
        for path in sorted(self._metadata.glob("*.root.json")):
            yield f"metadata/{path.name}", path
        if targets is None or timestamp is None or snapshot is None:
            return
        for name in ("timestamp.json", f"{snapshot.version}.snapshot.json", f"{targets.version}.targets.json"):
            yield f"metadata/{name}", self._metadata / name
        for name, target in sorted(targets.targets.items()):
            hashed = _hashed(name, target.hashes["sha256"])
            yield f"targets/{hashed}", self.folder / "targets" / hashed

    # --- inside

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The server and the command line never publish at the same time."""
        end = time.monotonic() + _LOCK_S
        while True:
            try:
                with locked(self.folder.with_name("publish.lock")):
                    yield
                    return
            except Known as error:
                if error.code != "SY-352" or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _expiry(self, role: str) -> datetime:
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC).replace(microsecond=0)
        return now + timedelta(days=EXPIRES[role])

    def _newest_root(self) -> Path:
        return max(self._metadata.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))

    def _root(self) -> Metadata[Root]:
        return Metadata[Root].from_file(str(self._newest_root()))

    def _write_root(self, root: Root, signers: Sequence[CryptoSigner]) -> None:
        signed: Metadata[Root] = Metadata(root)
        for signer in signers:
            signed.sign(signer, append=True)
        durable.replace(self._metadata / f"{root.version}.root.json", signed.to_bytes())

    def _timestamp(self) -> Timestamp | None:
        place = self._metadata / "timestamp.json"
        return Metadata[Timestamp].from_file(str(place)).signed if place.exists() else None

    def _snapshot(self) -> Snapshot | None:
        timestamp = self._timestamp()
        if timestamp is None:
            return None
        return (
            Metadata[Snapshot]
            .from_file(str(self._metadata / f"{timestamp.snapshot_meta.version}.snapshot.json"))
            .signed
        )

    def _targets(self) -> Targets | None:
        snapshot = self._snapshot()
        if snapshot is None:
            return None
        version = snapshot.meta["targets.json"].version
        return Metadata[Targets].from_file(str(self._metadata / f"{version}.targets.json")).signed

    def _stale(self) -> bool:
        """Half of the shortest life is over: sign anew, so that a quiet centre stays fresh."""
        timestamp = self._timestamp()
        if timestamp is None or timestamp.version < self._least_version:
            return True
        return self._expiry("timestamp") - timestamp.expires > timedelta(days=EXPIRES["timestamp"] / 2)

    def _write_target(self, name: str, data: bytes, digest: str) -> None:
        place = self.folder / "targets" / _hashed(name, digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(place, data)

    def _write_metadata(self, targets: Mapping[str, bytes]) -> None:
        timestamp = self._timestamp()
        version = max(timestamp.version + 1 if timestamp else 1, self._least_version)
        listed = Targets(version=version, expires=self._expiry("targets"))
        for name, data in sorted(targets.items()):
            listed.targets[name] = TargetFile.from_data(name, data, ["sha256"])
        snapshot = Snapshot(version=version, expires=self._expiry("snapshot"), meta={"targets.json": MetaFile(version)})
        self._sign(listed, "targets", f"{version}.targets.json")
        self._sign(snapshot, "snapshot", f"{version}.snapshot.json")
        self._sign(
            Timestamp(version=version, expires=self._expiry("timestamp"), snapshot_meta=MetaFile(version)),
            "timestamp",
            "timestamp.json",
        )

    def _sign(self, signed: Any, role: str, name: str) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(self._signers[role])
        durable.replace(self._metadata / name, metadata.to_bytes())

    def _forget(self, current: frozenset[str]) -> None:
        """Remove metadata that nobody can still be reading, and the targets that went with it."""
        versions = sorted(int(path.name.partition(".")[0]) for path in self._metadata.glob("*.targets.json"))
        if len(versions) < 2 * _KEPT_VERSIONS:
            return
        used = set(current)
        for version in versions[-_KEPT_VERSIONS:]:
            kept = Metadata[Targets].from_file(str(self._metadata / f"{version}.targets.json")).signed
            used |= {target.hashes["sha256"] for target in kept.targets.values()}
        for version in versions[:-_KEPT_VERSIONS]:
            (self._metadata / f"{version}.targets.json").unlink()
            (self._metadata / f"{version}.snapshot.json").unlink(missing_ok=True)
        for path in (self.folder / "targets").rglob("*.*"):
            if path.is_file() and path.name.partition(".")[0] not in used:
                path.unlink()


def _hashed(name: str, digest: str) -> str:
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{digest}.{tail}"


def _signer(key: SigningKey) -> CryptoSigner:
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(key)))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def check(name: str, data: bytes) -> None:
    """Refused HB-130 unless ``name`` is plain and below one of the known folders; HB-131 when ``data`` is too large."""
    parts = name.split("/")
    if (
        not 2 <= len(parts) <= 4
        or len(name) > 120
        or parts[0] not in FOLDERS
        or not all(_PART.fullmatch(part) for part in parts)
    ):
        raise Refused("HB-130", name=name[:100])
    if len(data) > MAX_PUBLICATION:
        raise Refused("HB-131", name=name, size=len(data))
