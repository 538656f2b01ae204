"""``./dev demo``: the day, and then the window; with ``--headless`` the day, the pictures and one JSON document."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

MOST_PICTURES = 400


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the whole day came out as it must; else 1, with the document naming what did not."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--headless", action="store_true", help="no window: save pictures, print one JSON document")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="where pictures, papers and the profile go")
    parser.add_argument("--no-pictures", action="store_true", help="the day only")
    chosen = parser.parse_args(arguments)
    headless = chosen.headless or not _has_display()
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    out: Path = chosen.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    summary = play(out, headless=headless, pictures=not chosen.no_pictures)
    if headless:
        sys.stdout.write(json.dumps(summary, ensure_ascii=False, indent=1, default=str) + "\n")
    sys.stdout.flush()
    return 0 if summary["ok"] else 1


def play(out: Path, *, headless: bool, pictures: bool) -> dict[str, Any]:
    """The whole day in ``out``; the summary that ``--headless`` prints."""
    from desktop.day.story import Story

    with tempfile.TemporaryDirectory(prefix="sala-day-") as folder:
        story = Story(out, Path(folder), pictures=pictures)
        summary = story.play()
        if not headless:
            story.stay_open()
        story.close()
    return summary


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
