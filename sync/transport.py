"""The line to the hub: one blocking HTTP client, signed requests, bounded answers, back-off that never gives up.

Uploads need no login, because the bytes are signed; everything else is signed by the device over a nonce from the hub. Plain
HTTP works too (a relay on the LAN), for every object is signed or sealed by itself. Nothing is sent, and nothing believed,
before the first answer has shown that it is this office's centre that speaks (:mod:`sync.portal`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import client, portal, proxies
from sync.errors import Known
from sync.limits import MAX_MESSAGE, MAX_NAME, MAX_NOTE, MAX_PUBLICATION, MAX_TARGET, MIN_TARGET, TARGET_SECONDS
from sync.throttle import Throttle
from sync.wire import DEVICE, NONCE, RELAY, SIGNATURE, request_message

if TYPE_CHECKING:
    import httpx

    from sync.identity import Identity
    from sync.line import Settings
    from sync.notes import NoteKey
    from sync.pins import Pins

GONE: Final = (
    frozenset(  # codes that say that there is no way to the hub now: they end a run and are no fault of what was sent
        {
            client.NO_LINE,
            client.UNTRUSTED,
            client.PROXY_SILENT,
            client.UNPINNED,
            portal.SIGN_IN,
            portal.NOT_OURS,
            portal.PROXY_ASKS,
        }
    )
)

_FIRST_MS: Final = 5_000
LONGEST_MS: Final = 3_600_000  # no wait after failures is longer
_FRESH: Final = 0.3  # weight of the newest measurement of the line
_SLOWEST: Final = 2_000  # bytes a second: what the system still holds back of a request goes no slower than this
_HELD: Final = 128 << 10
NO_CENTRE: Final = 424  # of a relay: the centre alone can answer this, and is not to be reached from there now
_GATEWAY: Final = frozenset({502, 503, 504})  # the hub, or the server before it, is busy or starting


def backoff_ms(tries: int, dice: Callable[[], float] = random.random) -> int:
    """How long to wait after ``tries`` failures in a row: anything up to 5 s × 2ⁿ, at most an hour. For ever."""
    return int(dice() * min(LONGEST_MS, _FIRST_MS << min(tries, 20)))


def has_come(at_ms: int, now_ms: int, longest_ms: int = LONGEST_MS) -> bool:
    """Whether the moment ``at_ms`` has come. One that lies further off than any wait was set by a clock that has been set back."""
    return not now_ms < at_ms <= now_ms + longest_ms


def target_size(goodput: int) -> int:
    """Bytes of the next batch on a line of ``goodput`` bytes a second (0: not yet measured)."""
    if goodput <= 0:
        return 64 << 10
    return max(MIN_TARGET, min(MAX_TARGET, goodput * TARGET_SECONDS))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the hub."""

    status: int
    body: bytes
    retry_after_s: int = 0


class Cancelled(Exception):
    """The person stopped the run."""


