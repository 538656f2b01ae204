"""The hub of the day: the real ``sala-hub`` as its own process on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

ADMIN = "អ្នកគ្រប់គ្រង"
ADMIN_PASSPHRASE = "មជ្ឈមណ្ឌល សាកល្បង ២០២៦"


class HubProcess:
    """A hub in ``folder``. Its command line is called as IT staff would call it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._serving: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None

    def __enter__(self) -> HubProcess:
        self.call("init", "--name", "មជ្ឈមណ្ឌលសាកល្បង")
        secret = self.folder / "admin.txt"
        secret.write_text(ADMIN_PASSPHRASE, "utf-8")
        self.call("admin", "add", ADMIN, "--passphrase-file", str(secret))
        self.call("admin", "rule", "nobody")  # the demonstration's browser has no telephone
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def roots(self) -> Path:
        """The folder that pins this hub's office packs."""
        return self.folder / "roots"

    def call(self, *arguments: str) -> Any:
        """Run one verb of ``sala-hub`` and return its JSON document."""
        done = subprocess.run(
            [*_program(), "--data", str(self.folder), "--json", *arguments],
            capture_output=True, text=True, encoding="utf-8", check=False, env=_environment(),
        )  # fmt: skip
        if not done.stdout.strip():
            raise RuntimeError(f"sala-hub {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        document = json.loads(done.stdout)
        if isinstance(document, dict) and "error" in document:
            raise RuntimeError(f"sala-hub {arguments[0]}: {document['error']}")
        return document

    def serve(self, port: int = 0) -> str:
        """Begin to serve; returns the address. The hub that the packs name keeps its port when it comes back."""
        self._errors = (self.folder / "serve.log").open("a", encoding="utf-8")
        self._serving = subprocess.Popen(
            [*_program(), "--data", str(self.folder), "--json", "serve", "--port", str(port)],
            stdout=subprocess.PIPE, stderr=self._errors, text=True, encoding="utf-8", env=_environment(),
        )  # fmt: skip
        if self._serving.stdout is None:
            raise RuntimeError("the hub has no output")
        line = self._serving.stdout.readline()
        if not line:
            raise RuntimeError(f"the hub did not start: {(self.folder / 'serve.log').read_text('utf-8')[-2000:]}")
        self.url = json.loads(line)["url"]
        return self.url

    def stop(self) -> None:
        """Pull the plug politely."""
        if self._serving is not None:
            self._serving.terminate()
            self._serving.wait(30)
            if self._serving.stdout is not None:
                self._serving.stdout.close()
            self._serving = None
        if self._errors is not None:
            self._errors.close()
            self._errors = None


def free_port() -> int:
    """A port that is free now: the office packs name the address before the hub serves."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program() -> list[str]:
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_name("sala-hub" + Path(sys.executable).suffix))]
    return [sys.executable, "-m", "sync.hub.cli"]


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "PYTHONUTF8": "1"}
