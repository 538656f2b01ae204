"""Overwrite a secret in memory. Python cannot promise that no other copy was ever made; this ends the ones we know."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_KNOWN_LAYOUT: Final = sys.implementation.name == "cpython"
_LEAST: Final = 16  # shorter values may be shared by the interpreter


def wipe(*secrets: bytes | str) -> None:
    """Fill each with zeros in place. Only for values that this program made itself and nobody reads again."""
    for secret in secrets:
        size = len(secret)
        if _KNOWN_LAYOUT and size >= _LEAST and (isinstance(secret, bytes) or secret.isascii()):
            ctypes.memset(id(secret) + sys.getsizeof(secret) - size - 1, 0, size)  # the content and one zero end it
