"""What one module reaches, made of the store, the keys and the commands. Everything checks that a command is running."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from modules import triggers
from modules.commands import Commands, Unit
from modules.contract import Clock, Command, Draft, Json, Kind, Lease, Manifest, Officer, Refused, Row, Trigger
from modules.settings import Settings
from sync import audit, colleagues, drafts, foreign, leases, office, ops, outbox, publications, search
from sync.ids import uuid7

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.office import Centre
    from sync.store import Connection

T = TypeVar("T")


class ModuleStore:
    """``StoreApi`` for one module: SQL over its own tables, and the platform's journal, index and outbox."""

    def __init__(self, module: ModuleApi) -> None:
        self._module = module
        self._unlocked = module.unlocked
        self._store = module.unlocked.store

    def query(self, sql: str, *args: object) -> list[Row]:
        return self._own(lambda connection: [dict(row) for row in connection.execute(sql, args)])

    def execute(self, sql: str, *args: object) -> int:
        unit = self._writing()
        with self._store.authorize(self._module.manifest.id):
            return int(unit.connection.execute(sql, args).rowcount)

    def append(
        self,
        kind: str,
        record: str,
        body: Json,
        *,
        form: str = "",
        def_hash: bytes | None = None,
        refs: Sequence[str] = (),
        attach: Sequence[str] = (),
    ) -> str:
        unit = self._writing()
        declared = self._module.kind(kind)
        declared.validate(body)
        unit.kinds.add(kind)
        unit.ids.add(record)
        with self._store.authorize(None):
            return ops.append(
                unit.connection,
                self._unlocked,
                self._module.clock,
                kind=kind,
                record=record,
                form=form or self._module.manifest.id,
                def_hash=def_hash,
                body=body,
                sealed=declared.sealed,
                refs=refs,
                attach=attach,
            )

    def touch(self, kind: str, record: str) -> None:
        """Report a change that has no op (a local state), so that pages refresh after commit."""
        unit = self._writing()
        unit.kinds.add(kind)
        unit.ids.add(record)

    def index(self, record: str, kind: str, title: str, text: str) -> None:
        unit = self._writing()
        with self._store.authorize(None):
            search.index(unit.connection, record, kind, title, text)

    def search(self, text: str, kinds: Sequence[str] = (), limit: int = 50) -> list[Row]:
        return self._free(lambda connection: search.find(connection, text, kinds, limit))

    def sync_states(self, records: Sequence[str]) -> dict[str, str]:
        def read(connection: Connection) -> dict[str, str]:
            return colleagues.least(outbox.states(connection, records), colleagues.states(connection, records))

        return self._free(read)

    def history(self, record: str) -> list[Row]:
        def read(connection: Connection) -> list[Row]:
            rows = [*outbox.history(connection, record), *foreign.history(connection, record)]
            return sorted(rows, key=lambda row: row["wall_ms"])

        return self._free(read)

    def _writing(self) -> Unit:
        unit = self._module.commands_registry.unit()
        if unit is None or not unit.writes:
            raise RuntimeError(f"module {self._module.manifest.id} writes outside a writing command")
        return unit

    def _own(self, work: Callable[[Connection], T]) -> T:
        return self._on(self._module.manifest.id, work)

    def _free(self, work: Callable[[Connection], T]) -> T:
        return self._on(None, work)

    def _on(self, prefix: str | None, work: Callable[[Connection], T]) -> T:
        def restricted(connection: Connection) -> T:
            with self._store.authorize(prefix):
                return work(connection)

        unit = self._module.commands_registry.unit()
        return restricted(unit.connection) if unit else self._store.read(restricted)


class ModuleDrafts:
    """``Drafts``: sealed to the officer who is unlocked; written at once, outside any command's transaction."""

    def __init__(self, module: ModuleApi) -> None:
        self._module = module
        self._unlocked = module.unlocked

    def save(self, id: str, subject: str, title: str, body: Json) -> None:
        officer, key = self._unlocked.officer.id, self._unlocked.draft_key
        wall_ms = self._module.clock.wall_ms()
        self._free_write(lambda connection: drafts.save(connection, officer, key, id, subject, title, body, wall_ms))

    def get(self, id: str) -> Draft | None:
        officer, key = self._unlocked.officer.id, self._unlocked.draft_key
        return self._free_read(lambda connection: _draft(drafts.get(connection, officer, key, id)))

    def list(self, prefix: str = "") -> list[Draft]:
        officer, key = self._unlocked.officer.id, self._unlocked.draft_key
        rows = self._free_read(lambda connection: drafts.list_(connection, officer, key, prefix))
        return [draft for draft in map(_draft, rows) if draft]

    def discard(self, id: str) -> None:
        officer, wall_ms = self._unlocked.officer.id, self._module.clock.wall_ms()
        self._free_write(lambda connection: drafts.discard(connection, officer, id, wall_ms))

    def restore(self, id: str) -> None:
        officer = self._unlocked.officer.id
        self._free_write(lambda connection: drafts.restore(connection, officer, id))

    def _free_write(self, work: Callable[[Connection], None]) -> None:
        store = self._unlocked.store

        def free(connection: Connection) -> None:
            with store.authorize(None):
                work(connection)

        store.write(free)

    def _free_read(self, work: Callable[[Connection], T]) -> T:
        store = self._unlocked.store

        def free(connection: Connection) -> T:
            with store.authorize(None):
                return work(connection)

        return store.read(free)


def _draft(row: Mapping[str, Any] | None) -> Draft | None:
    if row is None:
        return None
    return Draft(row["id"], row["subject"], row["title"], row["body"], row["updated_ms"])


