"""The window of one unlocked officer: rail, top bar, banner, pages, status strip. Pages are made when first shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from desktop.bridge import Bridge
from desktop.kit.banner import Banner
from desktop.kit.layout import PageScroll, Rule, column, row
from desktop.kit.page import Page
from desktop.kit.palette import Palette
from desktop.shell.bar import TopBar
from desktop.shell.finder import Finder
from desktop.shell.keys import Deed, command_keys, field_keys
from desktop.shell.life import LifeNotices
from desktop.shell.outbox_rows import step_words
from desktop.shell.rail import Place, Rail
from desktop.shell.status_strip import Facts, StatusStrip, line_state, office_words
from desktop.shell.working_bar import WorkingBar
from i18n.catalog import tr
from i18n.errors import Known, SalaError

if TYPE_CHECKING:
    from modules.contract import Changed, Command
    from sync.runs import Outlook

log = logging.getLogger(__name__)


class Frame(QWidget):
    """One officer's window content. ``lock_wanted`` and ``language_wanted`` go to the window around it."""

    lock_wanted = Signal()
    language_wanted = Signal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from modules.permissions import ROLE_TITLES, may_see

        self.bridge = bridge
        session = bridge.session
        shown = [found for found in session.manifests if may_see(session.officer, found)]
        self._views = {found.id: str(found.view) for found in shown}
        self.places = [
            Place("home", "home", {"km": "ដើម", "en": "Home"}),
            *(Place(found.id, found.icon, found.title) for found in shown),
            Place("outbox", "outbox", {"km": "ប្រអប់ផ្ញើ", "en": "Outbox"}, low=True),
            Place("settings", "settings", {"km": "កំណត់", "en": "Settings"}, low=True),
        ]
        self.rail = Rail(self.places)
        self.top = TopBar(session.officer, ROLE_TITLES.get(session.officer.role, {"km": "", "en": ""}))
        self.working = WorkingBar()
        self.banner = Banner()
        self.pages = QStackedWidget()
        self.strip = StatusStrip(lambda: office_words(dict(session.office)))
        self._page_of: dict[str, Page] = {}
        self._at = ""
        self._line = self._line_before = ("unknown", "")
        self._lay_out()
        self.finder = Finder(bridge, self.places, self.deeds)
        self.palette_list = Palette(self, self.finder.find)
        self._connect()
        self._bind_keys()
        self.read_facts()
        self.life = LifeNotices(self)

    def _lay_out(self) -> None:
        held = QVBoxLayout()
        held.setContentsMargins(24, 12, 24, 0)
        held.addWidget(self.banner)
        self._notices = held
        self._banner_room = QWidget()
        self._banner_room.setLayout(held)
        self._banner_room.setVisible(False)
        right = column(self.top, self.working, self._banner_room, self.pages, Rule(), self.strip, spacing=0)
        right.setStretch(3, 1)
        layout = row(self.rail, Rule(vertical=True), spacing=0)
        layout.addLayout(right, 1)
        self.setLayout(layout)

    def _connect(self) -> None:
        self.rail.wanted.connect(self.open)
        self.top.search_wanted.connect(self.open_palette)
        self.top.language_wanted.connect(self.language_wanted)
        self.top.lock_wanted.connect(self.lock_wanted)
        self.strip.wanted.connect(self._open_meaning)
        self.strip.send_wanted.connect(self._send_now)
        self.palette_list.typed.connect(self._look_in_store)
        self.banner.closed.connect(lambda: self._banner_room.setVisible(self._notices.count() > 1))
        bridge = self.bridge
        bridge.changed.connect(self._changed)
        bridge.refused.connect(self.show_error)
        bridge.noted.connect(self.strip.show_note)
        bridge.open_wanted.connect(self.open)
        bridge.working.connect(self.working.show_working)
        bridge.saved.connect(self._saved)
        bridge.sync_began.connect(self._sync_began)
        bridge.sync_progress.connect(lambda what, _done, _total: self._set_line("busy", step_words(what)))
        bridge.sync_ended.connect(self._sync_ended)

    # Pages

    def page(self, id: str) -> Page:
        """The page, made now if it was never shown."""
        if id not in self._page_of:
            made = self._make(id)
            self._page_of[id] = made
            made.retitled.connect(self.show_title)
            self.pages.addWidget(PageScroll(made))
        return self._page_of[id]

    def _make(self, id: str) -> Page:
        if id == "home":
            from desktop.shell.home import HomePage

            return HomePage(self.bridge, self.places)
        if id == "outbox":
            from desktop.shell.outbox import OutboxPage

            return OutboxPage(self.bridge)
        if id == "settings":
            from desktop.shell.settings import SettingsPage

            return SettingsPage(self.bridge)
        if id == "carry":
            from desktop.shell.carry import CarryPage

            return CarryPage(self.bridge)
        from modules.session import load

        made = load(self._views[id])(self.bridge)
        if not isinstance(made, Page):
            raise TypeError(f"{self._views[id]} is no Page")
        return made

    def open(self, id: str, target: str = "") -> None:
        """Bring a page to the front, at ``target`` when there is one."""
        if id != "home" and id not in ("outbox", "settings", "carry") and id not in self._views:
            self.show_error(Known("UI-002", page=id))
            return
        try:
            page = self.page(id)
        except Exception:  # a module's page is broken: the other pages go on
            log.exception("the page of %s cannot be made", id)
            self.show_error(Known("UI-003", page=id))
            self.rail.choose(self._at)
            return
        if self._at and self._at != id:
            self._page_of[self._at].leave()
        self._at = id
        self.rail.choose("outbox" if id == "carry" else id)
        self.pages.setCurrentIndex(list(self._page_of).index(id))
        if target:
            page.open_target(target)
        page.refresh(None)
        self.show_title()
        if not target:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def current(self) -> Page | None:
        return self._page_of.get(self._at)

    def at(self) -> str:
        """The id of the page in front."""
        return self._at

    def show_title(self) -> None:
        page = self.current()
        self.top.title.say(page.page_title() if page else "")

    def leave(self) -> None:
        """Everything typed on every page becomes durable."""
        for page in self._page_of.values():
            page.leave()

    # News

    def _changed(self, change: Changed) -> None:
        page = self.current()
        if page is not None:
            page.refresh(change)
            self.show_title()
        self.read_facts()

    def show_error(self, error: SalaError) -> None:
        self.banner.show_error(error)
        self._banner_room.setVisible(True)

    def add_notice(self, notice: QWidget) -> None:
        """A card over every page, such as the offer of work that a crash cut off; it goes when it hides itself."""
        self._notices.addWidget(notice)
        self._banner_room.setVisible(True)

    def drop_notice(self, notice: QWidget) -> None:
        self._notices.removeWidget(notice)
        notice.deleteLater()
        self._banner_room.setVisible(self._notices.count() > 1 or self.banner.isVisibleTo(self._banner_room))

    def read_facts(self) -> None:
        """Ask the store what the strip and the rail say."""
        self.bridge.outbox_summary(self._show_facts)
        self.bridge.outlook(self._show_outlook)

    def _show_outlook(self, outlook: Outlook) -> None:
        """When it is tried again; and what the line was like before this window was opened."""
        if self._line[0] == "unknown" and outlook.trouble:
            self._line = (line_state(outlook.trouble), "")
        now_ms = self.bridge.session.clock.wall_ms()
        facts = replace(self.strip.facts(), now_ms=now_ms, line=self._line[0], next_try_ms=outlook.next_try_ms)
        self.strip.show_facts(facts)

    def _show_facts(self, summary: object) -> None:
        waiting = getattr(summary, "waiting", 0) + getattr(summary, "sending", 0)
        state, step = self._line
        self.strip.show_facts(
            Facts(
                next_try_ms=self.strip.facts().next_try_ms,
                now_ms=self.bridge.session.clock.wall_ms(),
                saved_ms=self.bridge.saved_ms,
                waiting=waiting,
                received_ms=getattr(summary, "last_received_ms", None),
                line=state,
                step=step,
            )
        )
        self.rail.buttons["outbox"].set_count(waiting)

    def _saved(self) -> None:
        now_ms, saved_ms = self.bridge.session.clock.wall_ms(), self.bridge.saved_ms
        self.strip.show_facts(replace(self.strip.facts(), now_ms=now_ms, saved_ms=saved_ms))

    def _set_line(self, state: str, step: str) -> None:
        self._line = (state, step)
        self.strip.show_facts(replace(self.strip.facts(), line=state, step=step))

    def _sync_ended(self, report: object, error: SalaError | None) -> None:
        if not self.bridge.by_line or (
            error is not None and error.code == "SY-352"
        ):  # a stick, or a run of the command line
            self._line = self._line_before
        elif error is not None:
            self._line = (line_state(error.code), "")
        else:
            self._line = ("on" if report is not None else "failed", "")
        self.read_facts()

    def _sync_began(self) -> None:
        self._line_before = self._line
        self._set_line("busy", "")

    # Keys

    def deeds(self) -> list[Deed]:
        """What the window itself does, with its keys."""
        return [
            Deed(lambda: tr("Search or command"), ("Ctrl+K",), self.open_palette, "search", palette=False),
            Deed(lambda: tr("Do the page's main action"), ("Ctrl+Return", "Ctrl+Enter"), self._primary, palette=False),
            Deed(lambda: tr("Send and receive now"), ("Ctrl+Shift+S",), self._send_now, "sync"),
            Deed(lambda: tr("Search in this page"), ("Ctrl+F",), self._find, "search", palette=False),
            Deed(lambda: tr("Undo"), ("Ctrl+Z",), self._undo, "undo", palette=False),
            Deed(lambda: tr("Next part of the window"), ("F6",), self._next_pane, palette=False),
            Deed(lambda: tr("Change the language"), ("Ctrl+Shift+L",), self.language_wanted.emit, "language"),
            Deed(lambda: tr("Lock"), ("Ctrl+L",), self.lock_wanted.emit, "lock"),
            Deed(lambda: tr("Help and keys"), ("F1",), self.open_help, "help"),
        ]

    def _bind_keys(self) -> None:
        for deed in self.deeds():
            for key in deed.keys:
                self._bind(key, deed.act)
        for number, id in enumerate(self.rail.order()[:9], 1):
            self._bind(f"Ctrl+{number}", lambda id=id: self.open(id))  # type: ignore[misc]
        commands = self.bridge.session.commands
        for command in commands.list():
            if command.shortcut and command.palette and commands.allowed(command.id):
                self._bind(command.shortcut, lambda command=command: self._run_command(command))  # type: ignore[misc]

    def _bind(self, key: str, act: Callable[[], None]) -> None:
        QShortcut(QKeySequence(key), self, act, context=Qt.ShortcutContext.WindowShortcut)

    def _run_command(self, command: Command) -> None:
        if command.page is not None:
            self.open(command.id.partition(".")[0], command.page)
        else:
            self.bridge.run(command.id)

    def open_palette(self) -> None:
        self.bridge.drafts(self.finder.take_drafts)
        self.palette_list.open()

    def _look_in_store(self, typed: str) -> None:
        if typed:
            self.bridge.find_records(typed, lambda rows: self.palette_list.add(typed, self.finder.records(rows)))

    def open_help(self) -> None:
        from desktop.shell.help import Help
        from desktop.shell.keys import HelpLine

        window_keys = [HelpLine(deed.keys[0], deed.words) for deed in self.deeds()]
        pages = [HelpLine(f"Ctrl+{n}", place.word) for n, place in enumerate(self.places[:9], 1)]
        Help(
            self,
            (
                (lambda: tr("Work"), command_keys(self.bridge.session.commands.list())),
                (lambda: tr("Window"), window_keys),
                (lambda: tr("Fields and lists"), field_keys()),
                (lambda: tr("Pages"), pages),
            ),
        ).open()

    def _open_meaning(self, meaning: str) -> None:
        if meaning == "drafts":
            self.open("home")
        else:
            self.open("outbox", meaning)

    def _primary(self) -> None:
        if page := self.current():
            page.primary()

    def _send_now(self) -> None:
        self.bridge.sync_now()

    def _find(self) -> None:
        page = self.current()
        if page is not None and type(page).find is not QWidget.find:  # Qt's own looks up window numbers
            getattr(page, "find")()  # noqa: B009
        else:
            self.open_palette()

    def _undo(self) -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QPlainTextEdit)):
            focus.undo()
            return
        call = getattr(self.current(), "undo", None)
        undone = call() if callable(call) else None
        if undone:
            self.strip.show_note(tr("Undone: {what}", what=undone))

    def _next_pane(self) -> None:
        """Rail, page, strip, and round again."""
        page = self.current()
        focus = QApplication.focusWidget()
        if focus is not None and self.rail.isAncestorOf(focus) and page is not None:
            _focus_first(page)
        elif focus is not None and self.strip.isAncestorOf(focus):
            self.rail.buttons.get(self._at, self.rail.buttons["home"]).setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.strip.saved.setFocus(Qt.FocusReason.TabFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            QTimer.singleShot(0, self, self.show_title)  # after the page has its own new words
        super().changeEvent(event)


def _focus_first(page: QWidget) -> None:
    """The first widget of ``page`` that takes the focus."""
    at = page.nextInFocusChain()
    while at is not None and at is not page:
        if page.isAncestorOf(at) and at.isVisible() and at.isEnabled() and at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            at.setFocus(Qt.FocusReason.TabFocusReason)
            return
        at = at.nextInFocusChain()
