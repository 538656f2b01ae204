"""Is it the hub that answers? Hotels, cafés and modems put a page of their own before every address until somebody signs in.

Every answer of a hub carries a nonce, and its first one a checkpoint that the log's key has signed. What lacks them is never
believed, and never held against what was being sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sync.cbor import Malformed
from sync.notes import NoteKey, signed_by
from sync.wire import NONCE

if TYPE_CHECKING:
    from sync.proxies import Proxy

SIGN_IN: Final = "SY-420"
NOT_OURS: Final = "SY-421"
PROXY_ASKS: Final = "SY-422"

_GATEWAY: Final = frozenset(
    {400, 404, 405, 408, 411, 413, 414, 425, 429, 431}
)  # what servers in front of a hub say themselves
_NONCE: Final = 32  # hex digits
_LOOK_S: Final = 5.0


def judge(status: int, headers: Mapping[str, str]) -> str:
    """The code that says why this answer is no hub's, "" when a hub or the server before it gave it."""
    nonce = headers.get(NONCE, "")
    if len(nonce) == _NONCE and all(character in "0123456789abcdef" for character in nonce):
        return ""
    if status == 407:
        return PROXY_ASKS
    if (500 <= status < 600 and status != 511) or status in _GATEWAY:
        return ""
    return SIGN_IN


def genuine(note: bytes, log: NoteKey) -> bool:
    """Whether the first answer is a checkpoint of this office's centre."""
    try:
        return signed_by(note.decode("utf-8"), log)
    except (Malformed, UnicodeDecodeError):
        return False


def in_the_way(url: str, *, refused: bool, proxy: Proxy | None, port: int = 80) -> bool:
    """Whether a plain look at the host of ``url`` meets a page that wants somebody to sign in; asks for nothing and tells nothing.

    Only for an ``https:`` address that did not answer, or (``refused``) whose certificate was refused: that is how a portal
    looks from there.
    """
    import httpx

    host = urlsplit(url).hostname
    if not url.startswith("https:") or not host or proxy is not None:
        return False
    try:
        place = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        with (
            httpx.Client(timeout=_LOOK_S, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", place) as answer,
        ):
            if answer.status_code == 511:
                return True
            if 300 <= answer.status_code < 400:
                aim = urlsplit(answer.headers.get("Location", "")).hostname
                return aim is not None and aim != host
            page = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
            return refused and answer.status_code == 200 and page and NONCE not in answer.headers
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return False
