"""What each batch holds (kind, form, officer), the words of bodies that the hub can read, what amends what: for whoever looks.

A cursor over the log takes in what came, outside of ingest, so that no receipt waits for it; all of it can be made anew. Sealed
bodies have no words here: the hub cannot read them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from i18n.normalise import fold
from i18n.segment import segments
from sync.errors import Known
from sync.hub import bursts, parallels, raws, stored
from sync.hub.storage import Row, Storage, Tx

CURSOR: Final = "finder"  # in ``meta``: the entry of the log up to which all is in
STRETCH: Final = 50  # batches of one transaction …
MOST_OPS: Final = 200  # … but none after the one with which there are so many ops: nobody waits for long
QUICK_S: Final = 0.5  # what a page may take in before it answers
MOST_WORDS: Final = 60  # of one record
LONGEST_WORD: Final = 40


def advance(
    storage: Storage, most: int = 1 << 30, *, rest: bursts.Rest = bursts.never, wait: bool = True, within_s: float | None = None
) -> int:  # fmt: skip
    """Take in what came since the last time, at most so many batches; how many were taken.

    Without ``wait`` none while somebody else does it; ``within_s``: begin no further piece after so many seconds.
    """
    taken, worked, began = 0, 0.0, time.monotonic()
    while taken < most:
        rest(worked)
        with storage.turn(wait=wait) as mine:
            begun = time.monotonic()
            if not mine or not (n := _stretch(storage, min(STRETCH, most - taken))):
                break
        taken += n
        worked = time.monotonic() - begun
        if within_s is not None and time.monotonic() - began >= within_s:
            break
    return taken


def quickly(storage: Storage) -> None:
    """So much of it as a page can take in before it answers: what has just come is found too. One batch whose bytes are lost holds
    up all behind it, but no page."""
    with suppress(Known):
        advance(storage, wait=False, within_s=QUICK_S)


def _stretch(storage: Storage, most: int) -> int:
    """Take in a few batches; how many, 0 when there is nothing new."""
    after, stretch = storage.read(lambda tx: (reached := _cursor(tx), _next(tx, reached, most)))
    if not stretch:
        return 0
    words = [(row["id"], word) for row in stretch for word in row["words"]]
    refs = [(row["id"], row["batch"], row["refs"]) for row in stretch if row["refs"]]
    last = max(row["leaf"] for row in stretch)
    batches = sorted({row["batch"] for row in stretch})
    storage.write_beside(lambda tx: _keep(tx, after, batches, words, refs, last))
    return len(batches)


def behind(tx: Tx) -> int:
    """Batches that are not taken in yet."""
    return int(tx.query("SELECT coalesce(max(idx), -1) AS last FROM leaf")[0]["last"]) - _cursor(tx)


def forget(tx: Tx) -> None:
    """Begin from the first batch again."""
    for table in ("mark", "word", "amends", "parallel"):
        tx.execute(f"DELETE FROM {table}")
    tx.execute("DELETE FROM meta WHERE name = :n", {"n": CURSOR})


def _cursor(tx: Tx) -> int:
    found = tx.one("SELECT value FROM meta WHERE name = :n", {"n": CURSOR})
    return int(found["value"]) if found else -1


def _next(tx: Tx, after: int, most: int) -> list[Row]:
    """The ops of the next batches ``after`` that entry with their words; a batch without new ops as one row without id."""
    found: list[Row] = []
    for leaf in tx.query(
        "SELECT idx, batch FROM leaf WHERE idx > :after ORDER BY idx LIMIT :n", {"after": after, "n": most}
    ):
        if len(found) >= MOST_OPS:
            break
        rows = tx.query("SELECT id, place, kind FROM op WHERE batch = :b ORDER BY place", {"b": leaf["batch"]})
        # the centre's own acts are told on their own pages
        readable = [row for row in rows if not row["kind"].startswith("sync.")]
        read = stored.read(raws.of(tx, leaf["batch"]), {row["place"] for row in readable}) if readable else {}
        found += [
            {
                "leaf": leaf["idx"],
                "batch": leaf["batch"],
                "id": row["id"],
                "words": words_of(read[row["place"]].body),
                "refs": [bytes(ref) for ref in read[row["place"]].refs],
            }
            for row in readable
        ]
        found.append({"leaf": leaf["idx"], "batch": leaf["batch"], "id": None, "words": (), "refs": ()})
    return found


def _keep(
    tx: Tx,
    after: int,
    batches: Sequence[int],
    words: Sequence[tuple[int, str]],
    refs: Sequence[tuple[int, int, Sequence[bytes]]],
    last: int,
) -> None:
    """Take in what was read ``after`` that entry, unless somebody else did meanwhile: a process that had lost its turn."""
    if _cursor(tx) != after:
        return
    for batch in batches:
        tx.execute(
            """INSERT INTO mark (batch, kind, form, officer, device, n)
               SELECT batch, kind, form, officer, device, count(*) FROM op WHERE batch = :b GROUP BY batch, kind, form, officer, device
               ON CONFLICT DO NOTHING""",
            {"b": batch},
        )
    if words:
        tx.execute_many(
            "INSERT INTO word (word, op) VALUES (:word, :op) ON CONFLICT DO NOTHING",
            [{"word": word, "op": op} for op, word in words],
        )
    for op, batch, seen in refs:
        parallels.note(tx, op, batch, seen)
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": CURSOR, "v": str(last)},
    )


def words_of(body: object) -> tuple[str, ...]:
    """The words of a plain body in compare form, each once; a sealed one has none."""
    found: dict[str, None] = {}
    for text in _texts(body) if isinstance(body, dict) else ():
        for word in split(text):
            found.setdefault(word)
            if len(found) >= MOST_WORDS:
                return tuple(found)
    return tuple(found)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value[:2_000]
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def split(text: str) -> list[str]:
    """The words of a text in compare form."""
    pieces = [fold(piece).strip() for piece in segments(text)]
    return [piece[:LONGEST_WORD] for piece in pieces if any(letter.isalnum() for letter in piece) and "\0" not in piece]
