"""An unlocked profile with its modules: what the window, the command line and the tests all drive.

Opening applies migrations, activates every installed module and delivers triggers that an earlier crash left waiting.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from modules import agency_feed, manifest, publications, reviews, schema, triggers
from modules.api import ModuleApi
from modules.bus import Bus
from modules.commands import Commands
from modules.contract import Json, Kind, Known, Manifest, Module, Officer, Refused, Setting, Trigger
from modules.settings import Settings
from sync import migrate, office

if TYPE_CHECKING:
    from sync.keys import Unlocked

log = logging.getLogger(__name__)

PLATFORM_SETTINGS = (
    Setting(
        id="platform.language",
        title={"km": "ភាសា", "en": "Language"},
        kind="choice",
        default="km",
        scope="officer",
        choices=("km", "en"),
    ),
    Setting(
        id="platform.digits",
        title={"km": "លេខបង្ហាញ", "en": "Digits shown"},
        kind="choice",
        default="latin",
        scope="officer",
        choices=("latin", "khmer"),
    ),
    Setting(
        id="platform.theme",
        title={"km": "ពណ៌", "en": "Theme"},
        kind="choice",
        default="system",
        scope="officer",
        choices=("system", "light", "dark", "contrast"),
    ),
    Setting(
        id="platform.text_size", title={"km": "ទំហំអក្សរ", "en": "Text size"}, kind="integer", default=100, scope="officer"
    ),
    Setting(
        id="platform.lock_minutes",
        title={"km": "ចាក់សោស្វ័យប្រវត្តិ (នាទី)", "en": "Lock after (minutes)"},
        kind="integer",
        default=10,
    ),
)


class Session:
    """One officer at one profile. Thread-safe; ``close`` locks the profile."""

    def __init__(self, unlocked: Unlocked) -> None:
        self.unlocked = unlocked
        self.store = unlocked.store
        self.clock = unlocked.store.clock
        self.officer: Officer = unlocked.officer
        self.bus = Bus()
        self.manifests: list[Manifest] = manifest.installed()
        self.modules: dict[str, Module] = {}
        migrate.migrate(self.store, "platform", schema.register)
        self.office: Json = office.read(self.store)
        self.settings = Settings(self.store, self.officer)
        for setting in PLATFORM_SETTINGS:
            self.settings.declare(setting)
        self.commands = Commands(self.store, self.officer, self.bus)
        self._delivering = threading.Lock()
        self.broken: dict[str, str] = {}  # modules that could not be activated, and why: the others go on without them
        for found in self.manifests:
            try:
                self._activate(found)
            except Exception as error:
                log.exception("module %s cannot be used", found.id)
                self.broken[found.id] = f"{type(error).__name__}: {error}"
        if "agency" in self.modules:
            agency_feed.declare(self)
        self.commands.after_write = self.deliver_triggers
        self.deliver_triggers()
        publications.begin(self)
        reviews.deliver(self)

    @classmethod
    def open(cls, unlocked: Unlocked) -> Session:
        """The session of an unlocked profile. Known SY-402: the centre has withdrawn this laptop, and its keys are gone now."""
        from sync import rescue, withdrawal

        if unlocked.store.read(withdrawal.told):  # it was cut short: go on with it
            try:
                rescue.obey(unlocked)
            except Known as error:
                if error.code != "SY-403":  # no room yet: what is here can still be looked at and carried away
                    raise
                log.warning("a withdrawn laptop could not let go of its keys: %s", error.values.get("reason"))
        return cls(unlocked)

    def kinds(self) -> dict[str, Kind]:
        """Every record kind of every module, by name."""
        return {kind.name: kind for module in self.modules.values() for kind in module.kinds}

    def retention(self) -> dict[str, int | None]:
        """How many days ops of every kind stay whole on this laptop once the centre holds them twice; None: for ever."""
        from sync.pruning import DEFAULT_DAYS

        said = {name: days for found in self.manifests for name, days in found.retention.items()}
        return {name: said.get(name, DEFAULT_DAYS) for name in self.kinds()}

    def triggers(self) -> Sequence[Trigger]:
        return [trigger for module in self.modules.values() for trigger in module.triggers]

    def deliver_triggers(self) -> None:
        """Hand waiting triggers to the flows; a delivery that causes further triggers is followed to its end."""
        if "flows" not in self.modules or not self._delivering.acquire(blocking=False):
            return  # the thread that is delivering takes the new ones too
        try:
            while triggers.deliver(self.store, self.commands.run, self.clock.wall_ms):
                pass
        finally:
            self._delivering.release()

    def close(self) -> None:
        """Close every module and lock: after this no key is in memory."""
        for module in self.modules.values():
            module.close()
        self.unlocked.lock()

    def _activate(self, found: Manifest) -> None:
        api = ModuleApi(found, self.unlocked, self.commands, self.settings, self.clock, self.office, self.triggers)
        module = load(found.entry)(api)
        if not isinstance(module, Module):
            raise Refused("MD-002", module=found.id)
        migrate.migrate(self.store, found.id, module.migrations)
        api.declare(module.kinds)
        for command in module.commands:
            self.commands.add(found.id, command)
        for setting in module.settings:
            self.settings.declare(setting)
        self.modules[found.id] = module


def load(dotted: str) -> Callable[..., Any]:
    """The object that a manifest names as ``package.module:name``."""
    module, _, name = dotted.partition(":")
    loaded: Callable[..., Any] = getattr(import_module(module), name)
    return loaded
