"""What the centre sends down, as a TUF repository (python-tuf): ``metadata/`` and ``targets/`` that a line, a folder or a stick serve.

The top role signs what nobody else does and says who signs the rest (``sync/hub/parts.py``); a laptop reads a part again only
when its version changed, so each part has its own and is signed anew only when it must. Snapshots are consistent and the
timestamp is written last, so whoever reads meanwhile sees the old set whole. One process publishes at a time; a set that did not
change is not published again until its timestamp is half over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from sync import durable
from sync.clock import Clock
from sync.errors import Refused
from sync.hub import parts
from sync.hub.keys import ROOT_THRESHOLD, HubKeys
from sync.hub.parts import TOP, Delegate
from sync.limits import MAX_PUBLICATION
from sync.lockfile import turn

EXPIRES: Final = {"root": 365, "targets": 90, "snapshot": 30, "timestamp": 7}  # days
FOLDERS: Final = frozenset(
    {"ref", "trust", "forms", "prices", "status", "templates", "app"}
)  # what an admin may publish below
_ONLINE: Final = ("targets", "snapshot", "timestamp")
_KEPT_VERSIONS: Final = 20  # laptops on slow lines finish with the set that they began with
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # with room for the hash before it


@dataclass(frozen=True, slots=True)
class Listed:
    """One published target."""

    name: str
    size: int
    sha256: str
    role: str = TOP  # who signed it


@dataclass(frozen=True, slots=True)
class Listing:
    """What is published now. Times are milliseconds."""

    version: int
    expires_ms: int  # of the timestamp: signed anew by itself while the hub runs
    root_version: int
    root_expires_ms: int  # somebody must bring the root keys before this
    targets: Sequence[Listed]
    roles: Mapping[str, tuple[int, int]]  # role → version and when it expires


class Repository:
    """The published repository in one folder."""

    def __init__(self, folder: Path, keys: HubKeys, clock: Clock, least_version: int = 1) -> None:
        self.folder = folder
        self._least_version = least_version  # after a restore: laptops have seen higher versions than this copy knows
        self._metadata = folder / "metadata"
        self._clock = clock
        self._signers = {role: parts.signer(getattr(keys, role)) for role in _ONLINE}

    def begin(self, roots: Sequence[SigningKey]) -> None:
        """Make the first root, signed by all of ``roots``, of which two may make the next."""
        self._metadata.mkdir(parents=True)
        (self.folder / "targets").mkdir()
        root = Root(version=1, consistent_snapshot=True, expires=self._expiry("root"))
        signers = [parts.signer(key) for key in roots]
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
            signers = [parts.signer(key) for key in roots]
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

    def roots(self, after: int = 0) -> list[tuple[int, bytes]]:
        """Every root above version ``after``, in order."""
        found = {int(path.name.partition(".")[0]): path for path in self._metadata.glob("*.root.json")}
        return [(version, path.read_bytes()) for version, path in sorted(found.items()) if version > after]

    def publish(self, targets: Mapping[str, bytes], delegates: Sequence[Delegate] = ()) -> list[str]:
        """Make ``targets`` the published set; returns the names whose bytes changed. Writes nothing when all is current.

        What a keeper elsewhere must sign is published as they signed it last; the rest of theirs waits.
        """
        with self._locked():
            present = self._parts()
            wanted = parts.split(targets, delegates)
            listed = {role: parts.digests(part) for role, part in wanted.items()}
            due: dict[str, Metadata[Targets]] = {}
            for delegate in delegates:
                if delegate.key is None:
                    made = delegate.signed()
                    listed[delegate.name] = parts.hashes(made.signed) if made else {}
                    if made and not self._stands(delegate, made):
                        due[delegate.name] = made
                elif self._due(present, delegate.name, listed[delegate.name]) or not self._believed(present, delegate):
                    due[delegate.name] = self._part(wanted[delegate.name], delegate.key)
            top = present.get(TOP)
            if top is None or not parts.same(top.delegations, delegates) or self._due(present, TOP, listed[TOP]):
                due[TOP] = self._top(wanted[TOP], delegates)
            if not due and not self._stale():
                return []
            before = parts.in_all(present.values())
            after: dict[str, str] = {}
            for names in listed.values():
                after |= names
            changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            for name, digest in after.items():
                self._write_target(name, targets.get(name), digest)
            self._write_metadata(due)
            self._forget()
            return changed

    def hold(self, targets: Mapping[str, bytes]) -> None:
        """Keep the bytes of targets that a keeper has signed and that the next publishing lists."""
        for name, data in targets.items():
            self._write_target(name, data, sha256(data).hexdigest())

    def read(self, path: str) -> Path | None:
        """The file of a request path below ``metadata/`` or ``targets/``; None when there is none or the path is not plain."""
        parts = path.split("/")
        plain = len(parts) > 1 and parts[0] in ("metadata", "targets") and all(_PART.fullmatch(part) for part in parts)
        place = self.folder.joinpath(*parts) if plain else self.folder
        return place if place.is_file() else None

    def target(self, listed: Listed) -> bytes:
        """The bytes of a published target."""
        return (self.folder / "targets" / _hashed(listed.name, listed.sha256)).read_bytes()

    def version(self) -> int:
        """The version of the published set; 0 before the first."""
        timestamp = self._timestamp()
        return int(timestamp.version) if timestamp else 0

    def listing(self) -> Listing:
        """What is published now, by name."""
        root, timestamp, found = self._root().signed, self._timestamp(), self._parts()
        listed: dict[str, Listed] = {}
        for role, part in found.items():
            for name, target in part.targets.items():
                listed.setdefault(name, Listed(name, target.length, target.hashes["sha256"], role))
        version, expires = (timestamp.version, timestamp.expires) if timestamp else (0, root.expires)
        return Listing(
            version, _ms(expires), root.version, _ms(root.expires), [listed[name] for name in sorted(listed)],
            {role: (part.version, _ms(part.expires)) for role, part in found.items()},
        )  # fmt: skip

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that a laptop may need now: roots, the current metadata, the current targets, with their paths."""
        timestamp, snapshot = self._timestamp(), self._snapshot()
        for path in sorted(self._metadata.glob("*.root.json")):
            yield f"metadata/{path.name}", path
        if timestamp is None or snapshot is None:
            return
        found = self._parts()
        names = ["timestamp.json", f"{snapshot.version}.snapshot.json"]
        for name in [*names, *(f"{part.version}.{role}.json" for role, part in found.items())]:
            yield f"metadata/{name}", self._metadata / name
        for name, digest in sorted(parts.in_all(found.values()).items()):
            hashed = _hashed(name, digest)
            yield f"targets/{hashed}", self.folder / "targets" / hashed

    # --- inside

    def _locked(self) -> AbstractContextManager[None]:
        """The server and the command line never publish at the same time."""
        return turn(self.folder.with_name("publish.lock"))

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

    def _parts(self) -> dict[str, Targets]:
        """What each role says now, the top role first; a role that is delegated and has signed nothing yet is not there."""
        snapshot = self._snapshot()
        if snapshot is None:
            return {}
        top = self._read_part(TOP, snapshot.meta[f"{TOP}.json"].version)
        found = {TOP: top}
        for role in (top.delegations.roles or {}) if top.delegations else ():
            meta = snapshot.meta.get(f"{role}.json")
            if meta is not None:
                found[role] = self._read_part(role, meta.version)
        return found

    def _read_part(self, role: str, version: int) -> Targets:
        return Metadata[Targets].from_file(str(self._metadata / f"{version}.{role}.json")).signed

    def _due(self, present: Mapping[str, Targets], role: str, wanted: Mapping[str, str]) -> bool:
        """Whether the hub must sign a part anew: other targets, half of its life over, or a restore has set it back."""
        part = present.get(role)
        if part is None or parts.differs(part, wanted) or part.version < self._least_version:
            return True
        return self._expiry(TOP) - part.expires > timedelta(days=EXPIRES[TOP] / 2)

    def _believed(self, present: Mapping[str, Targets], delegate: Delegate) -> bool:
        """Whether what is published of a part is signed with the key that the role has now."""
        place = self._metadata / f"{present[delegate.name].version}.{delegate.name}.json"
        try:
            parts.read_signed(place.read_bytes(), delegate)
        except Refused:
            return False
        return True

    def _stands(self, delegate: Delegate, made: Metadata[Targets]) -> bool:
        """Whether what a keeper signed is published already, byte for byte."""
        snapshot = self._snapshot()
        meta = snapshot.meta.get(f"{delegate.name}.json") if snapshot else None
        if meta is None or meta.version != made.signed.version:
            return False
        place = self._metadata / f"{meta.version}.{delegate.name}.json"
        return place.exists() and place.read_bytes() == delegate.metadata

    def _next(self) -> int:
        timestamp = self._timestamp()
        return max(timestamp.version + 1 if timestamp else 1, self._least_version)

    def _part(self, targets: Mapping[str, bytes], key: SigningKey) -> Metadata[Targets]:
        made: Metadata[Targets] = Metadata(parts.fill(Targets(self._next(), expires=self._expiry(TOP)), targets))
        made.sign(parts.signer(key))
        return made

    def _top(self, targets: Mapping[str, bytes], delegates: Sequence[Delegate]) -> Metadata[Targets]:
        top = parts.fill(Targets(self._next(), expires=self._expiry(TOP)), targets)
        top.delegations = parts.delegations(delegates)
        made: Metadata[Targets] = Metadata(top)
        made.sign(self._signers[TOP])
        return made

    def _stale(self) -> bool:
        """Half of the shortest life is over: sign anew, so that a quiet centre stays fresh."""
        timestamp = self._timestamp()
        half = timedelta(days=EXPIRES["timestamp"] / 2)
        return timestamp is None or self._expiry("timestamp") - timestamp.expires > half

    def _write_target(self, name: str, data: bytes | None, digest: str) -> None:
        place = self.folder / "targets" / _hashed(name, digest)
        if place.exists() or data is None or sha256(data).hexdigest() != digest:
            return  # it is there: written when it was published first, or handed in with its signature
        place.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(place, data)

    def _write_metadata(self, due: Mapping[str, Metadata[Targets]]) -> None:
        """The parts that changed, then the snapshot that names them, then the timestamp."""
        version, before = self._next(), self._snapshot()
        meta = (
            dict(before.meta) if before else {}
        )  # clients refuse a snapshot that forgets a role, even one of the past
        for role, made in due.items():
            durable.replace(self._metadata / f"{made.signed.version}.{role}.json", made.to_bytes())
            meta[f"{role}.json"] = MetaFile(made.signed.version)
        snapshot = Snapshot(version=version, expires=self._expiry("snapshot"), meta=meta)
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

    def _forget(self) -> None:
        """Remove metadata that nobody can still be reading, and the targets that went with it."""
        snapshots = sorted(self._metadata.glob("*.snapshot.json"), key=_version)
        if len(snapshots) < 2 * _KEPT_VERSIONS:
            return
        kept: set[str] = set()
        for path in snapshots[-_KEPT_VERSIONS:]:
            for role, meta in Metadata[Snapshot].from_file(str(path)).signed.meta.items():
                kept.add(f"{meta.version}.{role}")
        used = {digest for name in kept for digest in self._digests(name)}
        for path in snapshots[:-_KEPT_VERSIONS]:
            path.unlink()
        for path in self._metadata.glob("*.*.json"):
            if not path.name.endswith((".root.json", ".snapshot.json")) and path.name not in kept:
                path.unlink()
        for path in (self.folder / "targets").rglob("*.*"):
            if path.is_file() and path.name.partition(".")[0] not in used:
                path.unlink()

    def _digests(self, name: str) -> list[str]:
        place = self._metadata / name
        if not place.exists():  # of a role of the past
            return []
        return list(parts.hashes(Metadata[Targets].from_file(str(place)).signed).values())


def _version(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _hashed(name: str, digest: str) -> str:
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{digest}.{tail}"


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
