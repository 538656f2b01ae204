"""The hub as one object: storage, log, ingest, projections, publications. The server, the command line and the tests open it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sync import cbor
from sync.clock import Clock
from sync.errors import Known
from sync.hub import enrolment, keys, leases, log, projections
from sync.hub.ingest import Ingest
from sync.hub.publish import Repository
from sync.hub.storage import Row, Tx
from sync.hub.storage_sqlite import SqliteStorage
from sync.wire import Notice, Status, encode_notices, issue_status

PLATFORM_KINDS: Final = frozenset({"sync.audit_checkpoint", "sync.rekey", "sync.review", "sync.decision", "sync.effect", "sync.officer"})
SETTINGS: Final = "hub.json"


class Centre:
    """One running hub over one folder. Made by :func:`create`, opened by :func:`open_`; ``close`` ends it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.settings: dict[str, Any] = json.loads((folder / SETTINGS).read_text("utf-8"))
        self.keys = keys.load(folder)
        self.log = log.Log(self.settings["log_name"], self.settings["epoch"], self.keys.log)
        self.storage = SqliteStorage(folder, before_commit=lambda tx: self.log.seal(tx, clock.wall_ms()))
        manifests = projections.manifests()
        self._kinds = PLATFORM_KINDS | {kind["name"] for found in manifests for kind in found.get("kind", ())}
        self.ingest = Ingest(self.storage, self.log, clock, lambda kind: kind in self._kinds)
        names = [name for found in manifests for name in found.get("hub", {}).get("projections", ())]
        self.runner = projections.Runner(self.storage, projections.load(names))
        self.repository = Repository(folder / "published", self.keys, clock)
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self.storage.write(lambda tx: self.log.sign(tx, clock.wall_ms()))
        self.storage.write(self._learned)

    def close(self) -> None:
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.storage.close()

    def work_in_background(self) -> None:
        """Keep projections and publications current in a thread of their own, so that a receipt never waits for them."""
        self._thread = threading.Thread(target=self._background, name="hub-projections", daemon=True)
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Something came in."""
        self._wake.set()

    def settle(self) -> list[str]:
        """Run projections and publish what changed; the names of the targets that did."""
        self.runner.run()
        return self.repository.publish(self.storage.read(self._targets))

    # --- enrolment

    def enrol(self, office: Mapping[str, Any], urls: Sequence[str]) -> bytes:
        """A signed office pack for one more laptop of ``office``."""
        now = self.clock.wall_ms()
        slot, code = self.storage.write(lambda tx: enrolment.open_slot(tx, self.keys, office, now))
        self.settle()
        shared = self.storage.read(self._targets)
        return self.storage.read(
            lambda tx: enrolment.make_pack(
                tx, self.keys, slot, code, office=office, urls=tuple(urls), log=self.log.note_key, tuf_root=self.repository.root(),
                publications={name: data for name, data in shared.items() if not name.startswith(("leases/", "inbox/"))}, now_ms=now,
            )
        )  # fmt: skip

    # --- what devices ask

    def status(self, tx: Tx, device: bytes) -> bytes:
        """The signed word of the hub about one device."""
        found = tx.one("SELECT head_seq, revoked_ms FROM device WHERE device = :d", {"d": device})
        head = tx.one("SELECT max(seq) AS head FROM op WHERE device = :d", {"d": device})
        stated = Status(
            device_id=device, hub_ms=self.clock.wall_ms(), epoch=self.log.epoch, head_seq=(head["head"] if head else 0) or 0,
            stable_seq=self.stable(tx, device), revocations=enrolment.revocations(tx), revoked=bool(found and found["revoked_ms"]),
        )  # fmt: skip
        return issue_status(stated, self.keys.log, self.log.note_key.id())

    def stable(self, tx: Tx, device: bytes) -> int:
        """Up to which sequence number a second site has confirmed its copy (``sala-hub export --confirm`` writes it)."""
        found = tx.one("SELECT value FROM meta WHERE name = 'stable-batch'")
        if found is None:
            return 0
        row = tx.one(
            "SELECT max(first_seq + n - 1) AS seq FROM batch WHERE device = :d AND idx <= :idx", {"d": device, "idx": int(found["value"])}
        )
        return int(row["seq"]) if row and row["seq"] is not None else 0

    def device(self, tx: Tx, device: bytes) -> Row | None:
        return tx.one("SELECT * FROM device WHERE device = :d", {"d": device})

    # --- chunks of attachments: files under their hash, because a database of pictures is hard to back up

    def put_chunk(self, digest: bytes, data: bytes) -> None:
        place = self.chunk_path(digest)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(".part")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise Known("HB-102") from error
        temporary.replace(place)

    def chunk_path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / "chunks" / name[:2] / name

    # --- inside

    def _background(self) -> None:
        import logging

        while not self._ended:
            self._wake.wait(timeout=3600)  # at least hourly: metadata must be signed anew before it expires
            self._wake.clear()
            if self._ended:
                return
            try:
                self.settle()
            except Exception:  # ingest must go on; the console shows what stopped
                logging.getLogger(__name__).exception("projections or publications failed")

    def _targets(self, tx: Tx) -> dict[str, bytes]:
        """Everything that is published now."""
        now = self.clock.wall_ms()
        found = {str(row["name"]): bytes(row["data"]) for row in tx.query("SELECT name, data FROM target")}
        found["devices/all.cbor"] = enrolment.device_list(tx)
        for row in tx.query("SELECT device, seal_public FROM device"):
            slot = tx.one("SELECT slot FROM slot WHERE device = :d", {"d": row["device"]})
            if slot:
                found[f"leases/{row['device'].hex()}.cbor"] = leases.publication(tx, slot["slot"], now)
            if notices := self._notices(tx, row["device"]):
                found[f"inbox/{row['device'].hex()}.cbor"] = self._sealed(tx, row, notices)
        for projection in self.runner.projections:
            builder: Callable[..., Mapping[str, bytes]] | None = getattr(projection, "publications", None)
            if builder is not None:
                key = self.keys.targets
                built = builder(tx, _offices(tx), now - now % 60_000, lambda message: key.sign(message).signature, bytes(key.verify_key))
                found |= dict(built)
        return found

    def _notices(self, tx: Tx, device: bytes) -> list[Notice]:
        rows = tx.query("SELECT seq, op, kind, body FROM notice WHERE device = :d ORDER BY seq", {"d": device})
        return [Notice(row["seq"], row["op"], row["kind"], cbor.decode(row["body"])) for row in rows]

    def _sealed(self, tx: Tx, device: Row, notices: list[Notice]) -> bytes:
        """The inbox target; sealed anew only when there is something new, because a sealed box never has the same bytes twice."""
        from nacl.public import PublicKey, SealedBox

        cache: dict[tuple[bytes, int], bytes] = self.__dict__.setdefault("_inbox_cache", {})
        last = (bytes(device["device"]), notices[-1].seq)
        if last not in cache:
            cache[last] = SealedBox(PublicKey(device["seal_public"])).encrypt(encode_notices(notices))
        return cache[last]

    def _learned(self, tx: Tx) -> None:
        """Kinds that a newly installed module knows leave their quarantine."""
        from sync.hub import labels

        for row in tx.query("SELECT DISTINCT kind FROM op WHERE known = 0"):
            if row["kind"] in self._kinds:
                for op in tx.query("SELECT hash, label FROM op WHERE known = 0 AND kind = :k ORDER BY batch, seq", {"k": row["kind"]}):
                    tx.execute("UPDATE op SET known = 1 WHERE hash = :h", {"h": op["hash"]})
                    if op["label"] == labels.SCHEMA:
                        tx.execute("UPDATE op SET label = 'accepted' WHERE hash = :h", {"h": op["hash"]})
                        tx.execute("INSERT INTO accepted (hash) VALUES (:h) ON CONFLICT (hash) DO NOTHING", {"h": op["hash"]})


def _offices(tx: Tx) -> list[dict[str, Any]]:
    """Every office with its laptops' issuing keys, for the trust lists."""
    offices: list[dict[str, Any]] = []
    for row in tx.query("SELECT * FROM office ORDER BY code"):
        devices = tx.query(
            "SELECT office_public, enrolled_ms, revoked_ms FROM device WHERE office = :o ORDER BY enrolled_ms, device", {"o": row["code"]}
        )
        offices.append(
            {
                "code": row["code"],
                "name": {"km": row["name_km"], "en": row["name_en"]},
                "keys": [
                    {"public": found["office_public"], "from_ms": found["enrolled_ms"], "withdrawn_ms": found["revoked_ms"]}
                    for found in devices
                ],
            }
        )
    return offices


def create(folder: Path, clock: Clock, *, name: str, log_name: str) -> Centre:
    """Make a new hub in ``folder``: keys, settings, database. Known HB-103 when there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / SETTINGS).exists():
        raise Known("HB-103")
    keys.create(folder)
    settings = {"name": name, "log_name": log_name, "epoch": 1}
    temporary = folder / f".{SETTINGS}.part"
    temporary.write_text(json.dumps(settings, ensure_ascii=False, indent=1), "utf-8")
    temporary.replace(folder / SETTINGS)  # last: from now on there is a hub
    return Centre(folder, clock)


def open_(folder: Path, clock: Clock) -> Centre:
    """Open a hub. Known HB-104 when ``sala-hub init`` has not made one there."""
    if not (folder / SETTINGS).exists():
        raise Known("HB-104", folder=folder.name)
    return Centre(folder, clock)


__all__ = ["Centre", "create", "open_"]
