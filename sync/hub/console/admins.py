"""The people who may log in: passphrases (Argon2id), roles, second factors, and the rules that keep a hub from losing its owner."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from typing import Final

from nacl import pwhash
from nacl.exceptions import InvalidkeyError

from sync.errors import Refused
from sync.hub.console import roles
from sync.hub.storage import Row, Tx

LEAST: Final = 10  # characters of a passphrase
LONGEST: Final = 256
LONGEST_NAME: Final = 100
IDLE_MS: Final = 30 * 60_000  # a visit ends after so long without an act or a look
RULES: Final = ("nobody", "owners", "everybody")  # who must have a second factor
_RULE: Final = "console-second-factor"  # in ``meta``
_START_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are taken for another


def set_passphrase(
    tx: Tx, name: str, passphrase: str, now_ms: int, *, role: str = roles.OWNER, must_change: bool = False
) -> None:
    """Add the admin ``name`` with ``role``, or change the passphrase of one who is there (whose role stays).

    ``must_change``: it was given to them and is changed at the next log-in. Refused HB-160 short, HB-200 no such role, HB-201
    a name that nobody can type.
    """
    if not LEAST <= len(normal(passphrase)) <= LONGEST:
        raise Refused("HB-160", least=LEAST)
    if role not in roles.POWERS:
        raise Refused("HB-200", role=role[:40])
    if not name_of(name) or not name_of(name).isprintable():
        raise Refused("HB-201")
    tx.execute(
        """INSERT INTO admin (name, passphrase, added_ms, role, totp_step, recovery, must_change)
           VALUES (:n, :p, :now, :role, 0, '[]', :must) ON CONFLICT (name) DO UPDATE SET passphrase = :p, must_change = :must""",
        {
            "n": name_of(name), "p": pwhash.argon2id.str(normal(passphrase).encode()).decode("ascii"), "now": now_ms, "role": role,
            "must": int(must_change),
        },
    )  # fmt: skip


def normal(passphrase: str) -> str:
    """Keyboards disagree about composed letters and about the invisible space between Khmer words."""
    return unicodedata.normalize("NFC", passphrase).replace("\u200b", "").strip()


def name_of(name: str) -> str:
    """A log-in name as it is compared."""
    return normal(name)[:LONGEST_NAME]


def starting_passphrase() -> str:
    """One to give to a new admin by word of mouth: four groups of four letters, 79 bits."""
    return "-".join("".join(secrets.choice(_START_LETTERS) for _ in range(4)) for _ in range(4))


@cache
def _nobody() -> str:
    """An unknown name costs the same time as a known one."""
    return pwhash.argon2id.str(secrets.token_bytes(16)).decode("ascii")


def passphrase_holds(stored: str | None, passphrase: str) -> bool:
    """Whether ``passphrase`` is the one that is ``stored``; slow on purpose, so never inside a transaction."""
    try:
        pwhash.argon2id.verify((stored or _nobody()).encode("ascii"), normal(passphrase)[:LONGEST].encode())
    except InvalidkeyError:
        return False
    return stored is not None


def one(tx: Tx, name: str) -> Row | None:
    """The admin of that name."""
    return tx.one("SELECT * FROM admin WHERE name = :n", {"n": name_of(name)})


def listing(tx: Tx, now_ms: int) -> list[Row]:
    """Everybody with their role, second factor, open visits and last look; no secrets."""
    return tx.query(
        """SELECT a.name, a.role, a.added_ms, a.disabled_ms, a.must_change, CASE WHEN a.totp IS NULL THEN 0 ELSE 1 END AS factor,
               (SELECT count(*) FROM visit v WHERE v.admin = a.name AND v.until_ms > :now AND v.seen_ms > :idle) AS visits,
               (SELECT max(v.seen_ms) FROM visit v WHERE v.admin = a.name) AS seen_ms
           FROM admin a ORDER BY a.name""",
        {"now": now_ms, "idle": now_ms - IDLE_MS},
    )


def change_role(tx: Tx, name: str, role: str) -> None:
    """Give an admin another role; their open visits end. Refused HB-161 unknown, HB-200 no such role, HB-202 the last owner."""
    found = _known(tx, name)
    if role not in roles.POWERS:
        raise Refused("HB-200", role=role[:40])
    if role != roles.OWNER:
        _not_the_last_owner(tx, found)
    tx.execute("UPDATE admin SET role = :role WHERE name = :n", {"role": role, "n": found["name"]})
    sign_out(tx, found["name"])


def disable(tx: Tx, name: str, now_ms: int) -> None:
    """Let an admin in no longer, at once; their past stays named. Refused HB-161, HB-202."""
    found = _known(tx, name)
    _not_the_last_owner(tx, found)
    tx.execute("UPDATE admin SET disabled_ms = :now WHERE name = :n", {"now": now_ms, "n": found["name"]})
    sign_out(tx, found["name"])


def enable(tx: Tx, name: str) -> None:
    """Let them in again. Refused HB-161."""
    tx.execute("UPDATE admin SET disabled_ms = NULL WHERE name = :n", {"n": _known(tx, name)["name"]})


def remove(tx: Tx, name: str) -> None:
    """Take a log-in away; what they did stays in the audit under their name. Refused HB-161, HB-202."""
    found = _known(tx, name)
    _not_the_last_owner(tx, found)
    sign_out(tx, found["name"])
    tx.execute("DELETE FROM admin WHERE name = :n", {"n": found["name"]})


def set_factor(tx: Tx, name: str, sealed: bytes, step: int, recovery: str) -> None:
    """From now on codes of this authenticator are asked for."""
    tx.execute(
        "UPDATE admin SET totp = :totp, totp_step = :step, recovery = :recovery WHERE name = :n",
        {"totp": sealed, "step": step, "recovery": recovery, "n": _known(tx, name)["name"]},
    )


def reset_factor(tx: Tx, name: str) -> None:
    """Forget an admin's authenticator and recovery codes; their visits end. Refused HB-161."""
    found = _known(tx, name)
    tx.execute("UPDATE admin SET totp = NULL, totp_step = 0, recovery = '[]' WHERE name = :n", {"n": found["name"]})
    sign_out(tx, found["name"])


