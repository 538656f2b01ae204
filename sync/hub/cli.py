"""``sala-hub``: the centre's command line. ``--json`` prints exactly one JSON document; exit codes as ``sala-cli``'s."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from i18n import catalog
from i18n.errors import SalaError, explain
from sync.clock import SystemClock
from sync.errors import Known, Refused

if TYPE_CHECKING:
    from sync.hub.centre import Centre

log = logging.getLogger(__name__)
ADMIN_PASSPHRASE = 10  # characters at least
HALLS = {
    "khaet": "Provincial Hall", "reach theani": "Capital Hall", "srok": "District Hall", "khan": "Khan Hall", "krong": "Town Hall",
    "khum": "Commune Hall", "sangkat": "Sangkat Hall", "phum": "Village Office",
}


class Desk:
    """The state of one run: where the hub is and how to print."""

    def __init__(self, folder: Path, *, as_json: bool) -> None:
        self.folder = folder
        self.as_json = as_json
        self._centre: Centre | None = None

    def centre(self) -> Centre:
        from sync.hub.centre import open_

        if self._centre is None:
            self._centre = open_(self.folder, SystemClock())
        return self._centre

    def close(self) -> None:
        if self._centre is not None:
            self._centre.close()

    def print(self, result: Any) -> None:
        if self.as_json:
            click.echo(json.dumps(result, ensure_ascii=False, default=_plain))
        elif isinstance(result, list):
            for row in result:
                click.echo("  ".join(f"{name}={_plain(value)}" for name, value in row.items()))
        else:
            for name, value in result.items():
                click.echo(f"{name}: {_plain(value)}")


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, int | float | bool) else str(value)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=Path("hub-data"), envvar="SALA_HUB", help="The hub's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")
@click.option("--language", type=click.Choice(["km", "en"]), default="km")
@click.pass_context
def root(ctx: click.Context, data: Path, as_json: bool, language: catalog.Language) -> None:
    """Sala's centre: receives signed batches, publishes, redirects links."""
    catalog.use(language)
    ctx.obj = Desk(data, as_json=as_json)
    ctx.call_on_close(ctx.obj.close)


@root.command()
@click.option("--name", default="Sala", help="The centre's name, shown on the console.")
@click.option("--log-name", default="hub", help="Name of the log in checkpoints.")
@click.pass_obj
def init(desk: Desk, name: str, log_name: str) -> None:
    """Make keys, settings and database of a new hub."""
    from sync.devices import words
    from sync.hub.centre import create

    centre = create(desk.folder, SystemClock(), name=name, log_name=log_name)
    try:
        centre.settle()
        public = bytes(centre.keys.pack.verify_key)
        desk.print({"folder": str(desk.folder), "roots": str(desk.folder / "roots"), "pack_key": public, "words": words(public)})
    finally:
        centre.close()


