"""Under which name a file is published: a form definition by its id and hash, everything else by its own name."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any


def target_name(under: str, file: str, data: bytes) -> str:
    """``forms/moi/birth-extract/<hash>.json`` for a definition published under ``forms/moi``, else ``under/file``."""
    source = _definition(data) if under.split("/")[0] == "forms" else None
    if source is None:
        return f"{under}/{file}"
    import rfc8785

    return f"{under}/{source['id']}/{sha256(rfc8785.dumps(source)).hexdigest()}.json"


def _definition(data: bytes) -> dict[str, Any] | None:
    try:
        source = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(source, dict) and isinstance(source.get("id"), str) and "sections" in source:
        return source
    return None
