"""A forgotten passphrase, without carrying the laptop to the province: a request, the province's answer, the new passphrase.

The officer chooses the new passphrase first. The laptop makes a fresh key that only this passphrase opens, and shows its
recovery slot: the database key and the officer's draft key, sealed to the province. Two custodians open them and seal them
to the fresh key. So neither the request nor the answer is of use to anybody who finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nacl import exceptions, utils
from nacl.public import PrivateKey, PublicKey, SealedBox

from sync import ballast, cbor, keys, passphrase, slots
from sync.cbor import Malformed
from sync.clock import Clock
from sync.devices import words
from sync.errors import Refused
from sync.failpoint import failpoint
from sync.passphrase import Cost
from sync.unlocked import Unlocked
from sync.wipe import wipe
from sync.wrapping import OVERHEAD, WrongKey, unwrap, wrap

FILE: Final = "reset.cbor"  # in the profile: the open request and its key, wrapped by the new passphrase
REQUEST: Final = "sala/reset-request/v1"
ANSWER: Final = "sala/reset-answer/v1"
_OPEN: Final = "sala/reset-open/v1"
_ABOUT: Final = b"sala/reset/v1"
_MOST: Final = 4_096  # bytes of a request or an answer
_SEALED_KEYS: Final = (80, 112)  # one database key, or the old and the new one


@dataclass(frozen=True, slots=True)
class Request:
    """What a locked-out laptop shows to its province."""

    officer: bytes  # 16
    name: str
    latin: str
    recovery: bytes  # the recovery key that can open it
    sealed: bytes  # database keys
    draft: bytes  # the officer's draft key, or empty
    fresh: bytes  # X25519: the answer is sealed to it
    made_ms: int


def begin(home: Path, name_or_id: str, new_passphrase: str, clock: Clock, *, cost: Cost | None = None) -> bytes:
    """Ask for a new passphrase; the request to carry or to show. An older request of this laptop ends.

    Refused: SY-112 nobody of that name, SY-113 the passphrase is too short, SY-117 this profile has no recovery.
    """
    passphrase.check(new_passphrase)
    found = slots.read(home)
    slot = found.of(name_or_id)
    if found.recovery is None:
        raise Refused("SY-117")
    fresh, salt, cost = PrivateKey.generate(), utils.random(passphrase.SALT), cost or passphrase.measured_cost()
    values: list[Any] = [
        REQUEST, slot.officer, slot.name, slot.latin, found.recovery.public, found.recovery.sealed,
        found.drafts.get(slot.officer, b""), bytes(fresh.public_key), max(0, clock.wall_ms()),
    ]  # fmt: skip
    request = cbor.encode(values)
    key = passphrase.derive(new_passphrase, salt, cost)
    kept = cbor.encode([_OPEN, request, salt, cost.ops, cost.memory, wrap(key, bytes(fresh), _ABOUT + slot.officer)])
    wipe(key)
    ballast.keep(home / FILE, kept)
    return request


def read(data: bytes) -> Request:
    """A request, to look at before it is answered. Refused SY-470 when it is none."""
    if len(data) > _MOST:
        raise Refused("SY-470")
    try:
        value = cbor.decode(data)
    except Malformed:
        raise Refused("SY-470") from None
    match value:
        case [
            str(format_), bytes(officer), str(name), str(latin), bytes(recovery), bytes(sealed), bytes(draft), bytes(fresh),
            int(made),
        ] if (
            format_ == REQUEST and (len(officer), len(recovery), len(fresh)) == (16, 32, 32) and len(sealed) in _SEALED_KEYS
            and len(draft) in (0, 80) and max(len(name), len(latin)) <= slots.MAX_NAME and cbor.is_count(made)
        ):  # fmt: skip
            return Request(officer, name, latin, recovery, sealed, draft, fresh, made)
    raise Refused("SY-470")


def answer(data: bytes, recovery: PrivateKey) -> bytes:
    """What the province answers to a request. Refused: SY-470 no request, SY-116 made for another recovery key."""
    request = read(data)
    if request.recovery != bytes(recovery.public_key):
        raise Refused("SY-116")
    opened = b"".join(slots.unseal(bytes(recovery), request.sealed))
    try:
        draft = SealedBox(recovery).decrypt(request.draft) if request.draft else b""
    except exceptions.CryptoError:
        raise Refused("SY-470") from None
    sealed = SealedBox(PublicKey(request.fresh)).encrypt(cbor.encode([opened, draft]))
    wipe(opened)
    return cbor.encode([ANSWER, sha256(data).digest(), sealed])


def waiting(home: Path) -> bytes | None:
    """The open request of this laptop, to show it again; None when there is none."""
    kept = _kept(home)
    return kept[0] if kept else None


def finish(home: Path, data: bytes, new_passphrase: str, clock: Clock, *, cost: Cost | None = None) -> Unlocked:
    """Take the province's answer: from now on the officer unlocks with the new passphrase. Nothing unsent is lost.

    Refused: SY-471 nothing was requested, SY-114 not the passphrase of the request, SY-470 not the answer to it.
    """
    kept = _kept(home)
    if kept is None:
        raise Refused("SY-471")
    request, salt, was, wrapped = kept
    asked = read(request)
    key = passphrase.derive(new_passphrase, salt, was)
    try:
        fresh = PrivateKey(unwrap(key, wrapped, _ABOUT + asked.officer))
    except WrongKey:
        raise Refused("SY-114", wait_s=0) from None
    finally:
        wipe(key)
    database, draft = _opened(data, request, fresh)
    unlocked = keys.recover_with(
        home, asked.officer.hex(), new_passphrase, database_keys=database,
        draft_key=lambda _conn, _officer: draft or utils.random(32), clock=clock, cost=cost,
    )  # fmt: skip
    failpoint("reset:done")  # the request stays: the same answer does the same again
    (home / FILE).unlink(missing_ok=True)
    return unlocked


def spoken(request: bytes) -> str:
    """Six groups of digits that both sides read to each other before the request is answered."""
    return words(request)


def _opened(data: bytes, request: bytes, fresh: PrivateKey) -> tuple[list[bytes], bytes]:
    try:
        value = cbor.decode(data) if len(data) <= _MOST else None
        match value:
            case [str(format_), bytes(of), bytes(sealed)] if format_ == ANSWER and of == sha256(request).digest():
                match cbor.decode(SealedBox(fresh).decrypt(sealed)):
                    case [bytes(database), bytes(draft)] if len(database) in (32, 64) and len(draft) in (0, 32):
                        return [database[start : start + 32] for start in range(0, len(database), 32)], draft
    except (Malformed, exceptions.CryptoError):
        pass
    raise Refused("SY-470")


def _kept(home: Path) -> tuple[bytes, bytes, Cost, bytes] | None:
    try:
        with (home / FILE).open("rb") as file:
            value = cbor.decode(file.read(2 * _MOST))
    except (OSError, Malformed):
        return None
    match value:
        case [str(format_), bytes(request), bytes(salt), int(ops), int(memory), bytes(wrapped)] if (
            format_ == _OPEN and len(salt) == passphrase.SALT and len(wrapped) == 32 + OVERHEAD and Cost(ops, memory).bearable()
        ):  # fmt: skip
            return request, salt, Cost(ops, memory), wrapped
    return None
