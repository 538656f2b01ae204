"""A witness's own copy of the centre's log: the hash of every entry, so that it knows the whole and cosigns nothing on trust.

A checkpoint is cosigned when the entries that are here already and those fetched now give exactly its root: so it contains
every log that this witness ever cosigned. A centre that shows another log gets no cosignature; both signed notes are kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync import merkle, notes
from sync.cbor import Malformed
from sync.hub import epochs
from sync.hub.log import TILE_WIDTH
from sync.hub.storage import Tx
from sync.limits import MAX_NOTE

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from sync.hub.storage import Storage
    from sync.notes import Checkpoint, NoteKey
    from sync.transport import Transport

SEEN: Final = "mirror/seen"  # {"epoch", "size"}: how much of the log is here
COSIGNED: Final = "mirror/cosigned"  # the newest checkpoint with our line
ALARM: Final = "mirror/alarm"  # {"why", "ms", "notes"}: kept until a person has looked
LIVES: Final = (
    "mirror/lives"  # [[epoch, entries that it shares with the one before] …] up to the present life, as it descends
)
SHARED: Final = "mirror/shared"  # the first entries that every life ever seen here shares
_MOST_LIVES: Final = 1_000  # between two lives that this witness has seen
_TILES: Final = 64  # of one transaction


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of the log is here."""

    epoch: int
    size: int


class Split(Exception):
    """The centre shows a log that is not the one which is here. ``why``: a short English phrase."""

    def __init__(self, why: str, *evidence: str) -> None:
        super().__init__(why)
        self.why, self.evidence = why, evidence


