"""A real hub in a process of its own, over loopback: for tests of both ends together."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Hub:
    """One hub over one folder; may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.port = 0
        self._errors = folder.with_name(folder.name + ".stderr")
        self.cli("init")

    def cli(self, *arguments: str) -> Any:
        """One command of ``sala-hub``; its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "sync.hub.cli", "--data", str(self.folder), "--json", *arguments],
            cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def start(self, **environment: str) -> Hub:
        arguments = ["-m", "sync.hub.cli", "--data", str(self.folder), "--json", "serve", "--port", str(self.port)]
        with self._errors.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True,
                env={**os.environ, **environment},
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self._errors.read_text("utf-8"))
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rpartition(":")[2])
        self._wait()
        return self

    def _wait(self) -> None:
        """The address is told before the server listens."""
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the hub does not listen")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def pack(self, out: Path, office: str = "0306") -> Path:
        """An office pack for one more laptop."""
        self.cli("enrol", office, "--out", str(out), "--url", self.url)
        return out

    def pack_for(self, out: Path, url: str, office: str = "0306") -> Path:
        """An office pack for one more laptop, which reaches this hub by ``url``."""
        self.cli("enrol", office, "--out", str(out), "--url", url)
        return out
