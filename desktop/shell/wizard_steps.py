"""The steps of the first run: which office, who, which passphrase, and the keys being made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.fields import ChoiceField, LineField, Option, PassphraseField
from desktop.kit.files import open_file
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label
from desktop.shell.qrview import QrView
from desktop.shell.strength import StrengthMeter
from i18n.catalog import text, tr
from i18n.errors import SalaError

if TYPE_CHECKING:
    from sync.pack import OfficePack


class PackStep(QWidget):
    """Choose the office pack; show whose it is before anything is made."""

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None
        self.pack: OfficePack | None = None
        self.spoken: str | None = None
        self.choose = Button(lambda: tr("Choose the office pack…"), kind="primary", icon="folder")
        self.choose.clicked.connect(self._ask)
        self.banner = Banner()
        self.words = LineField(
            {"km": "លេខសម្គាល់ ៦ ក្រុមដែលមជ្ឈមណ្ឌលអានប្រាប់", "en": "Six groups of digits the centre reads to you"},
            note=lambda: tr("Call the centre. If the digits are not exactly the same, do not go on."),
        )
        self.words.setVisible(False)
        self.confirm = Button(lambda: tr("These digits are the same"))
        self.confirm.setVisible(False)
        self.confirm.clicked.connect(self._spoken)
        self.found = Card(fill="blue_soft", line="", bar="blue")
        self.office = Label("", size="title", bold=True, wrap=True)
        self.where = Label("", size="note", tone="soft", wrap=True)
        self.found.setLayout(column(self.office, self.where, spacing=2, margins=(20, 12, 16, 12)))
        self.found.setVisible(False)
        self.code = LineField(
            {"km": "កូដចុះឈ្មោះ", "en": "Enrolment code"}, required=False, icon="key", longest=24,
            note=lambda: tr("This pack has no code of its own. If the centre read one to you, type it; it can also be typed later."),
        )  # fmt: skip
        self.code.setVisible(False)
        self.setLayout(
            column(
                Label(lambda: tr("Which office is this laptop for?"), size="title", bold=True, wrap=True),
                Label(
                    lambda: tr(
                        "The centre gives every laptop one file, the office pack. It is on the USB stick that came with it."
                    ),
                    tone="soft",
                    wrap=True,
                ),
                row(self.choose, None),
                self.banner,
                self.words,
                row(self.confirm, None),
                self.found,
                self.code,
                None,
                spacing=12,
            )
        )

    def _ask(self) -> None:
        open_file(self, lambda: tr("Choose the office pack"), ("*.pack",), self.take)

    def take(self, path: Path) -> None:
        """Read the pack; refuse in words, or show the office."""
        from sync import pack

        self.path, self.pack = path, None
        self.found.setVisible(False)
        try:
            self.pack = pack.read_file(path, pack.roots(), self.spoken)
        except SalaError as error:
            self.banner.show_error(error)
            unknown = error.code == "SY-330"
            self.words.setVisible(unknown)
            self.confirm.setVisible(unknown)
            self.ready.emit()
            return
        self.banner.close_banner()
        self.words.setVisible(False)
        self.confirm.setVisible(False)
        self._show_office()
        self.ready.emit()

    def _spoken(self) -> None:
        if self.path is not None:
            self.spoken = self.words.value()
            self.take(self.path)

    def _show_office(self) -> None:
        if self.pack is None:
            return
        office = self.pack.office
        self.office.say({"km": office["name"]["km"], "en": office["name"]["en"]})
        province = office["province"]
        number = self.pack.number
        code = office["code"]
        self.where.say(
            lambda: tr("{province} · code {code} · laptop {number}", province=text(province), code=code, number=number)
        )
        self.found.setVisible(True)
        self.code.setVisible(not self.pack.code)
        self.choose.set_kind("normal")  # one strong button a page: now it is the next step


class OfficerStep(QWidget):
    """Who works here first: the pack may name expected officers; the name is asked in both scripts."""

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        from modules.permissions import ROLE_TITLES

        self.name = LineField(
            {"km": "គោត្តនាម និងនាម", "en": "Surname and given name, in Khmer"}, icon="person", longest=80
        )
        self.latin = LineField({"km": "ឈ្មោះជាអក្សរឡាតាំង", "en": "Name in Latin letters"}, longest=80)
        self.role = ChoiceField(
            {"km": "តួនាទី", "en": "Role"}, [Option(id, title) for id, title in ROLE_TITLES.items()], buttons=6
        )
        self.role.set_value("receiving")
        for field in (self.name, self.latin):
            field.edited.connect(self.ready)
        self.setLayout(
            column(
                Label(lambda: tr("Who will work with it first?"), size="title", bold=True, wrap=True),
                Label(lambda: tr("More officers can be added later in Settings."), tone="soft", wrap=True),
                self.name,
                self.latin,
                self.role,
                None,
                spacing=12,
            )
        )

    def complete(self) -> bool:
        return bool(self.name.value() and self.latin.value() and self.role.value())


class PassphraseStep(QWidget):
    """Twice the same words, and how strong they are, in words."""

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.first = PassphraseField({"km": "ឃ្លាសម្ងាត់", "en": "Passphrase"})
        self.again = PassphraseField({"km": "ម្តងទៀត", "en": "Once more"})
        self.strength = StrengthMeter()
        self.look = Button(lambda: tr("Show the letters"), kind="quiet", icon="eye", small=True)
        self.look.setCheckable(True)
        self.look.toggled.connect(self._show_letters)
        self.first.edited.connect(self._typed)
        self.again.edited.connect(self._typed)
        self.setLayout(
            column(
                Label(lambda: tr("Choose a passphrase"), size="title", bold=True, wrap=True),
                Label(
                    lambda: tr(
                        "Several words that only you think of, in Khmer or Latin letters. Nobody can read your work without it; "
                        "if it is forgotten, only the province can open this laptop again."
                    ),
                    tone="soft",
                    wrap=True,
                ),
                self.first,
                self.strength,
                self.again,
                row(self.look, None),
                None,
                spacing=10,
            )
        )

    def _show_letters(self, on: bool) -> None:
        self.first.show_letters(on)
        self.again.show_letters(on)

    def _typed(self) -> None:
        self.strength.judge(self.first.value() or "")
        if self.again.value() and self.first.value() and self.again.value() == self.first.value():
            self.again.set_error("")
        self.ready.emit()

    def complete(self) -> bool:
        return self.strength.enough() and self.first.value() == self.again.value()

    def say_difference(self) -> None:
        if self.again.value() and self.first.value() != self.again.value():
            self.again.set_error(tr("The two are not the same."))


class MakingStep(QWidget):
    """Keys are being made; then: done."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.picture = Picture("key", "blue", 56)
        self.title = Label(lambda: tr("Making the keys of this laptop…"), size="title", bold=True)
        self.more = Label(
            lambda: tr("This takes a few seconds. They never leave this machine."), tone="soft", wrap=True
        )
        self.bar.setAccessibleName(tr("Making the keys of this laptop…"))
        self.codes: list[str] = []
        self.ask = Button(lambda: tr("No line here? Show the enrolment code"), kind="quiet", icon="qr")
        self.ask.clicked.connect(self._show_code)
        self.view = QrView(280)
        self.view.show_texts([])
        self.digits = Label("", bold=True, wrap=True)
        self.compare = Label(
            lambda: tr(
                "The centre photographs this code and gives its answer back: Settings, Enrolment. It shows the same digits:"
            ),
            size="note", tone="soft", wrap=True,
        )  # fmt: skip
        self.ask.hide()
        for words in (self.digits, self.compare):
            words.hide()
        block = column(spacing=12)
        block.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignLeft)
        for part in (self.title, self.more, self.bar):
            block.addWidget(part)
        block.addLayout(row(self.ask, None))
        beside = row(self.view, 20, spacing=0)
        beside.addLayout(column(self.compare, self.digits, None, spacing=8), 1)
        block.addLayout(beside)
        block.addStretch(1)
        self.setLayout(block)

    def offer(self, codes: list[str], digits: str) -> None:
        """The request to the centre as QR code, for a place without a line."""
        self.codes = codes
        self.digits.say(digits)
        self.ask.setVisible(bool(codes))

    def _show_code(self) -> None:
        for part in (self.ask, self.picture, self.more):
            part.hide()
        self.view.show_texts(self.codes)
        self.digits.show()
        self.compare.show()

    def done(self, office: str) -> None:
        self.bar.setVisible(False)
        self.picture.show_icon("check-circle", "green")
        self.title.say(lambda: tr("Ready to work"))
        self.more.say(
            lambda: tr(
                "{office}: forms, certificates and numbers for the first weeks are on this laptop. The centre confirms "
                "it by itself at the first connection; work need not wait.",
                office=office,
            )
        )
