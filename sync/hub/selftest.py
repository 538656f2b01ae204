"""The hub tests itself: ``sala-hub selftest`` serves a hub of its own for a moment and lets a laptop enrol with it.

A build that left out a template, a protocol of the server or a rule of the publications shows here.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.selfcheck import Check, require
from sync.selfcheck import run as run_checks

if TYPE_CHECKING:
    from sync.hub.centre import Centre

OFFICE = "0306"
CONSOLE = Path(__file__).parent / "console"
FONTS = Path(__file__).parents[2] / "assets" / "fonts"
WAIT_S = 10


def run() -> dict[str, Any]:
    """``{"ok", "checks": {name: "ok" | reason}}``; never raises."""
    return run_checks(CHECKS)


def modules_of_the_hub() -> None:
    """Every projection that a manifest names is there and lays out its tables."""
    with _centre() as centre:
        named = [name for found in centre.manifests for name in found.get("hub", {}).get("projections", ())]
        there = {f"{type(found).__module__}:{type(found).__name__}" for found in centre.runner.projections}
        require(named and there >= set(named), f"projections: {sorted(set(named) - there)}")


def console_and_line() -> None:
    """The server answers with pages, fonts and the log's checkpoint."""
    import httpx

    with (
        _centre() as centre,
        _served(centre) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=WAIT_S) as client,
    ):
        login = client.get("/console/login")
        require(login.status_code == 200 and "<form" in login.text, f"log-in page: {login.status_code}")
        beside = [*((CONSOLE / "static").iterdir()), *FONTS.glob("Sala*.ttf")]
        for file in beside:
            kind = "font" if file.suffix == ".ttf" else "static"
            found = client.get(f"/console/{kind}/{file.name}")
            require(found.status_code == 200 or file.suffix == ".LICENSE", f"{file.name}: {found.status_code}")
        checkpoint = client.get("/v1/log/checkpoint")
        require(checkpoint.status_code == 200 and checkpoint.text.startswith("hub"), f"log: {checkpoint.status_code}")


def templates() -> None:
    """Every page of the console compiles."""
    from jinja2 import Environment, FileSystemLoader

    pages = Environment(loader=FileSystemLoader(CONSOLE / "templates"), autoescape=True)
    names = [path.name for path in (CONSOLE / "templates").iterdir()]
    require(names, "no templates")
    for name in names:
        pages.parse((CONSOLE / "templates" / name).read_text("utf-8"))


def a_laptop_enrols() -> None:
    """Office pack, enrolment, signed batch, receipt and publications: both ends of the line in this process."""
    from sync import ballast, devices, enrol, exchange, keys
    from sync.clock import SystemClock
    from sync.hub.offices import office_facts

    before = os.environ.get(ballast.VARIABLE)
    os.environ[ballast.VARIABLE] = "0"
    try:
        with _centre() as centre, _served(centre) as url, tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "laptop.pack"
            file.write_bytes(centre.enrol(office_facts(OFFICE), [url]))
            unlocked = enrol.setup(
                Path(folder) / "home", file, officer_name="សុខ សុភា", passphrase="ពាក្យសម្ងាត់ សាកល្បង ៤២", clock=SystemClock(),
                cost=keys.CHEAP, words=devices.words(bytes(centre.keys.pack.verify_key)),
            )  # fmt: skip
            try:
                report = exchange.run(unlocked)
            finally:
                unlocked.lock()
            require(report.enrolled and not report.problems, f"enrolment: {report.problems}")
            require(report.publications, "no publication came down")
            require(not centre.storage.read(centre.log.verify), "the log does not verify")
    finally:
        if before is None:
            del os.environ[ballast.VARIABLE]
        else:
            os.environ[ballast.VARIABLE] = before


@contextmanager
def _centre() -> Iterator[Centre]:
    from sync.clock import SystemClock
    from sync.hub import centre

    with tempfile.TemporaryDirectory() as folder:
        made = centre.create(Path(folder) / "hub", SystemClock(), name="សាកល្បង", log_name="hub")
        try:
            yield made
        finally:
            made.close()


@contextmanager
def _served(centre: Centre) -> Iterator[str]:
    import uvicorn

    from sync.hub.app import create

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(create(centre), log_level="error", access_log=False))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.join(WAIT_S)


CHECKS: tuple[Check, ...] = (modules_of_the_hub, templates, console_and_line, a_laptop_enrols)
