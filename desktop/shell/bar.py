"""The top bar: what page this is, search, language, who works here, lock."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.kit import icons, theme
from desktop.kit.button import IconButton
from desktop.kit.layout import row
from desktop.kit.wrap import say
from i18n.catalog import language, text, tr
from modules.contract import Officer, Text

LONG, SHORT = 340, 190  # pixels at 100 %: the search line
GAP = 12


class Title(QWidget):
    """The page's title on one line; what does not fit is in the tool tip. ``said()`` when it has other words."""

    said = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def say(self, words: str) -> None:
        other, self._words = words != self._words, words
        self.setAccessibleName(words)
        self.setToolTip(words if self._cut() != words else "")
        self.update()
        if other:
            self.said.emit()

    def wide(self) -> int:
        """Pixels that the words want."""
        return round(QFontMetricsF(theme.font("title", bold=True)).horizontalAdvance(self._words)) + 8

    def words(self) -> str:
        return self._words

    def _cut(self) -> str:
        metrics = QFontMetricsF(theme.font("title", bold=True))
        return metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, max(10, self.width() - 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, round(theme.line_height("title", bold=True)))

    def sizeHint(self) -> QSize:
        return QSize(240, self.minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.say(self._words)
        super().resizeEvent(event)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font("title", bold=True))
        painter.setPen(theme.tone("ink"))
        painter.drawText(QRectF(self.rect()), int(Qt.AlignmentFlag.AlignVCenter), self._cut())
        painter.end()


class SearchButton(QAbstractButton):
    """Looks like a search line and opens the palette."""

    def __init__(self) -> None:
        super().__init__()
        self._small = False
        self._room = LONG
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.retheme()
        self.speak()

    def speak(self) -> None:
        self.setAccessibleName(tr("Search or command"))
        self.setAccessibleDescription("Ctrl+K")
        self.update()

    def retheme(self) -> None:
        self.setFixedHeight(theme.height("row"))
        self.setMaximumWidth(theme.height("row") if self._small else theme.scaled(self._room))

    def set_room(self, pixels: int) -> None:
        """How long the line may be: a long title takes its room from here, down to the words and the key."""
        room = max(SHORT, min(LONG, round(pixels / theme.scaled(100) * 100)))
        if room != self._room:
            self._room = room
            self.retheme()
            self.updateGeometry()

    def set_small(self, small: bool) -> None:
        """Only the icon, where the text is so large that the title needs the room."""
        self._small = small
        self.setToolTip(f"{tr('Search or command')} (Ctrl+K)" if small else "")
        self.retheme()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(self._room), theme.height("row"))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.height("row") if self._small else theme.scaled(120), theme.height("row"))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        edge = "focus" if focus else "edge" if self.underMouse() else "line"
        painter.setPen(QPen(theme.tone(edge), 2 if focus else 1))
        painter.setBrush(theme.tone("ground"))
        inset = 1.0 if focus else 0.5
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, theme.radius(), theme.radius())
        side = theme.scaled(18)
        if self._small:
            icons.draw(painter, box.adjusted(8, 8, -8, -8), "search", "soft")
            painter.end()
            return
        icons.beside(painter, 10, 0, self.height(), "search", "faint", size=18)
        painter.setPen(theme.tone("faint"))
        painter.setFont(theme.font("hint"))
        key = QFontMetricsF(theme.font("hint")).horizontalAdvance("Ctrl K")
        middle = Qt.AlignmentFlag.AlignVCenter
        area = QRectF(self.rect()).adjusted(side + 18, 0, -12, 0)
        painter.drawText(area, int(middle | Qt.AlignmentFlag.AlignRight), "Ctrl K")
        painter.setFont(theme.font("note"))
        words = QFontMetricsF(theme.font("note")).elidedText(
            tr("Search or command"), Qt.TextElideMode.ElideRight, area.width() - key - 8
        )
        painter.drawText(area, int(middle | Qt.AlignmentFlag.AlignLeft), words)
        painter.end()


class LanguageSwitch(QAbstractButton):
    """ខ្មែរ | EN: one press changes the whole window."""

    def __init__(self) -> None:
        super().__init__()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.speak()

    def speak(self) -> None:
        self.setAccessibleName("ខ្មែរ / English")
        self.setToolTip(tr("Change the language"))
        self.updateGeometry()
        self.update()

    def _parts(self) -> list[tuple[str, bool, float]]:
        now = language()
        parts = []
        for word, on in (("ខ្មែរ", now == "km"), ("|", False), ("EN", now == "en")):
            parts.append((word, on, QFontMetricsF(theme.font("note", bold=on)).horizontalAdvance(word)))
        return parts

    def sizeHint(self) -> QSize:
        return QSize(round(sum(wide for _, _, wide in self._parts()) + 28), theme.height("target"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.tone("focus"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("hover"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.radius(), theme.radius())
        x = 8.0
        for word, on, wide in self._parts():
            painter.setFont(theme.font("note", bold=on))
            painter.setPen(theme.tone("blue" if on else "soft"))
            painter.drawText(QRectF(x, 0, wide + 4, self.height()), int(Qt.AlignmentFlag.AlignVCenter), word)
            x += wide + 6
        painter.end()


class TopBar(QWidget):
    """56 px over the page."""

    search_wanted = Signal()
    language_wanted = Signal()
    lock_wanted = Signal()

    def __init__(self, officer: Officer, role: Text, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from desktop.kit.wrap import Label

        self.title = Title()
        self.search = SearchButton()
        self.language = LanguageSwitch()
        self._officer, self._role = officer, role
        self.officer = Label(self._who, size="note", tone="soft")
        self.lock = IconButton("lock", lambda: tr("Lock"))
        self.lock.setToolTip(f"{tr('Lock')} (Ctrl+L)")
        self.title.said.connect(self._share)
        self.search.clicked.connect(self.search_wanted)
        self.language.clicked.connect(self.language_wanted)
        self.lock.clicked.connect(self.lock_wanted)
        self.setLayout(
            row(self.title, self.search, self.language, self.officer, self.lock, spacing=GAP, margins=(20, 0, 16, 0))
        )
        self.retheme()

    def _who(self) -> str:
        name = self._officer.name if language() == "km" else self._officer.latin
        narrow = self.width() < theme.scaled(900)
        return name if narrow else f"{name} · {text(self._role)}"

    def retheme(self) -> None:
        self.setFixedHeight(theme.height("top"))
        self._fit()

    def _fit(self) -> None:
        self.officer.say(self._who)
        self.officer.setVisible(self.width() >= theme.scaled(640))
        self.search.set_small(self.width() < theme.scaled(480))
        self._share()

    def _share(self) -> None:
        """The title before the search line: what a page is about is not cut while there is room."""
        others = [part.sizeHint().width() for part in (self.language, self.officer, self.lock) if not part.isHidden()]
        self.search.set_room(self.width() - 36 - GAP * (len(others) + 1) - sum(others) - self.title.wide())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tone("surface"))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.search.speak()
            self.language.speak()
            self.officer.say(self._who)
            self.title.say(say(self.title.words()))
        super().changeEvent(event)
