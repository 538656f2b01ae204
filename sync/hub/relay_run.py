"""One run of a relay to the centre: follow its log, ask what it lacks, hand on what waits, hear its word about laptops."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import cbor, notes, wire
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.hub import epochs, relays
from sync.hub.mirror import Split
from sync.hub.relay import waiting
from sync.hub.storage import Tx
from sync.limits import DAY_MS, MAX_HAVE, MAX_MESSAGE, MAX_NOTE, MAX_RECEIPT

if TYPE_CHECKING:
    from sync.hub.relay import Relay, Run
    from sync.transport import Transport

log = logging.getLogger(__name__)

_WORDS_FOR_MS: Final = 60 * DAY_MS  # laptops that were here within so long


def play(relay: Relay, line: Transport, done: Run) -> None:
    """Every step, in order; each may be the last one, for what was done is in the database."""
    _witness(relay, line, done)
    _offer(relay, line, done)
    _forward(relay, line, done)
    _pieces(relay, line, done)
    _words(relay, line)
    done.publications = relay.published.refresh(line)


def _witness(relay: Relay, line: Transport, done: Run) -> None:
    try:
        note = relay.mirror.advance(line, relay.clock.wall_ms())
    except Split as split:
        log.error("relay: the centre's log: %s", split.why)
        done.problem = "HB-197"
        return  # laptops' work goes on: it is signed and safe whatever the centre's log says
    relay.storage.write(lambda tx: _begin(tx, relay.mirror.seen(tx).epoch))
    _lives(relay, line)
    if note:
        line.call("POST", "/v1/relay/cosign", note.encode(), signed=True)
        done.cosigned = notes.read_checkpoint(note, relay.settings.log).size


def _lives(relay: Relay, line: Transport) -> None:
    """Fetch how this life of the log and those before it began, as far as that is not here: laptops ask for it."""
    epoch = relay.storage.read(life)
    while epoch > epochs.FIRST and not relay.storage.read(lambda tx, e=epoch: life_note(tx, e)):  # type: ignore[misc]
        answer = line.call("GET", f"/v1/log/epoch/{epoch}", limit=MAX_NOTE)
        if answer.status != 200:
            return
        note = answer.body.decode("utf-8", "replace")
        said = epochs.read(note, relay.settings.log)
        if said.epoch != epoch or said.after >= epoch:
            raise Malformed("epoch: another life")
        relay.storage.write(lambda tx, e=epoch, n=note: keep_life(tx, e, n))  # type: ignore[misc]
        epoch = said.after


def keep_life(tx: Tx, epoch: int, note: str) -> None:
    """Remember the note with which a life began."""
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": f"relay/life/{epoch}", "v": note},
    )


def life_note(tx: Tx, epoch: int) -> str:
    """The note with which a life began, "" when it is not here."""
    found = tx.one("SELECT value FROM meta WHERE name = :n", {"n": f"relay/life/{epoch}"})
    return str(found["value"]) if found else ""


def life(tx: Tx) -> int:
    """The latest life of the centre's log that was heard of, 0 before the first."""
    found = tx.one("SELECT value FROM meta WHERE name = 'relay/epoch'")
    return int(found["value"]) if found else 0


def _begin(tx: Tx, epoch: int) -> None:
    """The centre's log is in its life ``epoch``. In another one than when it was last heard, it may lack what it had."""
    found = tx.one("SELECT value FROM meta WHERE name = 'relay/epoch'")
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('relay/epoch', :e) ON CONFLICT (name) DO UPDATE SET value = :e",
        {"e": str(epoch)},
    )
    if found is not None and found["value"] != str(epoch):
        _offer_again(tx)


