"""The line to the hub: one blocking HTTP client, signed requests, bounded answers, back-off that never gives up.

Uploads need no login, because the bytes are signed; everything else is signed by the device over a nonce from the hub. Plain
HTTP works too (a relay on the LAN), for every object is signed or sealed by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Known
from sync.limits import MAX_MESSAGE, MAX_NOTE, MAX_PUBLICATION, MAX_TARGET, MIN_TARGET, TARGET_SECONDS
from sync.wire import DEVICE, NONCE, SIGNATURE, request_message

if TYPE_CHECKING:
    import httpx

    from sync.identity import Identity

_SLICE: Final = 16 << 10  # bytes between two looks at the cancel button
_FIRST_MS: Final = 5_000
_LONGEST_MS: Final = 3_600_000
_FRESH: Final = 0.3  # weight of the newest measurement of the line


def backoff_ms(tries: int, dice: Callable[[], float] = random.random) -> int:
    """How long to wait after ``tries`` failures in a row: anything up to 5 s × 2ⁿ, at most an hour. For ever."""
    return int(dice() * min(_LONGEST_MS, _FIRST_MS << min(tries, 20)))


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
    """A connection to the first hub address that answers. Use it as a context manager."""

    def __init__(
        self, urls: Sequence[str], device: Identity, *, cancel: Callable[[], bool] = lambda: False, timeout_s: float = 30,
    ) -> None:  # fmt: skip
        self._urls, self._device, self._cancel, self._timeout_s = urls, device, cancel, timeout_s
        self._client: httpx.Client | None = None
        self._nonce = b""
        self.url = ""
        self.note = b""  # the checkpoint that the hub showed when it answered first
        self.bytes_up = 0
        self.bytes_down = 0
        self.goodput = 0  # bytes a second upwards, as measured

    def __enter__(self) -> Transport:
        """Known: SY-355 no address, SY-350 nobody answers, SY-353 the certificate is not trusted."""
        if not self._urls:
            raise Known("SY-355")
        last = Known("SY-350")
        for url in self._urls:
            self.url = url.rstrip("/")
            self._client = _client(self.url, self._timeout_s)
            try:
                answer = self.call("GET", "/v1/log/checkpoint", limit=MAX_NOTE)
            except Known as error:
                last = error
            else:
                if answer.status == 200 and self._nonce:
                    self.note = answer.body
                    return self
                last = Known("SY-351", status=answer.status)
            self.__exit__()
        raise last

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def call(
        self, method: str, path: str, body: bytes = b"", *, signed: bool = False, limit: int = MAX_MESSAGE,
    ) -> Answer:  # fmt: skip
        """One request and its answer. Known: SY-350 the line broke, SY-353; SY-354 the hub is busy (``wait_s``)."""
        answer = self._once(method, path, body, signed, limit)
        if signed and answer.status == 401:  # the nonce was gone; the answer brought another one
            answer = self._once(method, path, body, signed, limit)
        if answer.status == 503:
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
            raise Known("SY-350")
        headers = {"Content-Length": str(len(body))} if body else {}
        if signed:
            headers |= self._signature(method, path, body)
        content = self._slices(body) if body else b""
        with _explained(), self._client.stream(method, path, content=content, headers=headers) as response:
            received = bytearray()
            for piece in response.iter_bytes():
                self._stop_if_cancelled()
                received += piece
                if len(received) > limit:
                    raise Known("SY-351", status="too long")
            self.bytes_up += len(body)
            self.bytes_down += len(received)
            self._keep_nonce(response.headers.get(NONCE, ""))
            wait = response.headers.get("Retry-After", "")
            return Answer(response.status_code, bytes(received), int(wait) if wait.isdecimal() else 0)

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
        for start in range(0, len(body), _SLICE):
            self._stop_if_cancelled()
            yield body[start : start + _SLICE]

    def _stop_if_cancelled(self) -> None:
        if self._cancel():
            raise Cancelled


def _client(url: str, timeout_s: float) -> httpx.Client:
    import ssl

    import httpx
    import truststore

    trust: Any = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("https:") else False
    limits = httpx.Timeout(timeout_s, connect=min(10, timeout_s))
    pool = httpx.Limits(keepalive_expiry=2)  # servers drop idle lines after five seconds: never be there at that moment
    return httpx.Client(base_url=url, verify=trust, timeout=limits, limits=pool, follow_redirects=False)


@contextmanager
def _explained() -> Iterator[None]:
    """Every failure of the line as one of two causes."""
    import ssl

    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise Known("SY-353") from error
            cause = cause.__cause__ or cause.__context__
        raise Known("SY-350", reason=type(error).__name__) from error
