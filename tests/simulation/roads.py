"""Which way a laptop goes, to the centre or to its province's relay, and what befalls the relay meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sync.hub import relay_sticks
from tests.simulation import province, template
from tests.simulation.laptop import Laptop
from tests.simulation.points import RELAY
from tests.simulation.province import Province

if TYPE_CHECKING:
    from tests.simulation.world import World

Act = tuple[Callable[[], None], int]
CENTRE: Final = (template.URL,)
ONLY_RELAY: Final = (province.URL,)
BOTH: Final = (province.URL, template.URL)
PATIENCE: Final = 3  # rounds of healing after which a laptop of a bad seed goes to the centre itself
BEYOND: Final = frozenset(
    {"clone", "restore", "revoke", "backup"}
)  # what a laptop and a relay cannot mend between themselves


class Roads:
    """The ways of one world with a relay."""

    def __init__(self, world: World, relay: Province) -> None:
        self.world, self.province = world, relay
        self.dice = world.dice
        self._ways: dict[str, tuple[str, ...]] = {}
        self.mended = False  # is everybody sent to the centre itself?

    def acts(self) -> list[Act]:
        return [
            (self.relay_run, 14), (self.kill_relay, 10), (self.relay_away, 5), (self.relay_copy, 5), (self.relay_restore, 4),
            (self.relay_stick, 5),
        ]  # fmt: skip

    def way(self, laptop: Laptop) -> tuple[str, ...]:
        """The addresses that ``laptop`` knows, the first one first."""
        if self.mended:
            return CENTRE
        if laptop.name not in self._ways:
            self._ways[laptop.name] = self.dice.choices((ONLY_RELAY, BOTH, CENTRE), (5, 3, 2))[0]
        return self._ways[laptop.name]

    def passes(self) -> None:
        """Something else has happened: a relay that is away comes nearer."""
        self.province.away = max(0, self.province.away - 1)

    # --- what may happen

    def relay_run(self) -> None:
        self.world.say(f"relay: {self.province.run(self.world.site) if not self.province.away else 'away'}")

    def kill_relay(self) -> None:
        """The next thing that the relay does may be cut short."""
        self.world.points.armed[RELAY] = self.dice.randint(1, 10)
        (self.relay_run if self.dice.random() < 0.5 else self.world.sync)()
        self.world.points.armed.pop(RELAY, None)

    def relay_away(self) -> None:
        self.province.away = self.dice.randint(2, 8)
        self.world.say(f"relay is away for {self.province.away}")

    def relay_copy(self) -> None:
        self.province.keep_copy()
        self.world.say("relay is copied")

    def relay_restore(self) -> None:
        self.world.say(f"relay from its copy: {self.province.old_copy()}")

    def relay_stick(self) -> None:
        """A laptop's stick comes to the relay, not to the centre."""
        if self.world.sticks.made:
            stick = self.dice.choice(self.world.sticks.made)
            found = self.province.do(lambda relay: relay_sticks.take(relay, stick))
            self.world.say(f"relay takes {stick.name}: {getattr(found, 'batches', found)}")

    # --- and in the end

    def heal(self, number: int) -> None:
        """One round: the relay is there, and brings what it has before the laptops come. In seeds whose calamities only the centre
        can mend, laptops that go to the relay find the centre after some rounds."""
        self.province.away = 0
        self.mended = number > PATIENCE and bool(BEYOND & set(self.world.counts))
        self.relay_run()
