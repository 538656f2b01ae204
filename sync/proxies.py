"""The proxy on the way to an address: none, the one set by hand, or the system's (environment; on Windows the registry)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from sync.line import Settings


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens, ``http://host:port``, and who asks; ``user`` "" when nobody need say."""

    url: str
    user: str = ""
    password: str = ""


def on_the_way(url: str, settings: Settings) -> Proxy | None:
    """The proxy that ``settings`` put before ``url``, or None. One that is no HTTP proxy (SOCKS) is passed by."""
    if settings.proxy == "none":
        return None
    if settings.proxy == "manual":
        return Proxy(settings.proxy_url, settings.proxy_user, settings.proxy_password)
    parts = urlsplit(url)
    known = getproxies()
    found = known.get(parts.scheme) or known.get("all")
    if not found or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return _read(found)


def _read(text: str) -> Proxy | None:
    """The system's way to write a proxy: ``host:port``, ``http://user:password@host:port``."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return Proxy(
            f"{parts.scheme}://{host}:{parts.port or 80}", unquote(parts.username or ""), unquote(parts.password or "")
        )
    except ValueError:
        return None
