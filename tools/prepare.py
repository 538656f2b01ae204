"""Make what Sala needs and no registry ships ready: compiled catalogue, patched fonts, gazetteer.

``./dev setup`` and the tests run it; with nothing changed it only hashes its inputs. Each product is rebuilt when the
bytes of its sources (or of its recipe in this folder) differ from those that it was made of, and is put in place in one
step, so that two runs at the same time do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # when run as a script, Python looks only into this folder
    sys.path.insert(0, str(ROOT))

STATE = ROOT / "build" / "prepare.json"  # product -> digest of what it was made of


@dataclass(frozen=True)
class Step:
    """``build`` writes ``outputs`` from ``sources``, or raises ``SystemExit`` with words when it cannot."""

    name: str
    sources: Sequence[Path]
    outputs: Sequence[Path]
    build: Callable[[], None]


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _steps() -> list[Step]:
    from tools import catalogues, fonts, gazetteer

    here = ROOT / "tools"
    return [
        Step(
            "catalogue",
            [*catalogues.sources(), here / "catalogues.py"],
            [catalogues.COMPILED],
            catalogues.build,
        ),
        Step("UI fonts", [fonts.variable_font(), here / "fonts.py"], fonts.UI_FONTS, fonts.build_ui),
        Step("document fonts", [here / "fonts.py"], fonts.DOCUMENT_FONTS, fonts.fetch_document),
        Step(
            "gazetteer",
            [*gazetteer.sources(), ROOT / "i18n" / "gazetteer.py", here / "gazetteer.py"],
            [gazetteer.DATABASE],
            gazetteer.build,
        ),
    ]


def _remembered() -> dict[str, str]:
    try:
        state = json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _remember(state: dict[str, str]) -> None:
    STATE.parent.mkdir(exist_ok=True)
    fresh = STATE.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(state, indent=1), "utf-8")
    fresh.replace(STATE)


def prepare() -> list[str]:
    """Bring every product up to date; the names of those that were rebuilt."""
    state, rebuilt = _remembered(), []
    for step in _steps():
        digest = _digest(step.sources)
        if state.get(step.name) == digest and all(path.exists() for path in step.outputs):
            continue
        for path in step.outputs:
            path.parent.mkdir(parents=True, exist_ok=True)
        step.build()
        state[step.name] = digest
        rebuilt.append(step.name)
        _remember(state)
    return rebuilt


if __name__ == "__main__":
    made = prepare()
    sys.stdout.write(f"prepared: {', '.join(made)}\n" if made else "nothing to prepare\n")
