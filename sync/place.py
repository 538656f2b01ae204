"""Where the profile of this user stands. Light: the window asks before its first paint."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """``SALA_HOME``, else the user's local (never roaming, never synced) data folder."""
    if home := os.environ.get("SALA_HOME"):
        return Path(home)
    from platformdirs import user_data_path

    return user_data_path("Sala", appauthor=False, roaming=False)
