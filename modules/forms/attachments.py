"""Photos and scans from outside: size asked before reading, kind known by the bytes and not by the name, content checked."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from i18n.normalise import store
from modules.contract import Files, Refused
from modules.forms.definition import Field

HARD_LIMIT: Final = 20_000_000  # bytes, whatever a definition says
MAX_PIXELS: Final = 60_000_000  # a phone's picture has 12 to 50 million; more is a decompression bomb
ACCEPTED_WORDS: Final = {"image/jpeg": "JPG", "image/png": "PNG", "application/pdf": "PDF"}
_DEFAULT_ACCEPT: Final = ("image/jpeg", "image/png", "application/pdf")


def sniff(head: bytes) -> str:
    """The media type that the first bytes of a file say, "" for none that forms accept."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    return ""


def take(files: Files, field: Field, path: Path, present: Sequence[Any]) -> dict[str, Any]:
    """Store the file at ``path`` for ``field``; returns ``{"blob", "name", "media", "size"}``.

    Refused, with nothing stored: FM-020 too large (before it is read), 021 kind, 022 field full, 023 not readable, 024 damaged.
    """
    most = field.rules.get("max_files", 1)
    if len(present) >= most:
        raise Refused("FM-022", most=most)
    data = _read(path, min(field.rules.get("max_bytes", HARD_LIMIT), HARD_LIMIT))
    media = sniff(data[:16])
    accepted = field.rules.get("accept", _DEFAULT_ACCEPT)
    if media not in accepted:
        raise Refused("FM-021", accepted=", ".join(ACCEPTED_WORDS[kind] for kind in accepted))
    if not _whole(data, media):
        raise Refused("FM-024", file=path.name)
    return {"blob": files.add_bytes(data, media), "name": safe_name(path.name), "media": media, "size": len(data)}


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise Refused("FM-023", file=path.name)
            if status.st_size > limit:
                raise Refused("FM-020", size=megabytes(status.st_size), limit=megabytes(limit))
            data = file.read(limit + 1)
    except OSError as error:
        raise Refused("FM-023", file=path.name) from error
    if not data:
        raise Refused("FM-023", file=path.name)
    if len(data) > limit:  # it grew between the question and the reading
        raise Refused("FM-020", size=megabytes(len(data)), limit=megabytes(limit))
    return data


def _whole(data: bytes, media: str) -> bool:
    """Whether the file opens as what it says it is. A damaged scan is seen at the counter."""
    if media == "application/pdf":
        return _whole_pdf(data)
    from io import BytesIO

    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=[media.removeprefix("image/").upper()]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return False
            picture.draft("L", (64, 64))  # JPEG: decode an eighth of the lines' cost, still to the last byte
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return False
    return True


def _whole_pdf(data: bytes) -> bool:
    """A PDF that was cut off lacks its end mark. It is not opened here: that is for the one who looks at it."""
    tail = data[-2048:]
    return b"%%EOF" in tail and b"startxref" in tail


def safe_name(name: str) -> str:
    """A file name that can be shown and written anywhere: no path, no control or direction marks, at most 80 characters."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", "", name).strip(
        " ."
    )
    stem, dot, suffix = plain.rpartition(".")
    short = f"{stem[:70]}{dot}{suffix[:9]}" if dot else plain[:80]
    return store(short) or "file"


def megabytes(size: int) -> str:
    """``5`` or ``0.3``: decimal megabytes with one place at most."""
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