def _offer(relay: Relay, line: Transport, done: Run) -> None:
    rows = relay.storage.read(lambda tx: waiting(tx, 0, MAX_HAVE // 2))
    some = [row["hash"] for row in rows if row["what"] == "batch"]
    pieces = [row["hash"] for row in rows if row["what"] == "chunk"]
    alarm = relay.storage.read(relay.mirror.alarm)
    oldest = min((row["received_ms"] for row in rows), default=0)
    count = "SELECT count(*) AS n FROM handed WHERE state = 'waiting'"
    left = relay.storage.read(lambda tx: tx.query(count))[0]["n"]
    asked = relays.Offer(some, pieces, left, oldest, str(alarm["why"])[:120] if alarm else "")
    answer = line.call("POST", "/v1/relay/offer", asked.encode(), signed=True, limit=16 * MAX_MESSAGE)
    if answer.status != 200:
        raise Known("SY-351", status=answer.status)
    found = relays.read_wanted(answer.body)
    done.receipts += relay.receipted(found.receipts)
    there = [digest for digest in pieces if digest not in found.chunks]
    relay.storage.write(lambda tx: pieces_there(tx, there))


def _forward(relay: Relay, line: Transport, done: Run) -> None:
    """Hand on what waits, oldest first. One that the centre cannot read does not hold up the others."""
    after = 0
    while rows := relay.storage.read(lambda tx, a=after: waiting(tx, a, 50, "batch")):  # type: ignore[misc]
        for row in rows:
            failpoint("relay:forward")
            answer = line.put(f"/v1/batches/{row['hash'].hex()}", row["raw"], limit=MAX_RECEIPT)
            if answer.status in (200, 201):
                done.receipts += relay.receipted([answer.body.decode("utf-8", "replace")])
                done.forwarded += 1
            else:
                reason = f"{answer.status} {answer.body[:100].decode('utf-8', 'replace')}"
                relay.storage.write(lambda tx, r=row, why=reason: _failed(tx, r["idx"], why))  # type: ignore[misc]
        after = rows[-1]["idx"]
        if relay.ended:
            return


def _pieces(relay: Relay, line: Transport, done: Run) -> None:
    after = 0
    while rows := relay.storage.read(lambda tx, a=after: waiting(tx, a, 50, "chunk")):  # type: ignore[misc]
        for row in rows:
            answer = line.put(f"/v1/chunks/{row['hash'].hex()}", relay.bytes_of(row))
            if answer.status in (200, 201):
                relay.storage.write(lambda tx, h=row["hash"]: pieces_there(tx, [h]))  # type: ignore[misc]
                done.pieces += 1
        after = rows[-1]["idx"]
        if relay.ended:
            return


def served(relay: Relay, tx: Tx) -> list[bytes]:
    """The laptops whose work was here lately."""
    since = relay.clock.wall_ms() - _WORDS_FOR_MS
    sql = "SELECT DISTINCT device FROM handed WHERE what = 'batch' AND received_ms >= :s ORDER BY device"
    return [row["device"] for row in tx.query(sql, {"s": since})]


def _words(relay: Relay, line: Transport) -> None:
    """The centre's word about every laptop that was here lately; bytes that a second site holds are let go."""
    devices = relay.storage.read(lambda tx: served(relay, tx))
    for start in range(0, len(devices), relays.MOST_WORDS):
        body = cbor.encode(devices[start : start + relays.MOST_WORDS])
        answer = line.call("POST", "/v1/relay/words", body, signed=True, limit=16 * MAX_MESSAGE)
        if answer.status == 200:
            found = relays.read_words(answer.body)
            relay.storage.write(lambda tx, some=found: _heard(relay, tx, some))  # type: ignore[misc]


def _heard(relay: Relay, tx: Tx, words: Sequence[relays.Word]) -> None:
    for word in words:
        one_word(relay, tx, word)


def one_word(relay: Relay, tx: Tx, word: relays.Word) -> None:
    """Keep the centre's word about one laptop. Malformed: it is about another one, or not the centre's."""
    status = wire.read_status(word.status, relay.settings.log.public)
    if status.device_id != word.device:
        raise Malformed("relay: word about another laptop")
    tx.execute(
        """INSERT INTO heard (device, status, asked_ms) VALUES (:d, :status, :now)
           ON CONFLICT (device) DO UPDATE SET status = :status, asked_ms = :now""",
        {"d": word.device, "status": word.status, "now": relay.clock.wall_ms()},
    )
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": f"audit/{word.device.hex()}", "v": word.audit},
    )
    tx.execute(
        "UPDATE handed SET raw = :none WHERE device = :d AND state = 'there' AND last_seq <= :stable AND raw <> :none",
        {"none": b"", "d": word.device, "stable": status.stable_seq},
    )


def pieces_there(tx: Tx, digests: Sequence[bytes]) -> None:
    for digest in digests:
        tx.execute("UPDATE handed SET state = 'there' WHERE hash = :h AND what = 'chunk'", {"h": digest})


def _failed(tx: Tx, index: int, reason: str) -> None:
    tx.execute("UPDATE handed SET tries = tries + 1, reason = :why WHERE idx = :idx", {"why": reason, "idx": index})


def lives_on(tx: Tx, epoch: int) -> int:
    """A signed word of the centre that a stick brought names the life ``epoch`` of its log: the latest one that was heard of.

    One that was not heard of before begins here too.
    """
    if epoch > life(tx):
        _begin(tx, epoch)
    return life(tx)


def _offer_again(tx: Tx) -> None:
    """The centre was put back from a copy: whatever bytes are still here go once more; of all else laptops are asked again."""
    tx.execute("UPDATE handed SET state = 'waiting', receipt = '' WHERE what = 'batch' AND raw <> :none", {"none": b""})
    tx.execute("DELETE FROM handed WHERE what = 'batch' AND raw = :none", {"none": b""})
    tx.execute("DELETE FROM handed WHERE what = 'chunk' AND state = 'there'")
