"""A province's relay: takes batches and pieces on the LAN, hands them on unchanged for as long as it takes, carries the centre's
receipts and publications back, and is a witness of the centre's log.

Everything that a laptop hands over is durable before it hears of it. Nothing is opened or changed: signatures are end to end.
What waits is bounded by the disk; when there is no room laptops are told to come again, and keep everything meanwhile.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey

from sync import batch as batches
from sync import durable, notes, receipts, relayed, transport
from sync.cbor import Malformed
from sync.clock import Clock
from sync.errors import Known, Refused, SalaError
from sync.failpoint import failpoint
from sync.hub import chunks, mirrored
from sync.hub.mirror import Mirror, Split
from sync.hub.storage import Row, Tx
from sync.hub.storage_sqlite import SqliteStorage
from sync.limits import DAY_MS, MAX_BATCH, MAX_CHUNK, MAX_HAVE, MAX_MESSAGE, MIB
from sync.notes import NoteKey
from sync.relayed import Question
from sync.transport import Transport

log = logging.getLogger(__name__)

SETTINGS: Final = "relay.json"
KEY: Final = "relay.key"
ROOM: Final = 512 * MIB  # below so much free disk nothing more is taken
WAITING, THERE = "waiting", "there"
_PAGE: Final = 500
_WORDS_FOR_MS: Final = 60 * DAY_MS  # laptops that were here within so long
_QUIET_S: Final = 30  # between two looks at the centre when nothing waits


@dataclass(frozen=True, slots=True)
class Settings:
    """Who this relay is and whom it serves. ``log_key``: the centre's, 32 bytes in hex."""

    name: str
    province: str
    upstream: tuple[str, ...]
    log_name: str
    log_key: str

    @property
    def log(self) -> NoteKey:
        return NoteKey(self.log_name, bytes.fromhex(self.log_key))


@dataclass(frozen=True, slots=True)
class Speaker:
    """What a :class:`Transport` signs with."""

    sign: SigningKey

    @property
    def device_id(self) -> bytes:
        return batches.device_id(bytes(self.sign.verify_key))


@dataclass(slots=True)
class Run:
    """What one run to the centre did."""

    forwarded: int = 0  # batches
    pieces: int = 0
    receipts: int = 0
    cosigned: int = 0  # size of the checkpoint that was cosigned now, 0 when none
    publications: int = 0
    problem: str = ""  # code of what stopped it


