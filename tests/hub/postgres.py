"""A PostgreSQL server of the tests' own: made once, in memory where that is possible, shared by all workers, gone at the end.

It runs with everything that makes it durable switched on, as the hub demands; only its files lie where flushing costs nothing.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sync.hub.storage import Storage
from sync.hub.storage_postgres import PostgresStorage
from sync.hub.storage_sqlite import SqliteStorage

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")
PREFIX = "sala-pg-"
MEMORY = Path("/dev/shm")
WITHOUT = "SALA_WITHOUT_POSTGRESQL"  # a developer's machine may say why it has no server; CI never does


class NoServer(RuntimeError):
    """There is no PostgreSQL on this machine."""


def programs() -> Path:
    """The folder with ``initdb`` and ``postgres``. :class:`NoServer` when there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in map(Path, PLACES):
        found += [*sorted(place.glob("*/bin"), reverse=True), place / "bin"]
    for folder in found:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
            return folder
    raise NoServer("PostgreSQL is not installed: apt-get install postgresql (./dev setup does it on Debian)")


def _user() -> dict[str, Any]:
    """Who runs the server: never root, which it refuses."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise NoServer("no user to run PostgreSQL as")


def _sweep(base: Path) -> None:
    """Stop and remove the servers of test processes that were killed before they could do so."""
    for root in base.glob(f"{PREFIX}*"):
        try:
            owner = int((root / "owner").read_text("ascii"))
            if not _lives(owner):
                serving = root / "data" / "postmaster.pid"
                if serving.exists() and _lives(pid := int(serving.read_text("ascii").split("\n")[0])):
                    os.kill(pid, signal.SIGQUIT)  # at once: nothing in there is worth more
                    while _lives(pid):
                        time.sleep(0.05)
                shutil.rmtree(root, ignore_errors=True)
        except (OSError, ValueError):
            continue  # being made, or being removed by somebody else


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def cluster(*, memory: bool = True, **settings: str) -> Iterator[str]:
    """A running server; the connection string of its maintenance database, without ``dbname``."""
    binaries, user = programs(), _user()
    base = MEMORY if memory and os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(base)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    (root / "owner").write_text(str(os.getpid()), "ascii")
    try:
        if user:
            os.chown(root, user["user"], user["group"])
        data = root / "data"
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(root)}

        def run(*command: str | Path) -> None:
            done = subprocess.run(
                [str(part) for part in command], cwd=root, capture_output=True, text=True, check=False, env=environment, **user
            )  # fmt: skip
            if done.returncode:
                log = root / "log"
                raise RuntimeError(done.stdout + done.stderr + (log.read_text() if log.exists() else ""))

        run(binaries / "initdb", "-D", data, "-U", "sala", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync")
        given = {
            "listen_addresses": "", "unix_socket_directories": str(root), "max_connections": "300", "shared_buffers": "64MB",
            "max_wal_size": "256MB", "autovacuum_naptime": "10s", **settings,
        }  # fmt: skip
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in given.items())
        run(binaries / "pg_ctl", "-D", data, "-l", root / "log", "-w", "-t", "60", "start")
        try:
            yield f"host={root} user=sala"
        finally:
            run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)


class Server:
    """The running server, and databases in it that are as empty as a fresh hub's."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._numbers = itertools.count(1)
        self._template = ""

    def url(self, name: str) -> str:
        """How a hub's settings name a database of this server."""
        host = self._dsn.partition("host=")[2].partition(" ")[0]
        return f"postgresql://sala@/{name}?host={host}"

    def run(self, *statements: str) -> None:
        with psycopg.connect(f"{self._dsn} dbname=postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of a new database, dropped at the end. ``migrated``: with the hub's tables, copied instead of made anew."""
        if migrated and not self._template:
            self.run("CREATE DATABASE template_hub")
            PostgresStorage(self.url("template_hub")).close()
            self._template = " TEMPLATE template_hub STRATEGY file_copy"
        name = f"hub_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}{self._template if migrated else ''}")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


_SERVER: list[tuple[Any, Server]] = []


def server() -> Server:
    """The server of this test process, started at the first asking. Without one the test fails, unless somebody has said why not."""
    if not _SERVER:
        manager = cluster()
        try:
            dsn = manager.__enter__()
        except NoServer as missing:
            if os.environ.get(WITHOUT):
                pytest.skip(f"{missing}; {WITHOUT}={os.environ[WITHOUT]}")
            pytest.fail(f"{missing}; or say why it must do without: {WITHOUT}=reason")
        atexit.register(manager.__exit__, None, None, None)
        _SERVER.append((manager, Server(dsn)))
    return _SERVER[0][1]


@contextmanager
def storage(kind: str, folder: Path) -> Iterator[Storage]:
    """An empty hub's database: ``sqlite`` in ``folder``, or ``postgresql``."""
    if kind == "sqlite":
        made: Storage = SqliteStorage(folder)
        try:
            yield made
        finally:
            made.close()
        return
    with server().fresh() as url:
        made = PostgresStorage(url)
        try:
            yield made
        finally:
            made.close()
