"""A hub over a temporary folder with a clock that stands, and a real hub process."""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from sync.clock import SetClock
from sync.hub import app
from sync.hub import centre as centres
from sync.hub.centre import Centre
from tests.faults import children
from tests.hub import postgres, tables
from tests.hub.console_hub import ADMIN, Browser, let_in
from tests.hub.laptop import NOW, Laptop, join


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The database of a fresh hub: None for a file in its folder, or the address of an empty one on a real PostgreSQL server."""
    if request.param == "sqlite":
        yield None
        return
    with postgres.server().fresh() as url:
        yield url


@pytest.fixture
def centre(tmp_path: Path, clock: SetClock, database: str | None) -> Iterator[Centre]:
    """A fresh hub, on each kind of database."""
    folder = tmp_path / "hub" if database else tables.lay(tmp_path / "hub")
    hub = centres.create(folder, clock, name="មជ្ឈមណ្ឌលសាកល្បង", log_name="hub", url=database)
    yield hub
    hub.close()


def everything(centre: Centre) -> bytes:
    """All that the hub's database holds, as bytes in which a secret can be looked for."""
    url = centre.settings.get("database")
    if url is None:
        return b"".join(path.read_bytes() for path in centre.folder.glob("hub.db*"))
    found: list[bytes] = []
    with psycopg.connect(url) as server:
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in tables:
            for row in server.execute(f"SELECT * FROM {name}".encode()):
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)


def tamper(centre: Centre, sql: str) -> None:
    """One statement in SQLite's words on the hub's database, behind the hub's back."""
    url = centre.settings.get("database")
    if url is None:
        with closing(sqlite3.connect(centre.folder / "hub.db", isolation_level=None)) as connection:
            connection.execute(sql)
        return
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(re.sub(r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", sql).encode())


@pytest.fixture(scope="module")
def shared_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A hub for many examples, each with laptops of its own."""
    hub = centres.create(
        tables.lay(tmp_path_factory.mktemp("shared") / "hub"), SetClock(NOW), name="hub", log_name="hub"
    )
    yield hub
    hub.close()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    """An enrolled laptop of office 0306."""
    return join(centre, Laptop())


class Process:
    """``sala-hub serve`` in a process of its own; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, ""
        self._running: children.Served | None = None

    def start(self, **environment: str) -> Process:
        with tempfile.TemporaryDirectory() as place:
            self._running = children.Served(self.folder, Path(place) / "errors", environment)
        self.url = self._running.url
        return self

    def wait_dead(self) -> int | None:
        assert self._running is not None
        return self._running.end(30)

    def stop(self, *, kill: bool = False) -> None:
        if self._running is None:
            return
        if not kill:
            self._running.process.terminate()
            assert self._running.end(30) is not None
        self._running.kill()
        self._running = None


@pytest.fixture
def hub_process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """``hub_process(folder, **environment)``: a served hub."""
    begun: list[Process] = []

    def start(folder: Path, **environment: str) -> Process:
        begun.append(Process(folder).start(**environment))
        return begun[-1]

    yield start
    for process in begun:
        process.stop(kill=True)


@contextmanager
def serving(centre: Centre) -> Iterator[httpx.Client]:
    """The application over ``centre`` on a port of its own, and a client for it."""
    server = uvicorn.Server(uvicorn.Config(app.create(centre), port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def client(centre: Centre) -> Iterator[httpx.Client]:
    """A client of the served hub."""
    with serving(centre) as made:
        yield made


def sala_hub(folder: Path, *arguments: str, ok: bool = True) -> Any:
    """One verb of the command line as IT staff would call it; its JSON document."""
    code, out, err = children.hub_verb(folder, *arguments)
    assert (code == 0) is ok, out + err
    return json.loads(out)


@pytest.fixture
def person(centre: Centre, client: httpx.Client) -> Iterator[Callable[..., Browser]]:
    """``person(name, role)``: somebody of that role, logged in, in a browser of their own; ``made=False``: a browser only."""
    begun: list[httpx.Client] = []

    def make(name: str = ADMIN, role: str = "owner", *, inside: bool = True, made: bool = True) -> Browser:
        if made:
            let_in(centre, name, role)
        begun.append(httpx.Client(base_url=client.base_url, timeout=60))
        browser = Browser(begun[-1])
        if inside and made:
            assert browser.log_in(name).status_code == 303
        return browser

    yield make
    for one in begun:
        one.close()
