"""The start: first paint within a second from source, and nothing heavy loaded before it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("httpx", "reportlab", "PIL", "sqlite_utils", "asyncio", "tuf", "qrcode", "phonenumbers", "sqlcipher3")

# What desktop.app.main does, up to the first paint; then what is loaded, how long it took and how much memory it holds.
PROBE = """
import json, os, sys, time
started = float(os.environ["STARTED"])
from pathlib import Path
from PySide6.QtCore import QTimer
from desktop import app, crash, instance
home = Path(sys.argv[1])
lock = instance.take(home)
from PySide6.QtWidgets import QApplication
application = QApplication(["sala"])
app.prepare(application)
crash.begin(home)
from desktop.shell.window import Window
window = Window(home)
window.resize(1366, 768)
window.show()
def painted():
    took = time.time() - started
    heavy = [name for name in sys.argv[2:] if name in sys.modules]
    rss = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
    print(json.dumps({"seconds": took, "heavy": heavy, "rss_mib": rss // 1024}))
    application.quit()
QTimer.singleShot(0, painted)
application.exec()
crash.end()
"""


def probe(home: Path) -> dict[str, object]:
    import time

    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(home), *HEAVY], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "STARTED": str(time.time())},
    )  # fmt: skip
    found: dict[str, object] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


def test_nothing_heavy_before_the_first_paint(tmp_path: Path) -> None:
    assert probe(tmp_path)["heavy"] == []


def test_the_first_paint_comes_soon(tmp_path: Path) -> None:
    best = min(float(str(probe(tmp_path)["seconds"])) for _ in range(3))
    assert best < 3.0, f"{best:.2f} s on a machine that is shared; the bench holds 1.0 s"


@pytest.mark.skipif(sys.platform != "linux", reason="the crash is made with a signal")
def test_a_crash_is_written_down_and_told_at_the_next_start(tmp_path: Path) -> None:
    from desktop import crash

    fall = (
        "import sys, ctypes; from pathlib import Path; from desktop import crash;"
        "crash.begin(Path(sys.argv[1])); ctypes.string_at(0)"
    )
    ran = subprocess.run([sys.executable, "-c", fall, str(tmp_path)], cwd=ROOT, capture_output=True, timeout=60)
    assert ran.returncode != 0
    left = crash.begin(tmp_path)
    crash.end()
    assert "Segmentation fault" in left
    assert crash.begin(tmp_path) == "", "told once"
    crash.end()


def test_an_uncaught_exception_is_written_without_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop import crash

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    crash.begin(tmp_path)
    told: list[str] = []
    crash.hook(told.append)
    try:
        raise ValueError("លឹម ស្រីមុំ 012345678")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    crash.end()
    written = (tmp_path / "log" / crash.CRASH_FILE).read_text("utf-8")
    assert told == ["ValueError"]
    assert "ValueError" in written
    assert "012345678" not in written + (tmp_path / "log" / "sala.log").read_text("utf-8")


def test_a_second_start_wakes_the_first(tmp_path: Path, qtbot: object, qapp: object) -> None:
    from PySide6.QtCore import QObject

    from desktop import instance

    lock = instance.take(tmp_path)
    assert lock is not None
    assert instance.take(tmp_path) is None
    woken: list[bool] = []
    keeper = QObject()
    instance.listen(tmp_path, lambda: woken.append(True), keeper)
    assert instance.wake(tmp_path)
    qtbot.waitUntil(lambda: woken == [True])  # type: ignore[attr-defined]
    lock.unlock()
    assert instance.take(tmp_path) is not None


def test_wrong_arguments_end_with_2() -> None:
    from desktop.app import parse

    assert parse([]) is None
    assert parse(["--home", "/x"]) == Path("/x")
    with pytest.raises(SystemExit) as stopped:
        parse(["--nothing"])
    assert stopped.value.code == 2
