"""Reading ops out of a batch that this hub has verified and stored itself: no check is done twice, so it costs a fifth.

Never for bytes from outside: those go through :func:`sync.batch.parse`, and so does a rebuild.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

import cbor2

from sync import cbor, cose
from sync.batch import CONTENT_TYPE
from sync.ops import OpFields, SealedRef


def read(raw: bytes, places: Collection[int]) -> dict[int, OpFields]:
    """The ops at ``places`` of a stored batch."""
    signed, split = cose.parse_prefix(raw, CONTENT_TYPE)
    header = cbor2.loads(signed.payload)
    body, _ = cbor.unzip(raw[split:], header[8])
    decoder = cbor2.CBORDecoder(io.BytesIO(body))
    found: dict[int, OpFields] = {}
    for place in range(max(places, default=-1) + 1):
        value = decoder.decode()
        if place in places:
            found[place] = _fields(value)
    return found


def _fields(value: dict[int, Any]) -> OpFields:
    body = value[10]
    return OpFields(
        op_id=value[1], kind=value[2], form=value[3], def_hash=value[4], wall_ms=value[5], mono_ms=value[6], boot_id=value[7],
        hub_floor_ms=value[8], officer=value[9], body=body if isinstance(body, dict) else SealedRef(*body),
        refs=tuple(value[11]), attach=tuple(value[12]),
    )  # fmt: skip
