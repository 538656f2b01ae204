"""A line between laptop and hub that can fail in every way: cuts, lost answers, busy or lying hubs."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """One request as it passes."""

    method: str
    path: str
    body: bytes


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


Rule = Callable[[Request], Reply | str | None]  # an answer of its own, "cut" before the hub sees it, None: pass it on
Change = Callable[[Request, Reply], Reply | str]  # another answer, or "lost": the hub did it, the laptop hears nothing


@dataclass
class Line:
    """Listens on ``url`` and passes requests on to ``target``; ``before`` and ``after`` interfere."""

    target: str
    before: Rule = lambda _request: None
    after: Change = lambda _request, reply: reply
    seen: list[str] = field(default_factory=list)
    bytes_up: int = 0

    def __post_init__(self) -> None:
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _pass(self) -> None:
                line._handle(self)

            do_GET = do_PUT = do_POST = _pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        request = Request(handler.command, handler.path, body)
        self.seen.append(f"{request.method} {request.path.partition('?')[0]}")
        self.bytes_up += len(body)
        reply = self.before(request)
        if reply is None:
            reply = self.after(request, self._forward(request, dict(handler.headers)))
        if isinstance(reply, str):
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "date", "server", "connection"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    def _forward(self, request: Request, headers: dict[str, str]) -> Reply:
        host, _, port = self.target.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        try:
            connection.request(request.method, request.path, request.body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()