class Mirror:
    """The witness ``name`` of the log whose key is ``log``."""

    def __init__(self, storage: Storage, log: NoteKey, name: str, key: SigningKey) -> None:
        self._storage, self._log, self._name, self._key = storage, log, name, key

    def advance(self, line: Transport, now_ms: int) -> str | None:
        """Follow the centre's newest checkpoint; the cosigned note, None when there is nothing new. Split, kept as an alarm."""
        try:
            return self._advance(line, now_ms)
        except Split as split:
            alarm = {"why": split.why, "ms": now_ms, "notes": list(split.evidence)}
            self._storage.write(lambda tx: _keep(tx, ALARM, alarm))
            raise

    def seen(self, tx: Tx) -> Seen:
        found = _meta(tx, SEEN) or {"epoch": 0, "size": 0}
        return Seen(found["epoch"], found["size"])

    def cosigned(self, tx: Tx) -> str:
        """The newest cosigned checkpoint, "" before the first."""
        return str(_meta(tx, COSIGNED) or "")

    def alarm(self, tx: Tx) -> dict[str, Any] | None:
        """What was found wrong with the centre's log, None when nothing was."""
        found: dict[str, Any] | None = _meta(tx, ALARM)
        return found

    def root(self, tx: Tx, size: int) -> bytes:
        """The root over the first ``size`` entries."""
        return _range(tx, 0, size) if size else merkle.EMPTY_ROOT

    def consistency(self, tx: Tx, old: int, new: int) -> list[bytes]:
        """The proof between two sizes that are here."""
        return [_range(tx, lo, hi) for lo, hi in merkle.consistency_ranges(old, new)]

    def agrees(self, tx: Tx, size: int, root: bytes) -> bool:
        """Whether a laptop that saw (size, root) saw this log. A laptop does not say in which life of the log it was:
        beyond the first entries that all lives share, nothing can be told."""
        shared = _meta(tx, SHARED)
        known = self.seen(tx).size
        return size > (known if shared is None else min(known, shared)) or self.root(tx, size) == root

    def warn(self, tx: Tx, why: str, now_ms: int, *evidence: str) -> None:
        """Keep an alarm that came from elsewhere."""
        _keep(tx, ALARM, {"why": why, "ms": now_ms, "notes": list(evidence)})

    # --- inside

    def _advance(self, line: Transport, now_ms: int) -> str | None:
        note = line.call("GET", "/v1/log/checkpoint", limit=MAX_NOTE).body.decode("utf-8", "replace")
        shown, known = notes.read_checkpoint(note, self._log), self._storage.read(self.seen)
        before = self._storage.read(self.cosigned)
        if known.epoch and shown.epoch < known.epoch:
            raise Split("an older life of the log", before, note)
        if shown.epoch > known.epoch:
            self._follow(line, shown.epoch)
            known = self._storage.read(self.seen)
        if shown.size < known.size:
            if self._root(shown.size) != shown.root:
                raise Split("a log that went back", before, note)
            return None  # an answer that was long under way
        if shown.size == known.size and before and notes.read_checkpoint(before, self._log) == shown:
            return None
        self._fetch(line, shown, known.size)
        if (told := self._root(shown.size)) != shown.root:
            self._fetch(line, shown, known.size)  # nobody signs tiles: a bit may have flipped on the line
            again = self._root(shown.size)
            if again != shown.root:
                self._storage.write(lambda tx: _forget(tx, known.size))  # what was fetched belongs to the other log
                raise Split("another log", before, note) if again == told else Malformed("mirror: tiles")
        text = notes.split(note)[0]
        signed = note + notes.cosignature_line(text, self._name, self._key, now_ms // 1000)

        def keep(tx: Tx) -> None:
            _keep(tx, SEEN, {"epoch": shown.epoch, "size": shown.size})
            _keep(tx, COSIGNED, signed)

        self._storage.write(keep)
        return signed

    def _root(self, size: int) -> bytes:
        return self._storage.read(lambda tx: self.root(tx, size))

    def _follow(self, line: Transport, epoch: int) -> None:
        """The log goes on in another life: it must say from where, and that must be a part of what is here.

        Words are followed back to a life that this witness has been in; lives in between it may never have seen, and the new
        life need not come from the one that it saw last.
        """
        here = self._storage.read(lambda tx: _meta(tx, LIVES)) or []
        known = self._storage.read(self.seen)
        here = here or ([[known.epoch, 0]] if known.epoch else [])
        words = self._words(line, epoch, {life for life, _ in here})
        parent = words[0][0].after if words else epoch
        after = [size for life, size in here if life > parent]
        size = min([known.size, *after, *(said.size for said, _ in words)]) if known.epoch else 0
        for said, note in words:
            if known.epoch and said.size <= size and self._root(said.size) != said.root:
                raise Split("a new life of another log", self._storage.read(self.cosigned), note)
        lives = [life for life in here if life[0] <= parent] + [[said.epoch, said.size] for said, _ in words]
        first = [[epochs.FIRST, 0]] if not known.epoch else []

        def keep(tx: Tx) -> None:
            _forget(tx, size)
            shared = [_meta(tx, SHARED), *after, *(said.size for said, _ in words)]
            _keep(tx, SHARED, min((one for one in shared if one is not None), default=None))
            _keep(tx, LIVES, first + lives)
            _keep(tx, SEEN, {"epoch": epoch, "size": size})

        self._storage.write(keep)

    def _words(self, line: Transport, epoch: int, here: set[int]) -> list[tuple[epochs.Beginning, str]]:
        """How the lives up to ``epoch`` began that descend from one of ``here`` (from the first, when none is), oldest first."""
        found: list[tuple[epochs.Beginning, str]] = []
        while epoch not in (here or {epochs.FIRST}):
            answer = line.call("GET", f"/v1/log/epoch/{epoch}", limit=MAX_NOTE)
            if answer.status != 200 or len(found) == _MOST_LIVES:
                raise Split(f"life {epoch} of the log without a word how it began")
            note = answer.body.decode("utf-8", "replace")
            said = epochs.read(note, self._log)
            if said.epoch != epoch or said.after >= epoch:
                raise Split("a word about another life of the log", note)
            found.insert(0, (said, note))
            epoch = said.after
        return found

    def _fetch(self, line: Transport, shown: Checkpoint, have: int) -> None:
        """Fetch the hashes of the entries from ``have`` on, whole tiles where they are full."""
        place = have
        while place < shown.size:
            found: list[bytes] = []
            first = place
            while place < shown.size and len(found) < _TILES * TILE_WIDTH:
                tile, width = place // TILE_WIDTH, min(TILE_WIDTH, shown.size - place // TILE_WIDTH * TILE_WIDTH)
                wanted = f"/v1/log/tile/0/{tile}" + (f"?w={width}" if width < TILE_WIDTH else "")
                answer = line.call("GET", wanted, limit=TILE_WIDTH * 32)
                if answer.status != 200 or len(answer.body) != 32 * width:
                    raise Malformed("mirror: tile")
                hashes = [answer.body[at : at + 32] for at in range(0, len(answer.body), 32)]
                found += hashes[place - tile * TILE_WIDTH :]
                place = tile * TILE_WIDTH + width
            self._storage.write(lambda tx, f=first, some=found: _add(tx, f, some))  # type: ignore[misc]


def _add(tx: Tx, first: int, hashes: Sequence[bytes]) -> None:
    """Put entries behind the ones that are here, with the subtrees that they complete."""
    _forget(tx, first)  # what an earlier try, which was cut off, has left
    for index, reached in enumerate(hashes, first):
        height, place, hashed = 0, index, reached
        _node(tx, height, place, hashed)
        while place & 1:
            left = _read(tx, height, place - 1)
            hashed, height, place = merkle.node_hash(left, hashed), height + 1, place >> 1
            _node(tx, height, place, hashed)


def _forget(tx: Tx, size: int) -> None:
    """Keep the first ``size`` entries and the subtrees over them."""
    for row in tx.query("SELECT DISTINCT height FROM node ORDER BY height"):
        tx.execute(
            "DELETE FROM node WHERE height = :h AND idx >= :first", {"h": row["height"], "first": size >> row["height"]}
        )


def _node(tx: Tx, height: int, place: int, hashed: bytes) -> None:
    tx.execute("INSERT INTO node (height, idx, hash) VALUES (:h, :i, :hash)", {"h": height, "i": place, "hash": hashed})


def _read(tx: Tx, height: int, place: int) -> bytes:
    found = tx.one("SELECT hash FROM node WHERE height = :h AND idx = :i", {"h": height, "i": place})
    if found is None:
        raise Malformed(f"mirror: node {height}/{place}")
    return bytes(found["hash"])


def _range(tx: Tx, lo: int, hi: int) -> bytes:
    width = hi - lo
    if width & (width - 1) == 0 and lo % width == 0:
        return _read(tx, width.bit_length() - 1, lo // width)
    middle = lo + merkle.split(width)
    return merkle.node_hash(_range(tx, lo, middle), _range(tx, middle, hi))


def _meta(tx: Tx, name: str) -> Any:
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": name})
    return json.loads(found["value"]) if found else None


def _keep(tx: Tx, name: str, value: Any) -> None:
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": name, "value": json.dumps(value, ensure_ascii=False)},
    )
