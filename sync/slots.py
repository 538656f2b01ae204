"""The slots file: for every officer, and for the province's recovery, one way to the database key.

An officer's slot holds a key pair. Its secret half is wrapped by the passphrase, the database key is sealed to its
public half: so the database key can be changed for everybody without anybody's passphrase. While it is being changed
both keys are sealed, the new one last. Two copies are kept; the newer whole one counts. Names stand here in the clear,
because somebody who unlocks must be able to say who they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nacl import exceptions, public, utils

from sync import ballast, cbor, passphrase
from sync.errors import Known, Refused
from sync.passphrase import Cost
from sync.wipe import wipe
from sync.wrapping import OVERHEAD, WrongKey, unwrap, wrap

FILES: Final = ("slots.cbor", "slots-2.cbor")
MAX_FILE: Final = 256 << 10
MAX_NAME: Final = 80  # characters
_FORMAT: Final = "sala/slots/v1"
_ABOUT: Final = b"sala/slot/v1"


@dataclass(frozen=True, slots=True)
class Slot:
    """One officer's way to the database key."""

    officer: bytes  # 16
    name: str
    latin: str
    salt: bytes
    cost: Cost
    wrapped: bytes  # nonce and the encrypted seed of the key pair
    public: bytes
    sealed: bytes  # the database key, or the old and the new one

    def open(self, words: str) -> bytes:
        """The seed of this slot's key pair. Refused SY-114 when ``words`` is not the passphrase."""
        key = passphrase.derive(words, self.salt, self.cost)
        try:
            return unwrap(key, self.wrapped, _ABOUT + self.officer)
        except WrongKey:
            raise Refused("SY-114") from None
        finally:
            wipe(key)

    def rewrapped(self, seed: bytes, words: str, cost: Cost) -> Slot:
        """The same slot under another passphrase."""
        salt = utils.random(passphrase.SALT)
        wrapped = wrap(passphrase.derive(words, salt, cost), seed, _ABOUT + self.officer)
        return replace(self, salt=salt, cost=cost, wrapped=wrapped)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The province's way to the database key."""

    public: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Slots:
    """Everything in the file. ``generation`` grows with every write."""

    generation: int
    officers: tuple[Slot, ...]
    recovery: Recovery | None
    drafts: Mapping[bytes, bytes] = field(default_factory=dict)  # officer → draft key, sealed to the recovery key

    def of(self, name_or_id: str) -> Slot:
        """The slot of an officer by Khmer name, Latin name or id (hex). Refused SY-112 when there is none."""
        wanted = name_or_id.strip().casefold()
        for slot in self.officers:
            if wanted in (slot.officer.hex(), slot.name.casefold(), slot.latin.casefold()):
                return slot
        raise Refused("SY-112", name=name_or_id)

    def sealed_anew(self, keys: Sequence[bytes], officers: Sequence[Slot] | None = None) -> Slots:
        """The same slots (or ``officers``) with these database keys, the newest last."""
        kept = self.officers if officers is None else officers
        return replace(
            self,
            officers=tuple(replace(slot, sealed=seal(slot.public, keys)) for slot in kept),
            recovery=self.recovery and replace(self.recovery, sealed=seal(self.recovery.public, keys)),
        )


def new_slot(
    officer: bytes, name: str, latin: str, words: str, cost: Cost, keys: Sequence[bytes]
) -> tuple[Slot, bytes]:
    """A slot for a new key pair and that pair's seed."""
    seed = utils.random(32)
    pair = public.PrivateKey(seed)
    blank = Slot(officer, name, latin, b"", cost, b"", bytes(pair.public_key), seal(bytes(pair.public_key), keys))
    return blank.rewrapped(seed, words, cost), seed


def seal(to: bytes, keys: Sequence[bytes]) -> bytes:
    """Database keys that only the holder of the secret half of ``to`` reads."""
    return public.SealedBox(public.PublicKey(to)).encrypt(b"".join(keys))


def unseal(seed: bytes, sealed: bytes) -> list[bytes]:
    """The database keys, the newest last. Refused SY-116 when ``seed`` is another key's."""
    try:
        keys = public.SealedBox(public.PrivateKey(seed)).decrypt(sealed)
    except exceptions.CryptoError:
        raise Refused("SY-116") from None
    apart = [keys[start : start + 32] for start in range(0, len(keys), 32)]
    if len(apart) > 1:  # a whole slice is the same object
        wipe(keys)
    return apart


# --- the file


def exist(home: Path) -> bool:
    """Is there a profile in ``home``?"""
    return any((home / name).exists() for name in FILES)


def write(home: Path, slots: Slots) -> Slots:
    """Put both copies on the disk, one after the other; returns what was written. Known: SY-104, SY-107."""
    grown = replace(slots, generation=slots.generation + 1)
    for name in FILES:
        ballast.keep(home / name, encode(grown))
    return grown


def encode(slots: Slots) -> bytes:
    """The content of a slots file."""
    body = cbor.encode(
        {
            1: slots.generation,
            2: [
                [s.officer, s.name, s.latin, s.salt, s.cost.ops, s.cost.memory, s.wrapped, s.public, s.sealed]
                for s in slots.officers
            ],
            3: [slots.recovery.public, slots.recovery.sealed] if slots.recovery else None,
            4: [[officer, sealed] for officer, sealed in sorted(slots.drafts.items())],
        }
    )
    return cbor.encode([_FORMAT, body, sha256(body).digest()])


def read(home: Path) -> Slots:
    """The newer whole copy. Known: SY-109 there is no profile, SY-118 both copies are damaged."""
    found = [slots for name in FILES if (slots := _read_one(home / name))]
    if found:
        return max(found, key=lambda slots: slots.generation)
    raise Known("SY-118" if exist(home) else "SY-109")


def _read_one(path: Path) -> Slots | None:
    try:
        with path.open("rb") as file:
            return _parse(file.read(MAX_FILE + 1))
    except (OSError, cbor.Malformed, ValueError, TypeError, LookupError, AttributeError):
        return None


def _parse(data: bytes) -> Slots:
    if len(data) > MAX_FILE:
        raise ValueError("slots: too big")
    name, body, digest = cbor.decode(data)
    if name != _FORMAT or sha256(body).digest() != digest:
        raise ValueError("slots: format")
    fields = cbor.decode(body)
    recovery = fields[3] and Recovery(_sized(fields[3][0], 32), _sized(fields[3][1], 80, 112))
    if type(fields[1]) is not int:
        raise ValueError("slots: generation")
    drafts = {_sized(officer, 16): _sized(sealed, 80) for officer, sealed in fields.get(4, ())}
    return Slots(fields[1], tuple(map(_slot, fields[2])), recovery, drafts)


def _slot(value: list[Any]) -> Slot:
    officer, name, latin, salt, ops, memory, wrapped, key, sealed = value
    cost = Cost(ops, memory)
    if not (isinstance(name, str) and isinstance(latin, str) and cost.bearable()):
        raise ValueError("slots: slot")
    return Slot(
        _sized(officer, 16), name, latin, _sized(salt, 16), cost, _sized(wrapped, 32 + OVERHEAD), _sized(key, 32),
        _sized(sealed, 80, 112),
    )  # fmt: skip


def _sized(value: Any, *sizes: int) -> bytes:
    if not isinstance(value, bytes) or len(value) not in sizes:
        raise ValueError("slots: size of a field")
    return value
