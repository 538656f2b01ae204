"""The centre's side of province relays: what it lacks of what a relay holds, its word about laptops, cosignatures.

On a stick a relay says who it is and whom it serves (:class:`Introduction`, a COSE_Sign1 by its key); the answer goes home beside it.

``POST /v1/relay/offer``: :class:`Offer` → :class:`Wanted` · ``POST /v1/relay/words``: ids of laptops → :class:`Word` each ·
``POST /v1/relay/cosign``: a note → 204 · ``POST /v1/relay/lease/<resource>``: a laptop's id → 202. All signed by the relay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync import batch as batches
from sync import cbor, cose
from sync.cbor import Malformed
from sync.errors import Refused
from sync.hub import audits
from sync.hub.answers import present
from sync.hub.storage import Row, Tx
from sync.limits import MAX_HAVE, MAX_MESSAGE, MAX_NAME, MAX_SEQ

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from sync.hub.centre import Centre
    from sync.hub.log import Log

MOST_WORDS: Final = 500
RECEIPTS: Final = 200  # of one answer
_TYPE: Final = "application/sala-relay+cbor"
_AAD: Final = b"sala/relay/v1"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a relay holds for the centre, and how it stands with it. ``oldest_ms`` 0: nothing waits."""

    batches: Sequence[bytes]
    chunks: Sequence[bytes]
    waiting: int
    oldest_ms: int
    alarm: str

    def encode(self) -> bytes:
        return cbor.encode(
            {1: list(self.batches), 2: list(self.chunks), 3: self.waiting, 4: self.oldest_ms, 5: self.alarm}
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the centre lacks of an offer, and receipts of what it has."""

    batches: Sequence[bytes]
    chunks: Sequence[bytes]
    receipts: Sequence[str]

    def encode(self) -> bytes:
        return cbor.encode({1: list(self.batches), 2: list(self.chunks), 3: list(self.receipts)})


@dataclass(frozen=True, slots=True)
class Word:
    """The centre's word about one laptop: its key, the signed status, the cosignature of its audit log ("" for none)."""

    device: bytes
    public: bytes
    status: bytes
    audit: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a relay says of itself on a stick: laptops that it serves, how much waits and since when, its alarm."""

    devices: Sequence[bytes]
    waiting: int
    oldest_ms: int
    alarm: str


def introduce(said: Introduction, key: SigningKey) -> bytes:
    """``said``, signed by the relay's ``key``."""
    payload = cbor.encode({1: list(said.devices), 2: said.waiting, 3: said.oldest_ms, 4: said.alarm})
    name = batches.device_id(bytes(key.verify_key))
    return cose.sign(key, payload, content_type=_TYPE, key_id=name, aad=_AAD)


def read_introduction(data: bytes) -> tuple[cose.Signed, Introduction]:
    """What a relay says of itself; its signature is not verified yet."""
    signed = cose.parse(data, _TYPE, MAX_MESSAGE)
    match cbor.decode(signed.payload):
        case {1: list(devices), 2: int(waiting), 3: int(oldest), 4: str(alarm), **others} if (
            not others
            and len(devices) <= MOST_WORDS
            and all(isinstance(one, bytes) and len(one) == 16 for one in devices)
            and 0 <= waiting <= MAX_SEQ
            and 0 <= oldest <= MAX_SEQ
            and len(alarm) <= MAX_NAME
        ):
            return signed, Introduction(devices, waiting, oldest, alarm)
    raise Malformed("relay: introduction")


def read_offer(data: bytes) -> Offer:
    match cbor.decode(data):
        case {1: list(some), 2: list(pieces), 3: int(waiting), 4: int(oldest), 5: str(alarm), **others} if (
            not others
            and _hashes(some)
            and _hashes(pieces)
            and 0 <= waiting <= MAX_SEQ
            and 0 <= oldest <= MAX_SEQ
            and len(alarm) <= MAX_NAME
        ):
            return Offer(some, pieces, waiting, oldest, alarm)
    raise Malformed("relay: offer")


def read_wanted(data: bytes) -> Wanted:
    match cbor.decode(data):
        case {1: list(some), 2: list(pieces), 3: list(texts), **others} if (
            not others and _hashes(some) and _hashes(pieces) and all(isinstance(text, str) for text in texts)
        ):
            return Wanted(some, pieces, texts)
    raise Malformed("relay: wanted")


def encode_words(words: Sequence[Word]) -> bytes:
    return cbor.encode([[word.device, word.public, word.status, word.audit] for word in words])


def read_words(data: bytes) -> list[Word]:
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise Malformed("relay: words")
    return [_read_word(item) for item in value]


def read_devices(data: bytes) -> list[bytes]:
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise Malformed("relay: laptops")
    if any(not isinstance(one, bytes) or len(one) != 16 for one in value):
        raise Malformed("relay: laptop")
    return value


def _read_word(item: Any) -> Word:
    match item:
        case [bytes(device), bytes(public), bytes(status), str(audit)] if len(
            public
        ) == 32 and device == batches.device_id(public):
            return Word(device, public, status, audit)
    raise Malformed("relay: word")


def _hashes(value: list[Any]) -> bool:
    return len(value) <= MAX_HAVE and all(isinstance(one, bytes) and len(one) == 32 for one in value)


# --- at the centre


def by_id(tx: Tx, relay: bytes) -> Row | None:
    """The relay whose key has that id; None when there is none, or not any more."""
    rows = tx.query("SELECT * FROM relay WHERE removed_ms IS NULL ORDER BY name")
    return next((row for row in rows if batches.device_id(row["public"]) == relay), None)


def heard(tx: Tx, name: str, offer: Offer, now_ms: int) -> None:
    """Remember when a relay was heard and what it said of itself."""
    tx.execute(
        "UPDATE relay SET seen_ms = :now, waiting = :waiting, oldest_ms = :oldest, alarm = :alarm WHERE name = :name",
        {
            "now": now_ms,
            "waiting": offer.waiting,
            "oldest": offer.oldest_ms or None,
            "alarm": offer.alarm,
            "name": name,
        },
    )


def met(tx: Tx, data: bytes, now_ms: int) -> tuple[str, Introduction]:
    """A stick brings what a relay says of itself: its name, and that. Refused HB-193: the centre knows no such relay."""
    signed, said = read_introduction(data)
    row = by_id(tx, signed.key_id)
    if row is None:
        raise Refused("HB-193", name=signed.key_id.hex())
    cose.verify(signed, row["public"], _AAD)
    heard(tx, row["name"], Offer([], [], said.waiting, said.oldest_ms, said.alarm), now_ms)
    return str(row["name"]), said


def wanted(tx: Tx, offer: Offer, log: Log) -> Wanted:
    """What of ``offer`` is not here, and the receipts of what is, under this life of the ``log``."""
    found: dict[bytes, str] = {}
    for digest in offer.batches:
        row = tx.one(
            "SELECT l.receipt FROM batch b JOIN leaf l ON l.batch = b.idx WHERE b.hash = :h AND l.receipt IS NOT NULL",
            {"h": digest},
        )
        if row is not None:
            found[digest] = row["receipt"]
    lacking = [
        digest for digest in offer.chunks if tx.one("SELECT 1 AS yes FROM chunk WHERE hash = :h", {"h": digest}) is None
    ]
    return Wanted(
        [one for one in offer.batches if one not in found],
        lacking,
        [present(tx, log=log, receipt=text) for text in list(found.values())[:RECEIPTS]],
    )


def words(centre: Centre, tx: Tx, devices: Sequence[bytes]) -> list[Word]:
    """The centre's word about these laptops; those that it does not know are left out."""
    found = []
    for device in devices:
        row = tx.one("SELECT sign_public FROM device WHERE device = :d", {"d": device})
        if row is not None:
            note = audits.note(tx, centre.log, device) or ""
            found.append(Word(device, row["sign_public"], centre.status(tx, device), note))
    return found
