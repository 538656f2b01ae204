"""Carries colleagues' batches on to the hub over the line: the bytes that they signed, and their receipts kept for them.

A province's relay takes them like this laptop's own: it signs for them, and the centre's receipts come back by it later.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sync import foreign, relayed
from sync.cbor import Malformed
from sync.errors import Known, SalaError
from sync.failpoint import failpoint
from sync.limits import MAX_RECEIPT

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.notes import NoteKey
    from sync.store import Connection
    from sync.transport import Transport


def carry_on(
    unlocked: Unlocked, line: Transport, log: NoteKey, *, cancel: Callable[[], bool],
    problem: Callable[[str, SalaError], None],
) -> int:  # fmt: skip
    """Send every colleague's batch that no receipt covers; returns how many were taken: receipted by the hub, or signed for by a relay.

    One in trouble waits alone.
    """
    store, carried = unlocked.store, 0
    for hash_, _ in store.read(partial(foreign.to_carry, beside=line.relay)):
        if cancel():
            break
        answer = line.put(
            f"/v1/batches/{hash_.hex()}", store.read(partial(foreign.data, hash_=hash_)), limit=MAX_RECEIPT
        )
        failpoint("office:after-put")
        text = answer.body.decode("utf-8", "replace")
        if answer.status == 202:
            try:
                store.write(partial(_handed, hash_=hash_, note=text))
                carried += 1
            except Malformed:
                problem("office", Known("SY-482", relay=line.relay))
            continue
        if answer.status not in (200, 201):
            problem("office", Known("SY-351", status=answer.status))
            continue
        try:
            carried += store.write(partial(foreign.received, text=text, log=log))
        except Known as error:
            problem("office", error)
    return carried


def _handed(conn: Connection, *, hash_: bytes, note: str) -> None:
    foreign.handed(conn, hash_, relayed.signer(conn, hash_, note)[0])
