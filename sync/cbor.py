"""The strict, bounded CBOR of every format: one encoding exists, and nothing but plain data gets in.

Allowed are integers of 64 bits, byte and text strings, finite floats, true, false, null, arrays, and maps whose keys
are all text or all non-negative integers. Tags, NaN, infinities, ``undefined``, other simple values, indefinite
lengths, duplicate keys, trailing bytes and any encoding but the deterministic one (RFC 8949 §4.2.1) are refused.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeGuard

import cbor2
import zstandard

from sync.errors import Known
from sync.limits import MAX_DEPTH, MAX_RAW, MAX_SEQ, MAX_TEXT, MAX_WINDOW

_SLICE = 256  # bytes fed to zstd at a time: at most 64 blocks of 128 KiB, so a bomb costs 8 MiB of memory


class Malformed(Known):
    """Bytes that do not keep a format. ``reason`` is a short English phrase for logs and for the hub's 422."""

    def __init__(self, reason: str) -> None:
        super().__init__("SY-310", reason=reason)
        self.reason = reason


def _refuse_tag(*_: object) -> NoReturn:
    raise Malformed("cbor: tag")


_NO_TAGS = dict.fromkeys(range(0x10000), _refuse_tag)  # cbor2 knows some of these and would act on them
_LEAVES = frozenset({int, str, bytes, bool, type(None)})
# what cbor2 raises on hostile bytes
_BROKEN = (cbor2.CBORError, ValueError, TypeError, LookupError, OverflowError, RecursionError)


def encode(value: Any) -> bytes:
    """The deterministic encoding of plain data; anything else is refused."""
    _require_plain(value)
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError:
        raise Malformed("cbor: text is not Unicode") from None


def decode(data: bytes) -> Any:
    """The one item that ``data`` holds."""
    value, end = decode_prefix(data)
    if end != len(data):
        raise Malformed("cbor: trailing bytes")
    return value


def decode_prefix(data: bytes, start: int = 0) -> tuple[Any, int]:
    """The first item from ``start`` on and the offset right behind it."""
    return next(sequence(data, start), None) or _no_item()


def sequence(data: bytes, start: int = 0) -> Iterator[tuple[Any, int]]:
    """The items of a CBOR sequence from ``start`` on, each with the offset right behind it."""
    stream = io.BytesIO(data)
    stream.seek(start)
    decoder = cbor2.CBORDecoder(
        stream,
        tag_hook=_refuse_tag,
        semantic_decoders=_NO_TAGS,
        max_depth=MAX_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
    )
    canonical = cbor2.CBOREncoder(io.BytesIO(), canonical=True)
    plain = cbor2.CBOREncoder(io.BytesIO(), canonical=False)
    while start < len(data):
        try:
            value = decoder.decode()
        except _BROKEN as broken:
            raise Malformed(f"cbor: {type(broken).__name__}") from None
        end = stream.tell()
        encoder = canonical
        if end - start > MAX_TEXT:
            _require_plain(value)
        elif _require_sound(value):
            encoder = plain
        if encoder.encode_to_bytes(value) != data[start:end]:
            raise Malformed("cbor: not the deterministic encoding")
        yield value, end
        start = end


def _no_item() -> NoReturn:
    raise Malformed("cbor: nothing there")


def _require_sound(value: Any) -> bool:
    """As :func:`_require_plain` for what the decoder made of few bytes: depth, integers and texts are bounded already.

    True when its plain encoding is the deterministic one, which is quicker to make: no float is in it, and the keys of every
    map stand in their order. Where that cannot be said at once the answer is False.
    """
    kind = type(value)
    if kind is dict:
        straight = _require_keys(value)
        members = value.values()
    elif kind is list:
        straight, members = True, value
    elif kind in _LEAVES:
        return True
    elif kind is float and math.isfinite(value):
        return False
    else:
        raise Malformed("cbor: not plain data")
    if not _LEAVES.issuperset(map(type, members)):
        for member in members:
            if not _require_sound(member):
                straight = False
    return straight


def _require_plain(value: Any, depth: int = 0) -> None:
    kind = type(value)
    if kind is str:
        if len(value) > MAX_TEXT // 4 and len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT:
            raise Malformed("cbor: text too long")
    elif kind is bytes or kind is bool or value is None:
        pass
    elif kind is int:
        if not -(1 << 64) <= value < 1 << 64:
            raise Malformed("cbor: integer over 64 bits")
    elif kind is dict:
        _require_keys(value)
        _require_all(value.values(), depth)
    elif kind is list:
        _require_all(value, depth)
    elif kind is not float or not math.isfinite(value):
        raise Malformed("cbor: not plain data")


def _require_all(values: Any, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise Malformed("cbor: too deep")
    for value in values:
        _require_plain(value, depth + 1)


def _require_keys(value: dict[Any, Any]) -> bool:
    """Keys are all text or all integers from 0 to 64 bits; True when they stand in their order for certain."""
    kinds = set(map(type, value))
    if kinds == {str}:
        if len(max(value, key=len)) > MAX_TEXT // 4:  # then others may be longer in bytes
            for key in value:
                _require_plain(key)
        return _in_order(value)
    if kinds == {int}:
        keys = list(value)
        straight = keys == sorted(keys)
        if (keys[0] if straight else min(keys)) < 0 or (keys[-1] if straight else max(keys)) >> 64:
            raise Malformed("cbor: map key")
        return straight
    if kinds:
        raise Malformed("cbor: map key")
    return True


def _in_order(keys: Iterable[str]) -> bool:
    """Whether ASCII keys stand in the order of their encodings: the shorter first, then by letters."""
    before = (-1, "")
    for key in keys:
        place = (len(key), key)
        if place < before or not key.isascii():
            return False
        before = place
    return True


def is_count(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a number that every database and every reader of JSON holds: 0 … 2^53 - 1, and no true or false."""
    return type(value) is int and 0 <= value <= MAX_SEQ


def zip_bytes(data: bytes, level: int) -> bytes:
    """One zstd frame that declares its size."""
    return zstandard.ZstdCompressor(level=level).compress(data)


def unzip(data: bytes, limit: int = MAX_RAW) -> tuple[bytes, bytes]:
    """The content of the zstd frame that ``data`` begins with, at most ``limit`` bytes, and what stands behind it."""
    try:
        if not 0 <= zstandard.frame_content_size(data) <= limit:
            raise Malformed("zstd: declared size")
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
        out = bytearray()
        start = 0
        while start < len(data) and len(out) <= limit:  # whatever the frame has declared
            out += unpacker.decompress(data[start : start + _SLICE])
            start += _SLICE
            if unpacker.eof and len(out) <= limit:
                return bytes(out), unpacker.unused_data + data[start:]
    except zstandard.ZstdError:
        raise Malformed("zstd: damaged") from None
    raise Malformed("zstd: cut short or too big")
