"""``sala-cli sync …`` without a line: sticks, QR codes, the status text, the other laptops of the office, conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modules.cli import Desk, call

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def add(sync: click.Group) -> None:
    """Hang the verbs into ``sala-cli sync``."""
    for verb in (sticks, codes, take, heartbeat, enrolment, office, conflicts):
        sync.add_command(verb)


@click.command()
@click.pass_obj
def sticks(desk: Desk) -> None:
    """What was written onto which stick, and what of it the centre has by now."""
    from modules import carry

    desk.print(carry.sticks(desk.session()))


@click.command()
@click.argument("what", type=click.Choice(["outbox", "enrolment"]))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def codes(desk: Desk, what: str, out: Path) -> None:
    """Write the outbox or the enrolment request as QR codes into the picture OUT (.png, or .gif for several)."""
    from modules import carry

    session = desk.session()
    frames = carry.outbox_codes(session) if what == "outbox" else carry.enrolment_codes(session)
    place = carry.save_codes(frames, out) if frames else None
    desk.print({"codes": len(frames), "picture": str(place) if place else None})


@click.command()
@click.argument("pictures", nargs=-1, required=True, type=_FILE)
@click.pass_obj
def take(desk: Desk, pictures: tuple[Path, ...]) -> None:
    """Take what the QR codes of PICTURES carry: a certificate, receipts."""
    from modules import carry

    desk.print(carry.take(desk.session(), pictures))


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a QR picture too.")
@click.pass_obj
def heartbeat(desk: Desk, out: Path | None) -> None:
    """The signed status of this laptop as the text of one SMS."""
    from modules import carry

    text = carry.status_text(desk.session())
    picture = carry.save_codes([text], out) if out else None
    desk.print({"text": text, "characters": len(text), "picture": str(picture) if picture else None})


@click.command()
@click.pass_obj
def enrolment(desk: Desk) -> None:
    """Whether the centre knows this laptop, and the six groups of digits that name its request."""
    from modules import carry

    desk.print(carry.enrolment(desk.session()))


@click.group()
def office() -> None:
    """The other laptops of this office."""


@office.command("list")
@click.pass_obj
def office_list(desk: Desk) -> None:
    """Who is paired, when they met last, how many of their records are here."""
    from modules import carry

    desk.print(carry.colleagues(desk.session()))


@office.command("certificate")
@click.pass_obj
def office_certificate(desk: Desk) -> None:
    """This laptop's certificate, for pairing by hand: public, it only proves the office."""
    from sync import colleagues

    desk.print({"certificate": desk.session().store.read(colleagues.own_certificate).hex()})


@office.command("pair")
@click.argument("certificate")
@click.pass_obj
def office_pair(desk: Desk, certificate: str) -> None:
    """Pair with the laptop of CERTIFICATE (hex, as it prints its own)."""
    from modules import replicate

    try:
        data = bytes.fromhex(certificate)
    except ValueError as error:
        raise click.UsageError("CERTIFICATE is not hexadecimal") from error
    desk.print(replicate.pair(desk.session(), data))


@office.command("part")
@click.argument("device")
@click.pass_obj
def office_part(desk: Desk, device: str) -> None:
    """Take the pairing with DEVICE back; what came stays."""
    from modules import carry

    carry.part(desk.session(), device)
    desk.print({"parted": device})


@office.command("meet")
@click.argument("invitation")
@click.pass_obj
def office_meet(desk: Desk, invitation: str) -> None:
    """Exchange with the laptop that shows INVITATION (its text, or a picture of its code) over the local network."""
    from modules import carry, replicate

    if Path(invitation).suffix.lower() in (".png", ".jpg", ".jpeg", ".gif"):
        invitation = carry.picture_texts([Path(invitation)])[0]
    desk.print(replicate.meet(desk.session(), invitation))


@office.command("wait")
@click.option("--minutes", type=click.IntRange(1, 10), default=10, help="How long to wait.")
@click.option("--address", default=None, help="Listen here instead of on the first private address.")
@click.pass_obj
def office_wait(desk: Desk, minutes: int, address: str | None) -> None:
    """Show an invitation and wait for another laptop of the office; stop with Ctrl+C."""
    import threading

    from modules import replicate

    over, met = threading.Event(), list[Any]()
    session = desk.session()
    waiting = replicate.wait(session, met.append, over.set, addresses=[address] if address else None)
    try:
        click.echo(waiting.text, err=True)
        over.wait(minutes * 60)
    finally:
        waiting.close()
    desk.print({"met": met})


@click.command()
@click.argument("record", required=False)
@click.option(
    "--pick", "picks", multiple=True, metavar="FIELD=OP", help="Settle FIELD with the value that the op OP brought."
)
@click.option("--reason", default="", help="Why it is right.")
@click.pass_context
def conflicts(ctx: click.Context, record: str | None, picks: tuple[str, ...], reason: str) -> None:
    """Fields that two laptops changed without seeing each other; with --pick settle some of RECORD."""
    if picks and record is None:
        raise click.UsageError("--pick needs RECORD")
    if not picks:
        call(ctx, "forms.conflicts", id=record)
        return
    pairs = dict(pick.split("=", 1) for pick in picks if "=" in pick)
    if len(pairs) != len(picks):
        raise click.UsageError("--pick is FIELD=OP, each field once")
    call(ctx, "forms.resolve", id=record, picks=pairs, reason=reason)
