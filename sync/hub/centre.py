"""The hub as one object: storage, log, ingest, projections, publications. The server, the command line and the tests open it."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sync import durable
from sync.clock import Clock
from sync.errors import Known, Refused
from sync.hub import (
    audits,
    bursts,
    contacts,
    database,
    downward,
    enrolment,
    epochs,
    keys,
    log,
    marks,
    objects,
    origins,
    projections,
    rebuild,
    reviews,
    signers,
    watch,
)
from sync.hub.feeds import looks
from sync.hub.ingest import Ingest
from sync.hub.parts import Delegate
from sync.hub.publish import Repository
from sync.hub.storage import Tx
from sync.wire import Status, issue_status

PLATFORM_KINDS: Final = frozenset(
    {
        "sync.audit_checkpoint",
        "sync.rekey",
        "sync.review",
        "sync.decision",
        "sync.effect",
        "sync.officer",
        "sync.transfer",
    }
)
SETTINGS: Final = "hub.json"
STABLE: Final = "stable-entries"  # so many entries of the log have a copy that a second site has confirmed
_SHORTEST_PAUSE_S: Final = 2  # between two publications in the background: one upload is no reason for a new set
_LONGEST_PAUSE_S: Final = 3600  # metadata must be signed anew before it expires
_VERSION_JUMP: Final = 100_000  # publications that may have gone out since the copy was made
_MOST_SHARED: Final = 2 << 20  # bytes of publications in an office pack

logger = logging.getLogger(__name__)


class Centre:
    """One running hub over one folder. Made by :func:`create`, opened by :func:`open_`; ``close`` ends it."""

    def __init__(self, folder: Path, clock: Clock, modules: Path | None = None) -> None:
        self.folder = folder
        self.clock = clock
        self.settings: dict[str, Any] = json.loads((folder / SETTINGS).read_text("utf-8"))
        self.keys = keys.load(folder)
        self.log = log.Log(self.settings["log_name"], self.settings["epoch"], self.keys.log)
        self.repository = Repository(folder / "published", self.keys, clock, self.settings.get("publications_from", 1))
        self.manifests = projections.manifests(modules)
        self.kinds = PLATFORM_KINDS | {kind["name"] for found in self.manifests for kind in found.get("kind", ())}
        self.storage = database.open_storage(folder, self.settings, self.keys.log, clock.wall_ms)
        self.places = objects.places(self.settings, folder)
        self.storage.objects = self.places.batches
        try:
            self.ingest = Ingest(self.storage, self.log, clock, self.kinds.__contains__, self.keys)
            self.storage.before_commit = self._before_commit
            self.storage.before_group = self.ingest.turns.gather
            names = [name for found in self.manifests for name in found.get("hub", {}).get("projections", ())]
            self.runner = projections.Runner(self.storage, [audits.Audit(), *projections.load(names)])
            self.storage.write(lambda tx: self.log.sign(tx, clock.wall_ms()))
            self.storage.write(lambda tx: epochs.begin(tx, self.log, clock.wall_ms()))
            called = (self.settings["name"], self.settings["log_name"])
            self.storage.write(lambda tx: origins.begin(tx, called, self.kinds, self.repository, clock.wall_ms()))
            self.storage.write(lambda tx: signers.begin(tx, folder, clock.wall_ms()))
        except BaseException:
            self.storage.close()
            raise
        self._wake = threading.Event()
        self.burst = bursts.Burst()
        self._ended = False
        self._signed = 0  # the version of the publications that was written down last
        self._thread: threading.Thread | None = None

    @property
    def shared(self) -> bool:
        """Whether other processes may serve the same hub: then nothing that two requests need may live in this one."""
        return database.SETTING in self.settings

    def _before_commit(self, tx: Tx) -> None:
        """Sign what the centre did, and the log."""
        with self.ingest.turns.storing():
            self.ingest.sign_acts(tx)
            self.log.seal(tx, self.clock.wall_ms())

    def close(self) -> None:
        self._ended = True
        self.burst.end()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.storage.close()

    # --- after ingest

    def work_in_background(self) -> None:
        """Keep projections and publications current in a thread of their own, so that a receipt never waits for them."""
        self._thread = threading.Thread(target=self._background, name="hub-projections", daemon=True)
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Something came in."""
        self.burst.came()
        self._wake.set()

    def settle(self) -> list[str]:
        """Run projections and publish what changed; the names of the targets that did."""
        self.project()
        return self.publish()

    def project(self, rest: bursts.Rest = bursts.never) -> None:
        """Bring every projection up to date, carry out what agencies decided, and take in the words that records are found by.
        ``rest`` is called before each piece."""
        self.runner.run(rest)
        now = self.clock.wall_ms()
        if self.storage.read(lambda tx: looks.due(tx, now)):
            self.storage.write(lambda tx: looks.close(tx, now))
        if self.storage.read(lambda tx: watch.due(tx, now)):
            self.storage.write(lambda tx: watch.anchor(tx, now))
        reviews.perform(self.storage, now)
        while marks.advance(self.storage, marks.STRETCH, rest=rest):  # words cost most: what came meanwhile goes first
            self.runner.run(rest)

    def publish(self) -> list[str]:
        """Publish what changed since the last time; the names of the targets that did."""
        now = self.clock.wall_ms()
        wanted = self.storage.read(lambda tx: downward.gather(tx, self.runner.projections, self.keys, now))
        if wanted.notes:
            self.storage.write(lambda tx: downward.remember(tx, wanted))
        changed = self.repository.publish(
            wanted.targets, self.storage.read(lambda tx: signers.delegates(tx, self.folder))
        )
        if (version := self.repository.version()) != self._signed:
            self.storage.write(lambda tx: contacts.signed(tx, version, now))
            self._signed = version
        return changed

    def elsewhere(self) -> tuple[dict[str, bytes], Sequence[Delegate]]:
        """What is to be published now and may be signed by keepers elsewhere, and who signs its parts.

        Parts of single laptops are always signed here; what modules make is made only where a keeper elsewhere has some of it.
        """
        now = self.clock.wall_ms()

        def read(tx: Tx) -> tuple[dict[str, bytes], Sequence[Delegate]]:
            issued = any(row["kind"] == "issuer" and not row["online"] for row in signers.listing(tx))
            made = self.runner.projections if issued else ()
            found = downward.gather(tx, made, self.keys, now, private=False)
            return found.targets, signers.delegates(tx, self.folder)

        return self.storage.read(read)

    def rebuild(self, name: str | None = None) -> dict[str, rebuild.Outcome]:
        """Make projections anew from the raw batches and compare. Refused HB-151 for an unknown name."""
        return rebuild.rebuild(self.storage, self.runner, name)

    # --- enrolment

    def enrol(self, office: Mapping[str, Any], urls: Sequence[str], *, spoken: bool = False) -> bytes:
        """A signed office pack for one more laptop of ``office``. Refused HB-122 for an address that is none.

        ``spoken``: without a code, which is read out instead (``sync/hub/codes.py``): the file alone enrols nobody.
        """
        for url in urls:
            if not url.startswith(("http://", "https://")) or any(character.isspace() for character in url):
                raise Refused("HB-122", url=url[:100])
        now, ticket = self.clock.wall_ms(), enrolment.new_ticket()
        slot = self.storage.write(lambda tx: enrolment.open_slot(tx, self.keys, office, ticket, now, self.log.epoch))
        self.settle()
        return self.storage.read(
            lambda tx: enrolment.make_pack(
                tx, self.keys, slot, "" if spoken else ticket.code, office=office, urls=tuple(urls), log=self.log.note_key,
                tuf_root=self.repository.root(), publications=self._shared(), now_ms=now,
            )
        )  # fmt: skip

    def _shared(self) -> dict[str, bytes]:
        """What a new laptop is given on its way, so that its first day needs no line: small targets that are for everybody."""
        found: dict[str, bytes] = {}
        room = _MOST_SHARED
        for listed in self.repository.listing().targets:
            if listed.size <= room and not listed.name.startswith(("leases/", "inbox/", "app/", "devices/")):
                found[listed.name] = self.repository.target(listed)
                room -= listed.size
        return found

    # --- what devices ask

    def status(self, tx: Tx, device: bytes) -> bytes:
        """The signed word of the hub about one device."""
        found = tx.one("SELECT revoked_ms FROM device WHERE device = :d", {"d": device})
        head = tx.one(  # of the chain: a branch that a copy of the laptop made is not this one's
            "SELECT seq FROM op WHERE device = :d AND label <> 'q:fork' ORDER BY seq DESC LIMIT 1", {"d": device}
        )
        stated = Status(
            device_id=device, hub_ms=self.clock.wall_ms(), epoch=self.log.epoch, head_seq=head["seq"] if head else 0,
            stable_seq=stable(tx, device),
            revocations=enrolment.revocations(tx), revoked=found is not None and found["revoked_ms"] is not None,
        )  # fmt: skip
        return issue_status(stated, self.keys.log, self.log.note_key.id())

    def put_chunk(self, digest: bytes, data: bytes) -> None:
        """Keep a piece of an attachment; durable when it returns."""
        self.places.chunks.put(digest, data)

    # --- inside

    def _background(self) -> None:
        due, changed = 0.0, True
        while True:
            pause = max(0.0, due - time.monotonic()) if changed else _LONGEST_PAUSE_S
            if self._wake.wait(timeout=pause):
                self._wake.clear()
                changed = True
                self.burst.rest(0)
            if self._ended:
                return
            _quietly(lambda: self.project(self.burst.rest))
            if time.monotonic() >= due:
                self.burst.rest(0)
                began = time.monotonic()
                _quietly(self.publish)
                changed = False
                due = time.monotonic() + max(_SHORTEST_PAUSE_S, 4 * (time.monotonic() - began))


