"""The verdict fills the page: headline with what to do, six answers, what the certificate states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import Rule, Scroll, column, holder, row
from desktop.kit.wrap import Label
from i18n.catalog import tr
from modules.certificates import verdict as v
from modules.certificates.view import looks
from modules.certificates.view.looks import Look, live

Report = Mapping[str, Any]
SIDE_BY_SIDE = 760  # pixels at 100 %: below that the answers stand over the statements


class Medal(QWidget):
    """The large sign of the headline."""

    def __init__(self) -> None:
        super().__init__()
        self._look = Look("question", "grey")
        self.setFixedSize(56, 56)

    def show_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("surface"))
        painter.drawEllipse(QRectF(self.rect()))
        icons.draw(painter, QRectF(12, 12, 32, 32), self._look.icon, self._look.tone)
        painter.end()


class Head(Card):
    """Colour, sign, word, and what to do."""

    def __init__(self) -> None:
        self.medal = Medal()
        self.title = Label("", size="display", bold=True, wrap=True)
        self.advice = Label("", wrap=True)
        box = row(spacing=16, margins=(22, 8, 20, 8))
        box.addWidget(self.medal, 0, Qt.AlignmentFlag.AlignVCenter)
        box.addLayout(column(self.title, self.advice, spacing=0), 1)
        super().__init__(box, fill="grey_soft", line="", bar="grey")

    def show_report(self, report: Report) -> None:
        look = looks.verdict(report["overall"], report["level"])
        self.set_tones(fill=f"{look.tone}_soft", line="", bar=look.tone)
        self.medal.show_look(look)
        self.title.set_tone(look.tone)
        self.title.say(live(report["title"]))
        self.advice.say(live(report["advice"]))
        self.setAccessibleName(f"{self.title.words()}. {self.advice.words()}")


class Answer(QWidget):
    """One fragment: sign, name, sentence."""

    def __init__(self, fragment: Mapping[str, Any]) -> None:
        super().__init__()
        self._sign = Picture("minus", "faint", 22)
        self.name = Label(live(fragment["name"]), size="label", bold=True)
        quiet = fragment["state"] == "SKIPPED" and fragment["code"] != v.COMPARE
        self.words = Label(live(fragment["words"]), tone="soft" if quiet else "ink", wrap=True)
        look = looks.fragment(fragment["type"], fragment["state"], asked=fragment["code"] == v.COMPARE)
        self._sign.show_icon(look.icon, look.tone)
        self._column = column(self.words, spacing=6)
        box = row(spacing=14, margins=(16, 4, 16, 4))
        middle = Qt.AlignmentFlag.AlignVCenter
        box.addWidget(self._sign, 0, middle)
        box.addWidget(self.name, 0, middle)
        box.addLayout(self._column, 1)
        self.setLayout(box)
        self.retheme()

    def offer(self, *buttons: QWidget) -> None:
        """Put buttons under the sentence."""
        self._column.addLayout(row(*buttons, None, spacing=8))

    def say(self, words: Mapping[str, str], look: Look) -> None:
        """Another answer, after the officer has compared."""
        self.words.say(live(words))
        self._sign.show_icon(look.icon, look.tone)

    def retheme(self) -> None:
        self.name.setFixedWidth(theme.scaled(112))


class Facts(Card):
    """What the certificate states. Shown only for a seal that holds."""

    def __init__(self) -> None:
        self.grid = QGridLayout()
        self.grid.setContentsMargins(18, 12, 18, 12)
        self.grid.setHorizontalSpacing(16)
        self.grid.setVerticalSpacing(4)
        self.grid.setColumnStretch(1, 1)
        super().__init__(self.grid)

    def show_certificate(self, certificate: Mapping[str, Any]) -> None:
        _clear(self.grid)
        latin = next((row["value"]["en"] for row in certificate["rows"] if row["name"] == "name_latin"), "")
        headline = Label(
            " · ".join(part for part in (certificate["headline"], latin) if part), size="heading", bold=True, wrap=True
        )
        self.grid.addWidget(headline, 0, 0, 1, 2)
        facts: list[tuple[Any, Any]] = [
            (lambda: tr("Number"), lambda: looks.digits(certificate["number"])),
            (lambda: tr("Kind"), live(certificate["title"])),
        ]
        shown_above = {"name_km", "name_latin"}
        facts += [
            (dict(row["label"]), dict(row["value"])) for row in certificate["rows"] if row["name"] not in shown_above
        ]
        facts += [
            (lambda: tr("Issued"), lambda: looks.day(certificate["issued_s"])),
            (lambda: tr("Valid until"), lambda: looks.day(certificate["expires_s"])),
            (lambda: tr("Format"), "KH1 · Ed25519"),
        ]
        for number, (label, value) in enumerate(facts, 1):
            name = Label(label, size="note", tone="soft")
            self.grid.addWidget(name, number, 0, Qt.AlignmentFlag.AlignTop)
            self.grid.addWidget(Label(value, wrap=True), number, 1)


class VerdictView(QWidget):
    """The page of one verdict. ``compared(check, same)`` when the officer has compared paper and person."""

    compared = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: Report = {}
        self.head = Head()
        self.notice = Banner()
        self.answers = Card(column(spacing=0, margins=(0, 4, 0, 4)))
        self.facts = Facts()
        self.times = Label("", size="small", tone="soft", wrap=True)
        self.more = Card(column(spacing=4, margins=(18, 10, 18, 10)))
        self.same = Button(lambda: tr("It is this person"), icon="check", small=True)
        self.other = Button(lambda: tr("It is not"), icon="close", small=True)
        self.same.clicked.connect(lambda: self._compared(True))
        self.other.clicked.connect(lambda: self._compared(False))
        self._holder: Answer | None = None
        self._left = holder(column(self.answers, self.times, self.more, None, spacing=8))
        self._right = holder(column(self.facts, None, spacing=0))
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(16)
        self.body = Scroll(holder(column(self._grid, None, spacing=0)))
        self.setLayout(column(self.head, self.notice, self.body, spacing=12))
        self._place()

    def show_report(self, report: Report) -> None:
        """Show ``report`` of the command ``certificates.check``."""
        self.report = report
        self.head.show_report(report)
        self._show_notice(report)
        self._show_answers(report)
        certificate = report["certificate"]
        self._right.setVisible(certificate is not None)
        if certificate is not None:
            self.facts.show_certificate(certificate)
        self._show_more(report["more"])
        self._place()
        self.body.verticalScrollBar().setValue(0)

    def _show_notice(self, report: Report) -> None:
        if report["notice"]:
            self.notice.show_words("warning", live(report["notice"]))
        elif report["repaired"]:
            self.notice.show_words(
                "info",
                lambda: tr("The scanner typed through the Khmer keyboard."),
                lambda: tr("The code was restored. Switch the keyboard to English before scanning."),
            )
        else:
            self.notice.setVisible(False)
        times = report["again"]
        self.times.setVisible(times > 1 and report["certificate"] is not None)
        self.times.say(lambda: tr("Checked {times} times on this laptop", times=shown.number(times)))

    def _show_answers(self, report: Report) -> None:
        box = self.answers.layout()
        assert isinstance(box, QVBoxLayout)
        for button in (self.same, self.other):
            button.setParent(None)
        _clear(box)
        self._holder = None
        for number, fragment in enumerate(report["fragments"]):
            if number:
                box.addWidget(Rule())
            answer = Answer(fragment)
            if fragment["code"] == v.COMPARE:
                self._holder = answer
                answer.offer(self.same, self.other)
                self.same.show()
                self.other.show()
            box.addWidget(answer)

    def _compared(self, same: bool) -> None:
        from modules.certificates import words

        if self._holder is None:
            return
        code = v.SAME_PERSON if same else v.OTHER_PERSON
        self._holder.say(
            words.fragment_words(v.Fragment("HOLDER", code)), Look("check", "green") if same else Look("error", "red")
        )
        self.same.hide()
        self.other.hide()
        self.compared.emit(self.report["check"], same)

    def _show_more(self, more: list[Report]) -> None:
        box = self.more.layout()
        assert isinstance(box, QVBoxLayout)
        _clear(box)
        self.more.setVisible(bool(more))
        if more:
            box.addWidget(Label(lambda: tr("Also found"), size="label", bold=True))
        for report in more[:20]:
            look = looks.verdict(report["overall"], report["level"])
            line = row(spacing=10)
            line.addWidget(Picture(look.icon, look.tone, 20), 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(Label(_short(report), wrap=True), 1)
            box.addWidget(holder(line))

    def _place(self) -> None:
        """Answers and statements beside each other where there is room."""
        wide = self.width() >= theme.scaled(SIDE_BY_SIDE) and not self._right.isHidden()
        self._grid.removeWidget(self._left)
        self._grid.removeWidget(self._right)
        self._grid.addWidget(self._left, 0, 0)
        self._grid.addWidget(self._right, 0 if wide else 1, 1 if wide else 0)
        self._grid.setColumnStretch(0, 5)
        self._grid.setColumnStretch(1, 4 if wide else 0)

    def retheme(self) -> None:
        self._place()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()


def _clear(box: QVBoxLayout | QGridLayout) -> None:
    while (item := box.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


def _short(report: Report) -> Callable[[], str]:
    """A further code in one line: headline, number and name."""
    certificate = report["certificate"]
    facts = [certificate["number"], certificate["headline"]] if certificate else []
    return lambda: " · ".join([live(report["title"])(), *map(looks.digits, facts)])
