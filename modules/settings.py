"""Typed settings with defaults. One table; the scope decides whose value is read."""

from __future__ import annotations

import json
from typing import Any

from modules.contract import Officer, Refused, Setting
from sync.store import Connection, Store


class Settings:
    """Declared settings of all modules over the table ``platform_setting(scope, owner, id, value)``."""

    def __init__(self, store: Store, officer: Officer) -> None:
        self._store = store
        self._officer = officer
        self._declared: dict[str, Setting] = {}

    def declare(self, setting: Setting) -> None:
        if setting.id in self._declared:
            raise ValueError(f"setting {setting.id} stands twice")
        self._declared[setting.id] = setting

    def declared(self) -> list[Setting]:
        return sorted(self._declared.values(), key=lambda setting: setting.id)

    def get(self, id: str) -> Any:
        setting = self._setting(id)

        def read(connection: Connection) -> Any:
            with self._store.authorize(None):
                row = connection.execute(
                    "SELECT value FROM platform_setting WHERE scope = ? AND owner = ? AND id = ?",
                    (setting.scope, self._owner(setting), id),
                ).fetchone()
            return setting.default if row is None else json.loads(row["value"])

        return self._store.read(read)

    def set(self, id: str, value: Any) -> None:
        """Store ``value``. ``Refused("MD-020")`` for a value of the wrong type or outside the choices."""
        setting = self._setting(id)
        _check(setting, value)

        def write(connection: Connection) -> None:
            with self._store.authorize(None):
                connection.execute(
                    "INSERT INTO platform_setting (scope, owner, id, value) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (scope, owner, id) DO UPDATE SET value = excluded.value",
                    (setting.scope, self._owner(setting), id, json.dumps(value, ensure_ascii=False)),
                )

        self._store.write(write)

    def _setting(self, id: str) -> Setting:
        try:
            return self._declared[id]
        except KeyError:
            raise Refused("MD-021", setting=id) from None

    def _owner(self, setting: Setting) -> str:
        return self._officer.id if setting.scope == "officer" else ""


def _check(setting: Setting, value: Any) -> None:
    right = {
        "text": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "choice": value in setting.choices,
    }[setting.kind]
    if not right:
        raise Refused("MD-020", setting=setting.id, kind=setting.kind)
