"""The line between the real client and the real hub: httpx on this side, the ASGI application on that, and every fault between.

Nothing of the product is replaced but the socket. What a fault does is drawn from the seed; ``Faults()`` is a perfect line.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from typing import Any

import httpx

from tests.simulation.chance import Stopwatch

PORTAL = b"<html><body>Welcome. Please log in to use this network.</body></html>"


@dataclass(slots=True)
class Faults:
    """How likely each fault is for one request, 0 to 1."""

    drop_request: float = 0
    drop_answer: float = 0
    duplicate: float = 0
    late: float = 0  # the request comes a second time, much later, among others
    cut_request: float = 0
    cut_answer: float = 0
    tamper_request: float = 0
    tamper_answer: float = 0
    stale_answer: float = 0  # somebody plays an old answer again
    busy: float = 0
    portal: float = 0
    slow: float = 0

    @classmethod
    def drawn(cls, dice: random.Random, most: float) -> Faults:
        """A line with some of the faults: which ones, and how badly, is the seed's choice."""
        drawn = cls()
        for one in fields(cls):
            if dice.random() < 0.4:
                setattr(drawn, one.name, dice.uniform(0, most))
        return drawn


Request = tuple[str, str, bytes, bytes, list[tuple[bytes, bytes]], bytes]  # host, method, path, query, headers, body
Ask = Callable[[Any], httpx.Response]


@dataclass(slots=True)
class Line(httpx.BaseTransport):
    """One network for all. ``hub``: the centre answers; ``others``: who answers under another name than the centre's."""

    hub: Callable[[Ask], httpx.Response]
    dice: random.Random
    watch: Stopwatch
    faults: Faults = field(default_factory=Faults)
    published: bool = True  # are publications to be had on this line? Reading them takes a third of a run
    counts: Counter[str] = field(default_factory=Counter)
    late: list[Request] = field(default_factory=list)
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    others: dict[str, Callable[[Ask], httpx.Response]] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def client(self, url: str, *_: Any, **__: Any) -> httpx.Client:
        """Stands in for ``sync.client.open_client``."""
        return httpx.Client(base_url=url, transport=self, follow_redirects=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.partition(b"?")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        found = self._carry((request.url.host, request.method, path, query, headers, request.read()))
        return httpx.Response(found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content))

    def _carry(self, asked: Request) -> httpx.Response:
        host, method, path, _, _, body = asked
        name = f"{method} {host}{path.decode()}"
        if not self.published and path.startswith(b"/v1/tuf/"):
            return httpx.Response(404)
        if self.late and self._happens(0.3):
            self._deliver(self.late.pop(self.dice.randrange(len(self.late))))
        self.watch.now += len(body) / (2_000 if self._faulty("slow") else 2_000_000)
        if self._faulty("busy"):
            return httpx.Response(503, headers={"Retry-After": "7"}, content=b"busy")
        if self._faulty("portal"):
            return httpx.Response(200, headers={"Content-Type": "text/html"}, content=PORTAL)
        if self._faulty("drop_request"):
            raise httpx.ConnectError("dropped")
        if self._faulty("late"):
            self.late.append(asked)
        if body and self._faulty("cut_request"):
            self._deliver((*asked[:-1], body[: self.dice.randrange(len(body))]))
            raise httpx.WriteError("cut off")
        if body and self._faulty("tamper_request"):
            asked = (*asked[:-1], self._tampered(body))
        answer = self._deliver(asked)
        if self._faulty("duplicate"):
            answer = self._deliver(asked)
        if self._faulty("drop_answer"):
            raise httpx.ReadError("answer lost")
        if name in self.answers and self._faulty("stale_answer"):
            old = self.answers[name]
            return httpx.Response(old.status_code, headers=old.headers, content=old.content)
        self.answers[name] = answer
        if answer.content and self._faulty("tamper_answer"):
            return _answer(answer, self._tampered(answer.content))
        if answer.content and self._faulty("cut_answer"):
            if self._happens(0.5):
                raise httpx.ReadError("answer cut off")
            return _answer(answer, answer.content[: self.dice.randrange(len(answer.content))])
        return answer

    def _deliver(self, asked: Request) -> httpx.Response:
        return self.others.get(asked[0], self.hub)(lambda app: self._run(_ask(app, asked)))

    def _run(self, asking: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """A relay asks the centre while it answers a laptop: the second loop needs a thread of its own, for which the first one waits."""
        if not self.loop.is_running():
            return self.loop.run_until_complete(asking)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, asking).result()

    def _faulty(self, name: str) -> bool:
        if not self._happens(getattr(self.faults, name)):
            return False
        self.counts[name] += 1
        return True

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.dice.random() < chance

    def _tampered(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
        return bytes(changed)


def _answer(old: httpx.Response, content: bytes) -> httpx.Response:
    kept = [(name, value) for name, value in old.headers.raw if name.lower() != b"content-length"]
    return httpx.Response(old.status_code, headers=kept, content=content)


async def _ask(app: Any, asked: Request) -> httpx.Response:
    """One request to the ASGI application."""
    _, method, path, query, headers, body = asked
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "path": path.decode("ascii"), "raw_path": path, "query_string": query, "headers": headers, "scheme": "http",
        "server": ("hub", 80), "client": ("192.0.2.1", 5), "root_path": "",
    }  # fmt: skip
    started: dict[str, Any] = {}
    written = bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            written.extend(message.get("body", b""))

    await app(scope, receive, send)
    return httpx.Response(started["status"], headers=started["headers"], content=bytes(written))
