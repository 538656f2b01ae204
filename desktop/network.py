"""Notices that the network has changed, so that what waits for a line need not wait for the clock.

Qt asks the system (NetworkManager, Windows' Network List Manager); where it cannot, Linux tells by netlink. Several news
within two seconds are one.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from desktop.kit.timers import single_shot

SETTLE_MS: Final = 2_000
_ADDRESSES: Final = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_NEWS: Final = 64 << 10


class NetworkWatch(QObject):
    """``changed``: an address came or went, or the internet is within reach again."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None, *, settle_ms: int = SETTLE_MS) -> None:
        super().__init__(parent)
        self._settle = single_shot(self, settle_ms, self.changed.emit)
        self._socket: socket.socket | None = None
        self._notifier: QSocketNotifier | None = None
        self.by = self._begin()

    def _begin(self) -> str:
        """Which of the two tells: netlink, system, or "" when neither can."""
        if sys.platform == "linux" and self._listen():
            return "netlink"
        from PySide6.QtNetwork import QNetworkInformation

        if QNetworkInformation.loadDefaultBackend():
            found = QNetworkInformation.instance()
            if found is not None:
                found.reachabilityChanged.connect(self._news)
                return "system"
        return ""

    def _listen(self) -> bool:
        if sys.platform != "linux":
            return False
        try:
            made = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
            )
            made.bind((0, _ADDRESSES))
        except OSError:
            return False
        self._socket = made
        self._notifier = QSocketNotifier(made.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        return True

    def _read(self) -> None:
        with suppress(OSError):
            while self._socket is not None and self._socket.recv(_NEWS):
                pass
        self._news()

    def _news(self) -> None:
        if not self._settle.isActive():
            self._settle.start()

    def stop(self) -> None:
        """Listen no more."""
        self._settle.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
