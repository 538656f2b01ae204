"""What a module's SQL may touch: its own tables, and nothing else. Asked by SQLite while it compiles each statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlcipher3 import dbapi2

OK: Final[int] = dbapi2.SQLITE_OK
DENY: Final[int] = dbapi2.SQLITE_DENY

_DATA: Final = {dbapi2.SQLITE_INSERT, dbapi2.SQLITE_UPDATE, dbapi2.SQLITE_DELETE}
_SCHEMA_OF_TABLE: Final = {  # first argument is the table
    dbapi2.SQLITE_CREATE_TABLE, dbapi2.SQLITE_DROP_TABLE, dbapi2.SQLITE_CREATE_VTABLE, dbapi2.SQLITE_DROP_VTABLE,
    dbapi2.SQLITE_CREATE_VIEW, dbapi2.SQLITE_DROP_VIEW, dbapi2.SQLITE_ANALYZE,
}  # fmt: skip
_SCHEMA_ON_TABLE: Final = {  # second argument is the table
    dbapi2.SQLITE_CREATE_INDEX, dbapi2.SQLITE_DROP_INDEX, dbapi2.SQLITE_CREATE_TRIGGER, dbapi2.SQLITE_DROP_TRIGGER,
    dbapi2.SQLITE_ALTER_TABLE,
}  # fmt: skip
_ALWAYS: Final = {dbapi2.SQLITE_SELECT, dbapi2.SQLITE_RECURSIVE}
_FUNCTION_TABLES: Final = {"json_each", "json_tree"}
_FORBIDDEN_FUNCTIONS: Final = {"load_extension", "sqlcipher_export", "fts3_tokenizer"}
_PRAGMAS_OF_FTS: Final = {"data_version"}  # FTS5 asks it by itself
_MIGRATION_TABLES: Final = {
    "_sqlite_migrations",
    "sqlite_master",
    "sqlite_temp_master",
    "sqlite_sequence",
    "sqlite_stat1",
}
_MIGRATION_PRAGMAS: Final = _PRAGMAS_OF_FTS | {
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "foreign_keys", "defer_foreign_keys", "foreign_key_check", "schema_version", "quick_check",
    "legacy_alter_table",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guard:
    """The authorizer of one module. ``tables`` are all names in the schema; ``schema`` admits its own migrations."""

    prefix: str
    tables: frozenset[str]
    schema: bool = False

    def __call__(self, action: int, one: str | None, two: str | None, _database: str | None, _inner: str | None) -> int:
        return OK if self._allows(action, one or "", two or "") else DENY

    def _allows(self, action: int, one: str, two: str) -> bool:
        if action in _ALWAYS:
            return True
        if action == dbapi2.SQLITE_READ:
            # A statement that reads no column (count(*)) also names its WITH tables; those are in no schema.
            return self._mine(one) or one in _FUNCTION_TABLES or (two == "" and not self._exists(one))
        if action in _DATA:
            return self._mine(one)
        if action == dbapi2.SQLITE_FUNCTION:
            return two.lower() not in _FORBIDDEN_FUNCTIONS
        if action == dbapi2.SQLITE_PRAGMA:
            return one.lower() in (_MIGRATION_PRAGMAS if self.schema else _PRAGMAS_OF_FTS)
        return self.schema and self._migrates(action, one, two)

    def _migrates(self, action: int, one: str, two: str) -> bool:
        if action in _SCHEMA_OF_TABLE:
            return self._mine(one)
        if action in _SCHEMA_ON_TABLE:
            return self._mine(two)
        return action in (dbapi2.SQLITE_SAVEPOINT, dbapi2.SQLITE_REINDEX)

    def _mine(self, table: str) -> bool:
        name = table.lower()
        if name.startswith(f"{self.prefix}_"):
            return True
        return self.schema and (name in _MIGRATION_TABLES or name.removeprefix("pragma_") in _MIGRATION_PRAGMAS)

    def _exists(self, table: str) -> bool:
        name = table.lower()
        return name in self.tables or name.startswith(("sqlite_", "pragma_"))
