"""A laptop of a simulation: the real profile, store, log, cutting, exchange and courier over one home folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from i18n.errors import SalaError
from sync import courier, exchange, keys, office, ops, pruning, rescue, runs
from sync.clock import SetClock
from sync.hub.centre import PLATFORM_KINDS
from sync.keys import Unlocked
from sync.transport import Transport
from tests.simulation.centre import copy
from tests.simulation.points import LAPTOP, Points, PowerCut

OFFICER: Final = "Chan Sokha"
PASSPHRASE: Final = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"
WITHDRAWN: Final = ("SY-402", "SY-407")
MADE: Final = ("links.created", "forms.submission", "certificates.issued", "zebra.counted")  # the hub knows no zebras


class Laptop:
    """``acknowledged``: what its officers were told is done, op hash → kind."""

    def __init__(self, name: str, home: Path, clock: SetClock, points: Points) -> None:
        self.name, self.home, self.clock, self.points = name, home, clock, points
        self.acknowledged: dict[bytes, str] = {}
        self.last_seen: list[dict[str, Any]] = []  # every op that stood here when the laptop was withdrawn, told or not
        self.devices: set[bytes] = set()
        self.cloned = False
        self.gone = False  # withdrawn: its unsent work stands in a sealed file, and nobody opens it any more
        self.deaths = 0
        self._open: Unlocked | None = None

    @property
    def unlocked(self) -> Unlocked:
        if self._open is None:
            self._open = keys.unlock(self.home, OFFICER, PASSPHRASE, self.clock)
            self.devices.add(self._open.device.device_id)
        return self._open

    def work(self, action: Callable[[Unlocked], Any]) -> Any:
        """Do something; None when the power went or it was refused in words."""
        self.points.snapshot[LAPTOP] = lambda: copy(self.home, self._image)
        try:
            done = action(self.unlocked)
            if self._open is not None:  # it may have made itself new keys
                self.devices.add(self._open.device.device_id)
            return done
        except PowerCut:
            self.rise()
        except SalaError as error:
            self._heard(error.code)
            return error.code
        return None

    def _heard(self, code: str) -> None:
        if code in WITHDRAWN and not self.gone:
            self.gone = True
            self.close()

    @property
    def _image(self) -> Path:
        return self.home.with_name(self.home.name + "-image")

    def rise(self) -> None:
        """Start again from what the dead program left on the disk."""
        self.deaths += 1
        if self._open is not None:
            self._drop()
        shutil.rmtree(self.home)
        self._image.rename(self.home)

    def _drop(self) -> None:
        """Let go of the files without any farewell."""
        assert self._open is not None
        self._open.store.close()
        self._open = None

    def lock(self) -> None:
        if self._open is not None:
            self._open.lock()
            self._open = None

    def close(self) -> None:
        if self._open is not None:
            self._drop()

    def clone(self, name: str, clock: SetClock) -> Laptop:
        """The image of this disk on a second machine."""
        home = self.home.with_name(name)
        copy(self.home, home)
        self.cloned = True
        twin = Laptop(name, home, clock, self.points)
        twin.cloned, twin.devices = True, set(self.devices)
        return twin

    # --- what its officers do

    def write(self, kind: str, n: int, *, sealed: bool, attachment: bytes | None = None) -> None:
        """One unit of work with ``n`` ops; it is acknowledged when it returns."""

        def action(unlocked: Unlocked) -> list[bytes]:
            blob = [unlocked.blobs.add(attachment, "image/png")] if attachment is not None else []

            def unit(conn: Any) -> list[bytes]:
                return [
                    bytes.fromhex(
                        ops.append(
                            conn, unlocked, self.clock, kind=kind, record=f"r{place}", form=kind.partition(".")[0],
                            def_hash=bytes(32) if sealed else None, body={"note": "សួស្ដី", "n": place}, sealed=sealed, attach=blob,
                        )
                    )
                    for place in range(n)
                ]  # fmt: skip

            return unlocked.store.write(unit)

        made = self.work(action)
        if isinstance(made, list):
            self.acknowledged.update(dict.fromkeys(made, kind))

    def sync(self, urls: Sequence[str] = ()) -> exchange.Report | str | None:
        """One run, to the first of ``urls`` that answers; to those that the laptop knows when none are named."""

        def action(unlocked: Unlocked) -> exchange.Report:
            centre = unlocked.store.read(office.centre)
            line = Transport(urls, unlocked.device, log=centre.log) if urls and centre else None
            return exchange.run(unlocked, line)

        found: exchange.Report | str | None = self.work(action)
        return found

    def obey(self) -> Any:
        """What every run ends with: a laptop that the centre has withdrawn puts its work aside and lets go of its keys."""

        def action(unlocked: Unlocked) -> None:
            rows = unlocked.store.read(lambda conn: conn.execute("SELECT hash, kind, device FROM op_line").fetchall())
            self.last_seen = [dict(row) for row in rows]
            rescue.obey(unlocked)

        return self.work(action)

    def rescued(self) -> list[Path]:
        """The sealed files that stand beside the profile."""
        return sorted(rescue.place(self.home).glob("*.salabatch"))

    def prune(self) -> Any:
        """Let go of what is safe at once: no retention."""
        kinds = dict.fromkeys((*MADE, *PLATFORM_KINDS), 0)
        return self.work(lambda unlocked: pruning.run(unlocked, kinds))

    def due(self) -> bool:
        """Would it go by itself now?"""
        now = self.clock.wall_ms()
        return bool(self.unlocked.store.read(lambda conn: runs.due(conn, now)))

    def export(self, folder: Path) -> Any:
        return self.work(lambda unlocked: courier.export(unlocked, folder))

    def import_(self, folder: Path) -> Any:
        return self.work(lambda unlocked: courier.import_(unlocked, folder))

    def room(self, pages: int | None) -> None:
        """Let the database grow by ``pages`` at most; None: as it likes."""

        def limit(conn: Any) -> None:
            most = 1 << 30 if pages is None else conn.execute("PRAGMA page_count").fetchone()[0] + pages
            conn.execute(f"PRAGMA max_page_count = {most}").fetchone()

        self.work(lambda unlocked: unlocked.store._on_writer(lambda: limit(unlocked.store._writer)))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.unlocked.store.read(lambda conn: [dict(row) for row in conn.execute(sql).fetchall()])
