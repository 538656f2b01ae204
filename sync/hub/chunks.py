"""Encrypted pieces of attachments: files under their hash, because a database of pictures is hard to back up."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from sync.durable import sync_folder
from sync.errors import Known

FOLDER: Final = "chunks"


def put(root: Path, digest: bytes, data: bytes) -> None:
    """Keep ``data`` under its hash; durable when it returns. One that was altered on the disk is put right.

    Known HB-102 when the disk has no room.
    """
    place = path(root, digest)
    if _holds(place, data):
        return
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")  # two laptops may send the same piece at once
    try:
        new = not place.parent.exists()
        place.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
        sync_folder(place.parent)
        if new:
            sync_folder(place.parent.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Known("HB-102") from error


def _holds(place: Path, data: bytes) -> bool:
    try:
        return place.stat().st_size == len(data) and place.read_bytes() == data
    except OSError:  # not there, or unreadable: write it
        return False


def path(root: Path, digest: bytes) -> Path:
    """Where the piece of that hash lies."""
    name = digest.hex()
    return root / FOLDER / name[:2] / name
