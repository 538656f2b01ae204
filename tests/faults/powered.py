"""``python -m tests.faults.powered FOLDER laptop|hub``: real work whose every request to the disk is recorded.

What is done is appended to a file of the folder once the product has said so, and not before.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tests.faults.powercut import ACK

OFFICER = "Chan Sokha"
PASSPHRASE = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"
PAGES = 24  # of the log before it is brought home, so that this happens while somebody works


def laptop(folder: Path, say: Any) -> None:
    """Records with their attachments, batches cut, drafts kept."""
    from sync import cutting, keys, ops
    from sync.clock import SetClock

    clock = SetClock(1_795_000_100_000)
    unlocked = keys.unlock(folder, OFFICER, PASSPHRASE, clock)
    store = unlocked.store
    store._on_writer(lambda: store._writer.execute(f"PRAGMA wal_autocheckpoint = {PAGES}").fetchone())
    for number in range(24):
        clock.advance(1_000)
        blob = [unlocked.blobs.add(os.urandom(700), "image/png")] if number % 6 == 5 else []

        def work(conn: Any, number: int = number, blob: list[str] = blob) -> str:
            return [
                ops.append(
                    conn, unlocked, clock, kind="forms.submission", record=f"r{number}", form="birth", def_hash=bytes(32),
                    body={"note": "សួស្ដី" * 20, "n": n}, sealed=number % 2 == 0, attach=blob,
                )
                for n in range(2)
            ][-1]  # fmt: skip

        say(store.write(work))
        if number % 8 == 7:
            made = cutting.cut(unlocked, "test")
            assert made is not None
            say("batch:" + made.hex())
    unlocked.lock()


def hub(folder: Path, say: Any) -> None:
    """Batches taken, each with its receipt; pieces of attachments put away."""
    from hashlib import sha256

    from sync.clock import SetClock
    from sync.hub import centre as centres

    centre = centres.open_(folder, SetClock(1_795_000_100_000))
    writer: Any = centre.storage
    writer._writer.execute(f"PRAGMA wal_autocheckpoint = {PAGES}").fetchone()
    for place in sorted(folder.with_name("batches").iterdir()):
        taken = centre.ingest.take(place.read_bytes())
        say(f"{place.name}:{sha256(taken.receipt.encode()).hexdigest()}")
        piece = os.urandom(500)
        centre.ingest.take_chunk(piece, sha256(piece).digest(), centre.put_chunk)
        say(f"piece:{sha256(piece).hexdigest()}")
    centre.close()


def main() -> None:
    folder = Path(sys.argv[1])
    with (folder / ACK).open("ab", buffering=0) as told:
        {"laptop": laptop, "hub": hub}[sys.argv[2]](folder, lambda text: told.write(text.encode() + b"\n"))


if __name__ == "__main__":
    main()
