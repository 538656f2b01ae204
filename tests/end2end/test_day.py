"""The whole day at a district hall, as ``./dev demo --headless`` plays it; without the pictures, which take minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The one JSON document of the day, and the folder of its papers."""
    out = tmp_path_factory.mktemp("day") / "out"
    done = subprocess.run(
        [sys.executable, "-m", "desktop.day", "--headless", "--no-pictures", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=280, check=False,
        env={**os.environ, "PYTHONUTF8": "1", "QT_QPA_PLATFORM": "offscreen", "SALA_BALLAST_MIB": "0"},
    )  # fmt: skip
    assert done.stdout, done.stderr[-4000:]
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, json.dumps(document, ensure_ascii=False, indent=1)[:4000] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr, done.stderr[-4000:]
    return document, out


def test_the_figures_are_those_that_the_day_must_reach(played: tuple[dict[str, Any], Path]) -> None:
    day, _ = played
    assert day["ok"]
    assert day["submissions"] >= 3 and day["certificates_issued"] >= 1
    assert day["verdicts"] == {
        "valid": "valid", "altered": "altered", "unknown_issuer": "unknown_issuer", "expired": "expired", "revoked": "revoked",
        "verify_gov_kh": "not_checked",
    }  # fmt: skip
    assert day["links"] >= 1 and day["messages"] >= 20 and day["flow_runs"] >= 1
    assert day["batches_acknowledged"] >= 1 and day["receipts_verified"] >= 1
    assert day["usb_reimport_new"] == 0 and day["lost"] == 0


def test_the_centre_knows_the_day(played: tuple[dict[str, Any], Path]) -> None:
    day, _ = played
    assert day["redirect"]["status"] == 302 and day["redirect"]["location"].startswith("https://")
    assert day["dispatch_waiting"] >= 1
    hub = day["details"]["hub"]
    assert hub["gaps"] == 0 and hub["log"] == {"ok": True, "faults": []} and hub["batches"] >= 1
    assert day["details"]["sync"]["waiting"] == 0
    refused = day["details"]["links"]["refused"]
    assert len(refused) == 3 and all(refused.values()), "http, look-alike and shortener, each with its reason"
    assert day["details"]["messages"]["state"] == "released"


def test_the_papers_of_the_day_are_pdfs_that_say_what_they_must(played: tuple[dict[str, Any], Path]) -> None:
    import pypdfium2

    _, out = played
    papers = {path.name for path in out.glob("*.pdf")}
    assert papers >= {"receipt-1.pdf", "receipt-2.pdf", "receipt-3.pdf", "licence.pdf", "attestation.pdf", "links.pdf"}
    sizes = {}
    for name in papers:
        document = pypdfium2.PdfDocument(out / name)
        try:
            sizes[name] = tuple(round(side) for side in document[0].get_size())
        finally:
            document.close()
    assert sizes["receipt-1.pdf"] in ((420, 595), (595, 420)), "A5"
    assert sizes["licence.pdf"] == (595, 842), "A4"
