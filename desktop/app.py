"""The start, in the order that shows something first: arguments, single instance, window, and only then the rest.

Nothing here or imported from here may pull in httpx, reportlab, PIL, sqlite_utils or asyncio before the first paint.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sync.place import default_home

USAGE = "usage: sala [--home DIR]"


def parse(arguments: list[str]) -> Path | None:
    """The profile folder that the arguments name. ``SystemExit`` 2 for anything else."""
    if not arguments:
        return None
    if len(arguments) == 2 and arguments[0] == "--home":
        return Path(arguments[1])
    sys.stderr.write(f"{USAGE}\n")
    raise SystemExit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run ``sala``; returns its exit code."""
    home = parse(sys.argv[1:] if arguments is None else arguments) or default_home()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from desktop import crash, instance

    lock = instance.take(home)
    if lock is None:
        instance.wake(home)
        return 0
    app = QApplication(["sala"])
    prepare(app)
    left_behind = crash.begin(home)

    from desktop.shell.window import Window

    window = Window(home, left_behind=left_behind)
    crash.hook(window.tell_bug)
    screen = app.primaryScreen().availableGeometry()
    window.resize(min(1366, screen.width()), min(768, screen.height()))
    if screen.width() <= 1366:
        window.showMaximized()
    else:
        window.show()
    QTimer.singleShot(0, window, lambda: _settle(window, home))
    code = app.exec()
    crash.end()
    lock.unlock()
    return code


def prepare(app: object) -> None:
    """Style, fonts, look and Qt's own words. Needs to be done once, before the first widget."""
    from PySide6.QtWidgets import QApplication

    from desktop import qtwords
    from desktop.kit import icons, theme
    from desktop.kit.style import SmallStyle

    if not isinstance(app, QApplication):
        raise TypeError("a QApplication is needed")
    app.setApplicationName("Sala")
    app.setDesktopFileName("sala")
    app.setStyle(SmallStyle())
    theme.load_fonts()
    theme.apply(app, scheme="system")
    app.setWindowIcon(icons.icon("building", "blue", 64))
    qtwords.install(app)


def _settle(window: object, home: Path) -> None:
    """After the first paint: listen for a second start, and open the door."""
    from desktop import instance
    from desktop.shell.window import Window

    if not isinstance(window, Window):
        raise TypeError("a Window is needed")

    def to_front() -> None:
        window.showNormal()
        window.raise_()
        window.activateWindow()

    window.begin()
    instance.listen(home, to_front, window)


if __name__ == "__main__":
    sys.exit(main())
