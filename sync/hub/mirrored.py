"""The centre's publications as a relay keeps them: the same signed files, fetched whole, the timestamp put in place last.

A relay checks nothing of them: every laptop verifies signatures and hashes itself (TUF), whoever hands it the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync import durable
from sync.errors import Known
from sync.limits import MAX_MESSAGE, MAX_PUBLICATION

if TYPE_CHECKING:
    from sync.transport import Transport

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_MOST_ROOTS: Final = 1_000
TIMESTAMP: Final = "metadata/timestamp.json"


class Published:
    """Publications in one folder: ``metadata/`` and ``targets/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> Path | None:
        """The file of a request path; None when it is not here or the path is not plain."""
        place = self._place(path)
        return place if place is not None and place.is_file() else None

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that is here, the timestamp last."""
        found = [
            (path.relative_to(self._folder).as_posix(), path)
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        ]
        yield from sorted(found, key=lambda item: item[0] == TIMESTAMP)

    def refresh(self, line: Transport) -> int:
        """Fetch what is new; how many files. A set that is not whole yet is not shown: its timestamp comes last."""
        timestamp = self._fetch(line, TIMESTAMP, MAX_MESSAGE)
        if timestamp is None:
            return 0
        new = self._roots(line)
        old = self.read(TIMESTAMP)
        if old is not None and old.read_bytes() == timestamp:
            return new
        version = _signed(timestamp)["meta"]["snapshot.json"]["version"]
        snapshot, fetched = self._ensure(line, f"metadata/{version}.snapshot.json", MAX_MESSAGE)
        new += fetched
        for name, meta in _signed(snapshot)["meta"].items():
            data, fetched = self._ensure(line, f"metadata/{meta['version']}.{name}", 16 * MAX_MESSAGE)
            new += fetched
            for target, facts in _signed(data)["targets"].items():
                head, slash, tail = target.rpartition("/")
                _, fetched = self._ensure(
                    line, f"targets/{head}{slash}{facts['hashes']['sha256']}.{tail}", MAX_PUBLICATION
                )
                new += fetched
        self.put(TIMESTAMP, timestamp)
        return new + 1

    def put(self, path: str, data: bytes) -> None:
        """Keep one file, as a stick or the line brought it."""
        place = self._place(path)
        if place is None:
            raise Known("SY-351", status="a strange file name")
        place.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(place, data)

    def _roots(self, line: Transport) -> int:
        new = 0
        for version in range(1, _MOST_ROOTS):
            path = f"metadata/{version}.root.json"
            if self.read(path) is not None:
                continue
            data = self._fetch(line, path, MAX_MESSAGE)
            if data is None:
                break
            self.put(path, data)
            new += 1
        return new

    def _ensure(self, line: Transport, path: str, limit: int) -> tuple[bytes, int]:
        """The file, fetched unless it is here: names carry version or hash, so what is here stays right."""
        place = self.read(path)
        if place is not None:
            return place.read_bytes(), 0
        data = self._fetch(line, path, limit)
        if data is None:
            raise Known("SY-341")  # the centre published anew meanwhile: next time
        self.put(path, data)
        return data, 1

    def _fetch(self, line: Transport, path: str, limit: int) -> bytes | None:
        answer = line.call("GET", f"/v1/tuf/{path}", limit=limit)
        return answer.body if answer.status == 200 else None

    def _place(self, path: str) -> Path | None:
        parts = path.split("/")
        plain = len(parts) > 1 and parts[0] in ("metadata", "targets") and all(_PART.fullmatch(part) for part in parts)
        return self._folder.joinpath(*parts) if plain else None


def _signed(data: bytes) -> Any:
    return json.loads(data)["signed"]