@root.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8420, type=int, help="0: any free port; it is printed.")
@click.pass_obj
def serve(desk: Desk, host: str, port: int) -> None:
    """Serve laptops, the console and short links until stopped."""
    import socket

    import uvicorn

    from sync.hub.app import create

    centre = desk.centre()
    centre.work_in_background()
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise Known("HB-105", host=host, port=port) from error
    port = listening.getsockname()[1]
    if desk.as_json:
        click.echo(json.dumps({"url": f"http://{host}:{port}"}))
    else:
        click.echo(f"http://{host}:{port}")
    sys.stdout.flush()
    config = uvicorn.Config(create(centre), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


@root.command()
@click.argument("office")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The office pack to write.")
@click.option("--url", "urls", multiple=True, help="Where laptops reach this hub; several in order of preference.")
@click.option("--name-km")
@click.option("--name-en")
@click.pass_obj
def enrol(desk: Desk, office: str, out: Path, urls: tuple[str, ...], name_km: str | None, name_en: str | None) -> None:
    """Make the office pack of one more laptop of OFFICE (gazetteer code of a district or province)."""
    facts = office_facts(office, name_km, name_en)
    pack = desk.centre().enrol(facts, urls)
    temporary = out.with_suffix(out.suffix + ".part")
    temporary.write_bytes(pack)
    temporary.replace(out)
    desk.print({"pack": str(out), "office": facts["code"], "name": facts["name"], "bytes": len(pack)})


def office_facts(code: str, name_km: str | None = None, name_en: str | None = None) -> dict[str, Any]:
    """Code, name and province of an office from the gazetteer. Refused HB-121 for a code that is not there and has no name."""
    from i18n import gazetteer

    try:
        unit, province = gazetteer.unit(code), gazetteer.unit(code[:2])
    except (KeyError, Refused):
        raise Refused("HB-121", office=code) from None
    return {
        "code": code,
        "name": {"km": name_km or f"សាលា{unit.full_km()}", "en": name_en or f"{unit.en} {HALLS[unit.kind]}"},
        "province": {"km": province.full_km(), "en": province.full_en()},
    }


@root.command()
@click.argument("device")
@click.pass_obj
def revoke(desk: Desk, device: str) -> None:
    """Revoke a lost laptop: what was received stays; what it sends from now on waits in quarantine."""
    from sync.hub import enrolment

    centre = desk.centre()
    try:
        raw = bytes.fromhex(device)
    except ValueError:
        raise Refused("HB-120", device=device) from None
    row = centre.storage.write(lambda tx: enrolment.revoke(tx, raw, centre.clock.wall_ms()))
    centre.settle()
    desk.print({"device": row["device"], "office": row["office"], "cutoff_seq": row["cutoff_seq"]})


@root.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--under", required=True, type=click.Choice(["ref", "trust", "forms", "prices", "status", "templates", "app"]))
@click.pass_obj
def publish(desk: Desk, files: tuple[Path, ...], under: str) -> None:
    """Send FILES down to every laptop as signed publications below the folder UNDER."""
    from sync.hub.publish import check_name, check_size

    centre = desk.centre()
    read = {check_name(f"{under}/{file.name}"): file.read_bytes() for file in files}
    for name, data in read.items():
        check_size(name, data)
    now = centre.clock.wall_ms()
    for name, data in read.items():
        centre.storage.write(
            lambda tx, n=name, d=data: tx.execute(  # type: ignore[misc]
                """INSERT INTO target (name, data, source, changed_ms) VALUES (:n, :d, 'file', :now)
                   ON CONFLICT (name) DO UPDATE SET data = :d, changed_ms = :now""",
                {"n": n, "d": d, "now": now},
            )
        )
    desk.print({"changed": centre.settle()})


@root.command()
@click.argument("what", type=click.Choice(["gaps", "devices", "batches"]))
@click.pass_obj
def report(desk: Desk, what: str) -> None:
    """What is missing, who was seen when, what came in."""
    from sync.hub import reports

    centre = desk.centre()
    desk.print(centre.storage.read(lambda tx: getattr(reports, what)(tx, centre.clock.wall_ms())))


@root.command()
@click.argument("name", required=False)
@click.pass_obj
def rebuild(desk: Desk, name: str | None) -> None:
    """Make projections anew from the raw batches and compare; exit code 1 when one differs."""
    centre = desk.centre()
    centre.runner.run()
    result = centre.runner.rebuild(name)
    desk.print(result)
    if not all(found["same"] for found in result.values()):
        click.get_current_context().exit(1)


@root.command("verify-log")
@click.pass_obj
def verify_log(desk: Desk) -> None:
    """Recompute the Merkle log and every signed checkpoint; exit code 1 names what does not fit."""
    centre = desk.centre()
    faults = centre.storage.read(centre.log.verify)
    desk.print({"ok": not faults, "faults": faults})
    if faults:
        click.get_current_context().exit(1)


@root.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def import_(desk: Desk, path: Path) -> None:
    """Take courier files from a USB stick (a .salabatch file or a folder) and write receipts and publications back beside them."""
    from sync.hub import courier

    desk.print(courier.take(desk.centre(), path))


@root.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--confirm", is_flag=True, help="After writing and reading back: tell laptops that a second site has a copy.")
@click.pass_obj
def export(desk: Desk, folder: Path, confirm: bool) -> None:
    """Copy raw batches and chunks to a second site's folder: they are the backup, everything else can be rebuilt from them."""
    from sync.hub import exports

    desk.print(exports.raw(desk.centre(), folder, confirm=confirm))


@root.group()
def admin() -> None:
    """Who may log in to the console."""


@admin.command("add")
@click.argument("name")
@click.option("--passphrase-file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def admin_add(desk: Desk, name: str, passphrase_file: Path | None) -> None:
    """Give NAME a log-in of their own, or a new passphrase."""
    from sync.hub.console.login import set_passphrase

    passphrase = (
        passphrase_file.read_text("utf-8").split("\n", 1)[0].strip("\r")
        if passphrase_file
        else str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))
    )
    if len(passphrase) < ADMIN_PASSPHRASE:
        raise Refused("HB-160", least=ADMIN_PASSPHRASE)
    centre = desk.centre()
    centre.storage.write(lambda tx: set_passphrase(tx, name, passphrase, centre.clock.wall_ms()))
    desk.print({"admin": name})


def main(arguments: list[str] | None = None) -> int:
    """Run ``sala-hub`` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = root.main(arguments, prog_name="sala-hub", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return 1
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except SalaError as error:
        words = explain(error)
        if "--json" in arguments:
            document = {"error": {"code": words.code, "message": words.what, "kept": words.kept, "next": words.next}}
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            click.echo(f"{words.code}  {words.what}\n{words.kept}\n{words.next}", err=True)
        return 1
    except Exception:
        log.exception("sala-hub failed")
        return 3


if __name__ == "__main__":
    sys.exit(main())
