"""The centre's publications as a relay keeps them: the same signed files, fetched whole, the timestamp put in place last.

Every laptop verifies signatures and hashes itself (TUF), whoever hands it the files. A relay does it too, so that a bit which
flipped on the line or on a stick does not stay here under a name that is never fetched again. The first root it takes as it comes.

What the last sets no longer name is let go of, as the centre does: a laptop on a slow line finishes with the set that it began with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from sync import durable
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub.parts import TOP
from sync.limits import MAX_MESSAGE, MAX_PUBLICATION
from sync.lockfile import turn

if TYPE_CHECKING:
    from sync.transport import Transport

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_MOST_ROOTS: Final = 1_000
_KEPT_SETS: Final = 20  # the one that is shown and those before it
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

    def turn(self) -> AbstractContextManager[None]:
        """Whoever changes the set waits for others who do. Known SY-352 when that takes too long."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return turn(self._folder.with_name("published.lock"))

    def refresh(self, line: Transport) -> int:
        """Fetch what is new; how many files. A set that is not whole yet is not shown: its timestamp comes last.

        Known SY-341: the centre published anew meanwhile; SY-352: somebody else is at it for long.
        """
        with self.turn():
            return self._refresh(line)

    def _refresh(self, line: Transport) -> int:
        timestamp = self._fetch(line, TIMESTAMP, MAX_MESSAGE)
        if timestamp is None:
            return 0
        new = self._roots(line)
        old = self.read(TIMESTAMP)
        if old is not None and old.read_bytes() == timestamp:
            return new
        self._require_genuine(TIMESTAMP, timestamp)
        version = _signed(timestamp)["meta"]["snapshot.json"]["version"]
        snapshot, fetched = self._ensure(line, f"metadata/{version}.snapshot.json", MAX_MESSAGE)
        new += fetched
        for name, meta in sorted(_signed(snapshot)["meta"].items(), key=lambda item: item[0] != f"{TOP}.json"):
            data, fetched = self._ensure(line, f"metadata/{meta['version']}.{name}", 16 * MAX_MESSAGE)
            new += fetched
            for target, facts in _signed(data)["targets"].items():
                _, fetched = self._ensure(line, _target(target, facts), MAX_PUBLICATION)
                new += fetched
        self.put(TIMESTAMP, timestamp)
        self._forget(version)
        return new + 1

    def put(self, path: str, data: bytes) -> None:
        """Keep one file, as a stick or the line brought it. Malformed: it is not what its name says.

        A timestamp that is older than the one that is here came by a stick that was long on its way: it is passed over.
        """
        place = self._place(path)
        if place is None:
            raise Known("SY-351", status="a strange file name")
        self._require_genuine(path, data)
        if path == TIMESTAMP and place.is_file() and _signed(data)["version"] < _signed(place.read_bytes())["version"]:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(place, data)

    def _forget(self, shown: int) -> None:
        """Remove all that none of the last sets up to version ``shown`` names; roots stay, for every laptop goes through them."""
        metadata = self._folder / "metadata"
        named = {TIMESTAMP}
        versions = sorted(
            int(n) for path in metadata.glob("*.snapshot.json") if (n := path.name.split(".")[0]).isdecimal()
        )
        for version in [one for one in versions if one <= shown][-_KEPT_SETS:]:
            named |= self._named(version)
        for path, place in list(self.files()):
            if path not in named and not path.endswith(".root.json"):
                place.unlink()

    def _named(self, version: int) -> set[str]:
        """The files of one set, as far as they are here and can be read: a stick may have brought anything."""
        path = f"metadata/{version}.snapshot.json"
        named = {path}
        for name, meta in self._said(path, "meta"):
            part = f"metadata/{meta.get('version')}.{name}"
            named.add(part)
            named |= {_target(target, facts) for target, facts in self._said(part, "targets")}
        return named

    def _said(self, path: str, what: str) -> list[tuple[str, dict[str, Any]]]:
        place = self.read(path)
        try:
            found = _signed(place.read_bytes())[what] if place is not None else {}
            return [(name, facts) for name, facts in found.items() if isinstance(facts, dict)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []

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
        """The file, fetched unless it is here whole: names carry version or hash, so what is here stays right."""
        place = self.read(path)
        if place is not None and (path.startswith("targets/") or self._genuine(path, place.read_bytes())):
            return place.read_bytes(), 0
        data = self._fetch(line, path, limit)
        if data is None:
            raise Known("SY-341")  # the centre published anew meanwhile: next time
        self.put(path, data)
        return data, 1

    def _genuine(self, path: str, data: bytes) -> bool:
        try:
            self._require_genuine(path, data)
        except Malformed:
            return False
        return True

    def _require_genuine(self, path: str, data: bytes) -> None:
        """Malformed unless the centre's role signed that metadata, or the target has the hash in its name."""
        name = path.rpartition("/")[2]
        if path.startswith("targets/"):
            if sha256(data).hexdigest() != name.partition(".")[0]:
                raise Malformed("publication: hash")
            return
        version, _, role = name.removesuffix(".json").rpartition(".")
        try:
            made: Metadata[Any] = Metadata.from_bytes(data)
            for above in self._above(role, version, made):
                above.verify_delegate(role, made.signed_bytes, made.signatures)
        except (RepositoryError, ValueError) as error:
            raise Malformed("publication: signature") from error
        if version and str(made.signed.version) != version:
            raise Malformed("publication: version")

    def _above(self, role: str, version: str, made: Metadata[Any]) -> Iterator[Root | Targets]:
        """Who says which keys sign ``role``."""
        if role == Root.type:
            yield made.signed
            before = self.read(f"metadata/{int(version) - 1}.root.json")
            if before is not None:
                yield Metadata[Root].from_file(str(before)).signed
        elif role in (Timestamp.type, Snapshot.type, TOP):
            yield Metadata[Root].from_file(str(self._newest(Root.type))).signed
        else:
            yield Metadata[Targets].from_file(str(self._newest(TOP))).signed

    def _newest(self, role: str) -> Path:
        found = [
            path for path in self._folder.glob(f"metadata/*.{role}.json") if path.name.partition(".")[0].isdecimal()
        ]
        if not found:
            raise Malformed("publication: nobody says who signs it")
        return max(found, key=lambda path: int(path.name.partition(".")[0]))

    def _fetch(self, line: Transport, path: str, limit: int) -> bytes | None:
        answer = line.call("GET", f"/v1/tuf/{path}", limit=limit)
        return answer.body if answer.status == 200 else None

    def _place(self, path: str) -> Path | None:
        parts = path.split("/")
        plain = len(parts) > 1 and parts[0] in ("metadata", "targets") and all(_PART.fullmatch(part) for part in parts)
        return self._folder.joinpath(*parts) if plain else None


def _target(name: str, facts: dict[str, Any]) -> str:
    """Where a target lies."""
    head, slash, tail = name.rpartition("/")
    return f"targets/{head}{slash}{facts['hashes']['sha256']}.{tail}"


def _signed(data: bytes) -> Any:
    return json.loads(data)["signed"]
