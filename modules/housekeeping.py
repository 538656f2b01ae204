"""What a laptop does by itself, a little at a time: let go of what the centre holds twice, pack away old rows of its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sync import audit_purge, care, clockwatch, pruning, rekey

if TYPE_CHECKING:
    from modules.session import Session


def tidy(session: Session, *, most: int = pruning.MOST, cancel: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """One bounded round: ``{"ops", "batches", "pieces", "bytes", "audit_rows"}`` that were let go of or packed away."""
    done = pruning.run(session.unlocked, session.retention(), most=most, cancel=cancel)
    rows = session.store.write(lambda conn: audit_purge.archive(conn, session.clock))
    return {**asdict(done), "audit_rows": rows}


def standing(session: Session) -> dict[str, Any]:
    """For the settings page: what is kept, how much was freed, when the profile was last checked, how the clock stands."""

    def read(conn: Any) -> dict[str, Any]:
        checked, found = care.last(conn)
        kept = pruning.standing(conn)
        state = clockwatch.state(conn, session.clock)
        return {
            "ops": kept.ops, "lines": kept.lines, "freed": kept.freed, "checked_ms": checked, "faults": found,
            "clock": state.doubt, "ahead_ms": state.ahead_ms,
        }  # fmt: skip

    return session.store.read(read)


def check(session: Session) -> list[str]:
    """Check every page, row, chain and attachment now; short English phrases for what is wrong."""
    return care.run(session.unlocked)


def notices(session: Session) -> dict[str, Any]:
    """What the window tells by itself: ``rekeyed`` (``{"cause", "number"}`` or None) and ``clock``."""

    def read(conn: Any) -> dict[str, Any]:
        told = rekey.told(conn)
        state = clockwatch.state(conn, session.clock)
        return {
            "rekeyed": {"cause": told.cause, "number": told.number} if told else None,
            "clock": {"doubt": state.doubt, "ahead_ms": state.ahead_ms, "now_ms": state.now_ms},
        }

    return session.store.read(read)


def seen(session: Session) -> None:
    """The officer has read that this laptop has a number of its own."""
    session.store.write(lambda conn: rekey.seen(conn, session.clock.wall_ms()))
