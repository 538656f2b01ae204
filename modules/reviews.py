"""What the centre decided about this office's work, handed to the modules that made it: each in one transaction, each apart.

A decision stays in the inbox until it is taken in, so a power cut repeats it at worst; one that a module cannot take in is
marked with its code and holds up none behind it. *Send again* is replication's own: the record goes once more by itself.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Review, SalaError
from sync import delivery, inbox
from sync.failpoint import failpoint

if TYPE_CHECKING:
    from modules.session import Session
    from sync.store import Connection

log = logging.getLogger(__name__)

KIND: Final = "sync.review"
SEND_AGAIN: Final = "send_again"
_BUG: Final = "UI-001"


def deliver(session: Session) -> int:
    """Hand over what waits, oldest first; returns how many were taken in."""
    if session.store.read_only:  # a newer program wrote this file: it can be looked at and carried away
        return 0
    taken = 0
    for notice in session.store.read(inbox.waiting):
        if notice["kind"] != KIND:
            continue
        try:
            session.store.write(partial(_take, session, notice))
            taken += 1
        except SalaError as error:
            _refused(session, notice["seq"], error.code)
        except Exception:  # a module's bug must not hold up the other decisions
            log.exception("a decision of the centre could not be taken in")
            _refused(session, notice["seq"], _BUG)
    return taken


def _take(session: Session, notice: dict[str, Any], conn: Connection) -> None:
    body, now_ms = notice["body"], session.clock.wall_ms()
    decision, reason = str(body.get("decision") or ""), str(body.get("reason") or "")
    with session.store.authorize(None):
        found = [(op, *inbox.about(conn, op)) for op in inbox.ops(notice["op"], body)]
        for op, _, _ in found:
            if decision == SEND_AGAIN:
                delivery.again(conn, session.clock, bytes.fromhex(op))
        inbox.applied(conn, notice["seq"], now_ms)
    for op, record, name in found:
        kind = session.kinds().get(name)
        if kind is not None and kind.review is not None:
            review = Review(op, record, decision, reason, now_ms)
            session.commands.ask(conn, kind.name.partition(".")[0], KIND, partial(kind.review, review))
    failpoint("review:before-commit")


def _refused(session: Session, seq: int, code: str) -> None:
    session.store.write(lambda conn: inbox.applied(conn, seq, session.clock.wall_ms(), code))
