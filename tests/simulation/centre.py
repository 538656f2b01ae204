"""The centre of a simulation: the real hub over one folder, which may die, run full, be copied and be put back from a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import starlette.routing
from nacl.public import PrivateKey

from sync import store
from sync.clock import SetClock
from sync.hub import app as face
from sync.hub import centre as centres
from sync.hub import courier, enrolment, exports, whole
from sync.hub.centre import Centre
from sync.hub.console import routes as console
from sync.hub.grouping import Asked, GroupCommit, Together
from sync.hub.site import FolderSite
from sync.hub.storage_sqlite import SqliteStorage
from sync.hub.whole import KEYS
from tests.simulation.points import HUB, Points, PowerCut


def copy(source: Path, target: Path) -> None:
    """What a dead machine's disk holds. The shared-memory index is made anew by whoever opens the database."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*-shm", "*.lock"))


def commit_here(group: GroupCommit, work: Together, item: Any) -> Any:
    """The hub's commit on the caller's thread instead of the writer's: a power cut must reach whoever simulates it."""
    group.require_open()
    asked = Asked(work, item)
    group._commit(asked)
    return asked.done.result()


async def in_line(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Stands in for Starlette's thread pool, so that one request runs to its end before anything else does."""
    return call(*arguments, **named)


class Here:
    """Stands in for the thread that writes in a laptop's database: a simulation has one thread, and waits for no other."""

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(call())
        except BaseException as error:  # a power cut too, as a thread hands it over
            done.set_exception(error)
        return done

    def shutdown(self) -> None: ...


PATCHES = (
    (store, "ThreadPoolExecutor", Here), (console, "routes", cache(console.routes)),
    (GroupCommit, "write_together", commit_here), (face, "run_in_threadpool", in_line), (starlette.routing, "run_in_threadpool", in_line),
)  # fmt: skip


class Site:
    """One centre with its copies and its second site."""

    def __init__(self, folder: Path, clock: SetClock, points: Points) -> None:
        self.folder, self.clock, self.points = folder, clock, points
        self.image = folder.with_name("hub-image")
        self.second = folder.with_name("second-site")
        self.backups: list[Path] = []
        self.deaths = self.restores = 0
        points.snapshot[HUB] = lambda: copy(self.folder, self.image)
        self.centre = self._open()
        self._recovery = PrivateKey(bytes.fromhex((folder / "offline" / "recovery.key").read_text("ascii").strip()))

    def _open(self) -> Centre:
        return self._ready(centres.open_(self.folder, self.clock))

    def _ready(self, centre: Centre) -> Centre:
        self.app = face.create(centre)
        return centre

    def serve(self, ask: Callable[[Any], httpx.Response]) -> httpx.Response:
        """One request; a hub that dies of it is started again for the next one."""
        try:
            with self.points.of(HUB):
                return ask(self.app)
        except PowerCut:
            self.rise()
            raise httpx.RemoteProtocolError("the hub died") from None

    def do(self, work: Callable[[Centre], Any]) -> Any:
        """Something that an admin does; None when the power went."""
        try:
            with self.points.of(HUB):
                return work(self.centre)
        except PowerCut:
            self.rise()
            return None

    def rise(self) -> None:
        """Start again from what the dead hub left."""
        self.deaths += 1
        self._replace(self.image)
        self.centre = self._open()

    def _replace(self, source: Path) -> None:
        self.centre.close()
        copy(source, self.folder)

    # --- what befalls it

    def backup(self) -> None:
        """A copy of the whole folder."""
        place = self.folder.with_name(f"backup-{len(self.backups)}")
        copy(self.folder, place)
        self.backups.append(place)

    def restore(self, number: int, *, new_epoch: bool) -> None:
        """Put back a copy. Without a new epoch the admin has forgotten what the manual says."""
        self._replace(self.backups[number])
        self.restores += 1
        self.centre = self._ready(centres.new_epoch(self.folder, self.clock)) if new_epoch else self._open()

    def confirm(self) -> Any:
        """The second site takes a copy and says so."""
        return self.do(lambda centre: exports.backup(centre, self.second, confirm=True))

    def anew(self) -> None:
        """Everything but the keys is lost; the hub is made from what the second site holds."""
        self.centre.close()
        copy(self.folder / KEYS, self.image)
        shutil.rmtree(self.folder)
        copy(self.image, self.folder / KEYS)
        shutil.rmtree(self.image)
        self.restores += 1
        self.centre = self._ready(whole.restore(self.folder, FolderSite(self.second), self.clock)[0])

    def recovery_key(self) -> PrivateKey:
        """The province's key, which a real centre keeps in a safe."""
        return self._recovery

    def take_stick(self, folder: Path) -> Any:
        return self.do(lambda centre: courier.take(centre, folder))

    def revoke(self, device: bytes) -> None:
        now = self.clock.wall_ms()
        self.do(lambda centre: centre.storage.write(lambda tx: enrolment.revoke(tx, device, now)))

    def room(self, pages: int | None) -> None:
        """Let the database grow by ``pages`` at most; None: as it likes."""
        writer = cast(SqliteStorage, self.centre.storage)._writer
        most = 1 << 30 if pages is None else writer.execute("PRAGMA page_count").fetchone()[0] + pages
        writer.execute(f"PRAGMA max_page_count = {most}")

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return self.centre.storage.read(lambda tx: tx.query(sql, values))

    def close(self) -> None:
        self.centre.close()
