"""One link: its QR, its addresses, its state and history, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button, IconButton
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.layout import Scroll, Wrapped, column, holder, row
from desktop.kit.states import STATES, Chip
from desktop.kit.wrap import Label, Words
from i18n.catalog import text, tr
from i18n.dates import short_moment
from modules.links.view import looks

SYMBOL = 168  # pixels of the QR at 100 %
_KINDS = {
    "links.created": {"km": "បានបង្កើត", "en": "Made"},
    "links.state": {"km": "បានបិទ ឬបើក", "en": "Turned off or on"},
}


class Symbol(QWidget):
    """A QR on white with its quiet zone, sharp at any size, also in the dark."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.retheme()

    def show_png(self, data: bytes, name: str) -> None:
        self._image = QImage.fromData(data)
        self.setAccessibleName(name)
        self.update()

    def retheme(self) -> None:
        side = theme.scaled(SYMBOL)
        self.setFixedSize(QSize(side, side))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)  # a scanner needs dark on light
        if not self._image.isNull():
            painter.drawImage(QRectF(self.rect()), self._image)
        painter.end()


class Detail(Card):
    """``closed`` · ``changed`` after a deed · ``paper(code)`` when a poster is wanted."""

    closed = Signal()
    changed = Signal()
    paper = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        self.code = Label("", size="title", bold=True)
        self.state = Chip("link.active")
        self.sync = Chip("waiting")
        self.symbol = Symbol()
        self.short = Label("", size="label", tone="blue", bold=True, wrap=True)
        self.about = Label("", wrap=True)
        self.target = Label("", size="note", tone="soft", wrap=True)
        self.until = Label("", size="note", tone="soft")
        self.close_it = IconButton("close", lambda: tr("Close"))
        self.copy = Button(lambda: tr("Copy"), icon="copy", small=True)
        self.poster = Button(lambda: tr("Poster"), icon="print", small=True)
        self.save = Button(lambda: tr("Save the QR"), icon="qr", small=True)
        self.switch = Button(lambda: tr("Turn off"), icon="pause", small=True)
        self.history = column(spacing=4)
        verbs = holder(Wrapped(self.copy, self.poster, self.save, self.switch))
        facts = column(self.short, self.about, self.target, self.until, None, spacing=6)
        body = row(spacing=16)
        body.addWidget(self.symbol, 0, Qt.AlignmentFlag.AlignTop)
        body.addLayout(facts, 1)
        past = column(Label(lambda: tr("History"), size="label", bold=True), self.history, spacing=4)
        head = row(self.code, None, self.close_it, spacing=8)
        content = column(body, verbs, past, None, spacing=12)
        chips = holder(Wrapped(self.state, self.sync))
        super().__init__(
            column(head, chips, Scroll(holder(content)), spacing=8, margins=(16, 10, 12, 10)), parent=parent
        )
        self._desk = desk
        self._link: Mapping[str, Any] = {}
        self._code = ""
        self._connect()

    def _connect(self) -> None:
        self.close_it.clicked.connect(self.closed)
        self.copy.clicked.connect(self._copy)
        self.poster.clicked.connect(lambda: self.paper.emit(self._code))
        self.save.clicked.connect(self._save)
        self.switch.clicked.connect(self._switch)
        for keys, call in (("Ctrl+P", self.poster.click), ("Ctrl+S", self.save.click), ("Esc", self.closed.emit)):
            shortcut = QShortcut(QKeySequence(keys), self, call)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def show_link(self, code: str) -> None:
        """Read and show the link of ``code``."""
        self._code = code
        self.read()

    def read(self) -> None:
        asked = self._code
        if asked:
            self._desk.run("links.show", then=lambda link: self._take(asked, link), code=asked)

    def _take(self, asked: str, link: Mapping[str, Any]) -> None:
        if asked != self._code:
            return
        self._code, self._link = link["code"], link
        self.code.say(link["code"])
        self.state.show_state(looks.state_key(link["state"]))
        self.sync.show_state(link["sync"] if link["sync"] in STATES else "waiting")
        self.short.say(link["short"].removeprefix("https://"))
        self.about.say(link["title"])
        self.about.setVisible(bool(link["title"]))
        self.target.say(_breakable(link["target"]))
        self.until.say(
            lambda: (
                tr("Until {day}", day=looks.day(link["expires_ms"])) if link["expires_ms"] else tr("Does not expire")
            )
        )
        off = link["state"] == "disabled"
        self.switch.say(
            (lambda: tr("Turn on again")) if off else (lambda: tr("Turn off")), icon="play" if off else "pause"
        )
        self._show_history(link)
        self._desk.run(
            "links.preview",
            then=lambda data: self.symbol.show_png(data, tr("QR code of {code}", code=asked)),
            code=link["code"],
        )

    def _show_history(self, link: Mapping[str, Any]) -> None:
        box = self.history
        assert isinstance(box, QVBoxLayout)
        while (item := box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for event in link["history"]:
            box.addWidget(Label(_event(event["kind"], event["wall_ms"], event["clock"]), size="note", wrap=True))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(str(self._link.get("short", "")))
        self._desk.show_note(tr("Copied"))

    def _save(self) -> None:
        from desktop.kit.files import save_file

        def write(out: object) -> None:
            self._desk.run(
                "links.qr",
                then=lambda made: self._desk.show_note(tr("Saved: {path}", path=made["path"])),
                code=self._code,
                out=str(out),
            )

        save_file(self, lambda: tr("Save the QR (.png, .svg or .pdf)"), f"{self._code}.png", write)

    def _switch(self) -> None:
        off = self._link.get("state") == "disabled"
        words = tr("Link {code} is on again", code=self._code) if off else tr("Link {code} is off", code=self._code)

        def done(_link: object) -> None:
            self._desk.show_note(words)
            self.changed.emit()
            self.read()

        self._desk.run("links.enable" if off else "links.disable", then=done, code=self._code)


def _event(kind: str, wall_ms: int, clock: str) -> Words:
    words = _KINDS.get(kind, {"km": kind, "en": kind})
    return lambda: " · ".join(
        part for part in (shown.plain(short_moment(wall_ms)), shown.doubt(clock), text(words)) if part
    )


def _breakable(address: str) -> str:
    """A long address that may break after its separators; for the screen only."""
    for sign in "/?&=-.":
        address = address.replace(sign, sign + "\u200b")
    return address
