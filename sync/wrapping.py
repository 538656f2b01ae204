"""One secret under another: XChaCha20-Poly1305 with the nonce in front, bound to what it is about."""

from __future__ import annotations

from typing import Final

from nacl import exceptions, utils
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

NONCE: Final = 24
OVERHEAD: Final = NONCE + 16


class WrongKey(Exception):
    """The key, or what the secret is about, is another one; or the bytes were changed."""


def wrap(key: bytes, secret: bytes, about: bytes) -> bytes:
    """``secret`` under the 32-byte ``key``; it opens only with the same ``about``."""
    nonce = utils.random(NONCE)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(secret, about, nonce, key)


def unwrap(key: bytes, wrapped: bytes, about: bytes) -> bytes:
    """What :func:`wrap` hid. Raises :class:`WrongKey`."""
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(wrapped[NONCE:], about, wrapped[:NONCE], key)
    except (exceptions.CryptoError, ValueError):
        raise WrongKey from None