def create(folder: Path, settings: Settings) -> SigningKey:
    """Make a relay in ``folder``. Known HB-194: there is one; Refused HB-192: its name or the centre's key is none."""
    if (folder / SETTINGS).exists():
        raise Known("HB-194")
    if not settings.name or len(settings.name) > 60 or len(settings.log_key) != 64 or not settings.upstream:
        raise Refused("HB-192", name=settings.name[:60])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.generate()
    with os.fdopen(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(bytes(key).hex() + "\n")
    durable.replace(folder / SETTINGS, json.dumps(asdict(settings), ensure_ascii=False, indent=1).encode())
    return key


class Relay:
    """One running relay over one folder. Known HB-195 when there is none."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        try:
            said = json.loads((folder / SETTINGS).read_text("utf-8"))
            self.key = SigningKey(bytes.fromhex((folder / KEY).read_text("ascii").strip()))
        except FileNotFoundError as error:
            raise Known("HB-195", folder=folder.name) from error
        self.folder, self.clock = folder, clock
        self.settings = Settings(**{**said, "upstream": tuple(said["upstream"])})
        self.storage = SqliteStorage(folder)
        self.mirror = Mirror(self.storage, self.settings.log, self.settings.name, self.key)
        self.published = mirrored.Published(folder / "published")
        self._wake, self.ended = threading.Event(), False
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        self.ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.storage.close()

    # --- from laptops

    def take(self, data: bytes, expected: bytes) -> str | None:
        """Store a batch, durably; the centre's receipt when that is here already, else None.

        Refused HB-110: not a batch. Known HB-196: no room; the laptop keeps it and comes again.
        """
        found = self.storage.read(lambda tx: _row(tx, expected))
        if found is not None and found["receipt"]:
            return str(found["receipt"])
        if found is None:
            batch = self._sound(data, expected)
            self._require_room()
            failpoint("relay:received")
            self.storage.write(lambda tx: self._store(tx, batch))
            failpoint("relay:stored")
            self._wake.set()
        return None

    def handed(self, digest: bytes) -> str:
        """This relay's own signed receipt for a batch that it holds."""
        row = self.storage.read(lambda tx: tx.query("SELECT received_ms FROM handed WHERE hash = :h", {"h": digest}))[0]
        text = relayed.handed_text(self.settings.name, digest, row["received_ms"])
        return notes.sign(text, self.settings.name, self.key)

    def take_chunk(self, data: bytes, digest: bytes) -> bool:
        """Store a piece, durably; True when it is new. Refused HB-111, Known HB-196."""
        if len(data) > MAX_CHUNK or sha256(data).digest() != digest:
            raise Refused("HB-111")
        self._require_room()
        chunks.put(self.folder, digest, data)
        row = {"h": digest, "size": len(data), "now": self.clock.wall_ms()}
        new = self.storage.write(
            lambda tx: tx.execute(
                """INSERT INTO handed (what, hash, first_seq, last_seq, size, received_ms, raw, state)
                   VALUES ('chunk', :h, 0, 0, :size, :now, :none, 'waiting') ON CONFLICT (hash) DO NOTHING""",
                {**row, "none": b""},
            )
        )
        self._wake.set()
        return bool(new)

    def answer(self, device: bytes, question: Question) -> relayed.Answer:
        """What a laptop asked."""
        return self.storage.read(lambda tx: self._answer(tx, device, question))

    def public(self, device: bytes) -> bytes | None:
        """The key of a laptop, as the centre has said or as its batches show; None when it was never here."""

        def look(tx: Tx) -> bytes | None:
            found = tx.one("SELECT public FROM handed WHERE device = :d ORDER BY idx DESC LIMIT 1", {"d": device})
            return bytes(found["public"]) if found else None

        return self.storage.read(look)

    # --- to the centre

    def work_in_background(self) -> None:
        """Hand on and follow the log in a thread of its own, for ever."""
        self._thread = threading.Thread(target=self._background, name="relay", daemon=True)
        self._thread.start()

    def run(self) -> Run:
        """One run to the centre: its log, what it lacks, batches, pieces, its word about laptops, publications."""
        from sync.hub import relay_run

        done = Run()
        try:
            with self._line() as line:
                relay_run.play(self, line, done)
        except (SalaError, Split) as error:
            done.problem = error.code if isinstance(error, SalaError) else "HB-197"
            log.warning("relay: %s", done.problem)
        return done

    def through(self, method: str, path: str, body: bytes) -> transport.Answer:
        """Pass one request on to the centre as it is, and its answer back. Known when the centre cannot be reached."""
        with self._line(timeout_s=10) as line:
            return line.call(method, path, body, limit=MAX_MESSAGE)

    def lease(self, device: bytes, resource: str) -> int:
        """Ask the centre for more numbers for a laptop; its status."""
        from sync import cbor

        with self._line(timeout_s=10) as line:
            answer = line.call("POST", f"/v1/relay/lease/{resource}", cbor.encode([device]), signed=True)
            with suppress(Known):  # the numbers are given out: the next run brings them
                self.published.refresh(line)
        return answer.status

    # --- by stick

    def waiting(self) -> Iterator[tuple[str, bytes, bytes]]:
        """What the centre has not answered for, oldest first: (batch or chunk, hash, bytes)."""
        after = 0
        while rows := self.storage.read(lambda tx, a=after: waiting(tx, a)):  # type: ignore[misc]
            for row in rows:
                yield row["what"], row["hash"], self.bytes_of(row)
            after = rows[-1]["idx"]

    def receipted(self, texts: Sequence[str]) -> int:
        """Take receipts of the centre, whoever carried them; how many were new.

        A forged one counts for nothing, nor does one of an earlier life of the log: its entry may be lost since.
        """
        from sync.hub import relay_run

        sound = []
        for text in texts:
            try:
                sound.append(receipts.verify(text, self.settings.log))
            except Malformed:
                log.warning("relay: a receipt that the centre did not sign")

        def keep(tx: Tx) -> int:
            life = relay_run.life(tx)
            return sum(_receipted(tx, one) for one in sound if one.checkpoint.epoch >= life)

        return self.storage.write(keep)

    def figures(self) -> dict[str, Any]:
        """Who this relay is and how it stands: for the command line and the status page.

        ``ready``: it has a word of the centre, by line or by stick, and serves laptops.
        """
        from sync.hub import relay_words

        def look(tx: Tx) -> dict[str, Any]:
            counts = tx.query(
                """SELECT what, state, count(*) AS n, coalesce(sum(size), 0) AS bytes, min(received_ms) AS oldest_ms FROM handed
                   GROUP BY what, state ORDER BY what, state"""
            )
            seen = self.mirror.seen(tx)
            alarm = self.mirror.alarm(tx)
            return {
                "ready": bool(relay_words.greeting(self, tx)),
                "name": self.settings.name, "province": self.settings.province, "key": bytes(self.key.verify_key),
                "epoch": seen.epoch, "log": seen.size, "alarm": alarm["why"] if alarm else "", "handed": counts,
            }  # fmt: skip

        return self.storage.read(look)

    # --- inside

    def _line(self, timeout_s: float = 30) -> Transport:
        speaker: Any = Speaker(self.key)  # all that a transport asks of a laptop's identity
        return Transport(self.settings.upstream, speaker, log=self.settings.log, timeout_s=timeout_s)

    def _sound(self, data: bytes, expected: bytes) -> batches.Batch:
        try:
            if len(data) > MAX_BATCH or sha256(data).digest() != expected:
                raise Malformed("batch: not the bytes that were named")
            return batches.parse(data)
        except Malformed as error:
            raise Refused("HB-110", reason=error.reason) from None

    def _require_room(self) -> None:
        if shutil.disk_usage(self.folder).free < ROOM:
            raise Known("HB-196")

    def _store(self, tx: Tx, batch: batches.Batch) -> None:
        tx.execute(
            """INSERT INTO handed (what, hash, device, public, first_seq, last_seq, size, received_ms, raw, state)
               VALUES ('batch', :h, :device, :public, :first, :last, :size, :now, :raw, 'waiting') ON CONFLICT (hash) DO NOTHING""",
            {
                "h": batch.hash, "device": batch.device_id, "public": batch.device_public, "first": batch.first_seq,
                "last": batch.last_seq, "size": len(batch.data), "now": self.clock.wall_ms(), "raw": batch.data,
            },
        )  # fmt: skip
        size, root = batch.seen
        if size and not self.mirror.agrees(tx, size, root):
            self.mirror.warn(
                tx, f"laptop {batch.device_id.hex()} saw another log", self.clock.wall_ms(), batch.hash.hex()
            )

    def _answer(self, tx: Tx, device: bytes, question: Question) -> relayed.Answer:
        lacking, texts = [], []
        for digest in question.batches:
            row = _row(tx, digest)
            if row is None:
                lacking.append(digest)
            elif row["receipt"]:
                texts.append(str(row["receipt"]))
        pieces = [digest for digest in question.chunks if _row(tx, digest) is None]
        word = tx.one("SELECT status FROM heard WHERE device = :d", {"d": device})
        audit = tx.one("SELECT value FROM meta WHERE name = :n", {"n": f"audit/{device.hex()}"})
        seen, note = self.mirror.seen(tx), self.mirror.cosigned(tx)
        proof: list[bytes] = []
        if note and question.epoch == seen.epoch and 0 < question.size <= seen.size:
            size = notes.read_checkpoint(note, self.settings.log).size
            proof = self.mirror.consistency(tx, min(size, question.size), max(size, question.size))
        elif question.epoch != seen.epoch or question.size > seen.size:
            note = (
                note if question.epoch != seen.epoch else ""
            )  # nothing can be proved about a log that is longer than ours
        return relayed.Answer(
            lacking,
            pieces,
            texts[: MAX_HAVE // 4],
            word["status"] if word else b"",
            audit["value"] if audit else "",
            note,
            proof,
        )

    def _background(self) -> None:
        tries = 0
        while not self.ended:
            self._wake.clear()
            try:
                done = self.run()
            except (
                Exception
            ):  # whatever it was: laptops' work must go on its way, and this thread is all that takes it there
                log.exception("relay: a run failed")
                done = Run(problem="SY-351")
            tries = tries + 1 if done.problem else 0
            pause = transport.backoff_ms(tries) / 1000 if done.problem else _QUIET_S
            if done.problem:
                self._pause(pause)  # a batch that comes meanwhile does not make the centre's line better
            else:
                self._wake.wait(timeout=pause)

    def _pause(self, seconds: float) -> None:
        end = threading.Event()
        while seconds > 0 and not self.ended:
            end.wait(min(1.0, seconds))
            seconds -= 1.0

    def bytes_of(self, row: Row) -> bytes:
        return bytes(row["raw"]) if row["what"] == "batch" else chunks.path(self.folder, row["hash"]).read_bytes()


def _row(tx: Tx, digest: bytes) -> Row | None:
    return tx.one("SELECT state, receipt FROM handed WHERE hash = :h", {"h": digest})


def waiting(tx: Tx, after: int, limit: int = _PAGE, what: str = "") -> list[Row]:
    return tx.query(
        """SELECT idx, what, hash, raw, received_ms FROM handed
           WHERE state = 'waiting' AND idx > :after AND (:what = '' OR what = :what) ORDER BY idx LIMIT :limit""",
        {"after": after, "what": what, "limit": limit},
    )


def _receipted(tx: Tx, receipt: receipts.Receipt) -> int:
    return tx.execute(
        """UPDATE handed SET state = 'there', receipt = :text, reason = '' WHERE hash = :h AND device = :d AND first_seq = :first
           AND last_seq = :last AND (state <> 'there' OR receipt = '')""",
        {
            "text": receipt.text, "h": receipt.leaf.batch_hash, "d": receipt.leaf.device_id, "first": receipt.leaf.first_seq,
            "last": receipt.leaf.last_seq,
        },
    )  # fmt: skip
