"""Locking leaves no way to the data in the memory of the program (looked at from outside)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.keys import Unlocked
from sync.wipe import wipe

PASSPHRASE = "ផ្កាឈូក ពណ៌ ស"
CHILD = """
import gc, sys
from pathlib import Path
from sync import keys
from sync.clock import SystemClock
unlocked = keys.unlock(Path(sys.argv[1]), "Sok Vibol", sys.stdin.readline().strip(), SystemClock())
unlocked.store.write(lambda conn: conn.execute("INSERT INTO floor VALUES ('x', 1)"))
unlocked.store.backup(Path(sys.argv[1]) / "copy.db")
print("open", flush=True)
sys.stdin.readline()
unlocked.lock()
gc.collect()
print("locked", flush=True)
sys.stdin.readline()
"""


def memory_of(process: int) -> bytes:
    found = bytearray()
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb") as memory:
        for line in maps:
            span, rights, *_ = line.split()
            start, end = (int(side, 16) for side in span.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                found += memory.read(end - start)
    return bytes(found)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux shows a program's memory as a file")
def test_lock_drops_the_database_key(profile: Unlocked) -> None:
    key = bytes(bytearray(profile.database_key))
    profile.lock()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(profile.home)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(PASSPHRASE + "\n")
        child.stdin.flush()
        assert child.stdout.readline() == "open\n"
        before = memory_of(child.pid)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "locked\n"
        after = memory_of(child.pid)
        child.stdin.write("\n")
        child.stdin.flush()
    assert key in before  # else this test looks in the wrong place
    assert key not in after
    assert key.hex().encode() not in after
    assert PASSPHRASE.encode() not in after


def test_wiping_overwrites_bytes_and_text_and_spares_what_is_shared() -> None:
    secret, text, other, short = os.urandom(32), os.urandom(16).hex(), "ពាក្យសម្ងាត់របស់ខ្ញុំ"[:], b"ab"
    wipe(secret, text, other, short)
    assert secret == bytes(32)
    assert text == "\0" * 32
    assert other == "ពាក្យសម្ងាត់របស់ខ្ញុំ"  # not one byte a character: left alone
    assert short == b"ab"
