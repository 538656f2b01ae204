"""A whole hub made anew from the second site's raw batches, their receipts, chunks, and the key files: nothing else.

The log is replayed entry by entry with the times of the receipts; what the centre did comes out of its own ops. Every signed
root on the way must come out again, so a rebuilt hub is the old one or it is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sync import batch as batches
from sync import durable, receipts
from sync.batch import Batch
from sync.cbor import Malformed
from sync.clock import Clock
from sync.errors import Known
from sync.failpoint import failpoint
from sync.hub import acts, centre, keys, log, objects, projections, rebuild, site, watch
from sync.hub.centre import Centre
from sync.hub.ingest import Ingest
from sync.hub.replay import Replay
from sync.hub.site import Entry, Site
from sync.hub.storage import Tx
from sync.hub.storage_sqlite import DATABASE, SqliteStorage
from sync.notes import NoteKey
from sync.receipts import Receipt

TOGETHER: Final = 64  # entries of one transaction
MAX_AUDIT: Final = 4 << 30  # bytes of the console's audit
KEYS: Final = "keys"
_BESIDE: Final = "rebuilding"

# What must come out again, without the numbers that a database counts up and without what only a running hub knows.
SUBJECTS: Final = {
    "batches": "SELECT hash, device, device_public, first_seq, n, received_ms, app_version, new_ops, size FROM batch ORDER BY idx",
    "ops": """SELECT o.hash, o.parent, o.device, o.seq, o.op_id, o.kind, o.form, o.def_hash, o.wall_ms, o.officer, b.hash AS batch,
        o.place, o.label, o.known FROM op o JOIN batch b ON b.idx = o.batch ORDER BY o.hash, o.device""",
    "accepted": "SELECT o.hash, o.device FROM accepted a JOIN op o ON o.id = a.op AND o.wall_ms = a.wall_ms ORDER BY a.idx",
    "log": """SELECT l.idx, l.hash, l.data, l.device, l.receipt, b.hash AS batch FROM leaf l JOIN batch b ON b.idx = l.batch
        ORDER BY l.idx""",
    "nodes": "SELECT height, idx, hash FROM node ORDER BY height, idx",
    "chunks": "SELECT hash, size FROM chunk ORDER BY hash",
    "offices": "SELECT * FROM office ORDER BY code",
    "slots": "SELECT * FROM slot ORDER BY slot",
    "devices": """SELECT device, office, number, sign_public, seal_public, office_public, certificate, enrolled_ms, predecessor, officers,
        revoked_ms, cutoff_seq FROM device ORDER BY device""",
    "leases": "SELECT * FROM lease ORDER BY lease",
    "decisions": "SELECT op, decision, reason, admin, made_ms FROM decision ORDER BY idx",
    "notices": "SELECT device, op, kind, body, made_ms FROM notice ORDER BY seq",
    "targets": "SELECT name, data, source FROM target ORDER BY name",
    "roles": "SELECT name, kind, subject, holder, public, online FROM role ORDER BY name",
    "former keys": "SELECT * FROM former_key ORDER BY public",
    "effects": "SELECT id, kind, payload, state, result, projection FROM effect ORDER BY id",
}


@dataclass(slots=True)
class Built:
    """What came out. ``set_aside``: acts of the centre from a lost life of the log, which cannot go on in this one."""

    entries: int = 0
    epoch: int = 0  # the last one found
    anew: int = 0  # batches behind the log's known end, taken in once more
    set_aside: list[str] = field(default_factory=list)
    chunks: int = 0


def build(folder: Path, source: Site, clock: Clock, bucket: str | None = None) -> Built:
    """Make the hub of ``folder`` (which holds ``keys/`` only) anew. It is not yet open: see :func:`restore`.

    ``bucket``: the object storage of the hub, where raw batches and pieces of attachments go from the start; what lies there
    already is left as it is. Refused HB-168: that is no bucket. Known: HB-166 it does not answer,
    HB-103 a hub is there, HB-104 no keys, HB-190 nothing to build from, HB-191 what comes out is not what was signed.
    """
    beside = folder / _BESIDE  # while it stands, what stands around it is half made
    if (folder / centre.SETTINGS).exists() or ((folder / DATABASE).exists() and not beside.exists()):
        raise Known("HB-103")
    found = keys.load(folder)
    if bucket is not None:
        objects.places({objects.SETTING: bucket}, folder).chunks.exists(
            bytes(32)
        )  # whether it answers, before anything is made
    name = _log_name(source)
    line, every = site.entries(source, NoteKey(name or "", bytes(found.log.verify_key)))
    if not line:
        raise Known("HB-190")
    shutil.rmtree(beside, ignore_errors=True)
    (folder / DATABASE).unlink(missing_ok=True)
    beside.mkdir()
    building = _Build(folder, source, clock, found, str(name), bucket)
    rest = building.run(line, every)
    shutil.rmtree(beside)
    building.anew(rest)
    return building.built


class _Build:
    """The state of one rebuild."""

    def __init__(
        self, folder: Path, source: Site, clock: Clock, found: keys.HubKeys, name: str, bucket: str | None
    ) -> None:  # fmt: skip
        self.own_settings = {} if bucket is None else {objects.SETTING: bucket}
        self.places = objects.places(self.own_settings, folder)
        self.folder, self.source, self.keys = folder, source, found
        self.log = log.Log(name, 1, found.log)
        self.replay = Replay(found)
        self.storage = SqliteStorage(folder / _BESIDE)
        self.storage.objects = self.places.batches
        self.ingest = Ingest(self.storage, self.log, clock, self.replay.known.__contains__, found)
        self.built = Built()
        self.own = acts.device_id(found)

    def run(self, line: list[Entry], every: list[bytes]) -> list[bytes]:
        """Everything up to a hub that can be opened; the hashes of the batches that are not in its log."""
        try:
            held = self._entries(line)
            self._chunks()
            self._audit()
            faults = self.storage.read(self.log.verify)
        finally:
            self.storage.close()
        if faults:
            raise Known("HB-191", what=faults[0])
        self._publications()
        (self.folder / _BESIDE / DATABASE).replace(self.folder / DATABASE)
        failpoint("rebuild:placed")
        settings = self.replay.hub or {"name": self.log.name, "log_name": self.log.name}
        centre.keep(
            self.folder, {**settings, **self.own_settings, "epoch": max(1, self.built.epoch)}
        )  # last: now there is a hub
        return [digest for digest in every if digest not in held]

    def _entries(self, line: list[Entry]) -> set[bytes]:
        held: set[bytes] = set()
        for start in range(0, len(line), TOGETHER):
            found = []
            for entry in line[start : start + TOGETHER]:
                data = site.batch(self.source, entry.leaf.batch_hash)
                receipt = site.receipt_of(self.source, entry.leaf.batch_hash, self.log.note_key)
                if data is None or receipt is None:
                    break
                found.append((batches.parse(data), receipt))
                self._put(found[-1][0])
            self.storage.write(lambda tx, some=found: self._take(tx, some))  # type: ignore[misc]
            held |= {receipt.leaf.batch_hash for _, receipt in found}
            failpoint("rebuild:stretch")
            if len(found) < len(line[start : start + TOGETHER]):
                break
        return held

    def _put(self, batch: Batch) -> None:
        """Into the object storage, before the database says that it is there."""
        place = self.places.batches
        if place is not None and batch.device_id != self.own and not _whole(place, batch.hash):
            place.put(batch.hash, batch.data)

    def _take(self, tx: Tx, found: list[tuple[Batch, Receipt]]) -> None:
        for batch, receipt in found:
            self._one(tx, batch, receipt)

    def _one(self, tx: Tx, batch: Batch, receipt: Receipt) -> None:
        own = batch.device_id == self.own
        elsewhere = self.places.batches is not None and not own
        self.ingest.keep(tx, [(batch, acts.VIA if own else "line")], receipt.leaf.received_ms, elsewhere=elsewhere)
        if own:
            for op in batch.ops:
                self.replay.apply(tx, op)
        row = tx.query("SELECT data FROM leaf WHERE idx = :idx", {"idx": receipt.index})
        if [one["data"] for one in row] != [receipt.leaf.data()]:
            raise Known("HB-191", what=f"entry {receipt.index}")
        shown, note = receipt.checkpoint, receipts.note_of(receipt)
        tx.execute("UPDATE leaf SET receipt = :text WHERE idx = :idx", {"text": receipt.text, "idx": receipt.index})
        tx.execute(
            """INSERT INTO checkpoint (epoch, size, root, note, made_ms) VALUES (:epoch, :size, :root, :note, :now)
               ON CONFLICT (epoch, size) DO NOTHING""",
            {
                "epoch": shown.epoch,
                "size": shown.size,
                "root": shown.root,
                "note": note,
                "now": receipt.leaf.received_ms,
            },
        )
        self.built.entries += 1
        self.built.epoch = shown.epoch

    def _chunks(self) -> None:
        for digest, data in site.chunks(self.source):
            self.places.chunks.put(digest, data)
            self.ingest.take_chunk(data, digest, lambda *_: None)
            self.built.chunks += 1

    def _audit(self) -> None:
        """Who looked at what, as the second site has it: its chain is checked against the log by whoever asks."""
        data = self.source.read("state/look.jsonl", MAX_AUDIT)
        if data is not None:
            self.storage.write(lambda tx: watch.put_back(tx, data.decode("utf-8", "replace")))

    def _publications(self) -> None:
        metadata = self.folder / "published" / "metadata"
        metadata.mkdir(parents=True, exist_ok=True)
        (self.folder / "published" / "targets").mkdir(exist_ok=True)
        for version, data in self.replay.roots.items():
            durable.replace(metadata / f"{version}.root.json", data)

    def anew(self, rest: list[bytes]) -> None:
        """Batches that are nobody's entry come in as from a stick; acts of a lost life cannot follow this one's chain."""
        if not rest:
            return
        opened = centre.new_epoch(self.folder, self.ingest.clock)
        try:
            for digest in rest:
                data = site.batch(self.source, digest)
                if data is None:
                    continue
                if batches.parse(data).device_id == self.own:
                    self.built.set_aside.append(digest.hex())
                    continue
                opened.ingest.take(data, digest, via="courier")
                self.built.anew += 1
        finally:
            opened.close()


def _whole(place: objects.Objects, digest: bytes) -> bool:
    """Whether the storage has these bytes already, unaltered: the bucket of a lost hub is used again."""
    try:
        place.get(digest)
    except Known as error:
        if error.code != "HB-167":
            raise
        return False
    return True


def restore(folder: Path, source: Site, clock: Clock, bucket: str | None = None) -> tuple[Centre, Built]:
    """:func:`build`, then the next life of the log: receipts may have gone out after the last copy. Opens the hub."""
    built = build(folder, source, clock, bucket)
    if built.anew or built.set_aside:  # the next life has begun already
        return centre.open_(folder, clock), built
    return centre.new_epoch(folder, clock), built


@dataclass(frozen=True, slots=True)
class Equality:
    """One subject of the comparison."""

    rows: int
    same: bool


def prove(live: Centre, source: Site) -> dict[str, Any]:
    """Build a whole hub from ``source`` beside the living one and compare them, value by value; changes nothing.

    Batches that are not at the second site yet make the two differ: export first.
    """
    with tempfile.TemporaryDirectory(prefix="sala-rebuild-", dir=live.folder) as place:
        folder = Path(place)
        shutil.copytree(live.folder / KEYS, folder / KEYS)
        built = build(folder, source, live.clock)
        other = centre.open_(folder, live.clock)
        try:
            live.runner.run()
            other.runner.run()
            found = compare(live, other)
        finally:
            other.close()
    return {
        "same": all(one.same for one in found.values()),
        **asdict(built),
        "subjects": {name: asdict(one) for name, one in found.items()},
    }


def compare(one: Centre, other: Centre) -> dict[str, Equality]:
    """Hold two hubs against each other, subject by subject."""
    found: dict[str, Equality] = {}
    for name, sql in SUBJECTS.items():
        left, right = (hub.storage.read(lambda tx, s=sql: digest(tx, s)) for hub in (one, other))  # type: ignore[misc]
        found[name] = Equality(left[0], left == right)
    for projection in one.runner.projections:
        here, there = (_projected(hub, projection) for hub in (one, other))
        found[f"projection {projection.name}"] = Equality(here["rows"], here == there)
    return found


def digest(tx: Tx, sql: str) -> tuple[int, str]:
    """Rows and a hash over every value of them, in order."""
    n, hashed = 0, sha256()
    for row in tx.stream(sql):
        n += 1
        hashed.update(repr([_plain(value) for value in row.values()]).encode())
    return n, hashed.hexdigest()


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _projected(hub: Centre, projection: projections.Projection) -> dict[str, Any]:
    return hub.storage.read(lambda tx: rebuild.digest(tx, projections.table_names(projection)))


def _log_name(source: Site) -> str | None:
    """What the log calls itself, as any receipt says; the key then proves it."""
    from sync import notes

    for name in source.names(site.BATCHES):
        if name.endswith(".receipt") and (data := source.read(name, 16 << 10)):
            try:
                origin = notes.read_proof(data.decode("utf-8")).note.partition("\n")[0]
            except (Malformed, UnicodeDecodeError):
                continue
            return origin.rpartition("/")[0]
    return None
