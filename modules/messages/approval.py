"""What a second officer signs: the rendered set, to the last character, with its cost and the last day on which it may go out.

The manifest is deterministic CBOR of plain facts; anybody who has the texts can compute it again. Any change of a text, a
number, the price or the author makes another manifest, so an approval covers exactly what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import cbor2

_SET: Final = b"sala/messages/set/v1\0"
_APPROVAL: Final = b"sala/messages/approval/v1\0"
FIELDS: Final = (
    "v", "campaign", "office", "author", "channel", "template", "set", "recipients", "segments", "price", "cost", "not_after_ms",
)  # fmt: skip


def set_hash(rows: Iterable[tuple[str, str, int]]) -> str:
    """The hash (hex) of the rendered set: (phone, text, segments) of every recipient in order."""
    digest = sha256(_SET)
    for row in rows:
        digest.update(cbor2.dumps(list(row), canonical=True))
    return digest.hexdigest()


def manifest(
    *,
    campaign: str,
    office: str,
    author: str,
    template: str,
    set_: str,
    recipients: int,
    segments: int,
    price: int,
    not_after_ms: int,
) -> dict[str, Any]:
    """The facts that an approval covers; money in riel, hashes and ids in hex."""
    return {
        "v": 1, "campaign": campaign, "office": office, "author": author, "channel": "sms",
        "template": sha256(template.encode()).hexdigest(), "set": set_, "recipients": recipients, "segments": segments,
        "price": price, "cost": price * segments, "not_after_ms": not_after_ms,
    }  # fmt: skip


def message(facts: Mapping[str, Any]) -> bytes:
    """The bytes that the approver signs."""
    exact = {name: facts[name] for name in FIELDS}
    return _APPROVAL + sha256(cbor2.dumps(exact, canonical=True)).digest()


def holds(facts: Mapping[str, Any], public: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the approval of ``facts`` by the officer with key ``public``."""
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(public).verify(message(facts), signature)
    except (CryptoError, ValueError, TypeError, KeyError):
        return False
    return True
