"""The line that makes a link, with the verdict on the address under it while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.fields import DateField, LineField
from desktop.kit.layout import column, holder, row
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Label
from i18n.catalog import tr
from i18n.errors import SalaError
from modules.links.view.reasons import Reasons

LOOK_MS = 200  # after the last key


class Maker(Card):
    """``made(code)`` when a link was made, ``open_wanted(code)`` when the person wants one that leads there already."""

    made = Signal(str)
    open_wanted = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        self.url = LineField({"km": "អាសយដ្ឋានវែង", "en": "Long address"}, longest=4000, icon="links")
        self.title = LineField({"km": "អំពី", "en": "About"}, required=False, longest=200)
        self.code = LineField({"km": "លេខកូដផ្ទាល់ខ្លួន", "en": "Own code"}, required=False, longest=40)
        self.expires = DateField({"km": "ថ្ងៃចុងក្រោយ", "en": "Last day"}, required=False)
        self.make = Button(lambda: tr("Make the link"), kind="primary", key="Ctrl+Enter")
        self.more = Button(lambda: tr("Own code, last day"), kind="quiet", icon="chevron-down", small=True)
        self.left = Label("", size="note", tone="soft")
        self.reasons = Reasons()
        first = row(spacing=12)
        first.addWidget(self.url, 5)
        first.addWidget(self.title, 3)
        self._extra = holder(row(self.code, self.expires, spacing=12))
        last = row(self.more, self.left, None, self.make, spacing=12)
        super().__init__(
            column(first, self._extra, self.reasons, last, spacing=8, margins=(16, 12, 16, 12)), parent=parent
        )
        self._desk = desk
        self._asked = ""
        self._verdict: Mapping[str, Any] | None = None
        self._extra.hide()
        self._soon = single_shot(self, LOOK_MS, self._look)
        self.url.edited.connect(self._typed)
        self.more.clicked.connect(self._show_extra)
        self.make.clicked.connect(self.go)
        self.reasons.chosen.connect(self.open_wanted)

    def begin(self) -> None:
        """A new link: the address has the focus; what was typed stays."""
        self.url.setFocus()

    def read(self) -> None:
        """How many codes are left."""
        self._desk.run("links.left", then=self._show_left)

    def go(self) -> None:
        """Make the link, or say why not."""
        typed = self.url.text()
        if not typed:
            self.url.check()
            self.url.setFocus()
            return
        if not self.expires.check():
            self.expires.setFocus()
            return
        given = {"url": typed, "title": self.title.value(), "code": self.code.value(), "expires": self.expires.value()}
        self.make.setEnabled(False)
        self._desk.run(
            "links.create",
            then=self._done,
            failed=self._refused,
            **{name: value for name, value in given.items() if value},
        )

    def _done(self, link: Mapping[str, Any]) -> None:
        self.make.setEnabled(True)
        for field in (self.url, self.title, self.code, self.expires):
            field.set_value(None)
        self.reasons.clear()
        self._asked = ""
        self._show_left(link)
        self._desk.show_note(tr("Link {code} is made", code=link["code"]))
        self.made.emit(link["code"])

    def _refused(self, error: SalaError) -> None:
        self.make.setEnabled(True)
        if error.code.startswith("LN-1") or error.code == "LN-001":
            self._asked = ""
            self._look()  # the reasons stand under the address, one by one
            self.url.setFocus()
        elif error.code in ("LN-002", "LN-003"):
            self._open_extra()
            self.code.set_error(_sentence(error))
            self.code.setFocus()
        elif error.code == "LN-005":
            self._open_extra()
            self.expires.set_error(_sentence(error))
            self.expires.setFocus()
        else:
            self._desk.show_error(error)

    def _typed(self) -> None:
        self.url.set_error("")
        self._soon.start()

    def _look(self) -> None:
        typed = self.url.text()
        if typed == self._asked:
            return
        self._asked = typed
        if not typed:
            self.reasons.clear()
            return
        self._desk.run("links.check", then=lambda verdict: self._judge(typed, verdict), url=typed)

    def _judge(self, typed: str, verdict: Mapping[str, Any]) -> None:
        if typed == self.url.text():
            self.reasons.show_verdict(verdict)

    def _show_left(self, answer: Mapping[str, Any]) -> None:
        left = int(answer["left"])
        self.left.say(lambda: tr("{count} codes left", count=left))
        self.left.set_tone("soft" if left > 20 else "amber")

    def _show_extra(self) -> None:
        if self._extra.isHidden():
            self._open_extra()
            self.code.setFocus()
        elif not self.code.text() and not self.expires.text():
            self._extra.hide()
            self.more.say(lambda: tr("Own code, last day"), icon="chevron-down")

    def _open_extra(self) -> None:
        self._extra.show()
        self.more.say(lambda: tr("Own code, last day"), icon="chevron-up")


def _sentence(error: SalaError) -> str:
    from i18n.errors import explain

    said = explain(error)
    return f"{said.what} {said.next}"
