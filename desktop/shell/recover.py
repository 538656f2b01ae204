"""After a crash or a power cut: what was typed then is offered by name, to continue or to put away. Never silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label
from i18n.catalog import tr

if TYPE_CHECKING:
    from desktop.shell.frame import Frame
    from modules.contract import Draft

MOST = 3


class RecoverCard(Card):
    """Shows itself over the pages when there is something to offer, and goes when everything is decided."""

    def __init__(self, frame: Frame, since_ms: int | None, *, broke: bool) -> None:
        self._frame, self._since = frame, since_ms
        self._lines: QVBoxLayout = column(spacing=4)
        self._told = Label(self._what, bold=True, wrap=True)
        self._kept = Label(lambda: tr("Everything you typed is kept in its draft."), size="note", wrap=True)
        head = row(spacing=12)
        head.addWidget(Picture("history", "amber"))
        head.addLayout(column(self._told, self._kept, spacing=0), 1)
        self._close = Button(lambda: tr("Later"), kind="quiet", small=True)
        head.addWidget(self._close)
        super().__init__(
            column(head, self._lines, spacing=8, margins=(16, 10, 16, 12)), fill="amber_soft", line="", bar="amber"
        )
        self._broke = broke
        self._told.say(self._what)
        self._close.clicked.connect(self.decide_later)
        frame.bridge.drafts(self._show)

    def _what(self) -> str:
        if getattr(self, "_broke", False):
            return tr("Something of ours broke and Sala stopped. A report without your data is ready in Settings.")
        return tr("Sala was cut off while you worked.")

    def _show(self, drafts: Sequence[Draft]) -> None:
        since = self._since
        fresh = [draft for draft in drafts if since is not None and draft.updated_ms >= since][:MOST]
        if not fresh and not self._broke:
            self.deleteLater()
            return
        for draft in fresh:
            self._lines.addWidget(self._offer(draft))
        self._kept.setVisible(bool(fresh) or self._broke)
        self._frame.add_notice(self)

    def _offer(self, draft: Draft) -> QWidget:
        holder = QWidget()
        now_ms = self._frame.bridge.session.clock.wall_ms()
        when = draft.updated_ms
        words = Label(
            lambda: tr("Your work of {time}: {title}", time=shown.moment(when, now_ms), title=draft.title), wrap=True
        )
        go_on = Button(lambda: tr("Continue"), kind="primary", small=True)
        away = Button(lambda: tr("Discard"), small=True)
        away.setToolTip(tr("It stays in the bin for 30 days."))
        go_on.clicked.connect(lambda: self._continue(draft, holder))
        away.clicked.connect(lambda: self._discard(draft, holder))
        layout = row(spacing=8)
        layout.addWidget(words, 1)
        layout.addWidget(away)
        layout.addWidget(go_on)
        holder.setLayout(layout)
        return holder

    def _continue(self, draft: Draft, line: QWidget) -> None:
        module = draft.subject.partition("/")[0]
        self._decided(line)
        self._frame.open(module, draft.id)

    def _discard(self, draft: Draft, line: QWidget) -> None:
        frame = self._frame

        def done(_: object) -> None:
            frame.strip.show_note(tr("Put into the bin for 30 days: {title}", title=draft.title))
            if page := frame.current():
                page.refresh(None)

        frame.bridge.discard_draft(draft.id, done)
        self._decided(line)

    def _decided(self, line: QWidget) -> None:
        self._lines.removeWidget(line)
        line.deleteLater()
        if self._lines.count() == 0:
            self.decide_later()

    def decide_later(self) -> None:
        """The drafts stay where all drafts are: on Home."""
        self._frame.drop_notice(self)