class Transport:
    """A connection to the first hub address that answers. Use it as a context manager.

    ``settings``: proxy and speed; ``log``: the key that must have signed the first answer; ``pins``: whose TLS certificates are
    believed.
    """

    def __init__(
        self, urls: Sequence[str], device: Identity, *, cancel: Callable[[], bool] = lambda: False, timeout_s: float = 30,
        settings: Settings | None = None, log: NoteKey | None = None, pins: Pins | None = None, portal_port: int = 80,
    ) -> None:  # fmt: skip
        self._urls, self._device, self._cancel, self._timeout_s = urls, device, cancel, timeout_s
        self._settings, self._log, self._pins, self._portal_port = settings, log, pins, portal_port
        self._client: httpx.Client | None = None
        self._throttle = Throttle(settings.cap_kb * 1000 if settings else 0)
        self._nonce = b""
        self.url = ""
        self.proxy: proxies.Proxy | None = None
        self.note = b""  # the checkpoint that the hub showed when it answered first
        self.relay = ""  # the name of the relay that answers instead of the centre
        self.bytes_up = 0
        self.bytes_down = 0
        self.goodput = 0  # bytes a second upwards, as measured

    def __enter__(self) -> Transport:
        """Known: SY-355 no address, SY-350 nobody answers; else why the one who answers is not believed."""
        if not self._urls:
            raise Known("SY-355")
        worst: Known | None = None
        for url in self._urls:
            try:
                self._open(url.rstrip("/"))
            except Known as error:
                self.__exit__()
                if worst is None or worst.code == client.NO_LINE:
                    worst = error
            else:
                return self
        raise worst or Known(client.NO_LINE)

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self, url: str) -> None:
        """Make sure that the centre is there, before anything is sent. Known SY-484: a relay that knows nothing of it yet."""
        self.url = url
        self.proxy = proxies.on_the_way(url, self._settings) if self._settings else None
        try:
            self._client = client.open_client(url, self._timeout_s, self.proxy, self._pins)
            answer = self.call("GET", "/v1/log/checkpoint", limit=MAX_NOTE)
        except Known as error:
            refused = error.code in (client.UNTRUSTED, client.UNPINNED)
            silent = error.code == client.NO_LINE
            if (refused or silent) and portal.in_the_way(
                url, refused=refused, proxy=self.proxy, port=self._portal_port
            ):
                raise Known(portal.SIGN_IN) from error
            raise
        if answer.status == NO_CENTRE and self.relay:
            raise Known("SY-484", relay=self.relay)
        if answer.status != 200 or not self._nonce:
            raise Known("SY-351", status=answer.status)
        if self._log is not None and not portal.genuine(answer.body, self._log):
            raise Known(portal.NOT_OURS)
        self.note = answer.body

    def call(
        self, method: str, path: str, body: bytes = b"", *, signed: bool = False, limit: int = MAX_MESSAGE,
    ) -> Answer:  # fmt: skip
        """One request and its answer. Known: a code of :data:`GONE`, or SY-354 the hub is busy (``wait_s``)."""
        answer = self._once(method, path, body, signed, limit)
        if signed and answer.status == 401:  # the nonce was gone; the answer brought another one
            answer = self._once(method, path, body, signed, limit)
        if answer.status in _GATEWAY:
            raise Known("SY-354", wait_s=answer.retry_after_s)
        return answer

    def put(self, path: str, body: bytes, *, limit: int = MAX_MESSAGE) -> Answer:
        """Upload ``body`` and measure the line."""
        began = time.monotonic()
        answer = self.call("PUT", path, body, limit=limit)
        if len(body) >= MIN_TARGET:  # smaller ones measure the round trip, not the line
            rate = int(len(body) / max(0.001, time.monotonic() - began))
            self.goodput = int(self.goodput * (1 - _FRESH) + rate * _FRESH) if self.goodput else rate
        return answer

    def speak_as(self, device: Identity) -> None:
        """From now on sign requests with the keys of ``device``."""
        self._device = device

    def slowed(self) -> None:
        """A request failed: think half as well of the line."""
        self.goodput //= 2

    def read(self, path: str) -> Iterator[bytes]:
        """``metadata/…`` and ``targets/…`` of the publications. FileNotFoundError when the hub has none."""
        answer = self.call("GET", f"/v1/tuf/{path}", limit=MAX_PUBLICATION)
        if answer.status in (403, 404):
            raise FileNotFoundError(path)
        if answer.status != 200:
            raise Known("SY-351", status=answer.status)
        yield answer.body

    def _once(self, method: str, path: str, body: bytes, signed: bool, limit: int) -> Answer:
        if self._client is None:
            raise Known(client.NO_LINE)
        headers = {"Content-Length": str(len(body))} if body else {}
        if signed:
            headers |= self._signature(method, path, body)
        content = self._slices(body) if body else b""
        patience = self._timeout_s + min(len(body), _HELD) / _SLOWEST
        with (
            client.explained(proxied=self.proxy is not None, pinned=self._pins is not None),
            self._client.stream(
                method, path, content=content, headers=headers, timeout=self._patient(patience)
            ) as response,
        ):
            if strange := portal.judge(response.status_code, response.headers):
                raise Known(strange)
            received = bytearray()
            for piece in response.iter_raw(self._throttle.slice):
                self._throttle.take(len(piece), self._stop_if_cancelled)
                received += piece
                if len(received) > limit:
                    raise Known("SY-351", status="too long")
            self.bytes_up += len(body)
            self.bytes_down += len(received)
            self._keep_nonce(response.headers.get(NONCE, ""))
            self.relay = response.headers.get(RELAY, "")[:MAX_NAME]
            wait = response.headers.get("Retry-After", "")
            return Answer(response.status_code, bytes(received), int(wait) if wait.isdecimal() else 0)

    def _patient(self, read_s: float) -> httpx.Timeout:
        import httpx

        return httpx.Timeout(self._timeout_s, connect=min(10, self._timeout_s), read=read_s)

    def _signature(self, method: str, path: str, body: bytes) -> dict[str, str]:
        message = request_message(method, path, body, self._nonce)
        return {
            DEVICE: self._device.device_id.hex(),
            NONCE: self._nonce.hex(),
            SIGNATURE: self._device.sign.sign(message).signature.hex(),
        }

    def _keep_nonce(self, text: str) -> None:
        try:
            self._nonce = bytes.fromhex(text)
        except ValueError:
            self._nonce = b""

    def _slices(self, body: bytes) -> Iterator[bytes]:
        size = self._throttle.slice
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            self._throttle.take(len(piece), self._stop_if_cancelled)
            yield piece

    def _stop_if_cancelled(self) -> None:
        if self._cancel():
            raise Cancelled
