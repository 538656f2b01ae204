"""ICU's data after cutting: the same Khmer words, a fraction of the bytes, and nothing taken for data that is none."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import icu4py
import pytest

from tools import icudata

SITE = Path(icu4py.__file__).parents[1]
ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from icu4py import breakers
text = "ក្រុមប្រឹក្សាភិបាលស្រុកមុខកំពូលខេត្តកណ្តាល លេខ ១២ ផ្លូវជាតិលេខ២។ Sala, an office suite."
print(json.dumps([breakers.__file__, *(list(kind(text, "km")) for kind in (breakers.WordBreaker, breakers.LineBreaker))]))
"""


def common_data(*items: tuple[str, bytes]) -> bytes:
    """A data file as ICU lays it out, with a header of 32 bytes."""
    header = struct.pack("<HBB", 32, 0xDA, 0x27) + bytes(8) + b"CmnD" + bytes(16)
    names = b"".join(name.encode() + b"\0" for name, _ in items)
    table, place = struct.pack("<I", len(items)), 4 + 8 * len(items)
    content_at = -(-(place + len(names)) // 16) * 16
    body = b""
    for name, content in items:
        table += struct.pack("<II", place, content_at + len(body))
        place += len(name) + 1
        body += content.ljust(-(-len(content) // 16) * 16, b"\0")
    return header + (table + names).ljust(content_at, b"\0") + body


def test_other_languages_go_and_the_rest_stays_byte_for_byte() -> None:
    items = (
        ("icudt1l/brkitr/cjdict.dict", b"c" * 40), ("icudt1l/brkitr/khmerdict.dict", b"k" * 33), ("icudt1l/de.res", b"d"),
        ("icudt1l/en.res", b"e" * 5), ("icudt1l/km.res", b"m" * 16), ("icudt1l/res_index.res", b"i"), ("icudt1l/uprops.icu", b"u" * 17),
    )  # fmt: skip
    header, kept = icudata.items(icudata.trim(common_data(*items)))
    assert header == common_data(*items)[:32]
    assert [name.partition("/")[2] for name, _ in kept] == [
        "brkitr/khmerdict.dict", "en.res", "km.res", "res_index.res", "uprops.icu"
    ]  # fmt: skip
    before = dict(items)
    assert all(content.rstrip(b"\0") == before[name] for name, content in kept)


@pytest.mark.parametrize("data", [b"", bytes(64), b"\x20\x00\xda\x27" + bytes(60), common_data(("a", b"x"))[:40]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((icudata.NotIcuData, struct.error, ValueError)):
        icudata.trim(data)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("ld"), reason="the library is rebuilt by binutils")
def test_khmer_breaks_are_the_same_with_the_small_library(tmp_path: Path) -> None:
    for name in ("icu4py", "icu4py.libs"):
        shutil.copytree(SITE / name, tmp_path / name)
    library = next((tmp_path / "icu4py.libs").glob("libicudata*"))
    before, after = icudata.trim_library(library)
    assert after < before / 5

    def breaks(place: Path) -> list[object]:
        done = subprocess.run([sys.executable, "-c", ASK, str(place)], capture_output=True, text=True, check=True)
        found: list[object] = json.loads(done.stdout)
        assert str(found.pop(0)).startswith(str(place))
        return found

    assert breaks(tmp_path) == breaks(SITE)
