"""``sala-cli``: every command of the laptop without a window.

``--json`` prints exactly one JSON document on standard output. Exit codes: 0 done, 1 refused or failed for a known cause
(``{"error": {"code", "message", "kept", "next"}}``), 2 wrong usage, 3 a bug. The passphrase comes from the file named by
``SALA_PASSPHRASE_FILE`` or is asked at the terminal; ``SALA_HOME`` or ``--home`` is the profile folder.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click

from desktop import cli_carry, cli_life, cli_trust
from desktop.cli_audit import audit
from desktop.cli_line import line_group
from desktop.cli_officers import officers
from i18n import catalog
from i18n.errors import Known, Refused, SalaError, explain
from modules import manifest
from modules.cli import Desk
from modules.permissions import ROLES
from modules.session import load
from sync.place import default_home

log = logging.getLogger(__name__)


class Verbs(click.Group):
    """The fixed verbs of the shell and one group a module, imported only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(found.id for found in manifest.installed() if found.cli)])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        own = super().get_command(ctx, name)
        if own is not None:
            return own
        for found in manifest.installed():
            if found.id == name and found.cli:
                group: click.Command = load(found.cli)()
                return group
        return None


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Profile folder (default: SALA_HOME, else the user's).",
)
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")
@click.option("--officer", help="Officer who unlocks: name or id (default: the only one).")
@click.option("--language", type=click.Choice(["km", "en"]), default="km", help="Language of words and refusals.")
@click.pass_context
def root(ctx: click.Context, home: Path | None, as_json: bool, officer: str | None, language: catalog.Language) -> None:
    """Sala, the offline office suite for provincial and district halls."""
    catalog.use(language)
    ctx.obj = Desk(home or default_home(), as_json=as_json, officer=officer)
    ctx.call_on_close(ctx.obj.close)


@root.command()
@click.option(
    "--pack",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The office pack from the centre.",
)
@click.option("--officer", "name", required=True, help="Khmer name: surname given-name.")
@click.option("--latin", default="", help="The same name in Latin letters.")
@click.option("--role", default="receiving", type=click.Choice(list(ROLES)))
@click.option(
    "--words", default=None, help="The pack's six fingerprint words, when its signer is not pinned on this machine."
)
@click.option("--code", default=None, help="An enrolment code that the centre read out, for a pack without one.")
@click.pass_obj
def setup(desk: Desk, pack: Path, name: str, latin: str, role: str, words: str | None, code: str | None) -> None:
    """Take an office pack, make this laptop's and the officer's keys, and set the passphrase."""
    from sync import enrol
    from sync.clock import SystemClock

    unlocked = enrol.setup(
        desk.home,
        pack,
        officer_name=name,
        officer_latin=latin,
        role=role,
        passphrase=desk.passphrase(confirm=True),
        clock=SystemClock(),
        words=words,
        code=code,
    )
    try:
        from sync import office

        facts = office.read(unlocked.store)
        desk.print(
            {
                "office": facts["code"],
                "name": facts["name"],
                "device": unlocked.device.device_id.hex(),
                "officer": unlocked.officer.id,
            }
        )
    finally:
        unlocked.lock()


@root.command()
@click.pass_obj
def status(desk: Desk) -> None:
    """What is saved here, what waits, and when the centre last received."""
    from sync import outbox

    session = desk.session()
    summary = session.store.read(outbox.summary)
    desk.print(
        {
            "office": session.office["code"],
            "device": session.unlocked.device.device_id.hex(),
            "officer": session.officer.name,
            "role": session.officer.role,
            "waiting": summary.waiting,
            "sending": summary.sending,
            "received": summary.received,
            "stable": summary.stable,
            "last_received_ms": summary.last_received_ms,
            "modules": {found.id: found.version for found in session.manifests},
        }
    )


@root.command()
@click.pass_obj
def selftest(desk: Desk) -> None:
    """Load every library and resource of this program and use each once."""
    from desktop.selftest import run

    report = run()
    desk.print(report)
    if not report["ok"]:
        click.get_current_context().exit(1)


