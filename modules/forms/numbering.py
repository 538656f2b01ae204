"""Receipt numbers, and the text of the QR code that carries one. Described in ``docs/formats/case-receipt.md``.

A number is ``<office>-<device>-<serial>`` like 0306-01-000214, made from the lease "receipt-numbers": disjoint on every
laptop, so two laptops without a line never give the same number.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from i18n.numbers import ascii_digits
from modules.contract import Json, Refused

RESOURCE: Final = "receipt-numbers"
_QR: Final = re.compile(r"SALA:R1:([0-9]{4,8})-([0-9]{1,4})-([0-9]{1,9}):([0-9A-Z]{10})")
_NUMBER: Final = re.compile(r"([0-9]{4,8})[-/]([0-9]{1,4})[-/]([0-9]{1,9})")
_DASHES: Final = re.compile(r"[\u2010-\u2015\u2212]")
_PREFIX: Final = re.compile(r"[0-9]{4,8}-[0-9]{1,4}-")
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WIDEST: Final = 9  # digits of a serial number
_SERIALS: Final = 10**_WIDEST
_LONGEST: Final = 200  # characters that a scanner or a person gives


def number(content: Json, n: int) -> str:
    """The ``n``-th number of a lease with content ``{"prefix": "0306-1-", "first": 1, "width": 6}``."""
    prefix, first, width = content.get("prefix"), content.get("first"), content.get("width")
    if not (
        isinstance(prefix, str) and _PREFIX.fullmatch(prefix) and type(first) is int and type(width) is int
        and 0 <= first + n < _SERIALS
    ):  # fmt: skip
        raise Refused("FM-041")
    office, device = prefix.rstrip("-").split("-")
    return f"{office}-{device.zfill(2)}-" + str(first + n).zfill(min(max(width, 1), _WIDEST))


def check_code(op: str, receipt: str) -> str:
    """Ten characters (50 bits) that bind the paper to the record: from the hash of the op that the number stands in."""
    hashed = hashlib.sha256(b"sala/receipt/v1\0" + bytes.fromhex(op) + receipt.encode("ascii")).digest()
    bits = int.from_bytes(hashed[:7], "big") >> 6
    return "".join(_CROCKFORD[bits >> shift & 31] for shift in range(45, -1, -5))


def qr_text(op: str, receipt: str) -> str:
    """What the QR code of a receipt says: upper case, digits and three marks, so the code stays small."""
    return f"SALA:R1:{receipt}:{check_code(op, receipt)}"


@dataclass(frozen=True, slots=True)
class Read:
    """What was scanned or typed: the parts of a number, or only a serial (``office`` and ``device`` empty)."""

    office: str
    device: str
    serial: str
    code: str | None  # only a scanned code has it

    def same(self, receipt: str) -> bool:
        """Whether this names ``receipt``; leading zeros of device and serial may be left out."""
        office, device, serial = receipt.split("-")
        if int(serial) != int(self.serial):
            return False
        return not self.office or (office == self.office and int(device) == int(self.device))


def read(text: str) -> Read:
    """A scanned code, a number, or a serial alone; Khmer digits, blanks and long dashes are understood. Else FM-035."""
    if len(text) > _LONGEST:
        raise Refused("FM-035")
    plain = re.sub(r"\s", "", _DASHES.sub("-", ascii_digits(text))).upper()
    if found := _QR.fullmatch(plain):
        return Read(found[1], found[2], found[3], found[4])
    if found := _NUMBER.fullmatch(plain):
        return Read(found[1], found[2], found[3], None)
    if re.fullmatch(r"[0-9]{1,9}", plain):
        return Read("", "", plain, None)
    raise Refused("FM-035")