class ModuleFiles:
    """``Files`` over the profile's encrypted blobs."""

    def __init__(self, module: ModuleApi) -> None:
        self._module = module
        self._blobs = module.unlocked.blobs

    def add(self, source: Path, media_type: str) -> str:
        return self._free(lambda: self._blobs.add(source, media_type))

    def add_bytes(self, data: bytes, media_type: str) -> str:
        return self._free(lambda: self._blobs.add(data, media_type))

    def read(self, blob: str) -> bytes:
        return self._free(lambda: self._blobs.read(blob))

    def _free(self, work: Callable[[], T]) -> T:
        with self._module.unlocked.store.authorize(None):
            return work()


class ModuleKeys:
    """``Keys``: signs for a module whose manifest asks for ``keys.sign``; no private key leaves this object."""

    def __init__(self, module: ModuleApi) -> None:
        self._module = module
        self._unlocked = module.unlocked

    def office_public(self) -> bytes:
        return bytes(self._unlocked.office_key.verify_key)

    def office_sign(self, message: bytes) -> bytes:
        self._may_sign()
        return bytes(self._unlocked.office_key.sign(message).signature)

    def officer_sign(self, message: bytes) -> bytes:
        self._may_sign()
        return bytes(self._unlocked.officer_key.sign(message).signature)

    def officer_public(self, officer: str) -> bytes:
        return self._module.anywhere(lambda: self._unlocked.officer_public(officer))

    def _may_sign(self) -> None:
        if "keys.sign" not in self._module.manifest.permissions:
            raise Refused("MD-013", module=self._module.manifest.id, permission="keys.sign")


class ModuleLeases:
    """``Leases``: numbers that are this device's alone."""

    def __init__(self, module: ModuleApi) -> None:
        self._module = module

    def active(self, resource: str) -> list[Lease]:
        now_ms = self._module.clock.wall_ms()
        store = self._module.unlocked.store

        def read(connection: Connection) -> list[Lease]:
            with store.authorize(None):
                return [_lease(row) for row in leases.active(connection, resource, now_ms)]

        return store.read(read)

    def take(self, resource: str) -> tuple[Lease, int]:
        unit = self._module.commands_registry.unit()
        if unit is None or not unit.writes:
            raise RuntimeError("a number is taken only inside a writing command")
        with self._module.unlocked.store.authorize(None):
            row, number = leases.take(unit.connection, resource, self._module.clock.wall_ms())
        return _lease(row), number


def _lease(row: Any) -> Lease:
    return Lease(row.id, row.resource, row.content, row.used, row.size, row.not_after_ms)


class ModuleApi:
    """``Api`` of one module."""

    def __init__(
        self,
        manifest: Manifest,
        unlocked: Unlocked,
        commands: Commands,
        settings: Settings,
        clock: Clock,
        office: Json,
        all_triggers: Callable[[], Sequence[Trigger]],
    ) -> None:
        self.manifest = manifest
        self.unlocked = unlocked
        self.commands_registry = commands
        self.settings = settings
        self.clock = clock
        self.office = office
        self._all_triggers = all_triggers
        self._kinds: dict[str, Kind] = {}
        self.store = ModuleStore(self)
        self.drafts = ModuleDrafts(self)
        self.files = ModuleFiles(self)
        self.keys = ModuleKeys(self)
        self.leases = ModuleLeases(self)

    def declare(self, kinds: Sequence[Kind]) -> None:
        """Called once by the session with what ``activate`` returned."""
        for kind in kinds:
            if not kind.name.startswith(f"{self.manifest.id}."):
                raise ValueError(f"kind {kind.name} of module {self.manifest.id}")
            self._kinds[kind.name] = kind

    def kind(self, name: str) -> Kind:
        return self._kinds[name]

    def anywhere(self, ask: Callable[[], T]) -> T:
        """Let the platform read its own tables, inside a command of the module or outside of one."""
        store = self.unlocked.store

        def free(_connection: Connection) -> T:
            with store.authorize(None):
                return ask()

        return store.read(free)

    def officer(self) -> Officer:
        return self.unlocked.officer

    def officers(self) -> Sequence[Officer]:
        return self.anywhere(self.unlocked.officers)

    def random(self, n: int) -> bytes:
        return secrets.token_bytes(n)

    def new_id(self) -> str:
        return uuid7(self.clock.wall_ms()).hex()

    def audit(self, what: str, record: str) -> None:
        unit = self.commands_registry.unit()
        if unit is None or not unit.writes:
            raise RuntimeError("an event is noted only inside a writing command")
        event = {"what": what, "module": self.manifest.id, "record": record, "officer": self.officer().id}
        with self.unlocked.store.authorize(None):
            audit.append(unit.connection, self.clock, event)

    def emit(self, trigger: str, payload: Json) -> None:
        unit = self.commands_registry.unit()
        if unit is None or not unit.writes:
            raise RuntimeError("a trigger is emitted only inside a writing command")
        with self.unlocked.store.authorize(None):
            triggers.store(
                unit.connection,
                id=self.new_id(),
                trigger=trigger,
                payload=payload,
                officer=self.officer().id,
                wall_ms=self.clock.wall_ms(),
            )

    def centre(self) -> Centre | None:
        store = self.unlocked.store

        def read(connection: Connection) -> Centre | None:
            with store.authorize(None):
                return office.centre(connection)

        return store.read(read)

    def call(self, command: str, /, **params: object) -> Any:
        return self.commands_registry.run(command, **params)

    def commands(self) -> Sequence[Command]:
        return self.commands_registry.list()

    def triggers(self) -> Sequence[Trigger]:
        return self._all_triggers()

    def publication(self, name: str) -> bytes | None:
        store = self.unlocked.store

        def read(connection: Connection) -> bytes | None:
            with store.authorize(None):
                return publications.get(connection, name)

        return store.read(read)
