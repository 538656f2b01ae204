"""What the laptop tells about itself: that it has a number of its own now, and that its clock is off. No decision is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from desktop.kit import shown
from desktop.kit.banner import Banner
from i18n.catalog import tr

if TYPE_CHECKING:
    from desktop.shell.frame import Frame

LOOK_EVERY_MS = 60_000
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


class LifeNotices(QObject):
    """Two banners over the pages, read again after every run and every minute."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
        self._frame, self._bridge = frame, frame.bridge
        self.rekeyed: Banner | None = None
        self.clock: Banner | None = None
        self._doubt = ""  # that was shown last
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._bridge.sync_ended.connect(self._after_run)
        self._timer.start()
        self.look()

    def _after_run(self, _report: object, error: object) -> None:
        if getattr(error, "code", "") not in ("SY-402", "SY-407"):  # the keys are gone: nothing can be read any more
            self.look()

    def look(self) -> None:
        """Read how it stands."""
        from modules import housekeeping

        session = self._bridge.session
        self._bridge.work(lambda: housekeeping.notices(session), then=self._show, failed=lambda _: None)

    def _show(self, found: dict[str, Any]) -> None:
        if found["rekeyed"] is not None and self.rekeyed is None:
            self.rekeyed = Banner()
            self._frame.add_notice(self.rekeyed)
            cause, number = found["rekeyed"]["cause"], found["rekeyed"]["number"]
            self.rekeyed.show_words("info", lambda: rekeyed_words(cause, number))
            self.rekeyed.closed.connect(self._seen)
        doubt, ahead, now = found["clock"]["doubt"], found["clock"]["ahead_ms"], found["clock"]["now_ms"]
        if doubt and doubt != self._doubt:
            self._drop_clock()
            self.clock = Banner()
            self._frame.add_notice(self.clock)
            self.clock.show_words("warning", lambda: clock_words(ahead), lambda: clock_more(now))
            self.clock.closed.connect(self._drop_clock)
        elif not doubt:
            self._drop_clock()
        self._doubt = doubt

    def _seen(self) -> None:
        from modules import housekeeping

        session = self._bridge.session
        self._bridge.work(lambda: housekeeping.seen(session))
        if self.rekeyed is not None:
            self._frame.drop_notice(self.rekeyed)
            self.rekeyed = None

    def _drop_clock(self) -> None:
        if self.clock is not None:
            self._frame.drop_notice(self.clock)
            self.clock = None


def rekeyed_words(cause: str, number: int) -> str:
    """The one sentence about a copy."""
    if number == 0:
        return tr(
            "A copy of this laptop was at work, so it gets a number of its own at the next contact; nothing was lost."
        )
    if cause == "behind":
        return tr(
            "This laptop was put back from an older copy and has the number {number} from now on; nothing was lost.",
            number=shown.number(number),
        )
    return tr(
        "A copy of this laptop was at work, so it has the number {number} from now on; nothing was lost.",
        number=shown.number(number),
    )


def clock_words(ahead_ms: int) -> str:
    """By how much the clock is off."""
    size = abs(ahead_ms)
    if size >= 2 * _DAY:
        n = shown.number(round(size / _DAY))
        return (
            tr("The clock of this laptop is {n} days ahead.", n=n)
            if ahead_ms > 0
            else tr("The clock of this laptop is {n} days behind.", n=n)
        )
    if size >= 90 * _MINUTE:
        n = shown.number(round(size / _HOUR))
        return (
            tr("The clock of this laptop is {n} hours ahead.", n=n)
            if ahead_ms > 0
            else tr("The clock of this laptop is {n} hours behind.", n=n)
        )
    n = shown.number(max(2, round(size / _MINUTE)))
    return (
        tr("The clock of this laptop is {n} minutes ahead.", n=n)
        if ahead_ms > 0
        else tr("The clock of this laptop is {n} minutes behind.", n=n)
    )


def clock_more(now_ms: int) -> str:
    """What it means, and what to do."""
    return tr(
        "By the centre's signed time it is about {time}. Nothing is stopped: records carry a mark, and the centre adds its own "
        "time. Please set the clock in the system's settings.",
        time=shown.moment(now_ms, now_ms),
    )
