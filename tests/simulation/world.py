"""One seed: some days of work at three laptops and a centre, with everything going wrong that can, and then the healing.

Which faults a seed has, and how badly, is drawn first, so that some seeds are about sticks and others about restored hubs.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from i18n.errors import SalaError
from sync import client, exchange
from sync.clock import SetClock
from sync.hub import courier
from tests.simulation import template
from tests.simulation.centre import PATCHES, Site, copy
from tests.simulation.chance import patched, seeded
from tests.simulation.laptop import MADE, Laptop
from tests.simulation.points import HUB, LAPTOP, Points, counted
from tests.simulation.province import Province
from tests.simulation.roads import Roads
from tests.simulation.wire import Faults, Line

STEPS: Final = 20
ROUNDS: Final = 6  # after healing everything must be through in so many rounds of everybody
MINUTE: Final = 60_000
LONGEST_WAIT: Final = 7 * 3_600_000  # no back-off is longer
_RECEIVED: Final = "(SELECT coalesce(max(value), 0) FROM mark WHERE name = 'received')"
_EPOCH: Final = (
    "SELECT value FROM mark WHERE name = 'epoch'"  # an earlier one: what a restored centre lacks is offered later
)
YEAR: Final = 365 * 86_400_000


@dataclass(slots=True)
class Sticks:
    """The memory sticks under way: folders."""

    folder: Path
    made: list[Path] = field(default_factory=list)

    def new(self) -> Path:
        self.made.append(self.folder / f"stick-{len(self.made)}")
        self.made[-1].mkdir(parents=True)
        return self.made[-1]


class World:
    """Everything of one seed. ``mutant`` changes the product's conduct, see :mod:`tests.simulation.mutants`."""

    def __init__(self, folder: Path, seed: int, points: Points, line: Line, site: Site, focus: frozenset[str]) -> None:
        self.folder, self.seed, self.points, self.line, self.site = folder, seed, points, line, site
        self.dice = line.dice
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.revoked: set[bytes] = set()
        self.sticks = Sticks(folder)
        self.rounds = 0
        self.asleep: list[str] = []  # laptops that would never have gone by themselves
        self.silent = False  # did a life of the log go back without anybody being told?
        names = template.NAMES if self.dice.random() < 0.35 else template.NAMES[:2]
        self.laptops = [Laptop(name, folder / name, self._clock(), points) for name in names]
        self.obedient = self.dice.random() < 0.6  # is it today's program, which carries out a withdrawal at once?
        self.roads = self._province() if self.dice.random() < 0.3 or "relay" in focus else None
        self.acts = self._plan(focus)

    def _province(self) -> Roads:
        relay = Province(self.folder / "relay", self._clock(), self.points, self.dice)
        self.line.others["relay.test"] = relay.serve
        return Roads(self, relay)

    def _clock(self) -> SetClock:
        return SetClock(template.NOW + self.dice.choice((0, 0, 0, 0, 30_000, -MINUTE * 20, -3 * YEAR, 2 * YEAR)))

    def say(self, text: str) -> None:
        self.trace.append(text)

    # --- the plan

    def _plan(self, focus: frozenset[str]) -> list[tuple[Callable[[], None], int]]:
        """What may happen in this seed, and its weight. Work and exchange always; every calamity in some seeds."""
        acts: list[tuple[Callable[[], None], int]] = [(self.write, 30), (self.sync, 30)]
        for act, weight in (
            (self.kill_laptop, 14), (self.kill_hub, 14), (self.stick_out, 8), (self.stick_in, 8), (self.stick_home, 8),
            (self.hurt_stick, 4), (self.clone, 5), (self.restart, 6), (self.backup, 8), (self.restore, 6), (self.confirm, 6),
            (self.revoke, 4), (self.clock_jump, 6), (self.laptop_full, 5), (self.hub_full, 4), (self.garbage, 4), (self.prune, 8),
            *(self.roads.acts() if self.roads else ()),
        ):  # fmt: skip
            if self.dice.random() < 0.5 or act.__name__ in focus:
                acts.append((act, weight * (3 if act.__name__ in focus else 1)))
        acts = [(act, weight) for act, weight in acts if f"-{act.__name__}" not in focus]
        chosen = {act for act, _ in acts}
        self.prunes = self.prune in chosen
        return acts

    def go(self) -> None:
        """The bad days."""
        self.line.published = self.dice.random() < 0.2
        self.line.faults = Faults.drawn(self.dice, self.dice.choice((0.0, 0.15, 0.4)))
        for _ in range(STEPS):
            self._pass_time()
            act = self.dice.choices([one for one, _ in self.acts], [weight for _, weight in self.acts])[0]
            if not self.alive:
                return
            self.counts[act.__name__] += 1
            act()

    def _pass_time(self) -> None:
        ms = self.dice.choice((1_000, MINUTE, 10 * MINUTE, 300 * MINUTE))
        relay = [self.roads.province.clock] if self.roads else []
        for clock in (self.site.clock, *relay, *(laptop.clock for laptop in self.laptops)):
            clock.advance(ms)
        if self.roads:
            self.roads.passes()

    @property
    def alive(self) -> list[Laptop]:
        return [laptop for laptop in self.laptops if not laptop.gone]

    def _anyone(self) -> Laptop:
        return self.dice.choice(self.alive or self.laptops)

    # --- what may happen

    def write(self) -> None:
        laptop, kind = self._anyone(), self.dice.choice(MADE[:-1] if self.dice.random() < 0.9 else MADE)
        n, sealed = self.dice.choice((1, 1, 2, 5, 40)), self.dice.random() < 0.3
        attachment = self.dice.randbytes(300) if self.dice.random() < 0.15 else None
        before = len(laptop.acknowledged)
        laptop.write(kind, n, sealed=sealed, attachment=attachment)
        self.say(f"{laptop.name} writes {n} {kind}: {len(laptop.acknowledged) - before} acknowledged")

    def sync(self, laptop: Laptop | None = None) -> None:
        laptop = laptop or self._anyone()
        found = laptop.sync(self.roads.way(laptop) if self.roads else ())
        if self.obedient and not laptop.gone and (told := laptop.obey()):
            self.say(f"{laptop.name} carries out its withdrawal: {told}")
        if isinstance(found, exchange.Report):
            told = f"{found.batches_cut} cut, {found.batches_received} received, {found.batches_lost} lost, {found.waiting} wait"
            problems = ",".join(f"{problem['step']} {problem['code']}" for problem in found.problems)
            self.say(f"{laptop.name} syncs: {told} {problems}")
        else:
            self.say(f"{laptop.name} syncs: {found or 'dies'}")

    def kill_laptop(self) -> None:
        """The next thing that somebody does may be cut short."""
        self.points.armed[LAPTOP] = self.dice.randint(1, 30)
        (self.sync if self.dice.random() < 0.7 else self.write)()
        self.points.armed.pop(LAPTOP, None)

    def kill_hub(self) -> None:
        self.points.armed[HUB] = self.dice.randint(1, 12)
        (self.sync if self.dice.random() < 0.8 else self.stick_in)()
        self.points.armed.pop(HUB, None)

    def stick_out(self) -> None:
        laptop = self._anyone()
        stick = (
            self.dice.choice(self.sticks.made) if self.sticks.made and self.dice.random() < 0.4 else self.sticks.new()
        )
        laptop.export(stick)
        self.say(f"{laptop.name} fills {stick.name}")

    def stick_in(self) -> None:
        if self.sticks.made:
            stick = self.dice.choice(self.sticks.made)
            found = self.site.do(lambda centre: self._taken(centre, stick))
            self.say(f"centre takes {stick.name}: {found}")

    def _taken(self, centre: Any, stick: Path) -> str:
        try:
            taken = courier.take(centre, stick)
        except SalaError as error:
            return error.code
        return f"{taken.batches} new, {taken.again} again, {taken.damaged} damaged"

    def stick_home(self) -> None:
        if self.sticks.made:
            laptop, stick = self._anyone(), self.dice.choice(self.sticks.made)
            laptop.import_(stick)
            self.say(f"{laptop.name} takes {stick.name} home")

    def hurt_stick(self) -> None:
        files = sorted(file for stick in self.sticks.made for file in stick.glob("*.salabatch"))
        if not files:
            return
        file = self.dice.choice(files)
        data, how = bytearray(file.read_bytes()), self.dice.randrange(3)
        if how == 0 or not data:
            file.unlink()
        elif how == 1:
            file.write_bytes(data[: self.dice.randrange(len(data))])
        else:
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
            file.write_bytes(data)
        self.say(f"{file.parent.name} is hurt ({how})")

    def clone(self) -> None:
        if len(self.laptops) < 5:
            laptop = self._anyone()
            twin = laptop.clone(f"{laptop.name}-{len(self.laptops)}", self._clock())
            self.laptops.append(twin)
            self.say(f"{twin.name} is a clone of {laptop.name}")

    def restart(self) -> None:
        laptop = self._anyone()
        laptop.work(lambda _: laptop.lock())
        self.say(f"{laptop.name} is locked")

    def backup(self) -> None:
        self.site.backup()
        self.say(f"backup {len(self.site.backups) - 1}")

    def restore(self) -> None:
        if self.site.second.exists() and (self.prunes or self.dice.random() < 0.4):
            self.site.anew()
            self.say("the centre is made anew from its second site")
            self._after_restore()
        elif self.site.backups:
            number, honest = self.dice.randrange(len(self.site.backups)), self.dice.random() < 0.8
            self.site.restore(number, new_epoch=honest)
            self.silent |= not honest
            self.say(f"backup {number} is put back{'' if honest else ' silently'}")
            self._after_restore()

    def _after_restore(self) -> None:
        """What an admin does then."""
        for device in sorted(self.revoked):
            self._revoke(device)

    def confirm(self) -> None:
        self.site.confirm()
        self.say("the second site confirms")

    def prune(self) -> None:
        """A laptop brings its work, the second site takes a copy, the laptop hears of it and lets go."""
        laptop = self._anyone()
        self.sync(laptop)
        self.confirm()
        self.sync(laptop)
        done = laptop.prune()
        self.say(f"{laptop.name} lets go of {getattr(done, 'ops', done)} ops")

    def revoke(self) -> None:
        laptop = self._anyone()
        if laptop.gone:
            return
        device = laptop.unlocked.device.device_id
        if self.site.rows("SELECT 1 AS yes FROM device WHERE device = :d", d=device):
            self.revoked.add(device)
            self._revoke(device)
            self.say(f"{laptop.name} is revoked")

    def _revoke(self, device: bytes) -> None:
        if self.site.rows("SELECT 1 AS yes FROM device WHERE device = :d", d=device):
            self.site.revoke(device)

    def clock_jump(self) -> None:
        laptop = self._anyone()
        laptop.clock.wall += self.dice.choice((-3 * YEAR, 3 * YEAR, -600 * MINUTE, 600 * MINUTE))
        laptop.clock.wall = max(laptop.clock.wall, 0)
        self.say(f"{laptop.name}'s clock jumps")

    def laptop_full(self) -> None:
        laptop = self._anyone()
        laptop.room(self.dice.randrange(12))
        self.say(f"{laptop.name} runs full")
        (self.sync if self.dice.random() < 0.6 else self.write)()
        laptop.room(None)

    def hub_full(self) -> None:
        self.site.room(self.dice.randrange(6))
        self.say("the centre runs full")
        self.sync()
        self.sync()
        self.site.room(None)

    def garbage(self) -> None:
        """A stranger sends bytes that nobody signed, and batches of a device that nobody enrolled."""
        from tests.hub.laptop import Laptop as Stranger

        data = self.dice.choice((lambda: self.dice.randbytes(200), lambda: Stranger().batch(2)))()
        try:
            self.site.do(lambda centre: centre.ingest.take(data))
        except SalaError as error:
            self.say(f"a stranger is refused {error.code}")

    # --- and in the end

    def heal(self) -> None:
        """The faults end, every stick arrives, everybody meets the centre again. Clocks stay as wrong as they are."""
        self.points.armed.clear()
        self.line.faults = Faults()
        self.line.late.clear()
        for stick in self.sticks.made:
            if any(stick.glob("*.salabatch")):
                self.site.do(partial(self._taken, stick=stick))
        for laptop in self.alive:
            laptop.lock()
        self.say("--- healing")
        for self.rounds in range(1, ROUNDS + 1):
            self._pass_time()
            if self.roads:
                self.roads.heal(self.rounds)
            for laptop in self.alive:
                laptop.clock.advance(LONGEST_WAIT)
                if self.waiting(laptop) and not laptop.due():
                    self.asleep.append(f"{laptop.name} has work and does not start by itself")
                self.sync(laptop)
            self._rescue()
            if self.drained():
                return

    def _rescue(self) -> None:
        """The centre takes what withdrawn laptops have put aside."""
        for laptop in self.laptops:
            if files := laptop.rescued():
                self.site.do(partial(self._unsealed, files=files))

    def _unsealed(self, centre: Any, files: list[Path]) -> None:
        courier.take_sealed(centre, files, self.site.recovery_key())

    def close(self) -> None:
        for laptop in self.laptops:
            laptop.close()
        if self.roads:
            self.roads.province.close()

    def drained(self) -> bool:
        """Has every laptop brought everything, heard of the life of the log that the centre is in, and does the centre know where
        each op belongs?"""
        if any(self.waiting(laptop) for laptop in self.alive) or (self.roads and self.roads.province.left()):
            return False
        if any(laptop.rows(_EPOCH) not in ([], [{"value": self.site.centre.log.epoch}]) for laptop in self.alive):
            return False
        pending = {row["hash"] for row in self.site.rows("SELECT hash FROM op WHERE label = 'pending'")}
        willing = [laptop for laptop in self.alive if not laptop.devices & self.revoked]
        return not any(row["hash"] in pending for laptop in willing for row in laptop.rows("SELECT hash FROM op"))

    def waiting(self, laptop: Laptop) -> list[str]:
        """What a laptop still has to bring."""
        found = []
        for what, sql in (
            ("ops", f"SELECT count(*) AS n FROM op WHERE seq > {_RECEIVED}"),
            ("batches", f"SELECT count(*) AS n FROM batch WHERE state IN ('cut', 'sent') AND last_seq > {_RECEIVED}"),
            ("chunks", "SELECT count(*) AS n FROM chunk JOIN attached USING (blob) WHERE state = 'waiting' OR sent_ms IS NULL"),
        ):  # fmt: skip
            n = laptop.rows(sql)[0]["n"]
            found += [f"{laptop.name}: {n} {what} wait"] if n else []
        return found


@contextmanager
def world(
    seed: int, changes: Callable[[], Any] | None = None, focus: frozenset[str] = frozenset()
) -> Iterator[World]:  # fmt: skip
    """A fresh world in memory; removed afterwards. ``focus``: calamities that it has for sure, or never (``-name``)."""
    made = template.make(template.memory() / "template")
    folder = template.memory() / f"seed-{os.getpid()}"
    if folder.exists():
        shutil.rmtree(folder)
    for name in ("hub", "relay", *template.NAMES):
        copy(made / name, folder / name)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.enter_context(patch.dict(os.environ, SALA_BALLAST_MIB="0"))
        watch = stack.enter_context(seeded(seed))
        points = stack.enter_context(counted())
        stack.enter_context(patched(*PATCHES, (tempfile, "tempdir", str(folder))))
        if changes is not None:
            stack.enter_context(changes())
        site = Site(folder / "hub", SetClock(template.NOW), points)
        stack.callback(lambda: site.close())
        line = Line(site.serve, random.Random(f"world {seed}"), watch)
        stack.callback(line.loop.close)
        stack.enter_context(patched((client, "open_client", line.client)))
        found = World(folder, seed, points, line, site, focus)
        stack.callback(found.close)
        yield found
