"""Old receipts as evidence: what this hub once received counts, though a later revocation names an earlier cut-off (SYNC §9).

After an older copy of the hub was put back, a laptop that has been revoked since offers again what it had receipts for. The
receipts carry the hub's own signature, so the ops of their batches are labelled as they were then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync import cbor, receipts
from sync.cbor import Malformed
from sync.hub import acts, epochs, labels, tree
from sync.hub.storage import Tx
from sync.limits import MAX_HAVE, MAX_MESSAGE
from sync.notes import NoteKey
from sync.receipts import State

if TYPE_CHECKING:
    from sync.hub.centre import Centre

ACT: Final = "sync.evidence"
_COUNTS: Final = frozenset({State.ACCEPTED, State.SCHEMA})


def take(centre: Centre, texts: Iterable[str]) -> int:
    """Keep the receipts ``texts`` that this hub gave for accepted batches; how many were new. Malformed: one is not its own."""
    shown = [receipts.verify(text, _log(centre)) for text in texts]
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> int:
        new = 0
        epochs.heard(tx, max((receipt.checkpoint.epoch for receipt in shown), default=0))
        for leaf in (receipt.leaf for receipt in shown):
            if leaf.state not in _COUNTS:
                continue
            row = {"batch": leaf.batch_hash, "device": leaf.device_id, "received": leaf.received_ms}
            if tx.execute(
                "INSERT INTO evidence (batch, device, received_ms) VALUES (:batch, :device, :received) ON CONFLICT (batch) DO NOTHING",
                row,
            ):
                new += 1
                acts.record(tx, ACT, {"batch": leaf.batch_hash}, now, [("evidence", "batch", leaf.batch_hash)])
                relabel(tx, leaf.batch_hash)
        return new

    return centre.storage.write(work)


def _log(centre: Centre) -> NoteKey:
    key: NoteKey = centre.log.note_key
    return key


def relabel(tx: Tx, batch: bytes) -> None:
    """Label the ops of a batch anew that came before its receipt."""
    values = {"hash": batch, "revoked": labels.REVOKED, "pending": labels.PENDING}
    of_batch = "batch = (SELECT idx FROM batch WHERE hash = :hash) AND label = :revoked AND label <> 'accepted'"
    parents = tx.query(f"SELECT parent FROM op WHERE {of_batch} ORDER BY place", values)
    if parents:
        tx.execute(f"UPDATE op SET label = :pending WHERE {of_batch}", values)
        tree.settle(tx, [row["parent"] for row in parents])


def read_texts(data: bytes) -> list[str]:
    """The receipts that a laptop sends."""
    match cbor.decode(data):
        case list(texts) if len(texts) <= MAX_HAVE and all(isinstance(text, str) for text in texts):
            return texts
    raise Malformed("evidence: list")


def route(bounded: Any) -> Route:
    """``POST /v1/evidence``: needs no log-in, because what it brings is signed by this hub."""

    def called(request: Request, body: bytes) -> Response:
        take(request.app.state.centre, read_texts(body))
        return Response(b"", 200)

    return Route("/v1/evidence", bounded(called, MAX_MESSAGE), methods=["POST"])
