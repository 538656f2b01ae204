"""Who is logged in: visits kept at the hub, so that every process of it agrees and one can be ended from anywhere.

The cookie carries a random key, the database only its hash. A visit ends after half an hour without an act or a look (a page that
refreshes itself is neither) and after a working day in any case. It gets a new key when its rights grow, so that a key that
somebody planted beforehand is worth nothing. Wrong passphrases and codes make the next try wait, longer each time, and the
count survives a restart.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from sync.hub.console import roles
from sync.hub.console.admins import IDLE_MS, name_of
from sync.hub.storage import Row, Tx

if TYPE_CHECKING:
    from sync.hub.centre import Centre

COOKIE: Final = "sala-console"
LIFE_MS: Final = 8 * 3_600_000  # a working day
KEPT_MS: Final = (
    LIFE_MS  # an ended visit is remembered so long, for a form that comes too late (:mod:`sync.hub.console.held`)
)
SEEN_EVERY_MS: Final = 60_000  # how exactly the last look is remembered
AHEAD_MS: Final = 300_000  # a visit from further in the future: the clock was set back, and nobody knows how old it is
FREE_TRIES: Final = 5
CROWDED_S: Final = 2  # until the next try when too many try at once
FIRST_WAIT_S: Final = 5
LONGEST_WAIT_S: Final = 900
MOST_NAMES: Final = 10_000  # whose wrong tries are remembered
IN, CODE, BEGIN = "in", "code", "begin"  # inside · a code is awaited · something must be set up first

checking: Final = threading.Semaphore(2)  # each passphrase check takes 64 MiB: strangers must not take them all …
_room: Final = threading.Semaphore(8)  # … nor the threads that laptops are served with, by waiting for their turn


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser that has shown a passphrase."""

    admin: str
    token: str  # of every form (CSRF)
    role: str
    stage: str
    key: bytes  # hash of the cookie
    begun_ms: int
    seen_ms: int
    until_ms: int

    def may(self, power: str) -> bool:
        return power in roles.POWERS.get(self.role, frozenset())


def begin(
    centre: Centre, name: str, response: Response, *, stage: str, secure: bool, agent: str = "", held: str | None = None
) -> None:  # fmt: skip
    """A new visit with a new key; sets the cookie. ``held``: a form of the visit before. Visits long over are swept out."""
    key, now = secrets.token_urlsafe(32), centre.clock.wall_ms()
    row = {
        "key": _hash(key), "admin": name_of(name), "token": secrets.token_urlsafe(24), "stage": stage, "now": now,
        "until": now + LIFE_MS, "agent": agent[:200], "over": now - KEPT_MS, "idle": now - IDLE_MS - KEPT_MS, "held": held,
    }  # fmt: skip

    def work(tx: Tx) -> None:
        tx.execute("DELETE FROM visit WHERE until_ms < :over OR seen_ms < :idle", row)
        tx.execute(
            """INSERT INTO visit (key_hash, admin, token, stage, begun_ms, seen_ms, until_ms, agent, held)
               VALUES (:key, :admin, :token, :stage, :now, :now, :until, :agent, :held)""",
            row,
        )

    centre.storage.write(work)
    age = (LIFE_MS + KEPT_MS) // 1000  # the hub decides when a visit is over, not the browser
    response.set_cookie(COOKIE, key, max_age=age, path="/console", httponly=True, samesite="strict", secure=secure)


def of(request: Request, *, quiet: bool = False) -> Visit | None:
    """The visit that this request belongs to; ``quiet``: it does not count as a look, so the half hour runs on."""
    centre: Centre = request.app.state.centre
    key = request.cookies.get(COOKIE, "")
    if not key:
        return None
    now, hashed = centre.clock.wall_ms(), _hash(key)
    row = centre.storage.read(lambda tx: tx.one(_VISIT, {"key": hashed}))
    if row is None or not _lasts(row, now):
        return None
    if not quiet and now - row["seen_ms"] >= SEEN_EVERY_MS:
        centre.storage.write(
            lambda tx: tx.execute("UPDATE visit SET seen_ms = :now WHERE key_hash = :key", {"now": now, "key": hashed})
        )
    return _visit(row, hashed)


