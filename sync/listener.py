"""The ear of a laptop that waits for another one: a tiny HTTP server on the local network, open only while its page is open.

One connection at a time, small bounds, short patience. Whoever does not speak as a laptop of this office should gets an empty
404, and after some wrong tries the ear closes for good: the person shows a fresh code.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from sync import lan, meeting
from sync.errors import Known, SalaError
from sync.limits import MAX_LAN
from sync.meeting import Host

log = logging.getLogger(__name__)

MOST_WRONG: Final = 20  # requests that were not a colleague's
_PATIENCE_S: Final = 10  # without a byte
_CLOSING_S: Final = 0.2


class Listener:
    """``start`` listens and returns where; ``close`` ends it. ``ended`` is told when too many wrong tries closed it."""

    def __init__(self, host: Host, ended: Callable[[], None] = lambda: None) -> None:
        self._host, self._ended = host, ended
        self._server: HTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.wrong = 0

    def start(self, addresses: list[str] | None = None, port: int = 0) -> tuple[str, ...]:
        """Listen on the first of ``addresses`` (default: this machine's on the local network) that can be; ``host:port``.

        Known SY-458 when this machine is on no local network.
        """
        for address in meeting.own_addresses() if addresses is None else addresses:
            with suppress(OSError, OverflowError):
                server = HTTPServer((address, port), _handler(self))
                self._server = server
                self._thread = threading.Thread(
                    target=server.serve_forever, args=(_CLOSING_S,), name="sala-listener", daemon=True
                )
                self._thread.start()
                return (f"{address}:{server.server_address[1]}",)
        raise Known("SY-458")

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            if threading.current_thread() is self._thread:  # closing from inside a request
                threading.Thread(target=server.shutdown, daemon=True).start()
            else:
                server.shutdown()
            server.server_close()

    def challenge(self) -> bytes:
        return self._host.challenge()

    def meet(self, data: bytes) -> bytes | None:
        """The answer, None for whoever gets none."""
        try:
            return self._host.answer(data)
        except SalaError as error:
            log.info("a visitor was turned away: %s", error.code)
            if error.code != "SY-352":  # our own run goes on: no fault of theirs
                self.count_wrong()
            return None

    def count_wrong(self) -> None:
        self.wrong += 1
        if self.wrong >= MOST_WRONG and self._server is not None:
            self.close()
            self._ended()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request; nothing about the program stands in the answer."""

        timeout = _PATIENCE_S
        server_version, sys_version = "", ""

        def do_GET(self) -> None:
            if self.path == lan.CHALLENGE and self._is_local():
                self._send(listener.challenge())
            else:
                self._nothing()

        def do_POST(self) -> None:
            declared = self.headers.get("Content-Length", "")
            if self.path != lan.MEET or not self._is_local() or not declared.isdecimal() or int(declared) > MAX_LAN:
                self._nothing()
                return
            answer = listener.meet(self.rfile.read(int(declared)))
            if answer is None:
                self._send(b"", 404)
            else:
                self._send(answer)

        def _is_local(self) -> bool:
            return meeting.local(str(self.client_address[0]))

        def _nothing(self) -> None:
            listener.count_wrong()
            self._send(b"", 404)

        def _send(self, data: bytes, status: int = 200) -> None:
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing of what strangers send stands in a log."""

    return Handler