def sign_out(tx: Tx, name: str, but: bytes = b"") -> int:
    """End all visits of ``name`` but the one with the key hash ``but``; how many."""
    return tx.execute("DELETE FROM visit WHERE admin = :n AND key_hash <> :but", {"n": name_of(name), "but": but})


def rule(tx: Tx) -> str:
    """Who must have a second factor: "nobody", "owners" (unless an owner says otherwise) or "everybody"."""
    found = tx.one("SELECT value FROM meta WHERE name = :n", {"n": _RULE})
    return str(found["value"]) if found else "owners"


def set_rule(tx: Tx, wanted: str) -> None:
    """Change the rule for second factors. Refused HB-203 for a rule that is none."""
    if wanted not in RULES:
        raise Refused("HB-203", rule=wanted[:40])
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": _RULE, "v": wanted},
    )


def needs_factor(tx: Tx, admin: Row) -> bool:
    """Whether the rule asks this admin for a second factor that they do not have yet."""
    wanted = rule(tx)
    asked = wanted == "everybody" or (wanted == "owners" and admin["role"] == roles.OWNER)
    return asked and admin["totp"] is None


def _known(tx: Tx, name: str) -> Row:
    found = one(tx, name)
    if found is None:
        raise Refused("HB-161", name=name[:LONGEST_NAME])
    return found


def _not_the_last_owner(tx: Tx, admin: Row) -> None:
    owners = tx.query("SELECT name FROM admin WHERE role = :r AND disabled_ms IS NULL", {"r": roles.OWNER})
    if [row["name"] for row in owners] == [admin["name"]]:
        raise Refused("HB-202", name=admin["name"])
