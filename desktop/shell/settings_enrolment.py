"""This laptop's enrolment: what the centre knows of it, the request as QR code or file, and the answer read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.files import choose_folder, save_file
from desktop.kit.layout import Beside, Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.code_card import CodeCard
from desktop.shell.codes_in import CodesIn
from desktop.shell.qrview import QrView
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError


class EnrolmentPane(Pane):
    """Enrolled or not, and the way there without a line."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._found: dict[str, Any] = {}
        self.state = Label(self._state_words, bold=True, wrap=True)
        self.laptop = Label(self._laptop_words, tone="soft", wrap=True)
        self.words = Label("", size="heading", bold=True, wrap=True)
        self.block(
            lambda: tr("This laptop's enrolment"),
            lambda: tr(
                "Over a line the centre confirms this laptop by itself. Without one, show it the request below and bring the answer back. "
                "Work never waits for it."
            ),
            column(self.state, self.laptop, spacing=4),
        )
        self._make_request()
        self.code = CodeCard(self)
        self._make_answer()
        self.end()
        bridge.sync_ended.connect(lambda _report, _error: self.refresh())

    # The request

    def _make_request(self) -> None:
        self.view = QrView()
        self.view.show_texts([])
        self.save = Button(lambda: tr("Save as a picture…"), icon="image")
        self.stick = Button(lambda: tr("Write onto a stick…"), icon="usb")
        self.save.clicked.connect(self._save)
        self.stick.clicked.connect(
            lambda: choose_folder(self, lambda: tr("Choose the stick"), lambda folder: self.bridge.export_usb(folder))
        )
        self.request_told = Banner()
        compare = column(
            Label(lambda: tr("Six groups of digits, to compare by telephone:"), size="note", tone="soft", wrap=True), self.words,
            Label(
                lambda: tr("The centre's page shows the same digits beside this laptop. If one differs, do not go on."),
                size="note", tone="soft", wrap=True,
            ), 8, Wrapped(self.save, self.stick, spacing=8), None, spacing=4,
        )  # fmt: skip
        self.request = self.block(
            lambda: tr("The request"),
            lambda: tr("The centre photographs this code, or takes it as a picture or from a stick."),
            column(row(self.view, 20, holder(compare), spacing=0), self.request_told, spacing=12),
        )

    def _save(self) -> None:
        from modules import carry

        texts = self.view.texts()
        name = "sala-enrolment.png" if len(texts) == 1 else "sala-enrolment.gif"
        save_file(
            self, lambda: tr("Where to save the picture"), name,
            lambda out: self.bridge.work(
                lambda: carry.save_codes(texts, out), then=self._saved, failed=self.request_told.show_error
            ),
        )  # fmt: skip

    def _saved(self, place: Path) -> None:
        self.request_told.show_words("good", lambda: tr("Saved: {name}", name=place.name))

    # The answer

    def _make_answer(self) -> None:
        from sync import qrframes

        self.codes = CodesIn(
            self.bridge, {"km": "ស្កេនចម្លើយរបស់មជ្ឈមណ្ឌលនៅទីនេះ", "en": "Scan the centre's answer here"},
            wants=lambda text: text.startswith(qrframes.PREFIX),
        )  # fmt: skip
        self.from_stick = Button(lambda: tr("From USB…"), icon="usb")
        self.from_stick.clicked.connect(
            lambda: choose_folder(self, lambda: tr("Choose the stick"), lambda folder: self.bridge.import_usb(folder))
        )
        self.answer_told = Banner()
        self.codes.failed.connect(self.answer_told.show_error)
        self.codes.read.connect(self._take)
        self.answer = self.block(
            lambda: tr("The answer"),
            lambda: tr("The centre's certificate for this laptop, as a picture, by scanner or from the stick."),
            column(Beside(self.codes, self.from_stick), self.answer_told, spacing=12),
        )

    def _take(self, texts: list[str]) -> None:
        from modules import replicate

        session = self.bridge.session
        self.bridge.work(
            lambda: replicate.import_codes(session, texts), then=self._taken, failed=self.answer_told.show_error
        )

    def _taken(self, report: dict[str, Any]) -> None:
        problems = report.get("problems") or []
        if problems:
            self.answer_told.show_error(SalaError(problems[0]["code"], **dict(problems[0].get("values") or {})))
        elif report["enrolled"]:
            self.answer_told.show_words("good", lambda: tr("The centre knows this laptop now."))
        else:
            self.answer_told.show_words("warning", lambda: tr("This answer is for another laptop."))
        self.refresh()

    # What is shown

    def refresh(self) -> None:
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: (carry.enrolment(session), carry.enrolment_codes(session)), then=self._show)

    def _show(self, read: tuple[dict[str, Any], list[str]]) -> None:
        self._found, texts = read
        enrolled = bool(self._found["enrolled"])
        self.state.say(self._state_words)
        self.state.set_tone("green" if enrolled else "amber")
        self.words.say(lambda: shown.plain(self._found.get("words", "")))
        if texts != self.view.texts():
            self.view.show_texts(texts)
        for card in (self.request, self.answer):
            card.setVisible(not enrolled and bool(texts))
        self.code.card.setVisible(not enrolled)
        self.laptop.say(self._laptop_words)

    def _state_words(self) -> str:
        if not self._found:
            return ""
        if self._found["enrolled"]:
            return tr("The centre knows this laptop.")
        return tr("The centre has not confirmed this laptop yet.")

    def _laptop_words(self) -> str:
        if not self._found:
            return ""
        office, number = shown.plain(self._found["office"]), shown.plain(str(self._found["number"]))
        device = str(self._found["device"])
        return tr("Office {office} · laptop {number} · {device}", office=office, number=number, device=f"{device[:8]}…")
