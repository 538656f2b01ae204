"""Verbs about who signs publications, and about codes that people read to each other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sync import durable
from sync.errors import Known
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root
from sync.identity import ROLES

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)


@root.group()
@everywhere
def role() -> None:
    """Who signs which part of the publications: provinces, agencies, this hub."""


@role.command("list")
@everywhere
@click.pass_obj
def role_list(desk: Desk) -> None:
    """Every signer: what it covers, who holds the key, version, end of its signature, what waits for it."""
    from sync.hub import signers, signing

    centre = desk.centre()
    listed, waits = centre.repository.listing(), signing.waiting(centre)
    rows = []
    for row in centre.storage.read(signers.listing):
        version, expires_ms = listed.roles.get(row["name"], (0, 0))
        covers = list(signers.delegate(centre.folder, row).paths)
        rows.append(
            {
                "role": row["name"], "holder": row["holder"], "at_hub": bool(row["online"]), "key": row["public"], "covers": covers,
                "version": version, "expires_ms": expires_ms, "waiting": [asdict(change) for change in waits.get(row["name"], [])],
            }
        )  # fmt: skip
    desk.show(rows)


@role.command("add")
@everywhere
@click.argument("kind", type=click.Choice(["province", "issuer", "forms"]))
@click.argument("subject")
@click.option("--holder", default="", help="Who keeps the key: a name that people know.")
@click.option("--public", help="The keeper's public key, 64 hex digits. Without it the hub makes and holds the key.")
@click.pass_obj
def role_add(desk: Desk, kind: str, subject: str, holder: str, public: str | None) -> None:
    """Let SUBJECT sign: a province's laptops (03), an agency's trust lists and status lists, an agency's forms (moi)."""
    from sync.hub import signers

    centre = desk.centre()
    key, now = _public(public, f"{kind} {subject}"), centre.clock.wall_ms()
    row = centre.storage.write(lambda tx: signers.add(tx, centre.folder, kind, subject, holder, key, now))
    centre.settle()
    desk.show({"role": row["name"], "key": row["public"], "at_hub": bool(row["online"])})


@role.command("rotate")
@everywhere
@click.argument("name")
@click.option("--public", help="The keeper's new public key. Without it the hub makes itself a new one.")
@click.option(
    "--stolen", is_flag=True, help="Somebody else may have the old key: no laptop comes back by its certificates."
)
@click.pass_obj
def role_rotate(desk: Desk, name: str, public: str | None, stolen: bool) -> None:
    """Change the key of a signer. What a keeper signed with the old key must be signed anew."""
    from sync.hub import signers

    centre = desk.centre()
    key, now = _public(public, name), centre.clock.wall_ms()
    row = centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, name, key, now, stolen=stolen))
    centre.settle()
    desk.show({"role": row["name"], "key": row["public"], "at_hub": bool(row["online"])})


@role.command("remove")
@everywhere
@click.argument("name")
@click.option(
    "--stolen", is_flag=True, help="Somebody else may have the key: no laptop comes back by its certificates."
)
@click.pass_obj
def role_remove(desk: Desk, name: str, stolen: bool) -> None:
    """End a delegation; the centre itself signs what it covered."""
    from sync.hub import signers

    centre = desk.centre()
    now = centre.clock.wall_ms()
    centre.storage.write(lambda tx: signers.remove(tx, name, now, stolen=stolen))
    desk.show({"removed": name, "changed": centre.settle()})


@root.command()
@everywhere
@click.argument("name")
@click.option("--out", required=True, type=_NEW, help="The file to carry to the keeper.")
@click.pass_obj
def prepare(desk: Desk, name: str, out: Path) -> None:
    """Write what the keeper of the signer NAME must sign into a file."""
    from sync.hub import signing

    data = signing.prepare(desk.centre(), name)
    _write(out, data)
    found = signing.read(data)
    desk.show({"file": str(out), "role": name, "changes": _changes(found), "laptops": len(found["laptops"])})


@root.command()
@everywhere
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="The keeper's key file. Without it the content is only shown.")
@click.option("--out", type=_NEW, help="The signed file to carry back.")
@click.pass_obj
def sign(desk: Desk, file: Path, key: Path | None, out: Path | None) -> None:
    """Look at a prepared FILE and sign it. Needs no hub: run it where the key is."""
    from sync.hub import signing
    from sync.hub.keys import load_roots

    data = file.read_bytes()
    found = signing.read(data)
    shown = {
        "centre": found["centre"], "role": found["role"], "changes": _changes(found),
        "laptops": [{name: one[name] for name in ("office", "number", "words")} for one in found["laptops"]],
    }  # fmt: skip
    if key is None or out is None:
        if key is not None or out is not None:
            raise click.UsageError("--key and --out belong together")
        desk.show({**shown, "signed": False})
        return
    _write(out, signing.sign(data, load_roots([key])[0]))
    desk.show({**shown, "signed": True, "file": str(out)})


@root.command()
@everywhere
@click.argument("file", type=_FILE)
@click.pass_obj
def accept(desk: Desk, file: Path) -> None:
    """Take a signed FILE back and publish it."""
    from sync.hub import signing

    desk.show(signing.accept(desk.centre(), file.read_bytes()))


