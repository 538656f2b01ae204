"""The status strip: what is saved, what waits, what the centre has, and whether there is a line. Words first, never colour alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.button import entered
from desktop.kit.layout import Wrapped
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Label
from i18n.catalog import language, tr

NOTE_MS = 6_000
NO_LINE = frozenset({"SY-350", "SY-355"})  # nobody answered; everything else is the centre's or the laptop's fault
SIGN_IN = "SY-420"
MARGINS = (10, 16)  # left, right
GAP = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What the strip says. Times in wall milliseconds, None: never. ``line``: on | off | sign_in | failed | unknown | busy."""

    now_ms: int
    saved_ms: int | None = None
    waiting: int = 0
    received_ms: int | None = None
    line: str = "unknown"
    step: str = ""  # while busy: what is being done
    next_try_ms: int = 0  # when it is tried again by itself, 0: no wait


def line_state(code: str) -> str:
    """The line's word in :class:`Facts` for what a run died of."""
    return "off" if code in NO_LINE else "sign_in" if code == SIGN_IN else "failed"


class StripButton(QAbstractButton):
    """Icon and words; goes to what it speaks of."""

    def __init__(self, icon: str, tone: str) -> None:
        super().__init__()
        self._icon, self._tone = icon, tone
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_words(self, icon: str, tone: str, words: str, more: str = "") -> None:
        self._icon, self._tone = icon, tone
        self.setText(words)
        self.setAccessibleName(words)
        self.setToolTip(more)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(theme.font("small")).horizontalAdvance(self.text())
        return QSize(round(theme.scaled(16) + 6 + words + 22), theme.height("strip"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not entered(self, event):
            super().keyPressEvent(event)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 2, -1, -2)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.tone("focus"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("hover"))
            painter.drawRoundedRect(box, theme.radius("small"), theme.radius("small"))
        side = theme.scaled(16)
        icons.beside(painter, 10, 0, self.height(), self._icon, self._tone, size=16)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone("soft"))
        area = QRectF(self.rect()).adjusted(side + 16, 0, 0, 0)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.end()

    def retheme(self) -> None:
        self.updateGeometry()


class StatusStrip(QWidget):
    """34 px under the page. Four buttons, a passing note, and the office's name."""

    wanted = Signal(str)  # drafts | waiting | received | line
    send_wanted = Signal()

    def __init__(self, office: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._office_words = office
        self._facts = Facts(0)
        self.saved = StripButton("disk", "soft")
        self.waiting = StripButton("outbox", "blue")
        self.received = StripButton("check", "green")
        self.line = StripButton("offline", "amber")
        self.send = StripButton("sync", "blue")
        self.send.clicked.connect(self.send_wanted)
        self.send.setVisible(False)
        self._meanings = {"drafts": self.saved, "waiting": self.waiting, "received": self.received, "line": self.line}
        for meaning, button in self._meanings.items():
            button.clicked.connect(lambda _on=False, meaning=meaning: self.wanted.emit(meaning))
        self.note = Label("", size="small", tone="blue")
        self.note.setVisible(False)
        self.office = Label(self._office_words, size="small", tone="faint")
        self._left = QWidget()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._left.setSizePolicy(policy)
        self._left.setLayout(Wrapped(*self._meanings.values(), self.send, spacing=4))
        from desktop.kit.layout import row

        layout = row(spacing=GAP, margins=(MARGINS[0], 0, MARGINS[1], 0))
        layout.addWidget(self._left, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.office)
        self.setLayout(layout)
        self._forget_note = single_shot(self, NOTE_MS, self._end_note)
        self.retheme()

    def show_facts(self, facts: Facts) -> None:
        self._facts = facts
        self._speak()

    def facts(self) -> Facts:
        return self._facts

    def show_note(self, words: str) -> None:
        """One quiet line for some seconds, in the office name's place."""
        self.note.say(words)
        self.note.setVisible(True)
        self.office.setVisible(False)
        self._forget_note.start()
        self._fit()

    def _end_note(self) -> None:
        self.note.setVisible(False)
        self._fit()

    def _speak(self) -> None:
        facts = self._facts
        if facts.saved_ms is None:
            self.saved.show_words("disk", "soft", tr("Everything is saved"))
        else:
            self.saved.show_words("disk", "soft", tr("Saved {time}", time=shown.moment(facts.saved_ms, facts.now_ms)))
        if facts.waiting:
            self.waiting.show_words("outbox", "blue", tr("{count} waiting", count=shown.number(facts.waiting)))
        else:
            self.waiting.show_words("outbox", "soft", tr("Nothing waits"))
        if facts.received_ms is None:
            self.received.show_words("clock", "soft", tr("Centre has received nothing yet"))
        else:
            when = shown.moment(facts.received_ms, facts.now_ms)
            self.received.show_words("check", "green", tr("Centre last received {time}", time=when))
        self._speak_line(facts)
        self._fit()

    def _speak_line(self, facts: Facts) -> None:
        if facts.line == "busy":
            self.line.show_words("sync", "blue", facts.step or tr("Sending and receiving…"))
        elif facts.line == "on":
            self.line.show_words("online", "green", tr("Internet is there"))
        elif facts.line == "off":
            more = tr("Work goes on; it is sent when there is a line.")
            self.line.show_words("offline", "amber", self._with_next_try(tr("No internet")), more)
        elif facts.line == "sign_in":
            more = tr("Open the browser and sign in to the network; nothing is sent to its page.")
            self.line.show_words("key", "amber", tr("This network wants a sign-in"), more)
        elif facts.line == "failed":
            self.line.show_words("warning", "amber", self._with_next_try(tr("Sending did not succeed")))
        else:
            self.line.show_words("offline", "soft", tr("Line not tried yet"))
        self.send.show_words("sync", "blue", tr("Send now"), tr("Do not wait for the next try"))
        self.send.setVisible(facts.line in ("off", "sign_in", "failed") and facts.waiting > 0)

    def _with_next_try(self, words: str) -> str:
        facts = self._facts
        if facts.next_try_ms <= facts.now_ms:
            return words
        return tr("{what}, next try {time}", what=words, time=shown.moment(facts.next_try_ms, facts.now_ms))

    def _fit(self) -> None:
        """The office's name stays only where there is room for it."""
        buttons = [*self._meanings.values(), *([self.send] if self.send.isVisibleTo(self) else [])]
        needed = sum(button.sizeHint().width() + 4 for button in buttons)
        free = self.width() - sum(MARGINS) - 2 * GAP - needed
        if self.note.isVisibleTo(self):
            return
        self.office.setVisible(free > self.office.sizeHint().width())

    def retheme(self) -> None:
        lines = self._left.heightForWidth(max(200, self.width() - 30)) if self.width() > 200 else theme.height("strip")
        self.setFixedHeight(max(theme.height("strip"), lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self.retheme()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tone("surface"))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
            self.office.say(self._office_words)
            self.retheme()
        super().changeEvent(event)


def office_words(facts: dict[str, object]) -> str:
    """``Kampong Siem district hall 0306`` in the current language; "" before an office pack is in."""
    name = facts.get("name")
    if not isinstance(name, dict):
        return ""
    return f"{name[language()]} {shown.plain(str(facts.get('code', '')))}".strip()
