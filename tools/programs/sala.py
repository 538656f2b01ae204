"""``sala``: the window, as the packaged program starts it."""

import os
import sys

# A Windows program without a console has no streams, and writing to None is a crash.
for _name in ("stdout", "stderr"):
    if getattr(sys, _name) is None:
        setattr(sys, _name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  open until the program ends

from desktop.app import main  # noqa: E402

sys.exit(main())
