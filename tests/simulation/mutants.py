"""The product broken on purpose, one rule at a time. Each mutant must make the simulation report a loss.

The switches are here alone: functions of the product are exchanged for a block, and the product knows nothing of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from sync import batch as batches
from sync import delivery, havewant
from sync.hub import tree
from sync.hub.centre import Centre
from sync.hub.relay import Relay
from tests.simulation.centre import Site, copy
from tests.simulation.chance import patched
from tests.simulation.wire import Line

Change = Callable[[], AbstractContextManager[None]]


# --- what a careless device does


def _forget(conn: Any, first: int, last: int) -> None:
    """Throw ops away for good, as a device without ``stable`` would; the newest one stays, because the chain goes on there."""
    conn.execute("DROP TRIGGER IF EXISTS op_is_kept")
    conn.execute("DELETE FROM op WHERE seq BETWEEN ? AND ? AND seq < (SELECT max(seq) FROM op)", (first, last))


def _pruning(conn: Any, text: str, log: Any) -> Any:
    """``delivery.received`` of a device that prunes on the first acknowledgement."""
    found = _received(conn, text, log)
    if found is not None:
        row = conn.execute(
            "SELECT first_seq, last_seq FROM batch WHERE hash = ?", (found[0].leaf.batch_hash,)
        ).fetchone()
        conn.execute("UPDATE batch SET bytes = x'' WHERE hash = ?", (found[0].leaf.batch_hash,))
        _forget(conn, row["first_seq"], row["last_seq"])
    return found


_received = delivery.received
_failed = delivery.failed


def _dropping(conn: Any, clock: Any, hash_: bytes, code: str, **more: Any) -> None:
    """``delivery.failed`` of a device that takes a refusal for the last word."""
    if code != "SY-351":
        _failed(conn, clock, hash_, code, **more)
        return
    row = conn.execute("SELECT first_seq, last_seq FROM batch WHERE hash = ?", (hash_,)).fetchone()
    conn.execute("UPDATE batch SET state = 'receipted', bytes = x'' WHERE hash = ?", (hash_,))
    _forget(conn, row["first_seq"], row["last_seq"])


# --- what a careless hub does


def _refusing(status: int, refuses: Callable[[Centre, batches.Batch], bool]) -> Any:
    """``Line.handle_request`` before a hub that answers ``status`` to some batches that are validly signed."""
    carry = Line.handle_request

    def handle(line: Line, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and "/v1/batches/" in request.url.path:
            site: Site = line.hub.__self__  # type: ignore[attr-defined]
            try:
                batch = batches.parse(request.read())
            except ValueError:
                return carry(line, request)
            if refuses(site.centre, batch):
                return httpx.Response(status, content=b"refused")
        return carry(line, request)

    return handle


def _forks(centre: Centre, batch: batches.Batch) -> bool:
    """Does another op follow the same parent already?"""
    values = {"parent": batch.prev, "hash": batch.ops[0].hash}
    sql = "SELECT 1 AS yes FROM op WHERE parent = :parent AND hash <> :hash LIMIT 1"
    return centre.storage.read(lambda tx: tx.one(sql, values)) is not None


def _is_revoked(centre: Centre, batch: batches.Batch) -> bool:
    device = centre.storage.read(lambda tx: tree._device(tx, batch.device_id))
    return device is not None and device["revoked_ms"] is not None


def _unsynced(every: int) -> tuple[Any, Any]:
    """``Site.serve`` and ``Site.rise`` of a hub that acknowledges before its disk has it: a power cut takes the last batches."""
    serve, rise = Site.serve, Site.rise

    def serving(site: Site, ask: Any) -> Any:
        site.answered = getattr(site, "answered", 0) + 1  # type: ignore[attr-defined]
        if site.answered % every == 1:  # type: ignore[attr-defined]
            copy(site.folder, site.folder.with_name("hub-synced"))
        return serve(site, ask)

    def rising(site: Site) -> None:
        synced = site.folder.with_name("hub-synced")
        if synced.exists():
            shutil.rmtree(site.image, ignore_errors=True)
            copy(synced, site.image)
        rise(site)

    return serving, rising


def _nothing(*_: Any, **__: Any) -> list[bytes]:
    return []


@contextmanager
def prune_on_ack() -> Iterator[None]:
    with patched((delivery, "received", _pruning)):
        yield


@contextmanager
def no_have_want() -> Iterator[None]:
    with patched((delivery, "offers", _nothing), (havewant, "_offer", lambda *_: (True, 0))):
        yield


@contextmanager
def conflict_on_fork() -> Iterator[None]:
    with patched((Line, "handle_request", _refusing(409, _forks)), (delivery, "failed", _dropping)):
        yield


@contextmanager
def forbidden_when_revoked() -> Iterator[None]:
    with patched((Line, "handle_request", _refusing(403, _is_revoked)), (delivery, "failed", _dropping)):
        yield


@contextmanager
def ack_before_sync() -> Iterator[None]:
    serving, rising = _unsynced(12)
    with patched((Site, "serve", serving), (Site, "rise", rising)):
        yield


@contextmanager
def ack_before_sync_and_prune() -> Iterator[None]:
    with ack_before_sync(), prune_on_ack():
        yield


@contextmanager
def relay_lacks_nothing() -> Iterator[None]:
    """A relay that is never asked what it lost with an older copy of itself."""
    answer = Relay._answer
    with patched((Relay, "_answer", lambda *asked: replace(answer(*asked), batches=[], chunks=[]))):
        yield


@dataclass(frozen=True)
class Mutant:
    """What is changed, and the calamities that the days of its seeds have for sure; with a minus those that they never have."""

    change: Change
    focus: frozenset[str]


_RESTORES: Final = frozenset({"backup", "restore", "-confirm", "-prune"})  # a second site would make it good
MUTANTS: Final = {
    "M1": Mutant(prune_on_ack, _RESTORES),
    "M2": Mutant(no_have_want, _RESTORES),
    "M3": Mutant(conflict_on_fork, frozenset({"clone"})),
    "M4": Mutant(forbidden_when_revoked, frozenset({"revoke"})),
    "M5": Mutant(ack_before_sync_and_prune, _RESTORES | {"kill_hub"}),
    "M7": Mutant(
        relay_lacks_nothing, frozenset({"relay", "relay_copy", "relay_restore", "-restore", "-clone", "-stick_out"})
    ),
}
SURVIVED: Final = {
    "M6": Mutant(ack_before_sync, frozenset({"kill_hub"}))
}  # have/want makes it good; nobody may rely on it
