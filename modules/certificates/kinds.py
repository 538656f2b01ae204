"""Names what a text is: our own credentials in it, an address, a certificate of another system, or plain words."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

from i18n.catalog import Text
from modules.certificates import verifykh
from modules.certificates.kh1 import PREFIX
from modules.certificates.verifykh import NotOfficial, Official
from sync import base45

_KH1 = re.compile(r"KH1:[0-9A-Z $%*+\-./:\r\n\t]*")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(~[A-Za-z0-9_.~-]*)?")
_BREAKS = str.maketrans("", "", "\r\n\t")
_MAX_OURS = 500  # credentials in one text

OTHERS: Final[dict[str, Text]] = {
    "hc1": {"km": "វិញ្ញាបនបត្រសុខភាព HC1", "en": "Health certificate HC1"},
    "shc": {"km": "ប័ណ្ណសុខភាព SMART", "en": "SMART health card"},
    "oa": {"km": "ឯកសារ OpenAttestation", "en": "OpenAttestation document"},
    "vc": {"km": "វិញ្ញាបនបត្រ W3C", "en": "W3C verifiable credential"},
    "sd-jwt": {"km": "វិញ្ញាបនបត្រ SD-JWT", "en": "SD-JWT credential"},
    "jwt": {"km": "សញ្ញាសម្គាល់ JWT", "en": "JWT token"},
    "vds": {"km": "ត្រា VDS-NC របស់ ICAO", "en": "ICAO VDS-NC seal"},
    "pixelpass": {"km": "កូដ PixelPass ឬ claim 169", "en": "PixelPass or claim 169 code"},
    "pdf": {"km": "ហត្ថលេខា PDF", "en": "Signature of a PDF"},
}


@dataclass(frozen=True, slots=True)
class Ours:
    """Texts of KH1 credentials, cleaned of line breaks."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A certificate of another system, by its key in ``OTHERS``."""

    kind: str


Recognised = Ours | Official | NotOfficial | Other | None


def recognise(text: str) -> Recognised:
    """What ``text`` is; None for plain words."""
    if PREFIX in text:
        return Ours(tuple(_clean(part) for part in _KH1.findall(_apart(text))[:_MAX_OURS]))
    address = verifykh.recognise(text)
    if address is not None:
        return address
    kind = _other(text.strip())
    return Other(kind) if kind else None


def _apart(text: str) -> str:
    """Each credential on its own: a second prefix never belongs to the first one's body."""
    first, *rest = text.split(PREFIX)
    return first + "".join(f"\0{PREFIX}{part}" for part in rest)


def _clean(part: str) -> str:
    """Mail programs break long lines, and no text of ours ends in a space."""
    return part.translate(_BREAKS).rstrip(" ")


def _other(text: str) -> str | None:
    if text.startswith("HC1:"):
        return "hc1"
    if text.startswith("shc:/"):
        return "shc"
    if text.startswith("{"):
        return _json_kind(text)
    if found := _JWT.fullmatch(text):
        return "sd-jwt" if found[1] else "jwt"
    return "pixelpass" if _is_packed(text) else None


def _json_kind(text: str) -> str | None:
    """JSON certificates by the words that only they hold; nothing is parsed."""
    if "SHA3MerkleProof" in text or "OpenAttestation" in text or "schema.openattestation.com" in text:
        return "oa"
    if '"@context"' in text and "credentials" in text:
        return "vc"
    return "vds" if '"hdr"' in text and '"sigvl"' in text else None


def _is_packed(text: str) -> bool:
    """Base45 of a zlib stream without any prefix."""
    if len(text) < 30:
        return False
    try:
        return bool(zlib.decompressobj().decompress(base45.decode(text), 16))
    except (base45.NotBase45, zlib.error):
        return False