def ended(request: Request) -> tuple[bytes, Visit | None]:
    """The visit of this request when it is over and was once inside, with its key; None otherwise. It opens nothing."""
    centre: Centre = request.app.state.centre
    hashed = key_of(request)
    row = centre.storage.read(lambda tx: tx.one(_VISIT, {"key": hashed}))
    over = row is not None and not _lasts(row, centre.clock.wall_ms()) and row["stage"] == IN
    return hashed, _visit(row, hashed) if row is not None and over else None


def _visit(row: Row, key: bytes) -> Visit:
    return Visit(
        row["admin"], row["token"], row["role"], row["stage"], key, row["begun_ms"], row["seen_ms"], row["until_ms"]
    )


def key_of(request: Request) -> bytes:
    """Under which the visit of this request's cookie is kept, if there is one."""
    return _hash(request.cookies.get(COOKIE, ""))


def end(centre: Centre, visit: Visit) -> None:
    """Log out."""
    centre.storage.write(lambda tx: tx.execute("DELETE FROM visit WHERE key_hash = :key", {"key": visit.key}))


def open_visits(tx: Tx, name: str, now_ms: int) -> list[Row]:
    """The visits of one admin that are not over, newest first."""
    rows = tx.query(
        """SELECT key_hash, stage, begun_ms, seen_ms, until_ms, agent FROM visit WHERE admin = :n
           ORDER BY seen_ms DESC, key_hash""",
        {"n": name_of(name)},
    )
    return [row for row in rows if _lasts(row, now_ms)]


def token_holds(visit: Visit, token: object) -> bool:
    """Whether a form carries the visit's own token."""
    return isinstance(token, str) and token.isascii() and hmac.compare_digest(visit.token, token)


# --- wrong tries


@contextmanager
def crowd() -> Iterator[bool]:
    """Room for one more try of a stranger, with those that wait; False: somebody must come again in a moment."""
    there = _room.acquire(blocking=False)
    try:
        yield there
    finally:
        if there:
            _room.release()


def wait_s(tx: Tx, what: str, name: str, now_ms: int) -> int:
    """Seconds until ``name`` may try again; ``what`` is "passphrase" or "code"."""
    row = tx.one("SELECT wrong, last_ms FROM door_try WHERE name = :n", {"n": _tried(what, name)})
    if row is None or row["wrong"] < FREE_TRIES:
        return 0
    wait = min(LONGEST_WAIT_S, FIRST_WAIT_S << min(row["wrong"] - FREE_TRIES, 10))
    since = max(0, now_ms - row["last_ms"])  # a clock that was set back makes nobody wait for longer than that
    return int(max(0, -((since - wait * 1000) // 1000)))


def failed(tx: Tx, what: str, name: str, now_ms: int) -> None:
    """Count a wrong try. Somebody who tries many names fills no disk: the oldest are forgotten."""
    tx.execute(
        """INSERT INTO door_try (name, wrong, last_ms) VALUES (:n, 1, :now)
           ON CONFLICT (name) DO UPDATE SET wrong = door_try.wrong + 1, last_ms = :now""",
        {"n": _tried(what, name), "now": now_ms},
    )
    if tx.query("SELECT count(*) AS n FROM door_try")[0]["n"] > MOST_NAMES:
        tx.execute("DELETE FROM door_try WHERE last_ms < :old", {"old": now_ms - LONGEST_WAIT_S * 1000})
        if tx.query("SELECT count(*) AS n FROM door_try")[0]["n"] > MOST_NAMES:
            tx.execute("DELETE FROM door_try WHERE name <> :n", {"n": _tried(what, name)})


def succeeded(tx: Tx, what: str, name: str) -> None:
    """A right one forgets the wrong ones."""
    tx.execute("DELETE FROM door_try WHERE name = :n", {"n": _tried(what, name)})


def _tried(what: str, name: str) -> str:
    return f"{what}/{name_of(name)}"


def _lasts(row: Row, now: int) -> bool:
    return bool(row["until_ms"] > now and now - IDLE_MS < row["seen_ms"] < now + AHEAD_MS)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


_VISIT: Final = """SELECT v.admin, v.token, v.stage, v.begun_ms, v.seen_ms, v.until_ms, a.role FROM visit v
    JOIN admin a ON a.name = v.admin WHERE v.key_hash = :key AND a.disabled_ms IS NULL"""
