"""Verbs about the line to laptops: decisions that go down to them, and whose TLS certificates they believe."""

from __future__ import annotations

from pathlib import Path

import click

from sync.errors import Known, Refused
from sync.hub.desk import Desk, everywhere
from sync.hub.verbs import root

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_MOST = 64 << 10  # bytes of one certificate file


@root.command()
@everywhere
@click.argument("op")
@click.argument("decision", type=click.Choice(["accepted", "sent_back", "send_again"]))
@click.option("--reason", default="", help="In Khmer, for the officer: required unless the decision is accepted.")
@click.option("--admin", required=True, help="Who decides.")
@click.pass_obj
def decide(desk: Desk, op: str, decision: str, reason: str, admin: str) -> None:
    """Decide about one op (hex): accepted, sent back to the officer, or asked for once more. It goes to the laptop, sealed."""
    from sync.hub import decisions

    centre = desk.centre()
    try:
        digest = bytes.fromhex(op)
    except ValueError:
        raise Refused("HB-141") from None
    centre.storage.write(lambda tx: decisions.decide(tx, digest, decision, reason, admin, centre.clock.wall_ms()))
    centre.settle()
    desk.show({"op": digest, "decision": decision, "reason": reason})


@root.command("ask-again")
@everywhere
@click.argument("batch", type=click.IntRange(1, 2**53))
@click.option("--reason", required=True, help="In Khmer, for the office.")
@click.option("--admin", required=True, help="Who asks.")
@click.pass_obj
def ask_again(desk: Desk, batch: int, reason: str, admin: str) -> None:
    """Ask the laptop that sent the batch number BATCH for it and its attachments once more."""
    from sync.hub import askagain

    centre = desk.centre()
    found = centre.storage.write(lambda tx: askagain.ask(tx, batch, reason, admin, centre.clock.wall_ms()))
    centre.settle()
    desk.show({"batch": batch, "records": len(found.ops), "attached": found.attached, "gone": found.gone})


@root.command("hub-tls")
@everywhere
@click.argument("certificates", nargs=-1, required=True, type=_FILE)
@click.option("--days", default=400, type=click.IntRange(1, 3_650), help="How long laptops go by this list.")
@click.pass_obj
def hub_tls(desk: Desk, certificates: tuple[Path, ...], days: int) -> None:
    """Publish the CERTIFICATES (PEM: an authority, an intermediate one, or the hub's own) that laptops may meet on the line."""
    import ssl

    from sync import pins
    from sync.cbor import Malformed
    from sync.hub import announce
    from sync.limits import DAY_MS

    found: list[bytes] = []
    for file in certificates:
        with file.open("rb") as source:
            text = source.read(_MOST).decode("ascii", "replace")
        blocks = text.split("-----END CERTIFICATE-----")[:-1]
        try:
            found += [
                ssl.PEM_cert_to_DER_cert(block[block.index("-----BEGIN") :] + "-----END CERTIFICATE-----")
                for block in blocks
            ]
        except ValueError:
            raise Known("SY-430", file=file.name) from None
    centre = desk.centre()
    now = centre.clock.wall_ms()
    try:
        data = pins.encode(now + days * DAY_MS, found)
    except Malformed as error:
        raise Known("SY-430", file=certificates[0].name) from error
    centre.storage.write(lambda tx: announce.put(tx, {pins.NAME: data}, now))
    centre.settle()
    desk.show({"name": pins.NAME, "certificates": len(found), "until_ms": now + days * DAY_MS})
