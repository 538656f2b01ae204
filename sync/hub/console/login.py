"""Log-in of admins: Argon2id passphrases, a growing wait after wrong ones, a session cookie, a token in every form."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from nacl import pwhash
from nacl.exceptions import InvalidkeyError
from starlette.requests import Request
from starlette.responses import Response

from sync.errors import Refused
from sync.hub.storage import Tx

COOKIE: Final = "sala-console"
LIFE_S: Final = 8 * 3600  # a working day
FREE_TRIES: Final = 5
FIRST_WAIT_S: Final = 5
LONGEST_WAIT_S: Final = 900
LEAST: Final = 10  # characters of a passphrase
LONGEST: Final = 256
_MOST_NAMES: Final = 10_000


def set_passphrase(tx: Tx, name: str, passphrase: str, now_ms: int) -> None:
    """Add the admin ``name`` or change their passphrase. Refused HB-160 for a short one."""
    if not LEAST <= len(normal(passphrase)) <= LONGEST:
        raise Refused("HB-160", least=LEAST)
    tx.execute(
        "INSERT INTO admin (name, passphrase, added_ms) VALUES (:n, :p, :now) ON CONFLICT (name) DO UPDATE SET passphrase = :p",
        {"n": name_of(name), "p": pwhash.argon2id.str(normal(passphrase).encode()).decode("ascii"), "now": now_ms},
    )


def normal(passphrase: str) -> str:
    """Keyboards disagree about composed letters and about the invisible space between Khmer words."""
    return unicodedata.normalize("NFC", passphrase).replace("\u200b", "").strip()


def name_of(name: str) -> str:
    """A log-in name as it is compared."""
    return normal(name)[:100]


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


def stored_passphrase(tx: Tx, name: str) -> str | None:
    """What the database keeps of an admin's passphrase."""
    found = tx.one("SELECT passphrase FROM admin WHERE name = :n", {"n": name_of(name)})
    return str(found["passphrase"]) if found else None


@dataclass(frozen=True, slots=True)
class Visit:
    """One logged-in browser."""

    admin: str
    token: str  # of every form (CSRF)
    until: float


class Visits:
    """Who is logged in; kept in this process, so a restart logs everybody out."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._visits: dict[str, Visit] = {}
        self._wrong: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self.checking = threading.Semaphore(2)  # each check takes 64 MiB: strangers must not take them all

    def wait_s(self, name: str) -> int:
        """Seconds until ``name`` may try again."""
        with self._lock:
            wrong, last = self._wrong.get(name_of(name), (0, 0.0))
        if wrong < FREE_TRIES:
            return 0
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S << min(wrong - FREE_TRIES, 10))
        return max(0, round(last + wait - self._monotonic()))

    def failed(self, name: str) -> None:
        """Count a wrong passphrase of ``name``."""
        with self._lock:
            if (
                len(self._wrong) > _MOST_NAMES
            ):  # somebody tries names: forget the tried ones rather than fill the memory
                self._wrong.clear()
            wrong = self._wrong.get(name_of(name), (0, 0.0))[0] + 1
            self._wrong[name_of(name)] = (wrong, self._monotonic())

    def begin(self, name: str, response: Response, *, secure: bool) -> None:
        """Log ``name`` in and set the cookie."""
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._wrong.pop(name_of(name), None)
            now = self._monotonic()
            self._visits = {old: visit for old, visit in self._visits.items() if visit.until > now}
            self._visits[key] = Visit(name_of(name), secrets.token_urlsafe(24), now + LIFE_S)
        response.set_cookie(
            COOKIE, key, max_age=LIFE_S, path="/console", httponly=True, samesite="strict", secure=secure
        )

    def of(self, request: Request) -> Visit | None:
        """The visit that this request belongs to."""
        with self._lock:
            visit = self._visits.get(request.cookies.get(COOKIE, ""))
        return visit if visit and visit.until > self._monotonic() else None

    def end(self, request: Request) -> None:
        """Log out."""
        with self._lock:
            self._visits.pop(request.cookies.get(COOKIE, ""), None)


def token_holds(visit: Visit, token: object) -> bool:
    """Whether a form carries the visit's own token."""
    return isinstance(token, str) and token.isascii() and hmac.compare_digest(visit.token, token)