@root.command("new-key")
@everywhere
@click.argument("file", type=_NEW)
@click.pass_obj
def new_key(desk: Desk, file: Path) -> None:
    """Make a signing key in FILE, for a keeper; the public half is printed. Needs no hub."""
    from sync.devices import words
    from sync.hub import signers

    public = signers.new_key(file)
    desk.show({"file": str(file), "public": public, "words": words(public)})


@root.command()
@everywhere
@click.argument("office")
@click.option("--laptop", type=int, help="Its number, when several of the office are not enrolled yet.")
@click.pass_obj
def code(desk: Desk, office: str, laptop: int | None) -> None:
    """A short code to read to OFFICE over the phone: 72 hours, five tries. It replaces the laptop's older code."""
    from sync.hub import codes

    desk.show(asdict(codes.issue(desk.centre(), office, laptop)))


@root.group()
@everywhere
def officer() -> None:
    """Officers as laptops declared them, and those who moved to another office."""


@officer.command("list")
@everywhere
@click.option("--office")
@click.pass_obj
def officer_list(desk: Desk, office: str | None) -> None:
    """Everybody whose signature counts: office, names, role, key."""
    from sync.hub import transfers

    desk.show(desk.centre().storage.read(lambda tx: transfers.people(tx, office)))


@officer.command("moves")
@everywhere
@click.pass_obj
def officer_moves(desk: Desk) -> None:
    """Who moved where from when on, who signed that, and how many later signatures were put aside."""
    from sync.hub import transfers

    desk.show(desk.centre().storage.read(transfers.listing))


@officer.command("move")
@everywhere
@click.argument("officer_id")
@click.option("--to", "to_office", required=True, help="Code of the new office.")
@click.option("--role", "new_role", required=True, type=click.Choice(ROLES))
@click.option("--at", help="From this day on (YYYY-MM-DD, Phnom Penh time); without it from now on.")
@click.option("--admin", default="sala-hub", help="Who decides.")
@click.option("--out", type=_NEW, help="The statement to carry to the new office.")
@click.pass_obj
def officer_move(
    desk: Desk, officer_id: str, to_office: str, new_role: str, at: str | None, admin: str, out: Path | None
) -> None:
    """Move an officer whose office cannot do it itself; signed by the centre."""
    from i18n.dates import midnight_ms
    from sync.hub import transfers

    centre = desk.centre()
    at_ms = midnight_ms(at) if at else centre.clock.wall_ms()
    said = transfers.move(centre, officer_id, to_office, new_role, at_ms, admin)
    if out is not None:
        newest = centre.storage.read(transfers.listing)
        idx = next(row["idx"] for row in newest if row["made_ms"] == said.made_ms and row["officer"] == said.officer)
        _write(out, centre.storage.read(lambda tx: transfers.statement(tx, idx)))
    desk.show({"officer": officer_id, "name": said.name, "from": said.from_office, "to": to_office, "at_ms": at_ms})


@root.group()
@everywhere
def app() -> None:
    """Newer versions of the laptops' program: signed with the release key, which never is at the hub."""


@app.command("build")
@everywhere
@click.argument("program", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--version", "number", required=True, help="Such as 1.2.0; laptops refuse older ones.")
@click.option("--platform", required=True, help="Such as linux-x86_64 or win32-amd64.")
@click.option("--key", required=True, type=_FILE, help="The release key (offline/release.key of sala-hub init).")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def app_build(desk: Desk, program: Path, number: str, platform: str, key: Path, out: Path) -> None:
    """Pack and sign the packaged folder PROGRAM. Needs no hub."""
    from sync import updates
    from sync.clock import SystemClock
    from sync.hub.keys import load_roots

    found = updates.build(program, number, platform, load_roots([key])[0], out, SystemClock().wall_ms())
    desk.show(
        {"folder": str(out), "version": number, "platform": platform, "pieces": len(found.pieces), "bytes": found.size}
    )


@app.command("publish")
@everywhere
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.pass_obj
def app_publish(desk: Desk, folder: Path) -> None:
    """Publish what ``app build`` wrote into FOLDER; laptops offer it to their officers."""
    from sync import updates
    from sync.errors import Refused
    from sync.hub import announce

    centre = desk.centre()
    release = centre.keys.release()
    if release is None:
        raise Refused("SY-465", version=folder.name)
    found = updates.read((folder / "index.cbor").read_bytes(), release)
    under = f"app/{found.version}/{found.platform}"
    names = [f"part-{n:03}" for n in range(len(found.pieces))] + ["index.cbor"]
    wanted = {f"{under}/{name}": (folder / name).read_bytes() for name in names}
    now = centre.clock.wall_ms()
    centre.storage.write(lambda tx: announce.put(tx, wanted, now))
    desk.show({"version": found.version, "changed": len(centre.settle())})


def _changes(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in change.items() if name != "data"} for change in found["changes"]]


def _public(text: str | None, role_name: str) -> bytes | None:
    from sync.errors import Refused

    try:
        return None if text is None else bytes.fromhex(text.strip())
    except ValueError:
        raise Refused("HB-181", role=role_name) from None


def _write(out: Path, data: bytes) -> None:
    try:
        durable.replace(out, data)
    except OSError as error:
        raise Known("HB-106", file=out.name) from error
