"""A forgotten passphrase, at the door: choose a new one, show the request to the province, take its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.fields import ChoiceField, Option, PassphraseField
from desktop.kit.files import open_file, save_file
from desktop.kit.layout import Scroll, Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.strength import StrengthMeter
from desktop.shell.unlock import Name, read_names
from i18n.catalog import tr
from i18n.errors import SalaError, explain

if TYPE_CHECKING:
    from desktop.worker import Worker
    from modules.session import Session
    from sync.keys import Cost

REQUEST, ANSWER = ".sala-reset", ".sala-answer"


class ResetPage(QWidget):
    """``asked(officer, passphrase)`` makes the request, ``answered(file, passphrase)`` takes the answer, ``back`` gives up."""

    asked = Signal(str, str)
    answered = Signal(object, str)
    back = Signal()

    def __init__(self, names: list[Name], chosen: str, request: bytes | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._request = request
        self.who = ChoiceField(
            {"km": "តើអ្នកជានរណា?", "en": "Who are you?"}, [Option(one.id, {"km": one.km, "en": one.latin}) for one in names],
            buttons=4,
        )  # fmt: skip
        self.who.set_value(chosen or (names[0].id if names else None))
        self.first = PassphraseField({"km": "ឃ្លាសម្ងាត់ថ្មី", "en": "New passphrase"})
        self.again = PassphraseField({"km": "ម្តងទៀត", "en": "Once more"})
        self.strength = StrengthMeter()
        self.first.edited.connect(lambda: self.strength.judge(self.first.value() or ""))
        self.make = Button(lambda: tr("Make the request"), kind="primary", icon="key")
        self.make.clicked.connect(self._make)
        self.save = Button(lambda: tr("Save the request…"), icon="usb")
        self.save.clicked.connect(self._save)
        self.digits = Label("", size="heading", bold=True, wrap=True)
        self.secret = PassphraseField(
            {"km": "ឃ្លាសម្ងាត់ដែលបានជ្រើសក្នុងសំណើ", "en": "The passphrase chosen with the request"}
        )
        self.take = Button(lambda: tr("Choose the answer…"), kind="primary", icon="folder")
        self.take.clicked.connect(self._take)
        self.leave = Button(lambda: tr("Back to the door"), kind="quiet", key="Esc")
        self.leave.clicked.connect(self.back)
        self.banner = Banner()
        self._lay_out()
        self.show_request(request)

    def _lay_out(self) -> None:
        head = column(
            Label(lambda: tr("Forgotten passphrase"), size="title", bold=True),
            Label(
                lambda: tr(
                    "The laptop stays here. Choose a new passphrase, send the request to the provincial hall, and bring the answer "
                    "back. Nothing that was not sent is lost, and your drafts stay yours."
                ),
                tone="soft", wrap=True,
            ), spacing=4,
        )  # fmt: skip
        self._first = self._step(
            lambda: tr("1 · A new passphrase"),
            column(self.who, self.first, self.strength, self.again, row(self.make, None), spacing=10),
        )
        told = column(
            Label(
                lambda: tr("Carry this file to the province or send it. It opens nothing by itself. Read these digits to them:"),
                wrap=True,
            ), self.digits, row(self.save, None), spacing=8,
        )  # fmt: skip
        self._second = self._step(lambda: tr("2 · The request"), told)
        self._third = self._step(
            lambda: tr("3 · The answer of the province"), column(self.secret, row(self.take, None), spacing=10)
        )
        keeper = holder(
            column(
                head,
                self.banner,
                self._first,
                self._second,
                self._third,
                Wrapped(self.leave, spacing=8),
                None,
                spacing=14,
            )
        )
        self._keeper = keeper
        self.setLayout(column(Scroll(holder(row(None, keeper, None, margins=(24, 20, 24, 20)))), spacing=0))
        self.retheme()

    def _step(self, title: Callable[[], str], content: object) -> Card:
        return Card(column(Label(title, size="heading", bold=True), content, spacing=10, margins=(20, 14, 20, 16)))  # type: ignore[arg-type]

    def retheme(self) -> None:
        self._keeper.setFixedWidth(min(theme.scaled(640), max(320, self.window().width() - 60)))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            self.back.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def show_request(self, request: bytes | None) -> None:
        """The open request, if there is one: then the answer may come."""
        from sync import reset

        self._request = request
        self.make.setEnabled(True)
        self._second.setVisible(request is not None)
        self._third.setVisible(request is not None)
        if request is not None:
            self.digits.say(lambda: shown.plain(reset.spoken(request)))
            self.make.say(lambda: tr("Make another request"))
            self.make.set_kind("normal")

    def refused(self, error: SalaError) -> None:
        """Say why not."""
        self.make.setEnabled(True)
        self.take.setEnabled(True)
        words = explain(error)
        if error.code == "SY-113":
            self.first.set_error(f"{words.what} {words.next}")
        elif error.code == "SY-114":
            self.secret.set_error(tr("This passphrase is not right. What is stored is unchanged."))
        else:
            self.banner.show_error(error)

    def _make(self) -> None:
        first, again = self.first.value(), self.again.value()
        self.first.set_error("" if first else tr("This is needed."))
        self.again.set_error("" if first == again else tr("The two are not the same."))
        if first and first == again and self.who.value():
            self.banner.close_banner()
            self.make.setEnabled(False)
            self.asked.emit(str(self.who.value()), str(first))

    def _save(self) -> None:
        save_file(self, lambda: tr("Where to save the request"), f"sala{REQUEST}", self.save_to)

    def save_to(self, out: Path) -> None:
        """Write the open request."""
        from modules import people

        if self._request is None:
            return
        try:
            people.write(out, self._request)
        except SalaError as error:
            self.banner.show_error(error)
            return
        self.banner.show_words("good", lambda: tr("Saved: {name}", name=out.name))

    def _take(self) -> None:
        self.secret.set_error("" if self.secret.value() else tr("This is needed."))
        if self.secret.value():
            open_file(self, lambda: tr("Choose the answer"), (f"*{ANSWER}",), self.take_from)

    def take_from(self, file: Path) -> None:
        """Take the answer in ``file``."""
        self.take.setEnabled(False)
        self.answered.emit(file, str(self.secret.value() or ""))


def open_page(
    home: Path, chosen: str, worker: Worker, cost: Cost | None, enter: Callable[[Session], None], back: Callable[[], None],
    broke: Callable[[object], None],
) -> ResetPage:  # fmt: skip
    """The page over the profile in ``home``; ``enter`` gets the session of whom the answer lets in."""
    from sync import reset
    from sync.clock import SystemClock

    page = ResetPage(read_names(home), chosen, reset.waiting(home))

    def refused(error: Exception) -> None:
        if isinstance(error, SalaError):
            page.refused(error)
        else:
            broke(error)

    def ask(officer: str, words: str) -> None:
        worker.run(lambda: reset.begin(home, officer, words, SystemClock(), cost=cost), page.show_request, refused)

    def answered(file: Path, words: str) -> None:
        worker.run(lambda: _finish(home, file, words, cost), enter, refused)

    page.asked.connect(ask)
    page.answered.connect(answered)
    page.back.connect(back)
    return page


def _finish(home: Path, file: Path, passphrase: str, cost: Cost | None) -> Session:
    from modules import people
    from modules.session import Session
    from sync import reset
    from sync.clock import SystemClock

    unlocked = reset.finish(home, people.read(file), passphrase, SystemClock(), cost=cost)
    try:
        return Session.open(unlocked)
    except BaseException:
        unlocked.lock()
        raise
