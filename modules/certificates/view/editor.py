"""The sheet in work: fields at the left, the live A4 sheet at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.pick import Pick, PickField
from desktop.kit.preview import Preview
from desktop.kit.wrap import Label
from i18n.catalog import Text, tr
from i18n.errors import SalaError, explain
from modules.certificates.view import looks
from modules.certificates.view.fieldset import Fieldset

FOUND = 8


class Editor(QWidget):
    """``edited`` · ``from_form(submission id)`` · ``sure``: the officer says that the date is right."""

    edited = Signal()
    from_form = Signal(str)
    sure = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._forms: Sequence[str] = ()
        self.source: str | None = None
        self.heading = Label("", size="heading", bold=True, wrap=True)
        self.banner = Banner()
        self.form = PickField(
            {"km": "ពីទម្រង់ដែលបានបញ្ចប់", "en": "From a finished form"}, self._find,
            note=lambda: tr("Name or receipt number; or type the fields below"), required=False,
        )  # fmt: skip
        self.fieldset = Fieldset()
        self.preview = Preview(name=lambda: tr("The sheet"))
        self.back = Button(lambda: tr("Other template"), icon="chevron-left")
        self.go = Button(lambda: tr("Issue the certificate"), kind="primary", key="Ctrl+Enter")
        self._scroll = Scroll(holder(column(self.form, self.fieldset, None, spacing=14, margins=(2, 2, 10, 2))))
        left = holder(column(self.heading, self.banner, self._scroll, spacing=8))
        sheet = Card(column(self.preview, margins=(10, 6, 10, 8)))
        sheet.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        body = row(spacing=20)
        body.addWidget(left, 9)
        body.addWidget(sheet, 10)
        foot = row(self.back, None, self.go, spacing=12)
        main = column(spacing=14)
        main.addLayout(body, 1)
        main.addLayout(foot)
        self.setLayout(main)
        self.fieldset.edited.connect(self.edited)
        self.form.changed.connect(self._picked)
        self.banner.acted.connect(self._sure)

    def show_template(self, template: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """Begin a certificate after ``template``."""
        self.source = None
        self._forms = template["forms"]
        self.heading.say(template["title"])
        self.go.say(lambda: tr("Issue the certificate"))
        self.banner.setVisible(False)
        self.form.set_value(None)
        self.form.setVisible(bool(self._forms))
        self.fieldset.show_fields(template["fields"], data)
        self.preview.clear()
        self._scroll.verticalScrollBar().setValue(0)

    def show_replacing(self, number: str) -> None:
        """The new certificate takes the place of an older one."""
        self.form.setVisible(False)
        self.go.say(lambda: tr("Revoke the old one and issue"))
        self.banner.show_words(
            "warning",
            lambda: (
                tr("Replaces certificate {number}", number=looks.digits(number))
                if number
                else tr("Replaces an older certificate")
            ),
            lambda: tr("The old certificate is revoked when this one is issued."),
        )

    def say(self, words: Text) -> None:
        """Something about the whole sheet is wrong."""
        self.banner.show_words("error", dict(words))

    def ask_clock(self, error: SalaError) -> None:
        """The clock is doubtful: the officer may say that it is right."""
        words = {language: explain(error, language) for language in ("km", "en")}
        self.banner.show_words(
            "warning",
            {language: each.what for language, each in words.items()},
            {language: f"{each.kept} {each.next}" for language, each in words.items()},
            action=lambda: tr("The date is right: issue"),
        )

    def _sure(self) -> None:
        self.banner.setVisible(False)
        self.sure.emit()

    def _find(self, typed: str, limit: int) -> Sequence[Pick]:
        """Finished forms that this template can be filled from, newest first."""
        picks: list[Pick] = []
        for form in self._forms:
            found = self._desk.run_now("forms.list", filter=typed, form=form, limit=min(limit, FOUND))
            picks += [
                Pick(row["id"], row["person"], row.get("latin") or "", looks.digits(row["receipt"]))
                for row in found["rows"]
            ]
        return picks[:limit]

    def _picked(self, id: object) -> None:
        if isinstance(id, str) and id:
            self.from_form.emit(id)

    def retheme(self) -> None:
        self.preview.setMinimumWidth(min(320, theme.scaled(300)))
