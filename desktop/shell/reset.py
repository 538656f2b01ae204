"""A forgotten passphrase, at the door: choose a new one, show the request to the province, take its answer; by picture or file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from desktop.shell.codes_in import PICTURES, CodesIn, Works
from desktop.shell.qrview import QrView
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
    """``asked(officer, passphrase)`` makes the request, ``answered(answer, passphrase)`` takes the answer, ``back`` gives up.

    Once there is a request only its code and the way back for the answer are shown; ``another`` brings the first step back.
    """

    asked = Signal(str, str)
    answered = Signal(object, str)
    back = Signal()

    def __init__(self, names: list[Name], chosen: str, works: Works, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._works = works
        self._request: bytes | None = None
        self._answer: bytes | None = None  # that came before the passphrase was typed
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
        self.again.on_enter = self._make
        self.view = QrView()
        self.view.show_texts([])
        self.save = Button(lambda: tr("Save the request…"), icon="usb")
        self.save.clicked.connect(self._save)
        self.picture = Button(lambda: tr("Save as a picture…"), icon="image")
        self.picture.clicked.connect(self._save_picture)
        self.another = Button(lambda: tr("Make another request"), kind="quiet", icon="key")
        self.another.clicked.connect(self._begin_again)
        self.digits = Label("", size="heading", bold=True, wrap=True)
        self.secret = PassphraseField(
            {"km": "ឃ្លាសម្ងាត់ដែលបានជ្រើសក្នុងសំណើ", "en": "The passphrase chosen with the request"}
        )
        self.secret.on_enter = self._go
        self.codes = CodesIn(
            works, {"km": "ស្កេនចម្លើយរបស់ខេត្តនៅទីនេះ", "en": "Scan the province's answer here"},
            wants=lambda text: text.startswith("SALA:Q1:"),
        )  # fmt: skip
        self.take = Button(lambda: tr("Choose the answer…"), icon="folder")
        self.take.clicked.connect(self._take)
        self.leave = Button(lambda: tr("Back to the door"), kind="quiet", key="Esc")
        self.leave.clicked.connect(self.back)
        self.banner = Banner()
        self.codes.failed.connect(self.banner.show_error)
        self.codes.read.connect(self._take_codes)
        self._lay_out()
        self.show_request(None)

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
                lambda: tr(
                    "Photograph this code and send the picture to the province, or carry the file there. It opens nothing by itself. "
                    "Read these digits to them:"
                ),
                wrap=True,
            ), self.digits, Wrapped(self.picture, self.save, spacing=8), None, spacing=8,
        )  # fmt: skip
        self._second = self._step(lambda: tr("2 · The request"), row(self.view, 20, holder(told), spacing=0))
        self._third = self._step(
            lambda: tr("3 · The answer of the province"),
            column(self.secret, self.codes, row(self.take, None), spacing=10),
        )
        keeper = holder(
            column(
                head,
                self.banner,
                self._first,
                self._second,
                self._third,
                Wrapped(self.leave, self.another, spacing=8),
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
        self._keeper.setFixedWidth(min(theme.scaled(760), max(320, self.window().width() - 60)))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        (self.view if self._request else self.first).setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            self.back.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def show_request(self, request: bytes | None) -> None:
        """The open request, if there is one: then the answer may come."""
        from sync import qrframes, reset

        self._request = request
        self.make.setEnabled(True)
        self._first.setVisible(request is None)
        for part in (self._second, self._third, self.another):
            part.setVisible(request is not None)
        self.view.show_texts(qrframes.encode_small(request) if request else [])
        if request is not None:
            self.digits.say(lambda: shown.plain(reset.spoken(request)))
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin_again(self) -> None:
        """The first step once more: the open request holds until another one is made."""
        self._first.setVisible(True)
        self.another.setVisible(False)
        self.first.setFocus(Qt.FocusReason.OtherFocusReason)

    def refused(self, error: SalaError) -> None:
        """Say why not."""
        self.make.setEnabled(True)
        self.take.setEnabled(True)
        if error.code == "SY-470":
            self._answer = None
        words = explain(error)
        if error.code == "SY-113":
            self.first.set_error(f"{words.what} {words.next}")
        elif error.code == "SY-114":
            self.secret.set_error(tr("This passphrase is not right. What is stored is unchanged."))
            self.secret.setFocus(Qt.FocusReason.OtherFocusReason)
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

    def _save_picture(self) -> None:
        from modules import carry

        texts = self.view.texts()
        save_file(
            self, lambda: tr("Where to save the picture"), "sala-reset.png" if len(texts) == 1 else "sala-reset.gif",
            lambda out: self._works.work(
                lambda: carry.save_codes(texts, out), then=self._saved, failed=self.banner.show_error
            ),
        )  # fmt: skip

    def _saved(self, place: Path) -> None:
        self.banner.show_words("good", lambda: tr("Saved: {name}", name=place.name))

    def _take(self) -> None:
        open_file(self, lambda: tr("Choose the answer"), (f"*{ANSWER}", *PICTURES), self.take_from)

    def take_from(self, file: Path) -> None:
        """Take the answer in ``file``: a file of the province, or a picture of its code."""
        from modules import people

        if file.suffix.lower() in people.PICTURES:
            self.codes.take_files([file])
            return
        try:
            self._bring(people.read(file))
        except SalaError as error:
            self.banner.show_error(error)

    def _take_codes(self, texts: list[str]) -> None:
        from sync import qrframes

        try:
            self._bring(qrframes.collect(texts))
        except SalaError as error:
            self.banner.show_error(error)

    def _bring(self, answer: bytes) -> None:
        self._answer = answer
        self.banner.close_banner()
        self._go()

    def _go(self) -> None:
        """Once the answer is here and the passphrase is typed, in whichever order."""
        words = self.secret.value()
        if self._answer is None:
            return
        if not words:
            self.secret.set_error(tr("The answer is here. Type the passphrase chosen with the request, then Enter."))
            self.secret.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.secret.set_error("")
        self.take.setEnabled(False)
        self.answered.emit(self._answer, str(words))


class AtTheDoor:
    """Runs calls for a page that is shown while Sala is locked."""

    def __init__(self, worker: Worker, broke: Callable[[object], None]) -> None:
        self._worker, self._broke = worker, broke

    def work(
        self, call: Callable[[], Any], *, then: Callable[[Any], None] | None = None,
        failed: Callable[[SalaError], None] | None = None,
    ) -> None:  # fmt: skip
        """As :meth:`desktop.bridge.Bridge.work`."""

        def refused(error: Exception) -> None:
            if isinstance(error, SalaError) and failed is not None:
                failed(error)
            else:
                self._broke(error)

        self._worker.run(call, then or (lambda _: None), refused)


def open_page(
    home: Path, chosen: str, worker: Worker, cost: Cost | None, enter: Callable[[Session], None], back: Callable[[], None],
    broke: Callable[[object], None],
) -> ResetPage:  # fmt: skip
    """The page over the profile in ``home``; ``enter`` gets the session of whom the answer lets in."""
    from sync import reset
    from sync.clock import SystemClock

    works = AtTheDoor(worker, broke)
    page = ResetPage(read_names(home), chosen, works)

    def ask(officer: str, words: str) -> None:
        works.work(
            lambda: reset.begin(home, officer, words, SystemClock(), cost=cost),
            then=page.show_request,
            failed=page.refused,
        )

    def answered(answer: bytes, words: str) -> None:
        works.work(lambda: _finish(home, answer, words, cost), then=enter, failed=page.refused)

    page.asked.connect(ask)
    page.answered.connect(answered)
    page.back.connect(back)
    page.show_request(reset.waiting(home))
    return page


def _finish(home: Path, answer: bytes, passphrase: str, cost: Cost | None) -> Session:
    from modules.session import Session
    from sync import reset
    from sync.clock import SystemClock

    unlocked = reset.finish(home, answer, passphrase, SystemClock(), cost=cost)
    try:
        return Session.open(unlocked)
    except BaseException:
        unlocked.lock()
        raise
