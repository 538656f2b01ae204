"""./dev shots: play the day and put the pictures that the README and the manual show into docs/manual/pictures.

The pictures are palette PNGs, so that the whole manual stays small; `out/demo/pictures` keeps all of them as they were.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = ROOT / "docs" / "manual" / "pictures"
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
    "outbox": f"outbox-received-{{}}-{LARGE}",
    "settings": f"settings-{{}}-{SMALL}",
    "line": f"settings-line-{{}}-{LARGE}",
    "carry-codes": f"carry-codes-{{}}-{LARGE}",
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
    """The picture in 64 colours."""
    from PIL import Image

    with Image.open(source) as picture:
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
