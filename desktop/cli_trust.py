"""``sala-cli``: custodians of the recovery key, a forgotten passphrase, codes read out, what came down, newer programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modules.cli import Desk, new_passphrase

if TYPE_CHECKING:
    from nacl.public import PrivateKey

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
SECRET = click.option("--new-passphrase-file", type=_FILE, help="First line: the new passphrase.")


def add(root: click.Group) -> None:
    """Hang the verbs into ``sala-cli``."""
    root.add_command(recovery)
    root.add_command(publications)
    root.add_command(enrol_code)
    root.add_command(update)


@click.group()
def recovery() -> None:
    """The province's recovery key in three hands, and new passphrases with it."""


@recovery.command()
@click.argument("key", type=_FILE)
@click.option("--out", "folder", required=True, type=_FOLDER, help="Folder for three text files and three sheets.")
@click.option("--holder", "holders", multiple=True, help="Names of the three custodians, in order.")
@click.pass_obj
def split(desk: Desk, key: Path, folder: Path, holders: tuple[str, ...]) -> None:
    """Split the recovery key in the file KEY among three custodians: any two of them make it again."""
    from desktop import sharepaper

    files = sharepaper.write(key_of(key), folder, holders)
    desk.print({"files": [str(file) for file in files], "needed": 2, "of": 3})


@recovery.command()
@click.argument("shares", nargs=-1, required=True, type=_FILE)
@click.option("--out", required=True, type=_NEW, help="The key file to write.")
@click.pass_obj
def join(desk: Desk, shares: tuple[Path, ...], out: Path) -> None:
    """Make the recovery key again from two share files."""
    from modules import people
    from sync.shares import key_id

    private = _joined(shares)
    people.write(out, (bytes(private).hex() + "\n").encode())
    desk.print({"key": str(out), "key_id": key_id(bytes(private.public_key)).hex()})


@recovery.command()
@click.argument("officer")
@click.option("--out", required=True, type=_NEW, help="The request for the province: a file, or .png for its QR code.")
@SECRET
@click.pass_obj
def request(desk: Desk, officer: str, out: Path, new_passphrase_file: Path | None) -> None:
    """OFFICER forgot the passphrase: choose a new one and write the request for it."""
    from modules import people
    from sync import reset
    from sync.clock import SystemClock

    data = reset.begin(desk.home, officer, new_passphrase(new_passphrase_file), SystemClock())
    codes = people.write_shown(out, data)
    desk.print({"request": str(out), "words": reset.spoken(data), "codes": codes})


@recovery.command()
@click.argument("request", type=_FILE)
@click.argument("shares", nargs=-1, required=True, type=_FILE)
@click.option("--out", required=True, type=_NEW, help="The answer to carry back: a file, or .png for its QR code.")
@click.pass_obj
def answer(desk: Desk, request: Path, shares: tuple[Path, ...], out: Path) -> None:
    """At the province: answer a REQUEST, a file or a picture of it, with two custodians' share files."""
    from modules import people
    from sync import reset

    data = people.read_shown(request)
    asked = reset.read(data)
    codes = people.write_shown(out, reset.answer(data, _joined(shares)))
    desk.print(
        {"answer": str(out), "name": asked.name, "latin": asked.latin, "words": reset.spoken(data), "codes": codes}
    )


@recovery.command()
@click.argument("answer", type=_FILE)
@SECRET
@click.pass_obj
def finish(desk: Desk, answer: Path, new_passphrase_file: Path | None) -> None:
    """Take the province's ANSWER, a file or a picture of it; the passphrase is the one that was chosen with the request."""
    from modules import people
    from sync import reset
    from sync.clock import SystemClock

    unlocked = reset.finish(desk.home, people.read_shown(answer), new_passphrase(new_passphrase_file), SystemClock())
    try:
        desk.print({"id": unlocked.officer.id, "name": unlocked.officer.name, "role": unlocked.officer.role})
    finally:
        unlocked.lock()


@click.command()
@click.pass_obj
def publications(desk: Desk) -> None:
    """What came down from the centre: how old, who signed it, whether it is in use."""
    from modules import publications as taken

    desk.print(taken.listing(desk.session()))


@click.command("enrol-code")
@click.argument("code")
@click.pass_obj
def enrol_code(desk: Desk, code: str) -> None:
    """Ask for enrolment with a CODE that the centre read out; compare the six groups of digits with theirs."""
    from sync import enrol

    desk.print({"words": enrol.take_code(desk.session().unlocked, code)})


@click.group()
def update() -> None:
    """A newer program: what is offered, fetching it, having it used from the next start on."""


@update.command("status")
@click.pass_obj
def update_status(desk: Desk) -> None:
    """What the centre offers, and how much of it is here."""
    from modules import updating

    desk.print(updating.status(desk.session()))


@update.command("fetch")
@click.option("--from", "folder", type=_FOLDER, help="A folder of publications on a stick, instead of the line.")
@click.pass_obj
def update_fetch(desk: Desk, folder: Path | None) -> None:
    """Bring the pieces that are not here yet; each is verified."""
    from modules import updating

    desk.print(updating.fetch(desk.session(), folder))


@update.command("install")
@click.option("--program", type=_FOLDER, help="The program's folder, when it is not the one that runs.")
@click.pass_obj
def update_install(desk: Desk, program: Path | None) -> None:
    """Unpack the fetched version beside PROGRAM and use it from the next start on."""
    from modules import updating

    desk.print(updating.install(desk.session(), program))


def key_of(file: Path) -> PrivateKey:
    """The recovery key in a file of 64 hex digits. ``Known("CL-004")`` when it holds none."""
    from nacl.public import PrivateKey

    from modules.contract import Known

    try:
        with file.open("rb") as source:
            return PrivateKey(bytes.fromhex(source.read(200).decode("ascii").strip()))
    except (OSError, ValueError, TypeError) as error:  # PyNaCl says TypeError of a wrong length
        raise Known("CL-004", file=file.name) from error


def _joined(files: tuple[Path, ...]) -> PrivateKey:
    from modules import people
    from sync import shares

    return shares.join(
        [shares.read(people.read(file).decode("utf-8-sig", "replace").split("\n", 1)[0]) for file in files]
    )