def _quietly(work: Callable[[], object]) -> None:
    """Ingest must go on whatever a projection or the disk does; the log and the console say what stopped."""
    try:
        work()
    except Exception:
        logger.exception("projections or publications failed")


def stable(tx: Tx, device: bytes) -> int:
    """Up to which sequence number a second site has confirmed its copy (``sala-hub export --confirm`` writes it).

    Counted by the log, whose entries stand without a gap: numbers of batches may be given out before and become visible after.
    """
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": STABLE})
    if found is None:
        return 0
    values = {"d": device, "entries": int(found["value"])}
    later = "SELECT l.batch FROM leaf l WHERE l.device = :d AND l.idx >= :entries"
    held = tx.query(
        f"SELECT max(first_seq + n - 1) AS seq FROM batch WHERE device = :d AND idx NOT IN ({later})", values
    )[0]["seq"]
    # Batches come in any order: one that came after the copy may hold ops before those that were copied.
    open_ = tx.query(
        f"SELECT min(first_seq) AS seq FROM batch WHERE device = :d AND idx IN ({later}) AND new_ops > 0", values
    )[0]["seq"]
    return int(held or 0) if open_ is None else min(int(held or 0), int(open_) - 1)


def create(
    folder: Path, clock: Clock, *, name: str, log_name: str, url: str | None = None, bucket: str | None = None
) -> Centre:
    """Make a new hub in ``folder``: keys, settings, database (``url``: one on PostgreSQL; ``bucket``: raw bytes in an object storage).

    Known HB-103 when there is one, HB-162 to HB-166 when database or storage are not there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / SETTINGS).exists():
        raise Known("HB-103")
    if url is not None:
        database.require_empty(url)
    wanted = {name: value for name, value in ((database.SETTING, url), (objects.SETTING, bucket)) if value}
    objects.places(wanted, folder).chunks.exists(bytes(32))  # whether it answers
    made, roots = keys.create(folder)
    Repository(folder / "published", made, clock).begin(roots)
    settings = {"name": name, "log_name": log_name, "epoch": 1, **wanted}
    keep(folder, settings)  # last: now there is a hub
    return Centre(folder, clock)


def keep(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of a hub."""
    durable.replace(folder / SETTINGS, json.dumps(dict(settings), ensure_ascii=False, indent=1).encode())


def new_epoch(folder: Path, clock: Clock) -> Centre:
    """Begin the next life of the log, after an older copy of the folder was put back or the hub was made anew; opens the hub.

    A signed note names the last checkpoint that survived; laptops notice the epoch and offer everything again.
    Publications and numbers jump ahead, because laptops have seen versions and hold numbers that this copy does not know.
    """
    centre = open_(folder, clock)
    version, last = centre.repository.listing().version, max(centre.log.epoch, centre.storage.read(epochs.latest))
    centre.close()
    epoch = epochs.following(last, clock.wall_ms())
    least = max(version + _VERSION_JUMP, epochs.least_version(epoch))
    keep(folder, {**centre.settings, "epoch": epoch, "publications_from": least})
    return open_(folder, clock)


def open_(folder: Path, clock: Clock) -> Centre:
    """Open a hub. Known HB-104 when ``sala-hub init`` has not made one there."""
    if not (folder / SETTINGS).exists():
        raise Known("HB-104", folder=folder.name)
    return Centre(folder, clock)
