"""Between two runs over the line: when the next one starts by itself, and what is to be said until then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import client, cutting, delivery, line, pieces, portal
from sync.limits import FILL_WAIT_MS
from sync.marks import GOODPUT, LAST_RUN, RUN_NEXT, RUN_TRIES, mark, set_mark
from sync.transport import LONGEST_MS, backoff_ms, has_come, target_size

if TYPE_CHECKING:
    from sync.errors import Known
    from sync.store import Connection

_SIGN_IN_MS: Final = 60_000  # how often it is looked whether somebody has signed in to the network


def due(conn: Connection, now_ms: int) -> bool:
    """Whether an automatic run should start now: the wait after failures is over and there is a reason to go."""
    waiting = cutting.uncut(conn)
    waited = waiting.ops > 0 and has_come(waiting.oldest_ms + FILL_WAIT_MS, now_ms, FILL_WAIT_MS)
    filled = waiting.bytes >= 4 * target_size(mark(conn, GOODPUT))
    queued = any(batch.due(now_ms) for batch in delivery.pending(conn))
    scans = line.attachments_may_go(line.read(conn), now_ms) and bool(pieces.due(conn, now_ms, 1))
    stale = has_come(mark(conn, LAST_RUN) + 15 * FILL_WAIT_MS, now_ms, 15 * FILL_WAIT_MS)
    return has_come(mark(conn, RUN_NEXT), now_ms) and (waited or filled or queued or scans or stale)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be said about the line between two runs. ``next_try_ms`` 0: no wait, nothing failed."""

    next_try_ms: int
    tries: int  # failures in a row
    trouble: str  # the code of the last failure, "" when the centre was reached
    scans_from_ms: int  # when attachments may go next, 0 when they may go now or none waits


def outlook(conn: Connection, now_ms: int) -> Outlook:
    """When the next automatic run starts, and why it must wait."""
    following = mark(conn, RUN_NEXT)
    opens = line.opens_ms(line.read(conn), now_ms)
    held = opens > now_ms and bool(pieces.due(conn, now_ms, 1))
    return Outlook(
        0 if has_come(following, now_ms) else following, mark(conn, RUN_TRIES), line.trouble(conn), opens if held else 0
    )


def wake(conn: Connection) -> None:
    """The network has changed, or the person may have mended something: what waited for the line need not wait any longer."""
    set_mark(conn, RUN_NEXT, 0)
    conn.execute(
        "UPDATE batch SET next_try_ms = 0 WHERE state IN ('cut', 'sent') AND last_error = ?", (client.NO_LINE,)
    )


def reached(conn: Connection, now_ms: int) -> None:
    """A run came to its end: the next one need not wait."""
    set_mark(conn, LAST_RUN, now_ms)
    set_mark(conn, RUN_TRIES, 0)
    set_mark(conn, RUN_NEXT, 0)
    line.set_trouble(conn, "")


def failed(conn: Connection, error: Known, now_ms: int, *, moved: bool) -> None:
    """Say when the next automatic run may start: never gives up, never all at once. A run that ``moved`` something is no failure."""
    signing_in = error.code == portal.SIGN_IN
    tries = mark(conn, RUN_TRIES)
    tries = tries if signing_in else 1 if moved else tries + 1
    asked = error.values.get("wait_s")
    wait = min(asked * 1000, LONGEST_MS) if isinstance(asked, int) and asked > 0 else backoff_ms(tries)
    set_mark(conn, RUN_TRIES, tries)
    set_mark(conn, RUN_NEXT, now_ms + (_SIGN_IN_MS if signing_in else wait))
    line.set_trouble(conn, error.code)
