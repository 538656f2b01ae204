"""``sala-hub admin …``: who may log in to the console, with what role, by which second factor; and who looked at what."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sync import durable
from sync.errors import Known
from sync.hub import watch
from sync.hub.console import admins, roles
from sync.hub.desk import Desk, everywhere
from sync.hub.storage import Tx
from sync.hub.verbs import root
from sync.limits import MAX_SEQ

T = TypeVar("T")
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_ROLE: Final = click.Choice(roles.ALL)


@root.group()
@everywhere
def admin() -> None:
    """Who may log in to the console, and who looked at what."""


def _act(desk: Desk, subject: str, work: Callable[[Tx, int], T], **more: Any) -> T:
    """Do something and write it down in the same transaction, under the name of whoever sits at this machine."""
    centre = desk.centre()
    now = centre.clock.wall_ms()

    def both(tx: Tx) -> T:
        done = work(tx, now)
        watch.note(tx, f"sala-hub: {_who()}", watch.DESK, f"admin {subject}", now, **more)
        return done

    return centre.storage.write(both)


def _who() -> str:
    try:
        return getpass.getuser()[:60]
    except (KeyError, OSError):  # a service without a user name
        return "?"


@admin.command("add")
@everywhere
@click.argument("name")
@click.option("--passphrase-file", type=_FILE, help="First line: the passphrase. Without it, it is asked for.")
@click.option("--role", type=_ROLE, help="What they may do; an owner when there is none yet, else a viewer.")
@click.pass_obj
def admin_add(desk: Desk, name: str, passphrase_file: Path | None, role: str | None) -> None:
    """Give NAME a log-in of their own, or a new passphrase."""
    if passphrase_file:
        try:
            passphrase = passphrase_file.read_text("utf-8-sig").split("\n", 1)[0].strip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise Known("HB-106", file=passphrase_file.name) from error
    else:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)

    def work(tx: Tx, now: int) -> str:
        found = admins.one(tx, name)
        owners = tx.query("SELECT count(*) AS n FROM admin WHERE role = :r", {"r": roles.OWNER})[0]["n"]
        wanted = role or (found["role"] if found else "viewer" if owners else roles.OWNER)
        admins.set_passphrase(tx, name, passphrase, now, role=wanted)
        admins.sign_out(tx, name)
        if found and role and role != found["role"]:
            admins.change_role(tx, name, role)
        return str(wanted)

    desk.show({"admin": name, "role": _act(desk, "add", work, name=name)})


@admin.command("list")
@everywhere
@click.pass_obj
def admin_list(desk: Desk) -> None:
    """Who may log in."""
    centre = desk.centre()
    desk.show(centre.storage.read(lambda tx: admins.listing(tx, centre.clock.wall_ms())))


@admin.command("remove")
@everywhere
@click.argument("name")
@click.pass_obj
def admin_remove(desk: Desk, name: str) -> None:
    """Take the log-in of NAME away. Refused HB-161 when there is none."""
    _act(desk, "remove", lambda tx, _: admins.remove(tx, name), name=name)
    desk.show({"removed": name})


@admin.command("role")
@everywhere
@click.argument("name")
@click.argument("role", type=_ROLE)
@click.pass_obj
def admin_role(desk: Desk, name: str, role: str) -> None:
    """Give NAME another ROLE; open visits end."""
    _act(desk, "role", lambda tx, _: admins.change_role(tx, name, role), name=name, role=role)
    desk.show({"admin": name, "role": role})


@admin.command("shut-out")
@everywhere
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let them in again.")
@click.pass_obj
def admin_shut_out(desk: Desk, name: str, undo: bool) -> None:
    """Let NAME in no longer, at once."""
    _act(
        desk, "shut-out", lambda tx, now: admins.enable(tx, name) if undo else admins.disable(tx, name, now), name=name,
        undo=undo,
    )  # fmt: skip
    desk.show({"admin": name, "shut_out": not undo})


@admin.command("reset-authenticator")
@everywhere
@click.argument("name")
@click.pass_obj
def admin_reset(desk: Desk, name: str) -> None:
    """Forget the authenticator of NAME, whose telephone is lost."""
    _act(desk, "reset-authenticator", lambda tx, _: admins.reset_factor(tx, name), name=name)
    desk.show({"admin": name, "authenticator": False})


@admin.command("sign-out")
@everywhere
@click.argument("name")
@click.pass_obj
def admin_sign_out(desk: Desk, name: str) -> None:
    """End every visit of NAME."""
    desk.show({"admin": name, "ended": _act(desk, "sign-out", lambda tx, _: admins.sign_out(tx, name), name=name)})


@admin.command("rule")
@everywhere
@click.argument("who", type=click.Choice(admins.RULES), required=False)
@click.pass_obj
def admin_rule(desk: Desk, who: str | None) -> None:
    """Say WHO must have an authenticator; without WHO, tell the rule as it is."""
    if who is not None:
        _act(desk, "rule", lambda tx, _: admins.set_rule(tx, who), rule=who)
    desk.show({"authenticator": desk.centre().storage.read(admins.rule)})


@admin.command("audit")
@everywhere
@click.option("--admin", "name", default="", help="Only what this person looked at or did.")
@click.option("--limit", default=50, type=click.IntRange(1, 10_000))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write every row as JSON lines for a checker."
)
@click.pass_obj
def admin_audit(desk: Desk, name: str, limit: int, out: Path | None) -> None:
    """Who looked at what and who did what, newest first."""
    centre = desk.centre()
    if out is None:
        desk.show(centre.storage.read(lambda tx: watch.listing(tx, admin=name, limit=limit)))
        return
    rows = centre.storage.read(lambda tx: [watch.line(row) for row in watch.rows(tx)])
    try:
        durable.replace(out, "".join(f"{row}\n" for row in rows).encode())
    except OSError as error:
        raise Known("HB-106", file=str(out)) from error
    desk.show({"file": str(out), "rows": len(rows)})


@admin.command("verify-audit")
@everywhere
@click.option("--rows", default=0, type=click.IntRange(0, MAX_SEQ), help="How many rows there must be at least …")
@click.option("--head", default="", help="… and the hash of that row, as somebody noted it down.")
@click.pass_obj
def admin_verify(desk: Desk, rows: int, head: str) -> None:
    """Recompute the chain of the audit; exit code 1 names the first row that does not fit."""
    centre = desk.centre()
    verdict, kept = centre.storage.read(
        lambda tx: (watch.verify(tx), tx.one("SELECT hash FROM look WHERE idx = :n", {"n": rows}))
    )
    cut = bool(rows) and (kept is None or (bool(head) and bytes(kept["hash"]).hex() != head))
    desk.show(
        {
            "ok": verdict.ok and not cut,
            "rows": verdict.rows,
            "head": verdict.head,
            "wrong_row": verdict.row or (rows if cut else 0),
        }
    )
    if not verdict.ok or cut:
        click.get_current_context().exit(1)
