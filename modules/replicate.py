"""Sends and receives for an open session: over the line, or by a courier file. The window and the command line share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modules import agency_feed, office, reviews
from modules.contract import Changed

if TYPE_CHECKING:
    from modules.session import Session

Progress = Callable[[str, int, int], None]  # what, done, total
SYNCED = "sync"


def once(
    session: Session, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False, asked: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """One sync run (SYNC §8), because a person asked or by itself. ``Known`` when no hub answers: everything waits."""
    from sync import exchange

    with _obeying(session):
        report = exchange.run(session.unlocked, progress=progress, cancel=cancel, asked=asked)
    if not report.cancelled:
        report.problems += agency_feed.after_run(session, cancel)
    tell(session)
    return asdict(report)


def export(
    session: Session,
    folder: Path,
    *,
    progress: Progress | None = None,
    cancel: Callable[[], bool] = lambda: False,
    seal: str = "",
) -> dict[str, Any]:
    """Write a courier file into ``folder``; what was handed over shows as *on USB* until a receipt comes back.

    ``seal``: name of the next hop that alone can read it.
    """
    from sync import courier

    report = courier.export(session.unlocked, folder, progress=progress, cancel=cancel, seal=seal)
    tell(session)
    return asdict(report)


def import_(
    session: Session, path: Path, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Take receipts, publications, certificates and colleagues' ops from a courier file or a folder of them."""
    from sync import courier

    with _obeying(session):
        report = courier.import_(session.unlocked, path, progress=progress, cancel=cancel)
    tell(session)
    return asdict(report)


@contextmanager
def _obeying(session: Session) -> Iterator[None]:
    """However a run ends: a laptop that the centre has withdrawn puts its work aside and lets go of its keys (SY-402, SY-403)."""
    from sync import rescue

    try:
        yield
    finally:
        rescue.obey(session.unlocked)


def import_codes(session: Session, texts: list[str]) -> dict[str, Any]:
    """Take what a set of QR codes carries. Known: SY-452 no code of Sala, SY-454 some are missing."""
    from sync import courier, qrframes

    with _obeying(session):
        report = courier.import_bytes(session.unlocked, qrframes.collect(texts))
    tell(session)
    return asdict(report)


def pair(session: Session, certificate: bytes) -> dict[str, Any]:
    """Make the laptop of ``certificate`` a colleague: its ops are taken and ours are given from now on."""
    from sync import colleagues

    clock = session.clock
    made = session.store.write(lambda conn: colleagues.pair(conn, clock, certificate))
    tell(session)
    return {"device": made.device.hex(), "number": made.number}


def meet(
    session: Session, invitation: str, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Exchange with the other laptop that shows ``invitation``, over the LAN. Known SY-456 when it does not answer."""
    from sync import meeting

    report = meeting.visit(session.unlocked, invitation, progress=progress, cancel=cancel)
    tell(session)
    return asdict(report)


class Waiting:
    """This laptop waits for another one of the office. ``text`` is what its code says; ``close`` ends it."""

    def __init__(self, session: Session, heard: Callable[[dict[str, Any]], None], ended: Callable[[], None]) -> None:
        from sync.listener import Listener
        from sync.meeting import Host, Met

        def came(met: Met) -> None:
            tell(session)
            heard(asdict(met))

        self._host = Host(session.unlocked, came)
        self._listener = Listener(self._host, ended)
        self.text = ""
        self.addresses: tuple[str, ...] = ()

    def start(self, addresses: list[str] | None) -> None:
        self.addresses = self._listener.start(addresses)
        try:
            self.text = self._host.invitation(self.addresses).text()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._listener.close()


def wait(
    session: Session, heard: Callable[[dict[str, Any]], None], ended: Callable[[], None] = lambda: None,
    addresses: list[str] | None = None,
) -> Waiting:  # fmt: skip
    """Listen for another laptop of the office until ``close``. Known SY-458: no local network; Refused SY-442: not enrolled.

    ``heard`` is told of every meeting (on another thread), ``ended`` when too many strangers knocked.
    """
    waiting = Waiting(session, heard, ended)
    waiting.start(addresses)
    return waiting


def tell(session: Session) -> None:
    """Take in what came down; every page may show a sync state: tell all kinds."""
    from modules import publications

    publications.apply_new(session)
    reviews.deliver(session)
    office.deliver(session)
    session.bus.publish(Changed(frozenset(session.kinds()) | {SYNCED}, frozenset(), SYNCED))
