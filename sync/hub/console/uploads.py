"""Courier files that come through the console: the copy of a stick's file while it is taken, and the answers to carry home."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from starlette.datastructures import UploadFile

from sync.hub import courier
from sync.hub.centre import Centre
from sync.volume import SUFFIX

REPLIES: Final = "courier"  # folder of the hub
KEPT: Final = 20  # answers that can still be downloaded
_COPY: Final = "incoming-"
_LEFT_S: Final = 86_400  # a copy so old was left by a hub that was cut off


def take(centre: Centre, upload: UploadFile) -> courier.Taken:
    """Take an uploaded courier file; its answers lie in :func:`replies`. Refused or Known as :func:`sync.hub.courier.take`."""
    for left in centre.folder.glob(f"{_COPY}*"):
        if time.time() - left.stat().st_mtime > _LEFT_S:
            shutil.rmtree(left, ignore_errors=True)
    folder = replies(centre)
    with tempfile.TemporaryDirectory(prefix=_COPY, dir=centre.folder) as incoming:
        file = Path(incoming) / f"upload{SUFFIX}"
        with file.open("wb") as copy:
            shutil.copyfileobj(upload.file, copy, 1 << 20)
        taken = courier.take(centre, file, back=folder)
    centre.wake()
    return taken


def replies(centre: Centre) -> Path:
    """The folder of the answers; those that nobody has fetched for long are gone from it."""
    folder = centre.folder / REPLIES
    folder.mkdir(exist_ok=True)
    files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for path in files[: -KEPT + 1]:
        path.unlink(missing_ok=True)
    return folder
