"""The parts of the published set: what the top role signs itself and what it delegates, and the signed metadata of each.

A part whose key the hub holds is signed by the hub when its content changed; a part whose key is elsewhere is published as
its keeper signed it, and what has changed since then waits for the next signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.signing import SigningKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets
from tuf.api.serialization import DeserializationError

from sync.errors import Refused

TOP: Final = "targets"
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Delegate:
    """A role that signs a part of the publications: its targets, its key, and what its keeper signed last."""

    name: str
    paths: tuple[str, ...]
    public: bytes  # Ed25519
    key: SigningKey | None = None  # None: the keeper signs elsewhere
    metadata: bytes | None = None  # of such a keeper

    def covers(self, target: str) -> bool:
        """Whether the role may sign ``target``, as TUF matches paths: part by part."""
        parts = target.split("/")
        for path in self.paths:
            wanted = path.split("/")
            if len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted)):
                return True
        return False

    def signed(self) -> Metadata[Targets] | None:
        """What the keeper of a key elsewhere signed last."""
        return None if self.metadata is None else Metadata[Targets].from_bytes(self.metadata)


def split(targets: Mapping[str, bytes], delegates: Sequence[Delegate]) -> dict[str, dict[str, bytes]]:
    """Who signs what: role → its targets. The first delegate that covers a target has it, the top role has the rest."""
    parts: dict[str, dict[str, bytes]] = {TOP: {}, **{delegate.name: {} for delegate in delegates}}
    owners = _Owners(delegates)
    for name, data in targets.items():
        parts[owners.of(name)][name] = data
    return parts


class _Owners:
    """Who signs what, found without asking every delegate: there may be one for each of some hundred offices."""

    def __init__(self, delegates: Sequence[Delegate]) -> None:
        self._delegates = delegates
        self._named: dict[str, int] = {}  # target → the first delegate that names it whole
        self._patterns: dict[
            str, list[tuple[int, str]]
        ] = {}  # first part → delegates with a pattern there, and how it begins
        for place, delegate in enumerate(delegates):
            for path in delegate.paths:
                begin = _WILD.split(path, maxsplit=1)[0]
                if begin == path:
                    self._named.setdefault(path, place)
                else:
                    self._patterns.setdefault(begin.partition("/")[0] if "/" in begin else "", []).append(
                        (place, begin)
                    )

    def of(self, target: str) -> str:
        """The name of the first delegate that covers ``target``, else the top role's."""
        found = self._named.get(target, len(self._delegates))
        for first in (target.partition("/")[0], ""):
            for place, begin in self._patterns.get(first, ()):
                if place >= found:
                    break
                if target.startswith(begin) and self._delegates[place].covers(target):
                    found = place
                    break
        return self._delegates[found].name if found < len(self._delegates) else TOP


def delegations(delegates: Sequence[Delegate]) -> Delegations | None:
    """What the top role says of ``delegates``."""
    if not delegates:
        return None
    keys = {delegate.name: public_key(delegate.public) for delegate in delegates}
    roles = {
        delegate.name: DelegatedRole(
            delegate.name, [keys[delegate.name].keyid], 1, terminating=False, paths=list(delegate.paths)
        )
        for delegate in delegates
    }
    return Delegations({key.keyid: key for key in keys.values()}, roles)


def differs(present: Targets | None, wanted: Mapping[str, str]) -> bool:
    """Whether a part lists other targets (name → SHA-256) than ``wanted``."""
    return present is None or hashes(present) != wanted


def hashes(part: Targets) -> dict[str, str]:
    """Name → SHA-256 of every target of a part."""
    return {name: target.hashes["sha256"] for name, target in part.targets.items()}


def digests(part: Mapping[str, bytes]) -> dict[str, str]:
    """Name → SHA-256 of every target that a part shall have."""
    return {name: sha256(data).hexdigest() for name, data in part.items()}


def fill(part: Targets, targets: Mapping[str, bytes]) -> Targets:
    """List ``targets`` in ``part``."""
    for name, data in sorted(targets.items()):
        part.targets[name] = TargetFile.from_data(name, data, ["sha256"])
    return part


def read_signed(data: bytes, delegate: Delegate) -> Metadata[Targets]:
    """Metadata that the keeper of ``delegate`` signed. Refused HB-182: not theirs, damaged, or it names what it may not."""
    try:
        made: Metadata[Targets] = Metadata[Targets].from_bytes(data)
        delegator = Targets(1)
        delegator.delegations = delegations([delegate])
        delegator.verify_delegate(delegate.name, made.signed_bytes, made.signatures)
    except (RepositoryError, DeserializationError, ValueError) as error:
        raise Refused("HB-182", role=delegate.name) from error
    if made.signed.delegations is not None or not all(map(delegate.covers, made.signed.targets)):
        raise Refused("HB-182", role=delegate.name)
    return made


def in_all(parts: Iterable[Targets]) -> dict[str, str]:
    """Name → SHA-256 over several parts; the first one wins."""
    found: dict[str, str] = {}
    for part in parts:
        for name, digest in hashes(part).items():
            found.setdefault(name, digest)
    return found


def public_key(public: bytes) -> SSlibKey:
    """A raw Ed25519 public key as TUF names it."""
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public))


def signer(key: SigningKey) -> CryptoSigner:
    """A key of this hub as TUF signs with it."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(key)))


def same(delegations_: Any, delegates: Sequence[Delegate]) -> bool:
    """Whether the top role already says exactly this of ``delegates``."""
    wanted = delegations(delegates)
    return (delegations_.to_dict() if delegations_ else None) == (wanted.to_dict() if wanted else None)
