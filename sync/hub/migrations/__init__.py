"""How a hub's database becomes what ``sync/hub/schema.py`` describes (Alembic, on SQLite and PostgreSQL).

``versions/`` holds the steps. 0001 is the first release's tables exactly, so that its ``hub.db`` is adopted as it stands; 0002 is what a
complete replication needs. While 0002 is not released, add to it: write the table or column into ``schema.py`` and into
``0002_sync_complete.py`` (``tests/hub/test_hub_migrations.py`` fails when the two differ). After a release make a new file and raise
:data:`HEAD`.

Everything is done in one transaction: a step that is cut off leaves the database as it was. Alembic and SQLAlchemy are loaded only
when there is something to do, so that the hub starts quickly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

    import psycopg
    from sqlalchemy import Connection

HEAD: Final = 2  # the number of the newest step; revision "0002"


def revision(number: int) -> str:
    """How Alembic calls step ``number``."""
    return f"{number:04}"


def upgrade(connection: Connection, *, adopted: int = 0) -> None:
    """Bring the database to :data:`HEAD` inside the open transaction of ``connection``.

    ``adopted``: the step at which a database stands that Alembic has not seen before.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    if adopted:
        _run(EnvironmentContext(config, script, fn=_stamp(script, adopted)), connection)
    _run(
        EnvironmentContext(config, script, fn=lambda found, _: script._upgrade_revs(revision(HEAD), found)), connection
    )


def _stamp(script: Any, number: int) -> Any:
    return lambda found, _: script._stamp_revs(revision(number), found)


def _run(environment: Any, connection: Connection) -> None:
    with environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def upgrade_sqlite(raw: sqlite3.Connection, *, adopted: int = 0) -> None:
    """The same over a connection of the standard library in which a transaction is open."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: _Open(raw), poolclass=StaticPool)
    with engine.connect() as connection:
        upgrade(connection, adopted=adopted)


def upgrade_postgres(raw: psycopg.Connection[Any]) -> None:
    """The same over a connection of psycopg in which a transaction is open."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: _Tuples(raw), poolclass=StaticPool, use_native_hstore=False
    )
    with engine.connect() as connection:
        upgrade(connection)


class _Open:
    """A connection whose transaction is ours: what SQLAlchemy would begin, commit or roll back is left to the caller."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class _Tuples(_Open):
    """The rows of such a connection as SQLAlchemy wants them."""

    def cursor(self, *arguments: Any, **more: Any) -> Any:
        from psycopg.rows import tuple_row

        return self._raw.cursor(*arguments, **{**more, "row_factory": tuple_row})