@root.command()
@click.option(
    "--bundle", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write the zip."
)
@click.pass_obj
def doctor(desk: Desk, bundle: Path) -> None:
    """Write a diagnostics bundle without personal data."""
    from desktop.doctor import write_bundle
    from sync.store import DATABASE

    desk.print(
        {
            "bundle": str(
                write_bundle(desk.home, bundle, session=desk.session() if (desk.home / DATABASE).exists() else None)
            )
        }
    )


@root.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_obj
def backup(desk: Desk, out: Path) -> None:
    """Write an encrypted copy of the profile, checked after writing."""
    from sync import backup as copies

    desk.print(copies.write(desk.session().unlocked, out))


@root.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def restore(desk: Desk, file: Path) -> None:
    """Restore a backup into an empty profile folder."""
    from sync import backup as copies

    desk.print(copies.restore(file, desk.home))


@root.group("sync", invoke_without_command=True)
@click.option("--once", is_flag=True, help="One run: publications, what the hub lacks, batches, receipts.")
@click.pass_context
def sync_group(ctx: click.Context, once: bool) -> None:
    """Send signed batches and take what the centre has for us."""
    if ctx.invoked_subcommand is None:
        if not once:
            raise click.UsageError("say --once, status, export DIR or import PATH")
        from modules import replicate

        desk: Desk = ctx.obj
        desk.print(replicate.once(desk.session()))


@sync_group.command("status")
@click.pass_obj
def sync_status(desk: Desk) -> None:
    """Counts by state, and what is stuck and why."""
    from dataclasses import asdict

    from sync import outbox

    desk.print(asdict(desk.session().store.read(outbox.summary)))


@sync_group.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--seal", default="", metavar="NAME", help='Only NAME can read it: "centre", or a relay that the centre names.'
)
@click.pass_obj
def sync_export(desk: Desk, folder: Path, seal: str) -> None:
    """Write what the centre and colleagues lack into courier files on a USB stick."""
    from modules import replicate

    desk.print(replicate.export(desk.session(), folder, seal=seal))


@sync_group.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def sync_import(desk: Desk, path: Path) -> None:
    """Take receipts and publications from a courier file or folder."""
    from modules import replicate

    desk.print(replicate.import_(desk.session(), path))


cli_carry.add(sync_group)
cli_trust.add(root)
cli_life.add(root)
for group in (officers, audit, line_group):
    root.add_command(group)


@root.command("run")
@click.argument("command")
@click.argument("params", default="{}")
@click.pass_obj
def run_command(desk: Desk, command: str, params: str) -> None:
    """Run any command by its id with parameters as JSON: sala-cli run links.list '{}'."""
    try:
        values = json.loads(params)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"PARAMS is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise click.UsageError("PARAMS is a JSON object")
    desk.print(desk.session().commands.run(command, **values))


def main(arguments: list[str] | None = None) -> int:
    """Run ``sala-cli`` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    try:
        code = root.main(arguments, prog_name="sala-cli", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:  # nobody at the terminal to say a passphrase, or the person stopped it
        _refuse(Refused("CL-006"), as_json=as_json)
        return 1
    except click.ClickException as wrong:
        if as_json:
            _refuse(Refused("CL-005", reason=wrong.format_message()), as_json=True)
        else:
            wrong.show()
        return 2
    except SalaError as error:
        _refuse(error, as_json=as_json)
        return 1
    except Exception:  # a bug: the traceback goes to the person who runs the command line, never into JSON
        log.exception("sala-cli failed")
        _refuse(Known("UI-001"), as_json=as_json)
        return 3


def _refuse(error: SalaError, *, as_json: bool) -> None:
    words = explain(error)
    if as_json:
        document: dict[str, Any] = {
            "error": {"code": words.code, "message": words.what, "kept": words.kept, "next": words.next}
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(f"{words.code}  {words.what}\n{words.kept}\n{words.next}", err=True)


if __name__ == "__main__":
    sys.exit(main())
