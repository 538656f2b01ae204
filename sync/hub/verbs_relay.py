"""The verbs of a province's relay. Its folder is not a hub's: ``sala-hub --data relay-data relay init …``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sync.clock import SystemClock
from sync.errors import Known, Refused
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

if TYPE_CHECKING:
    from sync.hub.relay import Relay

PORT: Final = 8421


@root.group()
@everywhere
def relay() -> None:
    """A province's relay: takes work on the LAN, hands it on unchanged, cosigns the centre's log."""


@relay.command("init")
@everywhere
@click.option("--name", required=True, help="Name of this relay and witness, such as pursat.")
@click.option("--province", required=True, help="Two digits, such as 15.")
@click.option(
    "--upstream", "urls", multiple=True, required=True, help="Addresses of the centre in order of preference."
)
@click.option("--key", required=True, help="The centre's log key, as `sala-hub audit key` shows it at the centre.")
@click.pass_obj
def relay_init(desk: Desk, name: str, province: str, urls: tuple[str, ...], key: str) -> None:
    """Make a relay; then the centre adds it: sala-hub witness add NAME PROVINCE KEY."""
    from sync.hub import relay as relays

    log_name, log_key = _centre_key(key)
    settings = relays.Settings(name, province, urls, log_name, log_key)
    made = relays.create(desk.folder, settings)
    desk.show({"name": name, "province": province, "key": bytes(made.verify_key).hex()})


@relay.command("serve")
@everywhere
@click.option("--host", default="0.0.0.0", help="Address to listen on.")
@click.option("--port", default=PORT, type=int, help="0: any free port; it is printed.")
@click.pass_obj
def relay_serve(desk: Desk, host: str, port: int) -> None:
    """Serve laptops of the province and hand on, until stopped."""
    import socket

    import uvicorn

    from sync.hub import relay_app
    from sync.hub.listening import Patient

    opened = _open(desk)
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
            if sys.platform != "win32":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((host, port))
                listening.listen(512)
            except (OSError, OverflowError) as error:
                raise Known("HB-105", host=host, port=port) from error
            opened.work_in_background()
            url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
            click.echo(json.dumps({"url": url}) if desk.as_json else url)
            sys.stdout.flush()
            config = uvicorn.Config(
                relay_app.create(opened),
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=10,
                http=Patient,
                ws="none",
            )
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        opened.close()


@relay.command("run")
@everywhere
@click.pass_obj
def relay_run(desk: Desk) -> None:
    """One run to the centre now; exit code 1 when something stopped it."""
    opened = _open(desk)
    try:
        done = opened.run()
    finally:
        opened.close()
    desk.show(asdict(done))
    if done.problem:
        click.get_current_context().exit(1)


@relay.command("status")
@everywhere
@click.pass_obj
def relay_status(desk: Desk) -> None:
    """What waits, what the centre has, how much of its log is here; exit code 1 with an alarm about that log."""
    opened = _open(desk)
    try:
        found = opened.figures()
    finally:
        opened.close()
    desk.show(found)
    if found["alarm"]:
        click.get_current_context().exit(1)


@relay.command("export")
@everywhere
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def relay_export(desk: Desk, folder: Path) -> None:
    """Write all that the centre has not answered for into courier files, for the way without a line."""
    from sync.hub import relay_sticks

    opened = _open(desk)
    try:
        desk.show(relay_sticks.export(opened, folder))
    finally:
        opened.close()


@relay.command("import")
@everywhere
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def relay_import(desk: Desk, path: Path) -> None:
    """Take courier files: work from laptops, and receipts and publications from the centre."""
    from sync.hub import relay_sticks

    opened = _open(desk)
    try:
        desk.show(asdict(relay_sticks.take(opened, path)))
    finally:
        opened.close()


def _open(desk: Desk) -> Relay:
    from sync.hub.relay import Relay

    return Relay(desk.folder, SystemClock())


def _centre_key(text: str) -> tuple[str, str]:
    """Name and key of ``<name>+<id>+<base64>``. Refused HB-192 when it is none."""
    import base64

    from sync.audit_export import verifier_key
    from sync.notes import NoteKey

    name, _, rest = text.strip().partition("+")
    try:
        data = base64.b64decode(rest.partition("+")[2], validate=True)
    except ValueError:
        data = b""
    key = NoteKey(name, data[1:])
    if len(data) != 33 or verifier_key(key) != text.strip():
        raise Refused("HB-192", name=text[:60])
    return name, data[1:].hex()
