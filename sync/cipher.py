"""One encrypted connection: the alias, the key, the settings that are asserted and not only set, causes of failure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlcipher3 import dbapi2

from sync.errors import Known
from sync.wipe import wipe

__all__ = [
    "APPLICATION_ID", "MODULE", "PAGE", "Connection", "DatabaseError", "IntegrityError", "Mode", "Row", "cause", "code",
    "connect", "folder", "is_open", "is_sound", "pragma", "problems", "rekey", "settle", "unlock",
]  # fmt: skip

if TYPE_CHECKING:
    from sqlite3 import Connection, DatabaseError, IntegrityError, Row  # sqlcipher3 has the same surface and no stubs
else:
    Connection, Row = dbapi2.Connection, dbapi2.Row
    DatabaseError, IntegrityError = dbapi2.DatabaseError, dbapi2.IntegrityError

# sqlite-utils looks for pysqlite3 before sqlite3. Without this it does not recognise SQLCipher's exceptions and leaves
# transactions open: everything written afterwards is lost at the next start, silently.
sys.modules["pysqlite3"] = dbapi2
sys.modules["pysqlite3.dbapi2"] = dbapi2

Mode = Literal["ro", "rw", "rwc"]  # read only, read and write, and create

MODULE: Final = "sqlcipher3.dbapi2"
APPLICATION_ID: Final = 0x53414C41  # "SALA"
BUSY_MS: Final = 5_000
PAGE: Final = 4_096

SETTINGS: Final[dict[str, str | int]] = {
    "synchronous": 2,  # FULL: a commit that was acknowledged survives a power cut
    "busy_timeout": BUSY_MS,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "temp_store": 2,  # memory: nothing decrypted ever reaches a temporary file
    "recursive_triggers": 1,
}

_CAUSES: Final = {  # SQLite's primary result codes
    13: "SY-104",
    11: "SY-102", 26: "SY-102",  # corrupt; not a database
    5: "SY-106",  # busy
    10: "SY-107", 14: "SY-107", 8: "SY-107",  # input/output, cannot open, read-only
}  # fmt: skip


def connect(path: Path, key: bytes, mode: Mode) -> Connection:
    """A connection to the file at ``path`` with the raw 32-byte ``key``; nothing has been read yet."""
    if len(key) != 32:
        raise ValueError("a database key has 32 bytes")
    conn: Connection = dbapi2.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,  # Sala says BEGIN and COMMIT itself
        check_same_thread=False,  # the store hands a connection to one thread at a time
        timeout=BUSY_MS / 1000,
    )
    conn.row_factory = Row
    conn.execute("PRAGMA cipher_log_level=NONE")  # else SQLCipher writes core errors to standard error
    text = _raw(key)
    conn.set_key(text)  # type: ignore[attr-defined]
    wipe(text)
    return conn


def _raw(key: bytes) -> str:
    """A raw key as SQLCipher takes it. Never put it into SQL: statements are copied and kept."""
    digits = key.hex()
    text = f"x'{digits}'"
    wipe(digits)
    return text


def unlock(conn: Connection) -> None:
    """Read the first page. Known: SY-100 when the key does not open it (or its first page is damaged)."""
    try:
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DatabaseError as error:
        wrong_key = error.sqlite_errorcode == dbapi2.SQLITE_NOTADB
        raise Known("SY-100" if wrong_key else code(error) or "SY-107") from error


def settle(conn: Connection, *, journal: bool, read_only: bool) -> None:
    """Set what every connection needs and assert that it holds. A wrong build is a bug, never a warning."""
    if journal:
        conn.execute("PRAGMA journal_mode=WAL")
    for name, value in SETTINGS.items():
        conn.execute(f"PRAGMA {name}={value}")
    if read_only:
        conn.execute("PRAGMA query_only=ON")
    expected: dict[str, str | int] = {**SETTINGS, "journal_mode": "wal", "cipher_status": "1", "query_only": read_only}
    wrong = {name: found for name, value in expected.items() if (found := pragma(conn, name)) != value}
    if wrong:
        raise RuntimeError(f"the database does not accept its settings: {wrong}")


def rekey(path: Path, old: bytes, new: bytes, ready: Callable[[], None]) -> None:
    """Encrypt the file at ``path`` anew, all or nothing.

    ``ready`` is called when nobody else has the file open and before it changes. Known SY-106 when somebody has.
    """
    conn = connect(path, old, "rw")
    try:
        conn.execute("PRAGMA locking_mode=EXCLUSIVE")
        conn.execute("PRAGMA journal_mode=DELETE")
        conn.execute("BEGIN EXCLUSIVE")
        conn.execute("COMMIT")  # the lock stays
        ready()
        text = _raw(new)
        conn.reset_key(text)  # type: ignore[attr-defined]
        wipe(text)
    except DatabaseError as error:
        raise Known(code(error) or "SY-107") from error
    finally:
        conn.close()


def pragma(conn: Connection, name: str) -> str | int | None:
    """The value of one pragma, or None when this build does not know it."""
    row = conn.execute(f"PRAGMA {name}").fetchone()
    return None if row is None else row[0]


def cause(conn: Connection, error: Exception) -> str | None:
    """The code of a failure that the environment caused, None for a refusal or a bug."""
    if not is_sound(conn):
        return "SY-102"
    return code(error)


def code(error: Exception) -> str | None:
    """The code of SQLite's own failures."""
    return _CAUSES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def is_sound(conn: Connection) -> bool:
    """Has every page that this connection read been authentic?

    SQLCipher hands SQLite a page of zeros in place of one that fails its code. SQLite notices in an index or a table page,
    but takes the zeros for content in the middle of a long value: only this status tells.
    """
    return pragma(conn, "cipher_status") == "1"


def is_open(conn: Connection) -> bool:
    """Is a transaction open? (A function, because each answer holds only for this moment.)"""
    return conn.in_transaction


def folder(conn: Connection) -> Path:
    """Where the file of this connection lies."""
    return Path(conn.execute("PRAGMA database_list").fetchone()["file"]).parent


def problems(conn: Connection) -> list[str]:
    """Everything that SQLCipher and SQLite find wrong with the file; empty when it is sound."""
    found: list[str] = []
    try:
        if _brought_home(conn):
            found += [str(row[0]) for row in conn.execute("PRAGMA cipher_integrity_check")]
        found += [str(row[0]) for row in conn.execute("PRAGMA integrity_check") if row[0] != "ok"]
        broken: Iterable[Row] = conn.execute("PRAGMA foreign_key_check")
        found += [f"row {row[1]} of {row[0]} points to a missing row of {row[2]}" for row in broken]
    except DatabaseError as error:  # so damaged that the check itself fails
        found.append(f"{code(error)} {error}")
    return found


def _brought_home(conn: Connection) -> bool:
    """Copy the write-ahead log into the file: until then a page of the file may be torn whose whole copy stands in the log.

    False while that cannot be done (opened for reading only, another program reads): only what is read can be checked then.
    """
    try:
        return bool(conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    except DatabaseError:
        return False
