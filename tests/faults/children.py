"""Real processes that may be killed at any moment: a laptop that works through orders, and ``sala-hub serve``.

They are begotten by a server that has the program loaded, so that a start costs milliseconds; their death is a real SIGKILL.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from sync.failpoint import VARIABLE

OFFICER: Final = ("ចាន់ សុខា", "Chan Sokha")
HUB: Final = "sync.hub.cli:main"
PASSPHRASE: Final = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_CONTEXT: Any = multiprocessing.get_context(_METHOD)
_LOADED: Final = ["tests.faults.loaded", *(["pytest"] if "pytest" in sys.modules else [])]


class Child:
    """A child process. ``name`` is for messages."""

    def __init__(self, target: Any, *arguments: Any, name: str) -> None:
        if _METHOD == "forkserver":
            _CONTEXT.set_forkserver_preload(_LOADED)
        self.process = _CONTEXT.Process(target=target, args=arguments, name=name, daemon=True)
        self.process.start()

    @property
    def alive(self) -> bool:
        return bool(self.process.is_alive())

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        self.process.kill()
        self.process.join(30)

    def end(self, seconds: float) -> int | None:
        """Wait until it ends by itself; the exit code, None when it goes on."""
        self.process.join(seconds)
        return None if self.process.exitcode is None else int(self.process.exitcode)


class Laptop(Child):
    """A laptop that is unlocked and works through orders; what it has said is acknowledged work."""

    def __init__(self, home: Path, roots: Path, failpoint: str | None = None) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        super().__init__(_laptop, theirs, str(home), _environment(failpoint, SALA_ROOTS=str(roots)), name="laptop")
        theirs.close()  # else its death would not be heard here

    def order(self, actions: list[list[Any]], failpoint: str | None = None) -> None:
        """Work through ``actions`` and die at ``failpoint``, if it is passed."""
        with suppress(OSError):  # it died while it was opening
            self._pipe.send((actions, failpoint))

    def answers(self, until: float) -> Iterator[dict[str, Any]]:
        """What it says, until it rests, dies, or the clock reads ``until``."""
        while self._pipe in wait([self._pipe], max(0.0, until - time.monotonic())):
            try:
                said = self._pipe.recv()
            except (EOFError, OSError):
                self.process.join(30)
                return
            yield said
            if "rests" in said:
                return

    def kill(self) -> None:
        super().kill()
        self._pipe.close()

    def last_words(self) -> Iterator[dict[str, Any]]:
        """What it had said before it was killed and nobody had heard yet."""
        try:
            while self._pipe.poll():
                yield self._pipe.recv()
        except (EOFError, OSError):
            return


class Hub(Child):
    """``sala-hub serve`` on loopback; what it prints goes to ``serve.log`` beside its folder."""

    def __init__(self, folder: Path, port: int, failpoint: str | None = None) -> None:
        self._port = port
        self.log = folder.with_name("serve.log")
        super().__init__(_hub, str(folder), port, str(self.log), _environment(failpoint), name="hub")

    def ready(self, seconds: float = 30) -> bool:
        """Wait until it listens; False when it died before."""
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.005)
            else:
                return True
        return False


class Served(Child):
    """``sala-hub serve`` at ``url``. What it says of faults is added to the file ``errors``; ``AssertionError`` when it dies at once."""

    def __init__(
        self, folder: Path, errors: Path, environment: dict[str, str], port: int = 0, verb: tuple[str, ...] = ("serve",)
    ) -> None:
        out = errors.with_name(f"{errors.name}.out")
        out.write_bytes(b"")
        arguments = ["--data", str(folder), "--json", *verb, "--host", "127.0.0.1", "--port", str(port)]
        super().__init__(_call, HUB, arguments, {**os.environ, **environment}, str(out), str(errors), name="hub")
        while not (said := out.read_text("utf-8")).endswith("\n"):
            if self.end(0.005) is not None:
                raise AssertionError(errors.read_text("utf-8"))
        self.url: str = json.loads(said)["url"]


def call(main: str, arguments: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str, str]:
    """Run a command line (``package.module:main``) in a process of its own: exit code, standard output, standard error."""
    out, err = folder / "stdout", folder / "stderr"
    for place in (out, err):
        place.write_bytes(b"")
    child = Child(_call, main, arguments, {**os.environ, **environment}, str(out), str(err), name=arguments[-1])
    code = child.end(100)
    if code is None:
        child.kill()
        raise TimeoutError(f"{main} {arguments}")
    return code, out.read_text("utf-8"), err.read_text("utf-8")


def hub_verb(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run one verb of ``sala-hub --json`` over the hub in ``folder``, as :func:`call` does."""
    with tempfile.TemporaryDirectory() as place:
        return call(HUB, ["--data", str(folder), "--json", *arguments], environment, Path(place))


def script(code: str, *arguments: object, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` as ``python -c`` would, in a process that begins with the program loaded. ``text``: its standard input."""
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "stdout", Path(place) / "stderr"
        told = [str(argument) for argument in arguments]
        child = Child(_script, code, told, text, {**os.environ, **environment}, str(out), str(err), name="script")
        ended = child.end(100)
        if ended is None:
            child.kill()
            raise TimeoutError(code)
        return subprocess.CompletedProcess(told, ended, out.read_text("utf-8"), err.read_text("utf-8"))


def _environment(failpoint: str | None, **more: str) -> dict[str, str]:
    armed = {VARIABLE: failpoint} if failpoint else {}
    return {"SALA_BALLAST_MIB": "0", "PYTHONUTF8": "1", **armed, **more}


# --- inside the children


def _hub(folder: str, port: int, log: str, environment: dict[str, str]) -> None:
    from sync.hub import cli

    os.environ.update(environment)
    with open(log, "ab", buffering=0) as place:
        os.dup2(place.fileno(), 1)
        os.dup2(place.fileno(), 2)
    os._exit(cli.main(["--data", folder, "--json", "serve", "--port", str(port)]))


def _call(main: str, arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    _settle_in(environment, out, err)
    module, _, name = main.partition(":")
    sys.exit(getattr(import_module(module), name)(arguments))


def _script(code: str, arguments: list[str], text: str, environment: dict[str, str], out: str, err: str) -> None:
    _settle_in(environment, out, err)
    sys.argv, sys.stdin = ["-c", *arguments], io.StringIO(text)
    exec(compile(code, "<script>", "exec"), {"__name__": "__main__"})


def _settle_in(environment: dict[str, str], out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, out), (2, err)):
        with open(name, "ab") as place:
            os.dup2(place.fileno(), number)


def _laptop(pipe: Connection, home: str, environment: dict[str, str]) -> None:
    from tests.faults.worker import Worker

    os.environ.update(environment)
    worker = Worker(Path(home))
    while True:
        actions, failpoint = pipe.recv()
        if failpoint:
            os.environ[VARIABLE] = failpoint
        for action in actions:
            pipe.send(worker.do(action))
        os.environ.pop(VARIABLE, None)
        pipe.send({"rests": True})
