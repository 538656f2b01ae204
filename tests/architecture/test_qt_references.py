"""Guard of the Qt pin: painting must not lose references to None (PySide6 6.12.0 on Python 3.11 does, and aborts)."""

from __future__ import annotations

import sys

from PySide6.QtGui import QImage, QPainter


def test_painting_keeps_the_references_of_none() -> None:
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for number in range(12_000):
        painter.setOpacity(number / 12_000)
    after = sys.getrefcount(None)
    painter.end()
    assert abs(after - before) < 500
