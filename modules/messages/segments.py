"""How many text messages (segments) a text is, exactly as networks count, and where it is cut.

Units are GSM-7 septets (3GPP TS 23.038; signs of its extension table cost two) or, as soon as one sign lies outside that
alphabet, UTF-16 code units (all Khmer; an emoji is two). A long text gives up room to the joining header, and neither an
escape pair nor a surrogate pair is ever cut, so a plain division is wrong for some texts.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeVar

Whole = TypeVar("Whole", str, bytes)
Encoding = Literal["GSM-7", "UCS-2"]
Bits = Literal[8, 16]  # size of the reference number in the joining header; networks differ

MOST: Final = 255  # segments that one joined message can have

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = "\f^{}\\[~]|€"
_ESCAPE: Final = "\x1b"
_ONLY_BASIC: Final = re.compile(f"[{re.escape(_BASIC)}]*")
_ONLY_GSM: Final = re.compile(f"[{re.escape(_BASIC + _EXTENDED)}]*")
_ESCAPED: Final = str.maketrans({sign: _ESCAPE + sign for sign in _EXTENDED})
_JOINED: Final = {("GSM-7", 8): 153, ("UCS-2", 8): 67, ("GSM-7", 16): 152, ("UCS-2", 16): 66}
INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u180e"))  # what a reader cannot see and a network charges


class Count(NamedTuple):
    """``units`` are septets or UTF-16 units of the whole text."""

    encoding: Encoding
    units: int
    segments: int


def count(text: str, bits: Bits = 8) -> Count:
    """The segments of ``text``; an empty text is one."""
    if _ONLY_BASIC.fullmatch(text):
        units = len(text)
        return Count("GSM-7", units, 1 if units <= 160 else -(-units // _JOINED["GSM-7", bits]))
    if _ONLY_GSM.fullmatch(text):
        septets = text.translate(_ESCAPED)
        units = len(septets)
        return Count("GSM-7", units, 1 if units <= 160 else len(_cuts_of_septets(septets, bits)))
    units = len(text.encode("utf-16-le", "surrogatepass")) >> 1
    if units <= 70:
        return Count("UCS-2", units, 1)
    if units == len(text):  # no pair that could be cut
        return Count("UCS-2", units, -(-units // _JOINED["UCS-2", bits]))
    return Count("UCS-2", units, len(_cuts_of_units(text.encode("utf-16-le", "surrogatepass"), bits)))


def split(text: str, bits: Bits = 8) -> list[str]:
    """The segments as text; joined they are ``text`` again."""
    encoding, _, segments = count(text, bits)
    if segments == 1:
        return [text]
    if encoding == "GSM-7":
        septets = text.translate(_ESCAPED)
        return [piece.replace(_ESCAPE, "") for piece in _pieces(septets, _cuts_of_septets(septets, bits))]
    data = text.encode("utf-16-le", "surrogatepass")
    return [piece.decode("utf-16-le", "surrogatepass") for piece in _pieces(data, _cuts_of_units(data, bits))]


def without_breaks(text: str) -> str:
    """``text`` without its invisible word breaks: the reader sees the same, the network counts less."""
    return text.translate(INVISIBLE)


def _cuts_of_septets(septets: str, bits: Bits) -> list[int]:
    """Where each segment ends, in septets; never between an escape and its sign."""
    room, ends = _JOINED["GSM-7", bits], []
    end = 0
    while end < len(septets):
        end += room
        if septets[end - 1 : end] == _ESCAPE and end < len(septets):
            end -= 1
        ends.append(min(end, len(septets)))
    return ends


def _cuts_of_units(data: bytes, bits: Bits) -> list[int]:
    """Where each segment ends, in bytes; never between a high surrogate and its low one."""
    room, ends = 2 * _JOINED["UCS-2", bits], []
    end = 0
    while end < len(data):
        end += room
        if end < len(data) and data[end - 1] >> 2 == 0x36 and data[end + 1] >> 2 == 0x37:  # D800–DBFF then DC00–DFFF
            end -= 2
        ends.append(min(end, len(data)))
    return ends


def _pieces(whole: Whole, ends: list[int]) -> list[Whole]:
    return [whole[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
