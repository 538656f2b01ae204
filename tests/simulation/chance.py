"""Every source of chance and of time under one seed, for as long as a simulation runs: the same seed makes the same bytes.

libsodium draws the ephemeral key of a sealed box out of Python's sight, so sealed boxes are put together here from PyNaCl's
own parts as libsodium documents them (``epk ‖ box(m, nonce = blake2b(epk ‖ pk))``); the product opens them unchanged.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import nacl.bindings
import nacl.public

from sync import ids, transport


class Stopwatch:
    """What the line measures itself with: stands still unless the line is slow."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@contextmanager
def seeded(seed: int | str) -> Iterator[Stopwatch]:
    """Patch chance and the line's stopwatch for the block."""
    dice = random.Random(f"sala {seed}")
    state, watch = random.getstate(), Stopwatch()
    with patched(
        (nacl.bindings, "randombytes", dice.randbytes),
        (nacl.bindings, "crypto_box_seal", _sealer(dice.randbytes)),
        (os, "urandom", dice.randbytes),
        (random, "_urandom", dice.randbytes),  # what the module secrets draws from
        (ids, "_last_ms", -1),
        (transport, "time", watch),
    ):
        random.seed(f"sala {seed}")  # the jitter of every back-off
        try:
            yield watch
        finally:
            random.setstate(state)


@contextmanager
def patched(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """``(owner, name, value)`` each, put back in the opposite order."""
    old = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(old):
            setattr(owner, name, value)


def _sealer(draw: Callable[[int], bytes]) -> Callable[[bytes, bytes], bytes]:
    def seal(message: bytes, public: bytes) -> bytes:
        secret = nacl.public.PrivateKey(draw(32))
        mine = bytes(secret.public_key)
        nonce = blake2b(mine + public, digest_size=24).digest()
        return mine + bytes(nacl.bindings.crypto_box(message, nonce, public, bytes(secret)))

    return seal
