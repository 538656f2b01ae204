"""Hands the ops of other laptops of this office to the modules, once each, in the same transaction as the note that it was done."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from modules.contract import Kind, OfficeOp, SalaError
from sync import foreign

if TYPE_CHECKING:
    from modules.session import Session
    from sync.foreign import ForeignOp
    from sync.store import Connection

log = logging.getLogger(__name__)
_ORIGIN = "sync"


def deliver(session: Session) -> int:
    """Give every op that waits to its module; returns how many were taken. One that cannot be taken holds up no other."""
    kinds = {name: kind for name, kind in session.kinds().items() if kind.merge is not None}
    if not kinds:
        return 0
    taken, tried = 0, set[str]()
    while fresh := [op for op in _waiting(session, list(kinds), len(tried)) if op.hash not in tried]:
        before = taken
        for op in fresh:
            tried.add(op.hash)
            taken += _give(session, kinds[op.fields.kind], op)
        if taken > before:
            tried.clear()  # what waited for one of these may go now
    return taken


def _waiting(session: Session, kinds: list[str], passed: int) -> list[ForeignOp]:
    return session.store.read(lambda conn: foreign.unapplied(conn, kinds, 500 + passed))


def _give(session: Session, kind: Kind, op: ForeignOp) -> bool:
    merge = kind.merge
    if merge is None:
        return False
    module = kind.name.partition(".")[0]

    def work(conn: Connection) -> bool:
        name = foreign.officer_name(conn, op.device, op.fields.officer)
        record = session.commands.ask(conn, module, _ORIGIN, lambda: merge(_office_op(op, name)))
        if record is None:
            return False
        with session.store.authorize(None):
            foreign.applied(conn, op.hash, record, session.clock.wall_ms())
        return True

    try:
        return session.store.write(work)
    except SalaError as error:
        log.warning("an op of laptop %s waits: %s", op.number, error.code)
        return False
    except Exception:  # a bug in one module must not keep the ops of the others from being shown
        log.exception("an op of laptop %s cannot be taken", op.number)
        return False


def _office_op(op: ForeignOp, officer_name: str) -> OfficeOp:
    fields = op.fields
    return OfficeOp(
        op=op.hash, op_id=fields.op_id.hex(), kind=fields.kind, form=fields.form, def_hash=fields.def_hash.hex(),
        refs=[ref.hex() for ref in fields.refs], officer=fields.officer.hex(), officer_name=officer_name,
        wall_ms=fields.wall_ms, laptop=op.number, body=op.body,
    )  # fmt: skip
