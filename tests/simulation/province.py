"""The province's relay of a simulation: the real relay over one folder, between the laptops and the centre.

It may be away for days, die at any write point, be put back from an old copy, and carry by stick instead of by line.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx

from i18n.errors import SalaError
from sync.clock import SetClock
from sync.hub import courier, relay_app, relay_sticks
from sync.hub.centre import Centre
from sync.hub.relay import Relay, Settings, create
from sync.notes import NoteKey
from tests.simulation.centre import Site, copy
from tests.simulation.points import RELAY, Points, PowerCut

NAME: Final = "pursat"
URL: Final = "http://relay.test"


def make(folder: Path, upstream: str, log: NoteKey) -> bytes:
    """A relay in ``folder``; its key for the centre."""
    return bytes(create(folder, Settings(NAME, "03", (upstream,), log.name, log.public.hex())).verify_key)


def first_run(folder: Path, clock: SetClock) -> None:
    """A relay is set up where the centre can be reached; later it may never reach it again."""
    relay = Relay(folder, clock)
    assert relay.run().problem == ""
    relay.close()


class Province:
    """One relay. ``online``: has it a line to the centre, or does somebody carry sticks?"""

    def __init__(self, folder: Path, clock: SetClock, points: Points, dice: random.Random) -> None:
        self.folder, self.clock, self.points = folder, clock, points
        self.image, self.copy = folder.with_name("relay-image"), folder.with_name("relay-copy")
        self.online = dice.random() < 0.7
        self.away = 0  # so many things happen until it is there again
        self.trips = self.deaths = 0
        points.snapshot[RELAY] = lambda: copy(self.folder, self.image)
        self._open()

    def _open(self) -> None:
        self.relay = Relay(self.folder, self.clock)
        self.app = relay_app.create(self.relay)

    def serve(self, ask: Callable[[Any], httpx.Response]) -> httpx.Response:
        """One request of a laptop; a relay that dies of it is started again for the next one."""
        if self.away:
            raise httpx.ConnectError("the relay is away")
        try:
            with self.points.of(RELAY):
                return ask(self.app)
        except PowerCut as cut:
            self._rise(cut)
            raise httpx.RemoteProtocolError("the relay died") from None

    def do(self, work: Callable[[Relay], Any]) -> Any:
        """Something that happens at the relay; a code when it was refused in words, None when the power went."""
        try:
            with self.points.of(RELAY):
                return work(self.relay)
        except PowerCut as cut:
            self._rise(cut)
        except SalaError as error:
            return error.code
        return None

    def _rise(self, cut: PowerCut) -> None:
        if cut.victim != RELAY:
            raise cut
        self.deaths += 1
        self._put_back(self.image)

    def _put_back(self, source: Path) -> None:
        self.relay.close()
        copy(source, self.folder)
        self._open()

    # --- what befalls it

    def run(self, site: Site) -> str:
        """Bring what waits to the centre and hear its word: by line, or by somebody who carries a stick there and home."""
        if self.online:
            done = self.do(Relay.run)
            return f"{done.forwarded} on, {done.receipts} receipts {done.problem}" if done is not None else "dies"
        self.trips += 1
        stick = self.folder.with_name(f"relay-stick-{self.trips}")
        stick.mkdir()
        out = self.do(lambda relay: relay_sticks.export(relay, stick))
        there = site.do(lambda centre: _taken(centre, stick))
        home = self.do(lambda relay: relay_sticks.take(relay, stick))
        carried = out["batches"] if isinstance(out, dict) else out
        return f"carries {carried}, centre {there}, home {getattr(home, 'receipts', home)}"

    def keep_copy(self) -> None:
        copy(self.folder, self.copy)

    def old_copy(self) -> bool:
        """Put back the copy that was kept; False when there is none."""
        if not self.copy.exists():
            return False
        self._put_back(self.copy)
        return True

    def left(self) -> list[str]:
        """What the relay still has to bring."""
        sql = "SELECT what, count(*) AS n FROM handed WHERE state = 'waiting' GROUP BY what ORDER BY what"
        rows = self.relay.storage.read(lambda tx: tx.query(sql))
        return [f"relay: {row['n']} {row['what']} wait" for row in rows]

    def alarm(self) -> str:
        found = self.relay.storage.read(self.relay.mirror.alarm)
        return str(found["why"]) if found else ""

    def close(self) -> None:
        with suppress(RuntimeError):
            self.relay.close()


def _taken(centre: Centre, stick: Path) -> str:
    try:
        return str(courier.take(centre, stick).batches)
    except SalaError as error:
        return error.code
