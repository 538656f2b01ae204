"""How this laptop may use its line: proxy, speed, hours for attachments, a line that costs money; and what last went wrong with it.

The settings stand in the encrypted database, the proxy's password with them. Records go at any hour; only attachments wait.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from i18n import dates, numbers
from sync.batch import LEVEL_METERED
from sync.errors import Refused
from sync.limits import CHUNK, CHUNK_SLOW
from sync.marks import GOODPUT, mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.store import Connection

PROXIES: Final = ("system", "none", "manual")
MOST_KB: Final = 100_000  # kB/s: more than any line here
SLOW: Final = 256_000 // 8  # bytes a second: below this attachments are cut into small pieces
_DAY: Final = 24 * 60  # minutes
_MOST_HOURS: Final = 8
_MOST_TEXT: Final = 200
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—]\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the office has set. ``hours``: minutes of the day (from, to) in which attachments may go; none: always."""

    proxy: str = "system"  # one of PROXIES
    proxy_url: str = ""  # http://host:port, when it is set by hand
    proxy_user: str = ""
    proxy_password: str = ""
    cap_kb: int = 0  # kB/s in each direction; 0: as fast as the line
    metered: bool = False  # every byte costs: pack smaller, cut attachments into small pieces
    hours: tuple[tuple[int, int], ...] = ()

    def level(self) -> int | None:
        """The zstd level of batches; None: by size."""
        return LEVEL_METERED if self.metered else None


def read(conn: Connection) -> Settings:
    """The settings, or those of a new laptop."""
    row = conn.execute("SELECT value FROM line WHERE name = 'settings'").fetchone()
    if row is None:
        return Settings()
    kept = json.loads(row["value"])
    return Settings(**{**kept, "hours": tuple((start, end) for start, end in kept["hours"])})


def keep(conn: Connection, settings: Settings) -> None:
    """Keep ``settings`` from now on. Refused: SY-426 the proxy's address, SY-427 the hours, SY-429 the speed."""
    _put(conn, "settings", json.dumps(asdict(check(settings))))


def check(settings: Settings) -> Settings:
    """``settings`` when they hold together. Refused as :func:`keep` says."""
    if settings.proxy not in PROXIES:
        raise Refused("SY-426", address=settings.proxy[:60])
    if settings.proxy == "manual":
        proxy_address(settings.proxy_url)
    if max(len(settings.proxy_user), len(settings.proxy_password)) > _MOST_TEXT:
        raise Refused("SY-426", address=settings.proxy_url[:60])
    if not 0 <= settings.cap_kb <= MOST_KB:
        raise Refused("SY-429", most=MOST_KB)
    if len(settings.hours) > _MOST_HOURS or any(
        not (0 <= start < _DAY and 0 < end <= _DAY and start != end) for start, end in settings.hours
    ):
        raise Refused("SY-427", text=say_hours(settings.hours)[:60])
    return settings


def proxy_address(text: str) -> str:
    """``http://host:port`` of what a person typed, the scheme may be left out. Refused SY-426."""
    typed = text.strip()
    address = typed if "://" in typed else f"http://{typed}"
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.path not in ("", "/") or parts.query or len(address) > _MOST_TEXT:
        raise Refused("SY-426", address=typed[:60])
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 8080}"


# --- hours


def parse_hours(text: str) -> tuple[tuple[int, int], ...]:
    """``12:00-13:30, 17:00-07:00`` in minutes of the day; an end before its start is on the next day. Refused SY-427."""
    plain = numbers.ascii_digits(text).strip()
    found: list[tuple[int, int]] = []
    for part in re.split(r"[,;។]", plain) if plain else ():
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise Refused("SY-427", text=text[:60])
        start_h, start_m, end_h, end_m = map(int, match.groups())
        if start_m > 59 or end_m > 59 or start_h > 23 or end_h > 24:
            raise Refused("SY-427", text=text[:60])
        found.append((start_h * 60 + start_m, end_h * 60 + end_m))
    return check(Settings(hours=tuple(found))).hours


def say_hours(hours: Sequence[tuple[int, int]]) -> str:
    """The text of :func:`parse_hours`."""
    return ", ".join(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in hours)


def attachments_may_go(settings: Settings, wall_ms: int) -> bool:
    """Whether attachments may use the line at this moment, by the clock of Cambodia."""
    if not settings.hours:
        return True
    now = _minute(wall_ms)
    return any(start <= now < end if start < end else now >= start or now < end for start, end in settings.hours)


def opens_ms(settings: Settings, wall_ms: int) -> int:
    """When attachments may go next; ``wall_ms`` when they may go now."""
    if attachments_may_go(settings, wall_ms):
        return wall_ms
    wait = min((start - _minute(wall_ms)) % _DAY for start, _ in settings.hours)
    return (wall_ms // 60_000 + wait) * 60_000


def _minute(wall_ms: int) -> int:
    moment = dates.moment(wall_ms)
    return moment.hour * 60 + moment.minute


# --- attachments


def chunk_size(conn: Connection) -> int:
    """Bytes of one piece of an attachment that is attached now: small where a piece would take seconds, or the line is unknown."""
    return CHUNK_SLOW if read(conn).metered or mark(conn, GOODPUT) < SLOW else CHUNK


# --- what is wrong with it


def trouble(conn: Connection) -> str:
    """The code of what the last run died of, "" when it reached the centre."""
    row = conn.execute("SELECT value FROM line WHERE name = 'trouble'").fetchone()
    return str(row["value"]) if row else ""


def set_trouble(conn: Connection, code: str) -> None:
    """Remember what the run died of."""
    _put(conn, "trouble", code)


def _put(conn: Connection, name: str, value: str) -> None:
    conn.execute(
        "INSERT INTO line (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def shown(settings: Settings) -> dict[str, Any]:
    """The settings for a screen: everything but the password."""
    found = asdict(settings) | {"hours": say_hours(settings.hours), "has_password": bool(settings.proxy_password)}
    found.pop("proxy_password")
    return found
