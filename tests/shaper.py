"""A slow, cut and lossy line on loopback: a TCP proxy in a process of its own, with rate, latency and cuts, and byte counters.

All connections share the line, so that one cannot go faster by opening another. ``speed`` runs the line's clock faster: with
8, a minute of line time takes 7.5 s; rates, latencies and pauses between cuts are all in line time. The line's own time is
what :attr:`Line.seconds` counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import random
import signal
import time
from dataclasses import dataclass
from typing import Any

SEGMENT = 1_400  # bytes forwarded at a time
WINDOW = 16_384  # bytes that the line itself holds: more stay with the sender


@dataclass(frozen=True)
class Shape:
    """What the line is like. ``rate``: bytes a second in each direction; ``latency``: seconds one way, 0: no limit."""

    rate: float = 0
    latency: float = 0
    cut_every: float = 0  # seconds from one cut of everything to the next, 0: never
    down: float = 0  # how long it then stays cut
    lossy: float = 0  # the part of the connections that are cut at some moment of their own
    life: float = 8  # seconds that such a connection lives on average
    seed: int = 1
    speed: float = 1


class Line:
    """The line to ``127.0.0.1:upstream``; ``url`` is where it begins. A context manager."""

    def __init__(self, upstream: int, shape: Shape) -> None:
        context: Any = multiprocessing.get_context("spawn")
        self._counted = context.Array("d", 4)  # bytes up, bytes down, connections, cuts
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_carry, args=(upstream, shape, self._counted, theirs), daemon=True)
        self._shape = shape
        self._process.start()
        theirs.close()
        self.port: int = self._pipe.recv()
        self.url = f"http://127.0.0.1:{self.port}"
        self._began = time.monotonic()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)

    def restart_clock(self) -> None:
        """Line time begins anew, in a moment when the line is whole."""
        self._began = time.monotonic()
        self._pipe.send("begin")

    @property
    def seconds(self) -> float:
        """Line time since the clock was started."""
        return (time.monotonic() - self._began) * self._shape.speed

    @property
    def up(self) -> int:
        return int(self._counted[0])

    @property
    def down(self) -> int:
        return int(self._counted[1])

    @property
    def connections(self) -> int:
        return int(self._counted[2])

    @property
    def cuts(self) -> int:
        return int(self._counted[3])


def _carry(upstream: int, shape: Shape, counted: Any, pipe: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_Carrier(upstream, shape, counted).run(pipe))


class _Way:
    """One direction of the line: bytes leave it at its rate, whoever they belong to."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free_at = 0.0

    async def pass_(self, count: int) -> None:
        if self._rate:
            now = asyncio.get_running_loop().time()
            self._free_at = max(self._free_at, now) + count / self._rate
            if self._free_at - now > 0.002:
                await asyncio.sleep(self._free_at - now)


class _Carrier:
    def __init__(self, upstream: int, shape: Shape, counted: Any) -> None:
        self._upstream, self._shape, self._counted = upstream, shape, counted
        self._dice = random.Random(shape.seed)
        self._ways = (_Way(shape.rate * shape.speed), _Way(shape.rate * shape.speed))
        self._latency = shape.latency / shape.speed
        self._open: set[asyncio.StreamWriter] = set()
        self._up = True

    async def run(self, pipe: Any) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=WINDOW)
        pipe.send(server.sockets[0].getsockname()[1])
        cutting: list[asyncio.Task[None]] = []

        def begin() -> None:
            pipe.recv()
            for task in cutting:
                task.cancel()
            self._up = True
            if self._shape.cut_every:
                cutting[:] = [asyncio.create_task(self._cut_all())]

        asyncio.get_running_loop().add_reader(pipe.fileno(), begin)
        async with server:
            await server.serve_forever()

    async def _cut_all(self) -> None:
        shape = self._shape
        while True:
            await asyncio.sleep(shape.cut_every / shape.speed)
            self._up = False
            for writer in list(self._open):
                self._cut(writer)
            await asyncio.sleep(shape.down / shape.speed)
            self._up = True

    def _cut(self, writer: asyncio.StreamWriter) -> None:
        if not writer.is_closing():
            self._counted[3] += 1
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._counted[2] += 1
        if not self._up:
            writer.transport.abort()
            return
        await asyncio.sleep(2 * self._latency)  # the handshake
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream, limit=WINDOW)
        except OSError:
            writer.transport.abort()
            return
        both = (writer, up_writer)
        self._open.update(both)
        loop = asyncio.get_running_loop()
        if self._dice.random() < self._shape.lossy:
            end = self._dice.expovariate(1 / self._shape.life) / self._shape.speed
            for one in both:
                loop.call_later(end, self._cut, one)
        try:
            await asyncio.gather(self._pipe(reader, up_writer, 0), self._pipe(up_reader, writer, 1))
        finally:
            self._open.difference_update(both)
            for one in both:
                one.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: int) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(SEGMENT):
                self._counted[way] += len(data)
                await self._ways[way].pass_(len(data))
                if self._latency:
                    loop.call_later(self._latency, _write, writer, data)
                else:
                    _write(writer, data)
                    await writer.drain()
        await asyncio.sleep(self._latency * 1.5)
        with contextlib.suppress(OSError, RuntimeError):
            if not writer.is_closing():
                writer.write_eof()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
