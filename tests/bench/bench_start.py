"""Start to first paint from source, and memory with every page opened."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.rows import Row

FIRST_PAINT = """
import sys, time
began = time.perf_counter()
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pathlib import Path
app = QApplication(["sala"])
from desktop import app as start
start.prepare(app)
from desktop.shell.window import Window
window = Window(Path(sys.argv[1]))
window.resize(1366, 768)
window.show()
app.processEvents()
window.grab()
heavy = [name for name in ("httpx", "reportlab", "PIL", "sqlite_utils", "asyncio") if name in sys.modules]
print(time.perf_counter() - began, ",".join(heavy), flush=True)
import os
os._exit(0)
"""

EVERY_PAGE = """
import sys, json, os
from pathlib import Path
from PySide6.QtWidgets import QApplication
app = QApplication(["sala"])
from desktop import app as start
start.prepare(app)
from desktop.shell.window import Window
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
window = Window(Path(sys.argv[1]))
window.show()
unlocked = keys.unlock(Path(sys.argv[1]), keys.names(Path(sys.argv[1]))[0][0], "bench bench bench", SystemClock())
window._enter(Session.open(unlocked))
import time
for page in ("home", "forms", "certificates", "links", "messages", "flows", "outbox", "settings"):
    window.frame.open(page)
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        app.processEvents()
for line in open("/proc/self/status"):
    if line.startswith("VmRSS"):
        print(int(line.split()[1]) / 1024, flush=True)
os._exit(0)
"""


def rows(folder: Path) -> list[Row]:
    from tests.bench.office import unlocked

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def run(code: str, home: Path) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(home)], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    samples, heavy = [], ""
    for _ in range(7):
        found = run(FIRST_PAINT, folder / "none")
        samples.append(float(found[0]))
        heavy = found[1] if len(found) > 1 else ""
    with unlocked(folder):
        pass
    memory = float(run(EVERY_PAGE, folder / "home")[0])
    return [
        Row(
            "start to first paint, source, warm",
            statistics.median(samples[1:]),
            "s",
            1.0,
            beside=f"too early: {heavy or 'nothing'}",
        ),
        Row("memory, all pages opened", memory, "MiB RSS", 150),
    ]
