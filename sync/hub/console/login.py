"""Log-in of admins: Argon2id passphrases, a growing wait after wrong ones, a session cookie, a token in every form."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
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
LONGEST_WAIT_S: Final = 900
LEAST: Final = 10  # characters of a passphrase
_NOBODY: Final = pwhash.argon2id.str(secrets.token_bytes(16)).decode("ascii")  # an unknown name costs the same time as a known one


def set_passphrase(tx: Tx, name: str, passphrase: str, now_ms: int) -> None:
    """Add the admin ``name`` or change their passphrase. Refused HB-160 for a short one."""
    if len(normal(passphrase)) < LEAST:
        raise Refused("HB-160", least=LEAST)
    tx.execute(
        "INSERT INTO admin (name, passphrase, added_ms) VALUES (:n, :p, :now) ON CONFLICT (name) DO UPDATE SET passphrase = :p",
        {"n": name, "p": pwhash.argon2id.str(normal(passphrase).encode()).decode("ascii"), "now": now_ms},
    )


def normal(passphrase: str) -> str:
    """Keyboards disagree about composed letters and about the invisible space between Khmer words."""
    return unicodedata.normalize("NFC", passphrase).replace("\u200b", "").strip()


def passphrase_holds(tx: Tx, name: str, passphrase: str) -> bool:
    """Whether ``passphrase`` is the one of ``name``."""
    found = tx.one("SELECT passphrase FROM admin WHERE name = :n", {"n": name})
    try:
        pwhash.argon2id.verify((found["passphrase"] if found else _NOBODY).encode("ascii"), normal(passphrase).encode())
    except InvalidkeyError:
        return False
    return found is not None


@dataclass(frozen=True, slots=True)
class Visit:
    """One logged-in browser."""

    admin: str
    token: str  # of every form (CSRF)
    until: float


class Visits:
    """Who is logged in; kept in this process, so a restart logs everybody out."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._wrong: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, name: str) -> int:
        """Seconds until ``name`` may try again."""
        with self._lock:
            wrong, last = self._wrong.get(name, (0, 0.0))
        if wrong < FREE_TRIES:
            return 0
        return max(0, int(last + min(LONGEST_WAIT_S, 2 ** (wrong - FREE_TRIES) * 5) - time.monotonic()))

    def failed(self, name: str) -> None:
        with self._lock:
            if len(self._wrong) > 10_000:  # somebody tries names: forget the tried ones rather than fill the memory
                self._wrong.clear()
            self._wrong[name] = (self._wrong.get(name, (0, 0.0))[0] + 1, time.monotonic())

    def begin(self, name: str, response: Response, *, secure: bool) -> None:
        """Log ``name`` in and set the cookie."""
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._wrong.pop(name, None)
            now = time.monotonic()
            self._visits = {old: visit for old, visit in self._visits.items() if visit.until > now}
            self._visits[key] = Visit(name, secrets.token_urlsafe(24), now + LIFE_S)
        response.set_cookie(COOKIE, key, max_age=LIFE_S, path="/console", httponly=True, samesite="strict", secure=secure)

    def of(self, request: Request) -> Visit | None:
        """The visit that this request belongs to."""
        with self._lock:
            visit = self._visits.get(request.cookies.get(COOKIE, ""))
        return visit if visit and visit.until > time.monotonic() else None

    def end(self, request: Request) -> None:
        with self._lock:
            self._visits.pop(request.cookies.get(COOKIE, ""), None)


def token_holds(visit: Visit, token: object) -> bool:
    """Whether a form carries the visit's own token."""
    return isinstance(token, str) and hmac.compare_digest(visit.token, token)
