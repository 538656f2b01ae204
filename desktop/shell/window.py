"""The one window: wizard or door first, the officer's frame after, and back to the door when it is locked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QShowEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop import crash
from desktop.kit import shown, theme
from desktop.worker import Worker
from i18n import catalog
from i18n.catalog import tr
from i18n.errors import Known, SalaError

if TYPE_CHECKING:
    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame
    from desktop.shell.recover import RecoverCard
    from desktop.shell.unlock import UnlockPage
    from desktop.shell.wizard import Answers, Wizard
    from modules.session import Session
    from sync.keys import Cost

log = logging.getLogger(__name__)

LEAST_WIDTH, LEAST_HEIGHT = 800, 480


class Skeleton(QWidget):
    """What stands there at the first paint, before anything is read: the shape of the frame."""

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.tone("ground"))
        rail, top = 96, theme.height("top")
        painter.fillRect(0, 0, rail, self.height(), theme.tone("surface"))
        painter.fillRect(rail, 0, self.width() - rail, top, theme.tone("surface"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("skeleton"))
        for number in range(6):
            painter.drawRoundedRect(QRectF(30, 18 + number * 64, 36, 36), 6, 6)
        for number in range(5):
            area = QRectF(rail + 24, top + 40 + number * 56, max(100, self.width() - rail - 48), 36)
            painter.drawRoundedRect(area, 6, 6)
        painter.end()


class IdleWatch(QObject):
    """Sees that the person is there by the window's own input, which costs nothing while nothing happens."""

    def __init__(self, touched: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._touched = touched

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT:
            self._touched()
        return False


_INPUT = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
    }
)


