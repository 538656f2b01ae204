"""The one way to change anything: a click, the palette, the command line, a flow and a test all run the same command.

A writing command runs on the writer thread inside one transaction; a command that it calls joins that transaction. What
changed is published after commit, and triggers are stored in the same transaction and delivered afterwards (session.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from modules import permissions
from modules.bus import Bus
from modules.contract import Changed, Command, Officer, Refused
from sync.store import Connection, Store

T = TypeVar("T")

_PARAMETER_ERROR = 160  # characters of a schema error that are worth showing


@dataclass(slots=True)
class Unit:
    """What one running command sees: its connection, whether it may write, and what it has changed so far."""

    connection: Connection
    writes: bool
    origin: str
    kinds: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)


class Commands:
    """The registry of commands and the place where they run."""

    def __init__(self, store: Store, officer: Officer, bus: Bus) -> None:
        self._store = store
        self._officer = officer
        self._bus = bus
        self._entries: dict[str, tuple[str, Command]] = {}
        self._validators: dict[str, Callable[[Any], Any]] = {}
        self._here = threading.local()
        self.after_write: Callable[[], None] = lambda: None  # the session delivers triggers here

    def add(self, module: str, command: Command) -> None:
        """Register ``command`` of ``module``; a name that stands twice is a bug."""
        if command.id in self._entries or not command.id.startswith(f"{module}."):
            raise ValueError(f"command {command.id} of module {module}")
        self._entries[command.id] = (module, command)

    def list(self) -> list[Command]:
        return [command for _, command in sorted(self._entries.values(), key=lambda entry: entry[1].id)]

    def get(self, id: str) -> Command:
        """``Refused("MD-011")`` when no module offers it."""
        return self._find(id)[1]

    def allowed(self, id: str) -> bool:
        """Whether the present officer's role may run ``id``."""
        return not self.get(id).needs - permissions.ROLES.get(self._officer.role, frozenset())

    def unit(self) -> Unit | None:
        """The command that is running on this thread."""
        stack: list[Unit] = getattr(self._here, "stack", [])
        return stack[-1] if stack else None

    def run(self, id: str, /, **params: Any) -> Any:
        """Run a command and return its result.

        Raises Refused or Known; on any exception nothing of the outermost command is kept. A reading command that
        calls a writing one opens that one's own transaction.
        """
        module, command = self._find(id)
        permissions.check(self._officer, command)
        self._check(command, params)
        outer = self.unit()
        if command.writes:  # inside another writing command this is a savepoint: its caller may catch a refusal
            result = self._store.write(lambda connection: self._within(connection, module, command, params))
            self._here.wrote = True
        elif outer is not None:  # join what is running on this thread
            result = self._within(outer.connection, module, command, params)
        else:
            result = self._store.read(lambda connection: self._within(connection, module, command, params))
        if outer is None and getattr(self._here, "wrote", False):  # not before the outermost command is over
            self._here.wrote = False
            self.after_write()
        return result

    def take_in(self, module: str, origin: str, work: Callable[[], None]) -> None:
        """Run ``work`` of ``module`` as a writing command without asking for a role: what the centre signed, not a person."""
        command = Command(id=origin, title={"km": origin, "en": origin}, run=work, writes=True)
        self._store.write(lambda connection: self._within(connection, module, command, {}))

    def _within(self, connection: Connection, module: str, command: Command, params: dict[str, Any]) -> Any:
        with self._unit(connection, command) as unit, self._store.authorize(module):
            result = command.run(**params)
        outer = self.unit()
        if outer is not None and outer.writes:  # the outermost command publishes for all that it called
            outer.kinds |= unit.kinds
            outer.ids |= unit.ids
        elif unit.kinds:
            changed = Changed(frozenset(unit.kinds), frozenset(unit.ids), command.id)
            self._store.after_commit(lambda: self._bus.publish(changed))
        return result

    def ask(self, connection: Connection, module: str, origin: str, work: Callable[[], T]) -> T:
        """Let ``module`` do ``work`` that the platform wants of it, inside the write of ``connection``, as its commands do."""
        with self._unit(connection, Command(id=origin, title={"km": "", "en": ""}, run=work, writes=True)) as unit:
            with self._store.authorize(module):
                result = work()
            if unit.kinds:
                changed = Changed(frozenset(unit.kinds), frozenset(unit.ids), origin)
                self._store.after_commit(lambda: self._bus.publish(changed))
        return result

    @contextmanager
    def _unit(self, connection: Connection, command: Command) -> Iterator[Unit]:
        stack = self._here.__dict__.setdefault("stack", [])
        writes = command.writes or bool(stack and stack[-1].writes)
        unit = Unit(connection, writes, command.id)
        stack.append(unit)
        try:
            yield unit
        finally:
            stack.pop()

    def _find(self, id: str) -> tuple[str, Command]:
        try:
            return self._entries[id]
        except KeyError:
            raise Refused("MD-011", command=id) from None

    def _check(self, command: Command, params: dict[str, Any]) -> None:
        """Parameters against the command's JSON Schema: the command line, flows and imported files are not trusted."""
        import fastjsonschema

        validate = self._validators.get(command.id)
        if validate is None:
            validate = self._validators[command.id] = fastjsonschema.compile(dict(command.params))
        try:
            validate(params)
        except fastjsonschema.JsonSchemaException as error:
            raise Refused("MD-012", command=command.id, reason=str(error)[:_PARAMETER_ERROR]) from error
