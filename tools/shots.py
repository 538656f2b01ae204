"""./dev shots: play the day and put the pictures that the README and the manual show into docs/manual/pictures.

The pictures are palette PNGs, so that the whole manual stays small; `out/demo/pictures` keeps all of them as they were.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = ROOT / "docs" / "manual" / "pictures"
COLOURS = 255
LARGE, SMALL = "light-1366x768", "light-1024x600"
PICTURES = {
    "wizard": f"wizard-2-office-{{}}-{LARGE}",
    "unlock": f"unlock-{{}}-{LARGE}",
    "home": f"home-received-{{}}-{LARGE}",
    "services": f"forms-{{}}-{LARGE}",
    "capture": f"forms-capture-{{}}-{LARGE}",
    "case": f"forms-case-{{}}-{LARGE}",
    "verdict": f"certificates-valid-{{}}-{LARGE}",
    "register": f"certificates-register-{{}}-{LARGE}",
    "links": f"links-{{}}-{LARGE}",
    "messages": f"messages-campaign-{{}}-{LARGE}",
    "flows": f"flows-flow-{{}}-{LARGE}",
    "outbox": f"outbox-list-received-{{}}-{LARGE}",
    "settings": f"settings-{{}}-{SMALL}",
    "line": f"settings-line-{{}}-{LARGE}",
    "carry-codes": f"carry-codes-{{}}-{LARGE}",
    "carry-pairing": f"carry-pairing-{{}}-{LARGE}",
    "carry-conflict": f"carry-conflict-{{}}-{LARGE}",
    "home-conflict": f"home-conflict-{{}}-{LARGE}",
    "reset-request": f"reset-2-request-{{}}-{LARGE}",
    "reset-custodians": f"reset-3-custodians-{{}}-{LARGE}",
}
ONCE = {
    "receipt": "paper-receipt-1-1", "licence": "paper-licence-1",
}  # fmt: skip


def main() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "desktop.day", "--headless", *sys.argv[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    summary = json.loads(done.stdout)
    saved = {Path(path).stem: Path(path) for path in summary["pictures"]}
    wanted = {
        f"{name}-{language}": pattern.format(language)
        for name, pattern in PICTURES.items()
        for language in ("km", "en")
    } | ONCE
    SHOWN.mkdir(parents=True, exist_ok=True)
    for name, source in wanted.items():
        if source in saved:
            small(saved[source], SHOWN / f"{name}.png")
        else:
            print(f"no picture {source}", file=sys.stderr)
    console = subprocess.run([sys.executable, "-m", "tools.console_pictures"], cwd=ROOT, stdout=sys.stderr, check=False)
    print(json.dumps({"ok": summary["ok"] and console.returncode == 0, "pictures": len(saved), "shown": len(wanted)}))
    return done.returncode or console.returncode


def small(source: Path, target: Path) -> None:
    """The picture in its most frequent colours, the strong ones before greys: green, amber and red stay what they say."""
    from PIL import Image

    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    data = picture.tobytes()
    pixels = list(zip(data[0::3], data[1::3], data[2::3], strict=True))
    counted = Counter(pixels)
    frequent = sorted(counted, key=lambda colour: -counted[colour] * (1 + max(colour) - min(colour)))[:COLOURS]
    places = {colour: _nearest(frequent, colour) for colour in set(pixels)}
    few = Image.frombytes("P", picture.size, bytes(places[colour] for colour in pixels))
    few.putpalette([part for colour in frequent for part in colour])
    few.save(target, optimize=True)


def _nearest(colours: list[tuple[int, int, int]], wanted: tuple[int, int, int]) -> int:
    return min(range(len(colours)), key=lambda n: sum((a - b) ** 2 for a, b in zip(colours[n], wanted, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