class Window(QWidget):
    """Owns what is shown: one of skeleton, wizard, door, frame."""

    entered = Signal()  # a frame is there
    locked = Signal()  # the door is there

    def __init__(self, home: Path, *, left_behind: str = "", cost: Cost | None = None) -> None:
        super().__init__()
        self.home = home
        self._left_behind = left_behind
        self._cost = cost
        self.frame: Frame | None = None
        self.door: UnlockPage | None = None
        self.wizard: Wizard | None = None
        self.recover: RecoverCard | None = None
        self.bridge: Bridge | None = None
        self._made: Session | None = None
        self._come_back: tuple[str, str] = ("", "")  # officer, page
        self._worker = Worker(1, "sala-door", self)
        self._worker.bug.connect(self._broke)
        self._held = QVBoxLayout(self)
        self._held.setContentsMargins(0, 0, 0, 0)
        self._now: QWidget = Skeleton()
        self._held.addWidget(self._now)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self.lock)
        self._watch = IdleWatch(self._touched, self)
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setWindowTitle("សាលា · Sala")
        self.setAccessibleName("សាលា Sala")

    # What is shown

    def _show(self, widget: QWidget) -> None:
        old, self._now = self._now, widget
        self._held.replaceWidget(old, widget)
        old.setParent(None)
        old.deleteLater()
        widget.setVisible(True)

    def begin(self) -> None:
        """After the first paint: the wizard when there is no profile, else the door."""
        from sync import slots

        if slots.exist(self.home):
            self.show_door()
        else:
            self.show_wizard()

    def show_wizard(self) -> None:
        from desktop.shell.wizard import Wizard

        wizard = Wizard()
        wizard.finished.connect(self._make_profile)
        wizard.entered.connect(self._enter_made)
        wizard.language_wanted.connect(self.switch_language)
        wizard.restore_wanted.connect(self.restore_backup)
        self.wizard = wizard
        self._show(wizard)

    def show_door(self, chosen: str = "", error: SalaError | None = None) -> None:
        from desktop.shell.unlock import UnlockPage, read_names
        from sync import keys
        from sync.clock import SystemClock

        door = UnlockPage(lambda id: keys.wait_s(self.home, id, SystemClock()))
        door.tried.connect(self._unlock)
        door.language_wanted.connect(self.switch_language)
        door.reset_wanted.connect(lambda: self.show_reset(door.chosen()))
        self.door = door
        self._show(door)
        try:
            door.show_names(read_names(self.home), chosen)
        except SalaError as refusal:
            door.show_only(refusal)
        if error is not None:
            door.banner.show_error(error)
            door.retheme()
        self.locked.emit()

    def show_reset(self, chosen: str = "") -> None:
        """A forgotten passphrase: ask the province for a new one, or take its answer."""
        from desktop.shell.reset import open_page

        self.door = None
        back = partial(self.show_door, chosen)
        self._show(open_page(self.home, chosen, self._worker, self._cost, self._enter, back, self._broke))

    # Making a profile

    def _make_profile(self, answers: Answers) -> None:
        self._worker.run(lambda: self._setup(answers), self._profile_made, self._profile_refused)

    def _setup(self, answers: Answers) -> Session:
        from modules.session import Session
        from sync import enrol
        from sync.clock import SystemClock

        unlocked = enrol.setup(
            self.home,
            answers.pack,
            officer_name=answers.name,
            officer_latin=answers.latin,
            role=answers.role,
            passphrase=answers.passphrase,
            clock=SystemClock(),
            words=answers.spoken,
            cost=self._cost,
            code=answers.code,
        )
        return Session.open(unlocked)

    def _profile_made(self, session: Session) -> None:
        self._made = session
        if self.wizard is not None:
            from modules import carry

            self.wizard.made(carry.enrolment_codes(session), str(carry.enrolment(session)["words"]))

    def _profile_refused(self, error: Exception) -> None:
        if isinstance(error, SalaError) and self.wizard is not None:
            self.wizard.refused(error)
        else:
            self._broke(error)

    def _enter_made(self) -> None:
        if self._made is not None:
            session, self._made = self._made, None
            session.settings.set("platform.language", catalog.language())
            self._enter(session)

    def restore_backup(self) -> None:
        """A lost laptop's profile into this empty one."""
        from desktop.kit.files import open_file

        open_file(self, lambda: tr("Choose the backup"), ("*.sala-backup",), self._restore)

    def _restore(self, file: Path) -> None:
        from sync import backup

        self._worker.run(lambda: backup.restore(file, self.home), lambda _: self.show_door(), self._not_restored)

    def _not_restored(self, error: Exception) -> None:
        if isinstance(error, SalaError) and self.wizard is not None:
            self.wizard.not_restored(error)
        else:
            self._broke(error)

    # Opening and locking

    def _unlock(self, officer: str, passphrase: str) -> None:
        if self.door is not None:
            self.door.opening(True)
        self._worker.run(lambda: self._open(officer, passphrase), self._enter, self._not_opened)

    def _open(self, officer: str, passphrase: str) -> Session:
        from modules.session import Session
        from sync import keys
        from sync.clock import SystemClock

        unlocked = keys.unlock(self.home, officer, passphrase, SystemClock())
        try:
            return Session.open(unlocked)
        except BaseException:
            unlocked.lock()
            raise

    def _not_opened(self, error: Exception) -> None:
        if not isinstance(error, SalaError):
            self._broke(error)
            error = Known("UI-001", kind=type(error).__name__)
        if self.door is not None:
            self.door.refused(error)

    def _enter(self, session: Session) -> None:
        from desktop.bridge import Bridge
        from desktop.shell.frame import Frame

        self.take_settings(session)
        self.bridge = Bridge(session, self)
        frame = Frame(self.bridge)
        frame.lock_wanted.connect(self.lock)
        frame.language_wanted.connect(self.switch_language)
        self.bridge.touched.connect(self._touched)
        self.bridge.session_settings_changed.connect(lambda: self.take_settings(session))
        self.bridge.sync_ended.connect(self._withdrawn)
        self.frame, self.door, self.wizard = frame, None, None
        self._show(frame)
        officer, page = self._come_back
        frame.open(page if officer == session.officer.id and page else "home")
        self._offer_cut_off_work()
        self.bridge.broken_off = crash.cut_off_since(self.home) is not None
        crash.mark_running(self.home, session.clock.wall_ms())
        self.bridge.start_sync()
        self._touched()
        self.entered.emit()

    def _withdrawn(self, _report: object, error: object) -> None:
        """The centre has withdrawn this laptop, and its keys are gone: the door says where the unsent work stands."""
        from sync.withdrawal import CODES

        if isinstance(error, SalaError) and error.code in CODES:
            self.lock()

    def _offer_cut_off_work(self) -> None:
        """After a crash: what was typed then is offered, never silently taken or dropped."""
        since = crash.cut_off_since(self.home)
        if self.frame is None or (since is None and not self._left_behind):
            return
        from desktop.shell.recover import RecoverCard

        self.recover = RecoverCard(self.frame, since, broke=bool(self._left_behind))
        self._left_behind = ""

    def lock(self) -> None:
        """Everything typed becomes durable, then the profile is closed and the door is shown."""
        if self.frame is None or self.bridge is None:
            return
        frame, bridge = self.frame, self.bridge
        self._come_back = (bridge.session.officer.id, frame.at())
        frame.leave()
        self._idle.stop()
        self.frame, self.bridge, self.recover = None, None, None
        bridge.stop()
        self.show_door(chosen=self._come_back[0])
        self._worker.run(
            bridge.finish, lambda _: self._closed(bridge)
        )  # the next unlocking waits behind it on this thread

    def _closed(self, bridge: Bridge) -> None:
        bridge.deleteLater()
        crash.mark_ended(self.home)

    # The person is there

    def _touched(self) -> None:
        if self.frame is not None and self._idle.interval() > 0:
            self._idle.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None:
            handle.installEventFilter(self._watch)

    # Settings

    def take_settings(self, session: Session) -> None:
        """Language, look, digits and idle time of the officer who is unlocked."""
        settings = session.settings
        language = settings.get("platform.language")
        shown.use_digits(settings.get("platform.digits"))
        theme.apply(_app(), scheme=settings.get("platform.theme"), percent=int(settings.get("platform.text_size")))
        self._idle.setInterval(max(0, int(settings.get("platform.lock_minutes"))) * 60_000)
        self._use_language(language)

    def switch_language(self) -> None:
        """ខ្មែរ ↔ English, at once."""
        chosen: catalog.Language = "en" if catalog.language() == "km" else "km"
        self._use_language(chosen)
        if self.bridge is not None:
            session = self.bridge.session
            self.bridge.work(lambda: session.settings.set("platform.language", chosen))

    def _use_language(self, language: catalog.Language) -> None:
        if catalog.language() != language:
            catalog.use(language)
            theme.retranslate(_app())

    # The end

    def tell_bug(self, kind: str) -> None:
        """Nobody caught an exception of ``kind``: it is written down; the person is told that it was not them."""
        if self.bridge is not None:
            self.bridge.refused.emit(Known("UI-001", kind=kind))

    def _broke(self, error: object) -> None:
        log.error("a bug", exc_info=error if isinstance(error, BaseException) else None)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing locks: nothing is lost and nothing stays open."""
        if self.frame is not None and self.bridge is not None:
            self.frame.leave()
            self._idle.stop()
            bridge, self.bridge = self.bridge, None
            bridge.close()
            crash.mark_ended(self.home)
        if self._made is not None:
            self._made.close()
            self._made = None
        self._worker.stop()
        super().closeEvent(event)


def _app() -> QApplication:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("no application")
    return app
