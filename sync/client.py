"""An HTTP client for one address of the hub: its trust, its proxy, its bounds; and every failure of the line as one of a few causes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Known
from sync.portal import PROXY_ASKS

if TYPE_CHECKING:
    import httpx

    from sync.pins import Pins
    from sync.proxies import Proxy

NO_LINE: Final = "SY-350"
UNTRUSTED: Final = "SY-353"
PROXY_SILENT: Final = "SY-423"
UNPINNED: Final = "SY-424"

_BUFFER: Final = (
    64 << 10
)  # bytes that the system may hold back: else a slow line looks fast, and stopping takes minutes
_CONNECT_S: Final = 10


def open_client(url: str, timeout_s: float, proxy: Proxy | None = None, pins: Pins | None = None) -> httpx.Client:
    """A client for ``url``; nothing is taken from the environment."""
    import httpx

    made = httpx.Proxy(proxy.url, auth=(proxy.user, proxy.password) if proxy.user else None) if proxy else None
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)]
    pool = httpx.Limits(keepalive_expiry=2)  # servers drop idle lines after five seconds: never be there at that moment
    carrier = httpx.HTTPTransport(
        verify=_trust(url, pins), limits=pool, proxy=made, socket_options=options, trust_env=False
    )
    timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
    return httpx.Client(
        base_url=url, transport=carrier, timeout=timeout, follow_redirects=False, trust_env=False, headers=_HEADERS
    )


_HEADERS: Final = {
    "User-Agent": "sala",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}  # every byte of a header is sent each time


def _trust(url: str, pins: Pins | None) -> Any:
    if not url.startswith("https:"):
        return False
    if pins is not None:
        from sync import pins as list_

        return list_.context(pins)
    import ssl

    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def explained(*, proxied: bool = False, pinned: bool = False) -> Iterator[None]:
    """Failures of the line as Known: SY-350 it broke, SY-353 or SY-424 the certificate, SY-422 or SY-423 the proxy."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        reason = type(error).__name__
        if _untrusted(error):
            raise Known(UNPINNED if pinned else UNTRUSTED) from error
        if isinstance(error, httpx.ProxyError):
            raise Known(PROXY_ASKS if str(error).startswith("407") else NO_LINE, reason=reason) from error
        if proxied and isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            raise Known(PROXY_SILENT) from error
        raise Known(NO_LINE, reason=reason) from error


def _untrusted(error: BaseException) -> bool:
    import ssl

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
