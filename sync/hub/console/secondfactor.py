"""The second factor of an admin: a code of an authenticator (RFC 6238, by pyotp) or one of ten recovery codes.

The authenticator's secret is stored sealed by a key of the hub's folder, so that a copy of the database alone gives no codes.
A code is good once: its time step is remembered and no earlier one counts any more.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Final

import pyotp
from nacl import utils
from nacl.secret import SecretBox

from sync.hub.keys import HubKeys

RECOVERY_CODES: Final = 10
STEP_S: Final = 30
_WINDOW: Final = (0, -1, 1)  # a telephone's clock may be one step off
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 10  # letters of a recovery code: 50 bits
_LABEL: Final = b"sala/console/second-factor/v1"


def new_secret() -> str:
    """A fresh secret of 160 bits, as authenticators write it."""
    return pyotp.random_base32()


def address(secret: str, admin: str, centre: str) -> str:
    """The ``otpauth:`` address that the QR code carries."""
    return pyotp.TOTP(secret).provisioning_uri(name=admin, issuer_name=centre)


def step_of(secret: str, code: str, after: int, now_ms: int) -> int | None:
    """The time step whose code this is, if it is later than ``after``; None for a wrong or spent code."""
    code = "".join(character for character in code if character.isdecimal())
    try:
        code = "".join(str(int(character)) for character in code)  # Khmer digits are digits
    except ValueError:
        return None
    generator, now = pyotp.TOTP(secret), now_ms // 1000 // STEP_S
    for step in (now + offset for offset in _WINDOW):
        if step > after and pyotp.utils.strings_equal(code, generator.generate_otp(step)):
            return step
    return None


def seal(keys: HubKeys, secret: str) -> bytes:
    """The secret as the database keeps it."""
    return bytes(SecretBox(_key(keys, b"seal")).encrypt(secret.encode("ascii")))


def unseal(keys: HubKeys, sealed: bytes) -> str:
    return SecretBox(_key(keys, b"seal")).decrypt(sealed).decode("ascii")


def new_recovery() -> list[str]:
    """Ten codes for the day on which the telephone is lost, in two groups of five."""
    found = []
    for _ in range(RECOVERY_CODES):
        letters = "".join(_LETTERS[byte & 31] for byte in utils.random(_LENGTH))
        found.append(f"{letters[:5]}-{letters[5:]}")
    return found


def keep_recovery(keys: HubKeys, codes: list[str]) -> str:
    """What the database keeps of the codes: keyed hashes, from which none can be made."""
    return json.dumps([_mark(keys, code) for code in codes])


def spend_recovery(keys: HubKeys, kept: str, code: str) -> str | None:
    """What is left after ``code`` was spent; None when it is none of them."""
    marks, given = json.loads(kept or "[]"), _mark(keys, code)
    return json.dumps([mark for mark in marks if mark != given]) if given in marks else None


def left(kept: str) -> int:
    """How many recovery codes are left."""
    return len(json.loads(kept or "[]"))


def _mark(keys: HubKeys, code: str) -> str:
    plain = "".join(character for character in code.upper() if character.isalnum())
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    return blake2b(plain.encode(), key=_key(keys, b"mark"), digest_size=16).hexdigest()


def _key(keys: HubKeys, use: bytes) -> bytes:
    return blake2b(_LABEL + b"\0" + use, key=keys.link_codes, digest_size=32).digest()
