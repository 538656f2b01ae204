"""Have/want: what the hub lacks of what this laptop offers, and how its log grew since. Always first, and again for pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sync import checkpoints, delivery, notes, ops, pieces, readmission, relayed, wire
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.marks import OFFERED, RECEIPT_CURSOR, ROLLBACK, mark, set_mark

if TYPE_CHECKING:
    from sync.exchange import _Run as Run
    from sync.store import Connection


def batches(run: Run) -> None:
    """Ask which batches the hub lacks. After a new epoch, or a log that went back, everything is offered: until it was answered
    whole, and also when a stick has told of the epoch first."""
    if not run.report.enrolled:
        return
    shown = notes.read_checkpoint(run.line.note.decode("utf-8", "replace"), run.centre.log)
    known = run.store.read(checkpoints.newest)
    run.store.write(lambda conn: delivery.new_epoch(conn, shown.epoch))
    doubted = run.store.read(lambda conn: mark(conn, OFFERED) != shown.epoch or mark(conn, ROLLBACK) > 0)
    everything = doubted and known is not None
    if everything:  # the copy that was put back may be older than our enrolment
        readmission.again(run.unlocked, run.line)
    offered = run.store.read(lambda conn: delivery.offers(conn, everything=everything))
    answers = [_offer(run, page)[0] for page in delivery.pages(offered)]
    failpoint("have:offered")
    if all(answers):
        run.store.write(lambda conn: _sound(conn, shown.epoch))
    elif not everything:
        for page in delivery.pages(run.store.read(lambda conn: delivery.offers(conn, everything=True))):
            _offer(run, page)


def _sound(conn: Connection, epoch: int) -> None:
    """All that is here was offered in the life ``epoch`` of the hub's log, and the log only grew."""
    set_mark(conn, ROLLBACK, 0)
    set_mark(conn, OFFERED, epoch)


def chunks(run: Run, names: Sequence[bytes]) -> int:
    """Ask which of the pieces ``names`` (at most 2,000) the hub lacks, and how many: the others are there, whoever brought them.

    A laptop that is not enrolled yet cannot ask: then nothing is known of them.
    """
    if not run.report.enrolled:
        return 0
    return relayed.chunks(run, names) if run.line.relay else _offer(run, (), names)[1]


def _offer(run: Run, page: Sequence[bytes], names: Sequence[bytes] = ()) -> tuple[bool, int]:
    """One question: False when the hub's log went back, and how many of ``names`` it lacks."""

    def work(conn: Connection) -> wire.Have:
        head = conn.execute("SELECT seq, hash FROM op ORDER BY seq DESC LIMIT 1").fetchone()
        known = checkpoints.newest(conn)
        base = mark(conn, ops.chain_base(run.unlocked.device.device_id))
        return wire.Have(
            page, names, head["seq"] - base if head else 0, head["hash"] if head else bytes(32),
            known.epoch if known else 0, known.size if known else 0, delivery.about(conn),
        )  # fmt: skip

    asked = run.store.read(work).encode()
    answer = run.line.call("POST", "/v1/have", asked, signed=True)
    if answer.status == 403 and readmission.again(run.unlocked, run.line):
        answer = run.line.call("POST", "/v1/have", asked, signed=True)
    if answer.status != 200:
        raise Known("SY-351", status=answer.status)
    missing = wire.read_missing(answer.body)
    status = wire.read_status(missing.status, run.centre.log.public)
    if status.device_id != run.unlocked.device.device_id:
        raise Malformed("wire: status of another device")
    sound = advance(run, "have", missing.note, missing.proof)

    def keep(conn: Connection) -> int:
        lost = delivery.lost(conn, run.clock, missing.batches)
        delivery.take_status(conn, status, run.clock)
        pieces.answered(conn, names, missing.chunks, run.clock.wall_ms(), hub_ms=status.hub_ms)
        failpoint("have:before-commit")
        return lost

    run.report.batches_lost += run.store.write(keep)
    for worry in () if names else run.store.read(lambda conn: delivery.worries(conn, status)):
        run._problem("have", worry)
    return sound, len(missing.chunks)


def advance(run: Run, step: str, note: str, proof: Sequence[bytes]) -> bool:
    """Take a newer checkpoint of the hub's log; False, and told, when the hub went back."""
    now = run.clock.wall_ms()
    try:
        run.store.write(lambda conn: checkpoints.advance(conn, note, run.centre.log, proof, now))
    except Known as error:
        if error.code != "SY-320":
            raise
        run.store.write(lambda conn: _went_back(conn, now, first=not run.went_back))
        if not run.went_back:
            run._problem(step, error)
        run.went_back = True
        return False
    return True


def _went_back(conn: Connection, now_ms: int, *, first: bool) -> None:
    set_mark(conn, ROLLBACK, now_ms)
    set_mark(conn, RECEIPT_CURSOR, 0)
    if first:  # every answer of this run says so again: doubt of what it has just answered would never end
        pieces.doubt(conn)
