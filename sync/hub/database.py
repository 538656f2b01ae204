"""Which database a hub has: the file ``hub.db`` in its folder, or the PostgreSQL database that its settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Known, Refused
from sync.hub.storage import Storage, Tx

if TYPE_CHECKING:
    from nacl.signing import SigningKey

SETTING: Final = "database"  # of hub.json: a connection string; passwords belong into the hub user's .pgpass
SCHEMES: Final = ("postgresql://", "postgres://")
OWNER: Final = "hub-key"  # row of ``meta``: the public key of the log that this database belongs to


def require_url(url: str) -> None:
    """Refused HB-164 when ``url`` is no address of a PostgreSQL database."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        sound = url.startswith(SCHEMES) and bool(conninfo_to_dict(url))
    except ProgrammingError:
        sound = False
    if not sound:
        raise Refused("HB-164", url=_without_password(url))


def open_storage(folder: Path, settings: Mapping[str, Any], key: SigningKey, now_ms: Callable[[], int]) -> Storage:
    """The database of the hub in ``folder``. Known HB-162 unreachable, HB-163 not durable, HB-165 it belongs to another hub."""
    url = settings.get(SETTING)
    if url is None:
        from sync.hub.storage_sqlite import SqliteStorage

        return SqliteStorage(folder)
    from sync.hub.storage_postgres import PostgresStorage

    storage = PostgresStorage(url, now_ms=now_ms)
    try:
        storage.write(lambda tx: _belong(tx, bytes(key.verify_key).hex()))
    except BaseException:
        storage.close()
        raise
    return storage


def require_empty(url: str) -> None:
    """Known HB-165 when a hub lives in that database already; asked before a new hub's keys are made."""
    import psycopg

    from sync.hub.postgres_connection import PostgresTx, connect, explain

    require_url(url)
    with closing(connect(url)) as connection:
        tx = PostgresTx(connection)
        try:
            if not tx.query("SELECT to_regclass('meta') IS NOT NULL AS yes")[0]["yes"]:
                return
            owned = tx.one("SELECT 1 AS yes FROM meta WHERE name = :name", {"name": OWNER})
        except psycopg.Error as error:
            raise explain(error) from error
    if owned:
        raise Known("HB-165")


def _belong(tx: Tx, key: str) -> None:
    """A folder's keys and a database go together: two hubs that sign one log would be a fork of it."""
    values = {"name": OWNER, "key": key}
    tx.execute("INSERT INTO meta (name, value) VALUES (:name, :key) ON CONFLICT (name) DO NOTHING", values)
    if tx.query("SELECT value FROM meta WHERE name = :name", values)[0]["value"] != key:
        raise Known("HB-165")


def _without_password(url: str) -> str:
    """The address as it may be shown: what stands between "//" and "@" can be a password."""
    head, at, tail = url[:300].rpartition("@")
    return f"{head.partition('//')[0]}//…@{tail}" if at else tail[:100]
