"""What each batch holds (kind, form, officer), the words of bodies that the hub can read, what amends what: for whoever looks.

A cursor over the log takes in what came, outside of ingest, so that no receipt waits for it; all of it can be made anew. Sealed
bodies have no words here: the hub cannot read them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from i18n.normalise import fold
from i18n.segment import segments
from sync.hub import bursts, parallels, raws, stored
from sync.hub.storage import Row, Storage, Tx

CURSOR: Final = "finder"  # in ``meta``: the entry of the log up to which all is in
STRETCH: Final = 50  # batches of one transaction
MOST_WORDS: Final = 60  # of one record
LONGEST_WORD: Final = 40


def advance(storage: Storage, most: int = 1 << 30, *, rest: bursts.Rest = bursts.never) -> int:
    """Take in what came since the last time, at most so many batches; how many were taken."""
    taken, worked = 0, 0.0
    while taken < most:
        rest(worked)
        began = time.monotonic()
        after, stretch = storage.read(lambda tx: (reached := _cursor(tx), _next(tx, reached)))
        if not stretch:
            break
        words = [(row["id"], word) for row in stretch for word in row["words"]]
        refs = [(row["id"], row["batch"], row["refs"]) for row in stretch if row["refs"]]
        last = max(row["leaf"] for row in stretch)
        batches = sorted({row["batch"] for row in stretch})
        storage.write(lambda tx, a=after, b=batches, w=words, r=refs, n=last: _keep(tx, a, b, w, r, n))  # type: ignore[misc]
        taken += len(batches)
        worked = time.monotonic() - began
    return taken


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


def _next(tx: Tx, after: int) -> list[Row]:
    """The ops of the batches ``after`` that entry with their words; a batch without new ops as one row without id."""
    found: list[Row] = []
    for leaf in tx.query(
        "SELECT idx, batch FROM leaf WHERE idx > :after ORDER BY idx LIMIT :n", {"after": after, "n": STRETCH}
    ):
        rows = tx.query("SELECT id, place, kind FROM op WHERE batch = :b ORDER BY place", {"b": leaf["batch"]})
        # the centre's own acts are told on their own pages
        readable = [row for row in rows if not row["kind"].startswith("sync.")]
        read = stored.read(_raw(tx, leaf["batch"]), {row["place"] for row in readable}) if readable else {}
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


def _raw(tx: Tx, batch: int) -> bytes:
    return raws.of(tx, batch)


def _keep(
    tx: Tx,
    after: int,
    batches: Sequence[int],
    words: Sequence[tuple[int, str]],
    refs: Sequence[tuple[int, int, Sequence[bytes]]],
    last: int,
) -> None:
    """Take in what was read ``after`` that entry, unless somebody else did meanwhile: another process, or an admin at the console."""
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
