"""Carries colleagues' batches on to the hub over the line: the bytes that they signed, and their receipts kept for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sync import foreign
from sync.errors import Known, SalaError
from sync.failpoint import failpoint
from sync.limits import MAX_RECEIPT

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.notes import NoteKey
    from sync.transport import Transport


def carry_on(
    unlocked: Unlocked, line: Transport, log: NoteKey, *, cancel: Callable[[], bool],
    problem: Callable[[str, SalaError], None],
) -> int:  # fmt: skip
    """Send every colleague's batch that no receipt covers; returns how many the hub has receipted. One in trouble waits alone."""
    store, carried = unlocked.store, 0
    for hash_, _ in store.read(foreign.to_carry):
        if cancel():
            break
        answer = line.put(
            f"/v1/batches/{hash_.hex()}", store.read(partial(foreign.data, hash_=hash_)), limit=MAX_RECEIPT
        )
        failpoint("office:after-put")
        if answer.status not in (200, 201):
            problem("office", Known("SY-351", status=answer.status))
            continue
        text = answer.body.decode("utf-8", "replace")
        try:
            carried += store.write(partial(foreign.received, text=text, log=log))
        except Known as error:
            problem("office", error)
    return carried
