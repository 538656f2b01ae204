"""What every program of the packaged folder does first: take all code from the one archive that they share.

PyInstaller's start-up code reads the archive that its executable names here, ``FILE?OFFSET``; it would be one of its own, a copy
of the same 15 MB in each program.
"""

import os
import sys

if not hasattr(sys, "_pyinstaller_pyz"):
    raise SystemExit(
        "sala: this program was packed with a PyInstaller that names its archive otherwise; pack it anew (./dev build)"
    )
sys._pyinstaller_pyz = os.path.join(sys._MEIPASS, "code.pyz") + "?0"  # type: ignore[attr-defined]  # both are the freezer's
