"""The verbs of ``sala-hub``. Each does one thing through the hub's own functions and prints what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from sync import durable
from sync.clock import SystemClock
from sync.errors import Known, Refused
from sync.hub.desk import Desk, everywhere
from sync.hub.offices import office_facts
from sync.hub.storage import Row, Tx

PORT: Final = 8420
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@everywhere
@click.pass_context
def root(ctx: click.Context) -> None:
    """Sala's centre: receives signed batches, publishes, redirects short links."""
    ctx.call_on_close(ctx.ensure_object(Desk).close)


@root.command()
@everywhere
@click.option("--name", default="សាលា", help="The centre's name, shown on the console.")
@click.option("--log-name", default="hub", help="Name of the log in checkpoints.")
@click.option(
    "--database", metavar="URL", help="postgresql://user@machine/database of an empty database, instead of a file."
)
@click.option(
    "--objects", metavar="URL", help="https://host/bucket of an S3-compatible storage for raw batches and attachments."
)
@click.pass_obj
def init(desk: Desk, name: str, log_name: str, database: str | None, objects: str | None) -> None:
    """Make keys, settings and database of a new hub.

    The folder "offline" then holds the keys that the hub must not keep: hand them to their keepers and delete it.
    """
    from sync.devices import words
    from sync.hub.centre import create
    from sync.hub.keys import OFFLINE

    centre = create(desk.folder, SystemClock(), name=name, log_name=log_name, url=database, bucket=objects)
    try:
        centre.settle()
        public = bytes(centre.keys.pack.verify_key)
    finally:
        centre.close()
    folders = {"roots": str(desk.folder / "roots"), "offline": str(desk.folder / OFFLINE)}
    desk.show({"folder": str(desk.folder), **folders, "pack_key": public, "words": words(public)})


@root.command()
@everywhere
@click.pass_obj
def selftest(desk: Desk) -> None:
    """Load every part of this program and let a practice laptop enrol; exit code 1 when something does not work."""
    from sync.hub.selftest import run

    report = run()
    desk.show(report)
    if not report["ok"]:
        click.get_current_context().exit(1)


@root.command()
@everywhere
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 for the whole LAN.")
@click.option("--port", default=PORT, type=int, help="0: any free port; it is printed.")
@click.option("--log-json", is_flag=True, help="Write log lines as JSON, one a line, to the error stream.")
@click.pass_obj
def serve(desk: Desk, host: str, port: int, log_json: bool) -> None:
    """Serve laptops, the console, data feeds and short links until stopped."""
    import socket

    import uvicorn

    from sync.hub import journal
    from sync.hub.app import create
    from sync.hub.feeds.webhooks import Posting
    from sync.hub.listening import Patient

    if log_json:
        journal.begin()
    centre = desk.centre()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        if sys.platform != "win32":  # there it would let a second hub listen on the same port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(2048)  # before the address is told: whoever comes at once waits, and is not refused
        except (OSError, OverflowError) as error:
            raise Known("HB-105", host=host, port=port) from error
        centre.work_in_background()
        url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        click.echo(json.dumps({"url": url}) if desk.as_json else url)
        sys.stdout.flush()
        config = uvicorn.Config(
            create(centre), log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=10,
            log_config=None, http=Patient, ws="none",
        )  # fmt: skip
        posting = Posting(centre.storage, centre.clock, centre.kinds).start()
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            posting.stop()


@root.command()
@everywhere
@click.argument("office")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The office pack to write.")
@click.option("--url", "urls", multiple=True, help="Where laptops reach this hub; several in order of preference.")
@click.option("--name-km", help="The office's name, when the gazetteer's does not fit.")
@click.option("--name-en")
@click.option("--spoken", is_flag=True, help="No code in the pack: one for 72 hours is printed, to be read out.")
@click.pass_obj
def enrol(
    desk: Desk, office: str, out: Path, urls: tuple[str, ...], name_km: str | None, name_en: str | None, spoken: bool
) -> None:
    """Make the office pack of one more laptop of OFFICE (a gazetteer code such as 0306)."""
    facts = office_facts(office, name_km, name_en)
    pack = desk.centre().enrol(facts, urls, spoken=spoken)
    try:
        durable.replace(out, pack)
    except OSError as error:
        raise Known("HB-106", file=str(out)) from error
    shown = {"pack": str(out), "office": facts["code"], "name": facts["name"], "bytes": len(pack)}
    if spoken:
        from sync.hub import codes

        found = codes.issue_for(desk.centre(), pack)
        shown |= {"laptop": found.laptop, "code": found.code, "code_not_after_ms": found.not_after_ms}
    desk.show(shown)


@root.command()
@everywhere
@click.argument("device")
@click.pass_obj
def revoke(desk: Desk, device: str) -> None:
    """Revoke a lost laptop: what was received stays; what it sends from now on waits in quarantine."""
    from sync.hub import enrolment

    centre = desk.centre()
    try:
        raw = bytes.fromhex(device)
    except ValueError:
        raise Refused("HB-120", device=device[:40]) from None
    row = centre.storage.write(lambda tx: enrolment.revoke(tx, raw, centre.clock.wall_ms()))
    centre.settle()
    desk.show(
        {"device": row["device"], "office": row["office"], "number": row["number"], "cutoff_seq": row["cutoff_seq"]}
    )


