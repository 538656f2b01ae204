"""What a relay hears of the centre by stick, and what it says of itself on one: so that it needs no line, also at its beginning.

A stick from the centre carries the newest checkpoint of its log, its words about laptops, receipts and publications. A life of the
log that the relay has not heard of begins for it at once: what it holds goes once more. Words of an earlier life say nothing then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sync import notes, receipts, wire
from sync.hub import epochs, relay_run, relays
from sync.hub.storage import Tx

if TYPE_CHECKING:
    from sync.hub.relay import Relay
    from sync.piecenote import Held

_WORD: Final = "relay/word"  # the newest checkpoint that a stick has brought


def introduction(relay: Relay) -> bytes:
    """What this relay says of itself on a stick: whom it serves and how much waits, signed."""
    count = "SELECT count(*) AS n, coalesce(min(received_ms), 0) AS oldest FROM handed WHERE state = 'waiting'"
    devices, left, alarm = relay.storage.read(
        lambda tx: (
            relay_run.served(relay, tx)[: relays.MOST_WORDS],
            tx.query(count)[0],
            relay.mirror.alarm(tx),
        )
    )
    said = relays.Introduction(devices, left["n"], left["oldest"], str(alarm["why"])[:120] if alarm else "")
    return relays.introduce(said, relay.key)


def take_checkpoint(relay: Relay, note: str) -> None:
    """Keep the centre's checkpoint if it is newer than the one that is here. Malformed: the centre did not sign it."""
    shown = notes.read_checkpoint(note, relay.settings.log)

    def keep(tx: Tx) -> None:
        relay_run.lives_on(tx, shown.epoch)
        known = _word(tx)
        before = notes.read_checkpoint(known, relay.settings.log) if known else None
        if before is None or (before.epoch, before.size) < (shown.epoch, shown.size):
            tx.execute(
                "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
                {"n": _WORD, "v": note},
            )

    relay.storage.write(keep)


def take_life(relay: Relay, note: str) -> None:
    """Keep how a life of the log began, for laptops. Malformed: the centre did not sign it."""
    said = epochs.read(note, relay.settings.log)

    def keep(tx: Tx) -> None:
        relay_run.lives_on(tx, said.epoch)
        relay_run.keep_life(tx, said.epoch, note)

    relay.storage.write(keep)


def take_receipt(relay: Relay, text: str) -> int:
    """Take a receipt: 1 when it is new. Malformed: the centre did not give it. One of an earlier life of its log proves nothing now."""
    epoch = receipts.verify(text, relay.settings.log).checkpoint.epoch
    relay.storage.write(lambda tx: relay_run.lives_on(tx, epoch))
    return relay.receipted([text])


def take_pieces(relay: Relay, held: Held) -> None:
    """Take the centre's word that it holds pieces of attachments."""

    def keep(tx: Tx) -> None:
        if relay_run.lives_on(tx, held.epoch) == held.epoch:
            relay_run.pieces_there(tx, held.pieces)

    relay.storage.write(keep)


def take_words(relay: Relay, data: bytes) -> None:
    """Take the centre's words about laptops; one that is older than what was heard before is passed over. Malformed: not its own."""
    found = relays.read_words(data)
    for word in found:
        said = wire.read_status(word.status, relay.settings.log.public)

        def keep(tx: Tx, said: wire.Status = said, word: relays.Word = word) -> None:
            before = tx.one("SELECT status FROM heard WHERE device = :d", {"d": word.device})
            heard = wire.read_status(before["status"], relay.settings.log.public) if before else None
            if heard is not None and (heard.epoch, heard.hub_ms) >= (said.epoch, said.hub_ms):
                return
            if relay_run.lives_on(tx, said.epoch) == said.epoch:
                relay_run.one_word(relay, tx, word)

        relay.storage.write(keep)


def greeting(relay: Relay, tx: Tx) -> str:
    """The checkpoint with which this relay answers laptops first: the cosigned one, or what a stick has brought; "" before both."""
    cosigned, carried = relay.mirror.cosigned(tx), _word(tx)
    if not cosigned or not carried:
        return cosigned or carried
    ours, theirs = (notes.read_checkpoint(note, relay.settings.log) for note in (cosigned, carried))
    return carried if theirs.epoch > ours.epoch else cosigned


def _word(tx: Tx) -> str:
    found = tx.one("SELECT value FROM meta WHERE name = :n", {"n": _WORD})
    return str(found["value"]) if found else ""
