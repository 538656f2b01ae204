"""Certificate numbers and places in the status list, from the lease ``certificate-numbers``.

Content of the lease: ``{"prefix": "0306-7-", "first": 1, "width": 6, "index": 0}``. Number k of the block is
``prefix + (first + k)``, padded to ``width``; ``index`` is the block's first entry in the office's status list (left out:
the same as ``first``). Inside the block the entry is drawn at random, so that the public list does not tell which number
is revoked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from i18n.errors import Known
from modules.certificates.claims import MAX_INDEX
from modules.contract import Lease

RESOURCE: Final = "certificate-numbers"
_PREFIX = re.compile(r"[0-9A-Z/-]{0,24}")


@dataclass(frozen=True, slots=True)
class Block:
    """One leased block of numbers."""

    prefix: str
    first: int
    width: int
    index: int
    size: int

    def number(self, k: int) -> str:
        return self.prefix + str(self.first + k).zfill(self.width)

    def entry(self, used: set[int], random: Callable[[int], bytes]) -> int:
        """A free entry of the status list, drawn at random; ``used`` are entries already given out."""
        free = [entry for entry in range(self.index, self.index + self.size) if entry not in used]
        return free[int.from_bytes(random(8), "big") % len(free)]


def block(lease: Lease) -> Block:
    """The block that ``lease`` describes. ``Known("CT-122")`` when its content is not of the documented form."""
    match lease.content:
        case {"prefix": str(prefix), "first": int(first), "width": int(width)}:
            index = lease.content.get("index", first)
            sound = type(index) is int and index >= 0 and index + lease.size <= MAX_INDEX
            if _PREFIX.fullmatch(prefix) and 0 <= first < 10**9 and 1 <= width <= 9 and sound:
                return Block(prefix, first, width, index, lease.size)
    raise Known("CT-122", lease=lease.id)
