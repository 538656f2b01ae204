"""``sala``: the window, as the packaged program starts it."""

import os
import sys

# A Windows program without a console has no streams, and writing to None is a crash.
for _name in ("stdout", "stderr"):
    if getattr(sys, _name) is None:
        setattr(sys, _name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  open until the program ends


def main() -> int:
    """The window; or the whole practice day without one, in the folder that ``--day`` names."""
    from sync.updates import hand_over

    hand_over()
    if len(sys.argv) == 3 and sys.argv[1] == "--day":
        from desktop.day.__main__ import main as day

        return day(["--headless", "--out", sys.argv[2]])
    from desktop.app import main as window

    return window()


sys.exit(main())
