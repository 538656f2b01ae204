"""A real hub in a process of its own, over loopback: for tests of both ends together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.faults import children
from tests.hub import tables

ROOT = Path(__file__).parents[2]


class Hub:
    """One hub over one folder; may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: children.Served | None = None
        self.url = ""
        self.port = 0
        self._errors = folder.with_name(folder.name + ".stderr")
        tables.lay(folder)
        self.cli("init")

    def cli(self, *arguments: str) -> Any:
        """One command of ``sala-hub``; its JSON."""
        code, out, err = children.hub_verb(self.folder, *arguments)
        if code:
            raise AssertionError(out + err)
        return json.loads(out)

    def start(self, **environment: str) -> Hub:
        self.process = children.Served(self.folder, self._errors, environment, self.port)
        self.url = self.process.url
        self.port = int(self.url.rpartition(":")[2])
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process = None

    def pack(self, out: Path, office: str = "0306") -> Path:
        """An office pack for one more laptop."""
        self.cli("enrol", office, "--out", str(out), "--url", self.url)
        return out

    def pack_for(self, out: Path, url: str, office: str = "0306") -> Path:
        """An office pack for one more laptop, which reaches this hub by ``url``."""
        self.cli("enrol", office, "--out", str(out), "--url", url)
        return out
