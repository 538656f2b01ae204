"""A relay without a line: what it holds goes to the centre on a stick, and all that the centre says comes back on one.

The files are ordinary courier files with the same bytes as online: the centre takes them like any laptop's. A relay that has never
had a line begins with an empty one: what comes back is enough for it to serve laptops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sync import piecenote, volume
from sync.errors import Known, SalaError
from sync.hub import relay_words
from sync.hub.relay import Relay
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_MESSAGE, MAX_NOTE, MAX_PUBLICATION, MAX_RECEIPT
from sync.volume import Entry, Object, Volume

STEM: Final = "sala-relay"
_TIMESTAMP: Final = "timestamp.json"
_FIRST: Final = frozenset({"life", "checkpoint"})  # what the rest of a stick is held against
_PUBLISHED: Final = frozenset({"metadata", "target"})


@dataclass(slots=True)
class Taken:
    """What a stick brought. ``problems``: ``{"file", "object", "code"}`` each."""

    files: int = 0
    batches: int = 0
    chunks: int = 0
    receipts: int = 0  # of the centre, new here
    publications: int = 0
    damaged: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)


def export(relay: Relay, folder: Path) -> dict[str, Any]:
    """Write all that waits into ``folder``. Known: SY-370 full, SY-371 not writable, SY-373 it does not keep data."""
    counts = {"batch": 0, "chunk": 0}

    def objects() -> Iterator[Object]:
        yield Object("relay", relay.settings.name, relay_words.introduction(relay))
        for what, digest, data in relay.waiting():
            counts[what] += 1
            yield Object(what, digest.hex(), data)

    moment = datetime.fromtimestamp(relay.clock.wall_ms() / 1000, UTC)
    paths = volume.write(folder, f"{STEM}-{relay.settings.name}-{moment:%Y%m%d-%H%M%S}", objects())
    return {"files": [str(path) for path in paths], "batches": counts["batch"], "chunks": counts["chunk"]}


def take(relay: Relay, path: Path) -> Taken:
    """Take every courier file at ``path``. Known: SY-371 unreadable, SY-372 not one (when ``path`` is one file), SY-374 none."""
    report = Taken()
    files = volume.find(path)
    if not files:
        raise Known("SY-374")
    for file in files:
        try:
            with Volume(file) as found:
                _volume(relay, file.name, found, report)
        except Known as error:
            if files == [path]:
                raise
            report.problems.append({"file": file.name, "object": "", "code": error.code})
    return report


def _volume(relay: Relay, name: str, found: Volume, report: Taken) -> None:
    report.files += 1
    published = [entry for entry in found.entries if entry.type in _PUBLISHED]
    others = [entry for entry in found.entries if entry.type not in _PUBLISHED]
    _entries(relay, name, found, sorted(others, key=lambda entry: entry.type not in _FIRST), report)
    if published:
        with relay.published.turn():
            _entries(relay, name, found, sorted(published, key=lambda entry: entry.name == _TIMESTAMP), report)
    report.damaged += found.damaged


def _entries(relay: Relay, name: str, found: Volume, entries: Sequence[Entry], report: Taken) -> None:
    for entry in entries:
        data = found.read(entry) if entry.length <= _LIMITS.get(entry.type, 0) else None
        if data is None:
            continue
        try:
            _one(relay, entry, data, report)
        except (SalaError, ValueError) as error:
            code = error.code if isinstance(error, SalaError) else "SY-372"
            report.problems.append({"file": name, "object": f"{entry.type} {entry.name[:16]}", "code": code})


_LIMITS: Final = {
    "batch": MAX_BATCH, "chunk": MAX_CHUNK, "receipt": MAX_RECEIPT, "metadata": MAX_PUBLICATION, "target": MAX_PUBLICATION,
    "pieces": MAX_NOTE, "checkpoint": MAX_NOTE, "life": MAX_NOTE, "words": 16 * MAX_MESSAGE,
}  # fmt: skip


def _one(relay: Relay, entry: Entry, data: bytes, report: Taken) -> None:
    if entry.type == "batch":
        relay.take(data, bytes.fromhex(entry.name))
        report.batches += 1
    elif entry.type == "chunk":
        report.chunks += relay.take_chunk(data, bytes.fromhex(entry.name))
    elif entry.type == "receipt":
        report.receipts += relay_words.take_receipt(relay, data.decode("utf-8", "replace"))
    elif entry.type == "pieces":
        relay_words.take_pieces(relay, piecenote.read(data.decode("utf-8", "replace"), relay.settings.log))
    elif entry.type == "checkpoint":
        relay_words.take_checkpoint(relay, data.decode("utf-8", "replace"))
    elif entry.type == "life":
        relay_words.take_life(relay, data.decode("utf-8", "replace"))
    elif entry.type == "words":
        relay_words.take_words(relay, data)
    else:
        relay.published.put(f"{'targets' if entry.type == 'target' else entry.type}/{entry.name}", data)
        report.publications += 1