@root.command()
@everywhere
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option(
    "--under", required=True, help="Folder of the publications: ref, trust, forms, prices, status, templates or app."
)
@click.option("--withdraw", is_flag=True, help="Take publications of these names back instead.")
@click.pass_obj
def publish(desk: Desk, files: tuple[Path, ...], under: str, withdraw: bool) -> None:
    """Send FILES down to every laptop as signed publications below the folder UNDER."""
    from sync.hub import announce, formnames

    centre = desk.centre()
    now = centre.clock.wall_ms()
    if withdraw:
        names = [f"{under}/{file.name}" for file in files]
        centre.storage.write(lambda tx: announce.withdraw(tx, names, now))
    else:
        read = {file.name: file.read_bytes() for file in files}
        wanted = {formnames.target_name(under, name, data): data for name, data in read.items()}
        centre.storage.write(lambda tx: announce.put(tx, wanted, now))
    desk.show({"changed": centre.settle()})


@root.command()
@everywhere
@click.argument("what", type=click.Choice(["gaps", "devices", "batches", "effects", "refused"]))
@click.pass_obj
def report(desk: Desk, what: str) -> None:
    """What is missing, who was seen when, what came in, what waits for a person."""
    from sync.hub import dispatch, reports, suspects

    known: dict[str, Callable[[Tx], list[Row]]] = {
        "gaps": reports.gaps, "devices": reports.devices, "batches": reports.batches, "effects": dispatch.waiting,
        "refused": suspects.listing,
    }  # fmt: skip
    desk.show(desk.centre().storage.read(known[what]))


@root.command()
@everywhere
@click.argument("name", required=False)
@click.option(
    "--from", "source", help="Make a whole hub anew: in a folder that holds keys/ only, from this second site."
)
@click.option(
    "--objects",
    "bucket",
    help="With --from: the object storage (https://host/bucket) that the new hub keeps raw bytes in.",
)
@click.option("--compare", help="Build a whole hub beside this one from this second site and compare every value.")
@click.pass_obj
def rebuild(desk: Desk, name: str | None, source: str | None, bucket: str | None, compare: str | None) -> None:
    """Make projections anew from the raw batches and compare, or a whole hub; exit code 1 when something differs."""
    if source or compare:
        from sync.hub import verbs_backup

        if (source and compare) or name or (bucket and compare):
            raise click.UsageError("say one of NAME, --from and --compare; --objects only with --from")
        sound = verbs_backup.restore(desk, source, bucket) if source else verbs_backup.compare(desk, str(compare))
    else:
        outcomes = desk.centre().rebuild(name)
        desk.show({name: asdict(found) for name, found in outcomes.items()})
        sound = all(found.sound for found in outcomes.values())
    if not sound:
        click.get_current_context().exit(1)


@root.command("verify-log")
@everywhere
@click.pass_obj
def verify_log(desk: Desk) -> None:
    """Recompute the Merkle log, every receipt and every signed checkpoint; exit code 1 names what does not fit."""
    centre = desk.centre()
    faults = centre.storage.read(centre.log.verify)
    desk.show({"ok": not faults, "faults": faults})
    if faults:
        click.get_current_context().exit(1)


@root.command("import")
@everywhere
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def import_(desk: Desk, path: Path) -> None:
    """Take courier files from a stick (a .salabatch file or a folder); receipts and publications are written back beside them."""
    from sync.hub import courier

    desk.show(asdict(courier.take(desk.centre(), path)))


@root.command()
@everywhere
@click.argument("place", metavar="FOLDER|URL")
@click.option("--publications", is_flag=True, help="Write the publications as a folder that laptops can read, instead.")
@click.option("--confirm", is_flag=True, help="After reading back: tell laptops that a second site has a copy.")
@click.pass_obj
def export(desk: Desk, place: str, publications: bool, confirm: bool) -> None:
    """Copy raw batches, their receipts and chunks to a second site, a folder or https://host/bucket: they are the backup."""
    from sync.hub import exports, site

    if publications and confirm:
        raise click.UsageError("--confirm is about the backup, not about publications")
    centre = desk.centre()
    desk.show(
        exports.publications(centre, Path(place))
        if publications
        else asdict(exports.backup(centre, site.at(place, desk.folder), confirm=confirm))
    )


@root.command("new-epoch")
@everywhere
@click.pass_obj
def begin_epoch(desk: Desk) -> None:
    """After an older copy of the folder was put back: begin a new life of the log, so that laptops offer everything again."""
    from sync.hub import log
    from sync.hub.centre import new_epoch

    centre = new_epoch(desk.folder, SystemClock())
    try:
        centre.settle()
        desk.show({"epoch": centre.log.epoch, "entries": centre.storage.read(log.size)})
    finally:
        centre.close()


@root.command("renew-root")
@everywhere
@click.argument("keys", nargs=-1, required=True, type=_FILE)
@click.pass_obj
def renew_root(desk: Desk, keys: tuple[Path, ...]) -> None:
    """Sign the next root of the publications with the KEYS that their keepers brought (two of three)."""
    from sync.hub.keys import load_roots

    centre = desk.centre()
    desk.show({"root_version": centre.repository.renew_root(load_roots(keys))})
