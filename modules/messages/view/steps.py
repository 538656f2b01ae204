"""What is still to be done with a campaign: the check with its cost, the second officer's approval, the hand-over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import Wrapped, column, holder, row
from desktop.kit.wrap import Label
from i18n.catalog import tr
from i18n.dates import moment, short_moment


class Sums(Card):
    """``leave_out(bool)`` and ``strip(bool)``: what the person decides about bad rows and invisible breaks."""

    leave_out = Signal(bool)
    strip = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.total = Label("", bold=True, wrap=True)
        self.more = Label("", size="note", tone="soft", wrap=True)
        self.file = Label("", size="note", tone="soft", wrap=True)
        self.bad = Label("", size="note", tone="red", wrap=True)
        self.saving = Label("", size="note", tone="amber", wrap=True)
        self.out = Button("", small=True)
        self.bare = Button("", small=True)
        verbs = holder(Wrapped(self.out, self.bare))
        super().__init__(
            column(self.total, self.more, self.file, self.bad, self.saving, verbs, spacing=4, margins=(14, 10, 14, 10)),
            parent=parent,
        )
        self._verbs = verbs
        self._campaign: Mapping[str, Any] = {}
        self.out.clicked.connect(lambda: self.leave_out.emit(not self._campaign["leave_out"]))
        self.bare.clicked.connect(lambda: self.strip.emit(not self._campaign["strip_breaks"]))

    def show_campaign(self, campaign: Mapping[str, Any]) -> None:
        self._campaign = campaign
        good, bad = campaign["good"], campaign["bad"]
        self.total.say(
            lambda: (
                tr("{count} recipients · {cost}", count=shown.number(good), cost=shown.riel(campaign["cost"]))
                if good
                else tr("Nothing can be sent yet")
            )
        )
        self.more.say(
            lambda: tr(
                "{segments} parts of {price} · longest {longest} parts",
                segments=shown.number(campaign["segments"]), price=shown.riel(campaign["price"]), longest=shown.number(campaign["longest"]),
            )
        )  # fmt: skip
        self.more.setVisible(good > 0)
        self.file.say(campaign["file"])
        self.file.setVisible(bool(campaign["file"]))
        self.bad.say(lambda: tr("{count} rows cannot be sent; each says why.", count=shown.number(bad)))
        self.bad.setVisible(bad > 0)
        self.saving.say(
            lambda: tr("Invisible breaks in the texts cost {saving}.", saving=shown.riel(campaign["saving"]))
        )
        self.saving.setVisible(campaign["saving"] > 0)
        free = campaign["state"] != "released"
        self.out.say(
            (lambda: tr("Wait for the bad rows")) if campaign["leave_out"] else (lambda: tr("Leave the bad rows out"))
        )
        self.out.setVisible(free and bad > 0 and good > 0)
        self.bare.say(
            (lambda: tr("Keep the breaks")) if campaign["strip_breaks"] else (lambda: tr("Remove the breaks"))
        )
        self.bare.setVisible(free and (campaign["saving"] > 0 or campaign["strip_breaks"]))
        self._verbs.setVisible(not (self.out.isHidden() and self.bare.isHidden()))


class FourEyes(Card):
    """Who wrote it, who approved it, until when: the four eyes of a campaign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.author = Label("", size="note", wrap=True)
        self.approver = Label("", size="note", wrap=True)
        self.advice = Label("", size="note", tone="soft", wrap=True)
        self._mark = Picture("people", "soft", 20)
        words = column(self.author, self.approver, self.advice, spacing=2)
        line = row(spacing=10, margins=(14, 10, 14, 10))
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        super().__init__(line, parent=parent)

    def show_campaign(self, campaign: Mapping[str, Any], *, mine: bool, may: bool) -> None:
        """``mine``: the officer here wrote it · ``may``: the officer here may approve what others wrote."""
        self.author.say(lambda: tr("Written by {name}", name=campaign["author_name"]))
        approved = campaign["approver"] is not None
        self._mark.show_icon("check-circle" if approved else "people", "green" if approved else "soft")
        self.approver.say(
            lambda: (
                tr(
                    "Approved by {name}, {time}",
                    name=campaign["approver_name"],
                    time=shown.plain(short_moment(campaign["approved_ms"])),
                )
                if approved
                else tr("Not approved yet")
            )
        )
        self.advice.say(lambda: _advice(campaign, mine=mine, may=may))
        self.advice.setVisible(bool(self.advice.words()))


def _advice(campaign: Mapping[str, Any], *, mine: bool, may: bool) -> str:
    state = campaign["state"]
    if state == "approved":
        until = shown.date(moment(campaign["not_after_ms"]).date().isoformat())
        return tr("The approval holds until {day}. Any change takes it back.", day=until)
    if state == "checked" and (mine or not may):
        return tr("A second officer approves it: lock (Ctrl+L), and let them unlock with their own passphrase.")
    if state == "released":
        return tr("Handed over. The centre passes it on to the operator.")
    return ""
