"""``sala-hub`` without a line: pictures of QR codes, status texts, the keys that sticks are sealed to."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from sync import durable
from sync.errors import Known
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@root.command("take-codes")
@everywhere
@click.argument("pictures", nargs=-1, required=True, type=_FILE)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer as QR codes: .png, or .gif."
)
@click.pass_obj
def take_codes(desk: Desk, pictures: tuple[Path, ...], out: Path | None) -> None:
    """Take what the QR codes of PICTURES carry (an enrolment request, batches); the answer comes back as QR codes."""
    from sync import qrframes, qrpicture
    from sync.hub import courier

    texts = list(dict.fromkeys(text for picture in pictures for text in qrpicture.texts(picture)))
    report, answer = courier.take_bytes(desk.centre(), qrframes.collect(texts))
    frames = qrframes.encode_small(answer) if answer is not None else []
    if out is not None and frames:
        out = out.with_suffix(".gif" if len(frames) > 1 else ".png")
        try:
            durable.replace(out, qrpicture.moving(frames) if len(frames) > 1 else qrpicture.png(frames[0]))
        except OSError as error:
            raise Known("HB-106", file=str(out)) from error
    desk.show({**asdict(report), "codes": frames, "picture": str(out) if out and frames else None})


@root.command()
@everywhere
@click.argument("text", nargs=-1)
@click.pass_obj
def heartbeat(desk: Desk, text: tuple[str, ...]) -> None:
    """Keep the status TEXT that a laptop without data sent by SMS; without TEXT show what is outstanding, by laptop."""
    from sync.hub import heartbeats

    centre = desk.centre()
    if not text:
        desk.show(centre.storage.read(heartbeats.outstanding))
        return
    now = centre.clock.wall_ms()
    desk.show(centre.storage.write(lambda tx: heartbeats.take(tx, " ".join(text), now)))


@root.group()
@everywhere
def couriers() -> None:
    """Whom laptops may seal sticks to: this hub, and relays by name."""


@couriers.command("list")
@everywhere
@click.pass_obj
def couriers_list(desk: Desk) -> None:
    """Names and public keys."""
    from sync.hub import couriers as hops

    centre = desk.centre()
    own = {"name": hops.CENTRE, "key": bytes(hops.private(centre.keys).public_key)}
    admitted = centre.storage.read(hops.admitted)
    desk.show([own, *({"name": name, "key": key} for name, key in sorted(admitted.items()))])


@couriers.command("admit")
@everywhere
@click.argument("name")
@click.argument("key")
@click.pass_obj
def couriers_admit(desk: Desk, name: str, key: str) -> None:
    """Let laptops seal sticks to the relay NAME with the public KEY (hex, as `couriers list` of that relay shows it)."""
    from sync.hub import couriers as hops

    centre = desk.centre()
    try:
        public = bytes.fromhex(key)
        centre.storage.write(lambda tx: hops.admit(tx, name, public))
    except ValueError as error:
        raise click.UsageError("NAME or KEY is not sound") from error
    desk.show({"admitted": name, "changed": centre.settle()})


@couriers.command("dismiss")
@everywhere
@click.argument("name")
@click.pass_obj
def couriers_dismiss(desk: Desk, name: str) -> None:
    """No more sticks are sealed to the relay NAME."""
    from sync.hub import couriers as hops

    centre = desk.centre()
    centre.storage.write(lambda tx: hops.dismiss(tx, name))
    desk.show({"dismissed": name, "changed": centre.settle()})
