"""Who may read the data feed: programs with a token of their own, for all tables or some.

The hub keeps a token's SHA-256 only: 256 random bits need no slow hash. A token is shown once, when it is made.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from sync.errors import Refused
from sync.hub.storage import Row, Tx

EVERY_TABLE: Final = "*"
MAX_NAME: Final = 100
_USED_EVERY_MS: Final = 60_000  # how exactly the hub remembers when a token was used


def add(tx: Tx, name: str, tables: Sequence[str], now_ms: int) -> str:
    """A new token for ``tables`` (``*``: all), in place of the one that had this name."""
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME:
        raise Refused("HB-234", name=name[:MAX_NAME])
    token = secrets.token_urlsafe(32)
    tx.execute(
        """INSERT INTO feed_token (name, digest, tables, made_ms) VALUES (:name, :digest, :tables, :now)
           ON CONFLICT (name) DO UPDATE SET digest = :digest, tables = :tables, made_ms = :now, used_ms = NULL""",
        {"name": name, "digest": _digest(token), "tables": json.dumps(sorted(tables)), "now": now_ms},
    )
    return token


def remove(tx: Tx, name: str) -> None:
    """Take the token away. Refused HB-234: there is none of that name."""
    if not tx.execute("DELETE FROM feed_token WHERE name = :name", {"name": name}):
        raise Refused("HB-234", name=name[:MAX_NAME])


def listed(tx: Tx) -> list[Row]:
    """Every token without its secret: ``{"name", "tables", "made_ms", "used_ms"}``."""
    rows = tx.query("SELECT name, tables, made_ms, used_ms FROM feed_token ORDER BY name")
    return [{**row, "tables": json.loads(row["tables"])} for row in rows]


def holder(tx: Tx, header: str) -> Row | None:
    """Who knocks with this ``Authorization`` header (Bearer, or Basic with the token as password); None: nobody known."""
    token = _token(header)
    if token is None:
        return None
    digest = _digest(token)
    row = tx.one("SELECT name, digest, tables, used_ms FROM feed_token WHERE digest = :digest", {"digest": digest})
    if row is None or not hmac.compare_digest(bytes(row["digest"]), digest):
        return None
    return {"name": row["name"], "tables": json.loads(row["tables"]), "used_ms": row["used_ms"]}


def may_read(row: Row, table: str) -> bool:
    """Whether a token's holder may read ``table``."""
    return EVERY_TABLE in row["tables"] or table in row["tables"]


def stale(row: Row, now_ms: int) -> bool:
    """Whether :func:`used` should be called: not at every request."""
    return row["used_ms"] is None or now_ms - row["used_ms"] >= _USED_EVERY_MS


def used(tx: Tx, name: str, now_ms: int) -> None:
    """Remember when a token was used last."""
    tx.execute("UPDATE feed_token SET used_ms = :now WHERE name = :name", {"name": name, "now": now_ms})


def _digest(token: str) -> bytes:
    return sha256(b"sala/feed-token/v1\0" + token.encode()).digest()


def _token(header: str) -> str | None:
    scheme, _, rest = header[:1_000].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None
