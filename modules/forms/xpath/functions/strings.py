"""Functions over text. Places and lengths count characters (code points), as XPath says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from typing import Final

from modules.contract import Refused
from modules.forms.xpath import regex
from modules.forms.xpath.functions.registry import function
from modules.forms.xpath.nodes import Context, Scalar
from modules.forms.xpath.values import string

LONGEST: Final = 1_000_000  # characters of a text that an expression makes
_SPACES: Final = re.compile(r"[ \t\r\n]+")
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@function("string(value)", "string", "strings", "The value as text.")
def _string(value: Scalar) -> str:
    return string(value)


@function("concat(value*)", "string", "strings", "All values behind each other, each node of a set as well.")
def concat(*values: Scalar) -> str:
    return join("", *values)


@function(
    "join(string, value*)",
    "string",
    "strings",
    "All values with the separator between them, each node of a set as well.",
)
def join(separator: str, *values: Scalar) -> str:
    made = separator.join([string(value) for value in values])
    if len(made) > LONGEST:
        raise Refused("FM-317", longest=LONGEST)
    return made


@function(
    "substr(string, number, number?)",
    "string",
    "strings",
    "From a place counted from 0 to before another; negative from the end.",
)
def substr(text: str, start: float, end: float | None = None) -> str:
    length = len(text)
    return text[_place(start, length) : length if end is None else _place(end, length)]


def _place(number: float, length: int) -> int:
    if number != number:
        return 0
    if math.isinf(number):
        return length if number > 0 else 0
    at = int(number)
    return min(max(at + length if at < 0 else at, 0), length)


@function(
    "substring-before(string, string)",
    "string",
    "strings",
    "What stands before the first occurrence; empty when there is none.",
)
def substring_before(text: str, mark: str) -> str:
    return text.partition(mark)[0] if mark and mark in text else ""


@function(
    "substring-after(string, string)",
    "string",
    "strings",
    "What stands after the first occurrence; empty when there is none.",
)
def substring_after(text: str, mark: str) -> str:
    return text.partition(mark)[2] if mark else text


@function(
    "translate(string, string, string)",
    "string",
    "strings",
    "Characters replaced one by one; those without a partner go.",
)
def translate(text: str, old: str, new: str) -> str:
    table: dict[int, str | None] = {}
    for at, character in enumerate(old):
        table.setdefault(ord(character), new[at] if at < len(new) else None)
    return text.translate(table)


@function(
    "string-length(string?)",
    "number",
    "strings",
    "How many characters; without an argument those of the own answer.",
    asks=True,
)
def string_length(context: Context, text: str | None = None) -> float:
    return float(len(string(context.node.value) if text is None else text))


@function(
    "normalize-space(string?)",
    "string",
    "strings",
    "Without spaces at both ends, one where there were several.",
    asks=True,
)
def normalize_space(context: Context, text: str | None = None) -> str:
    return _SPACES.sub(" ", string(context.node.value) if text is None else text).strip(" ")


@function("contains(string, string)", "boolean", "strings", "Whether the second stands inside the first.")
def contains(text: str, part: str) -> bool:
    return part in text


@function("starts-with(string, string)", "boolean", "strings", "Whether the first begins with the second.")
def starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


@function("ends-with(string, string)", "boolean", "strings", "Whether the first ends with the second.")
def ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


@function(
    "uuid(number?)",
    "string",
    "strings",
    "A random UUID of version 4, or as many random letters and digits.",
    asks=True,
    fickle=True,
)
def uuid(context: Context, length: float | None = None) -> str:
    if length is None:
        return context.world.uuid()
    if not length < 10_000:
        raise Refused("FM-317", longest=10_000)
    return "".join(_ALPHABET[int(context.world.random() * len(_ALPHABET))] for _ in range(int(max(length, 0.0))))


@function(
    "digest(string, string, string?)",
    "string",
    "strings",
    "MD5, SHA-1, SHA-256, SHA-384 or SHA-512 in base64 or hex.",
    tried=True,
)
def digest(text: str, algorithm: str, encoding: str = "base64") -> str:
    if algorithm.upper() not in _DIGESTS or encoding.lower() not in ("base64", "hex"):
        raise Refused("FM-314", what=f"{algorithm[:20]} {encoding[:20]}")
    made = hashlib.new(_DIGESTS[algorithm.upper()], text.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return made.hex() if encoding.lower() == "hex" else base64.b64encode(made).decode("ascii")


@function("base64-decode(string)", "string", "strings", "The text behind base64; empty when it is none.")
def base64_decode(text: str) -> str:
    made = _bytes(text)
    return "" if made is None else made.decode("utf-8", "replace")


@function(
    "extract-signed(string, string)", "string", "strings",
    "The text behind a good Ed25519 signature, else empty: signature and text in base64, public key in base64.",
)  # fmt: skip
def extract_signed(signed: str, public_key: str) -> str:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    data, key = _bytes(signed), _bytes(public_key)
    if data is None or key is None or len(key) != 32 or len(data) < 64:
        return ""
    try:
        return VerifyKey(key).verify(data).decode("utf-8", "replace")
    except (BadSignatureError, ValueError):
        return ""


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None


@function(
    "regex(string, string)", "boolean", "strings", "Whether the whole text fits the regular expression.", tried=True
)
def matches(text: str, pattern: str) -> bool:
    return regex.fits(pattern, text)
