"""A small TUF repository in a folder, with a delegated role, for tests of the client."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

ROLES = ("root", "targets", "snapshot", "timestamp")


@dataclass
class Repo:
    """Everything that is published; :meth:`publish` writes the next version."""

    folder: Path
    now_ms: int
    version: int = 0
    root_version: int = 0
    days: int = 7
    signers: dict[str, Any] = field(
        default_factory=lambda: {role: CryptoSigner.generate_ed25519() for role in (*ROLES, "leases")}
    )
    targets: dict[str, bytes] = field(default_factory=dict)
    delegated: dict[str, bytes] = field(default_factory=dict)  # targets of the role "leases"

    def root(self) -> bytes:
        return (self.folder / "metadata" / "1.root.json").read_bytes()

    def rotate_root(self, **new: Any) -> None:
        """The next root, signed by the old and the new root key."""
        old = self.signers["root"]
        self.signers |= new
        root = Root(version=self.root_version + 1, expires=self._expires(365), consistent_snapshot=True)
        for role in ROLES:
            root.add_key(self.signers[role].public_key, role)
        made: Metadata[Root] = Metadata(root)
        made.sign(old)
        if self.signers["root"] is not old:
            made.sign(self.signers["root"], append=True)
        self.root_version += 1
        self._write(f"metadata/{self.root_version}.root.json", made.to_bytes())

    def publish(self, **targets: bytes) -> Repo:
        """Write the next version; ``targets`` come by name with ``__`` for the slash."""
        if not self.root_version:
            self.rotate_root()
        self.targets |= {name.replace("__", "/"): data for name, data in targets.items()}
        self.version += 1
        listed = Targets(version=self.version, expires=self._expires(90), targets=self._files(self.targets))
        meta = {"targets.json": MetaFile(self.version)}
        if self.delegated:
            key: Key = self.signers["leases"].public_key
            role = DelegatedRole("leases", [key.keyid], 1, terminating=False, paths=["leases/*"])
            listed.delegations = Delegations({key.keyid: key}, {"leases": role})
            part = Targets(version=self.version, expires=self._expires(90), targets=self._files(self.delegated))
            self._sign(part, "leases", f"{self.version}.leases.json")
            meta["leases.json"] = MetaFile(self.version)
        self._sign(listed, "targets", f"{self.version}.targets.json")
        self._sign(
            Snapshot(version=self.version, expires=self._expires(30), meta=meta),
            "snapshot",
            f"{self.version}.snapshot.json",
        )
        stamp = Timestamp(version=self.version, expires=self._expires(self.days), snapshot_meta=MetaFile(self.version))
        self._sign(stamp, "timestamp", "timestamp.json")
        return self

    def place(self, name: str, data: bytes | None = None) -> Path:
        """The file of a target."""
        head, _, tail = name.rpartition("/")
        digest = sha256(self.targets[name] if data is None else data).hexdigest()
        return self.folder / "targets" / head / f"{digest}.{tail}"

    def _files(self, targets: dict[str, bytes]) -> dict[str, TargetFile]:
        for name, data in targets.items():
            self._write(str(self.place(name, data).relative_to(self.folder)), data)
        return {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in targets.items()}

    def _expires(self, days: int) -> datetime:
        return datetime.fromtimestamp(self.now_ms // 1000, UTC) + timedelta(days=days)

    def _sign(self, signed: Any, role: str, name: str) -> None:
        made: Metadata[Any] = Metadata(signed)
        made.sign(self.signers[role])
        self._write(f"metadata/{name}", made.to_bytes())

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
