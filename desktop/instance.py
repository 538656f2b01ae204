"""One window a profile: a second start brings the first one to the front and ends."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject

LOCK_FILE = "window.lock"


def name_of(home: Path) -> str:
    """The local socket of the window that has ``home`` open."""
    return f"sala-{sha256(str(home.resolve()).encode()).hexdigest()[:16]}"


def take(home: Path) -> QLockFile | None:
    """The lock of ``home``, or None when another window has it. Keep the result while the program runs."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = QLockFile(str(home / LOCK_FILE))
    lock.setStaleLockTime(0)  # a lock of a dead process is taken over, a living one never
    return lock if lock.tryLock(0) else None


def wake(home: Path, wait_ms: int = 1000) -> bool:
    """Ask the window that is open to come to the front."""
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(name_of(home))
    return bool(socket.waitForConnected(wait_ms))


def listen(home: Path, wanted: Callable[[], None], parent: QObject) -> QObject:
    """Call ``wanted`` whenever a second start asks for this window."""
    from PySide6.QtNetwork import QLocalServer

    server = QLocalServer(parent)
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    QLocalServer.removeServer(name_of(home))  # left behind by a crash; the lock says that nobody uses it
    server.newConnection.connect(wanted)
    server.listen(name_of(home))
    return server
