"""Find a record by any part of its words: Khmer without spaces, Latin, digits of either kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from i18n.search import index_text, match_query

if TYPE_CHECKING:
    from sync.store import Connection


def index(conn: Connection, record: str, kind: str, title: str, text: str) -> None:
    """Make ``record`` findable by its title and ``text``; its older entry goes, and it becomes the newest."""
    remove(conn, record)
    added = conn.execute("INSERT INTO search(record, kind, title) VALUES (?, ?, ?)", (record, kind, title))
    conn.execute(
        "INSERT INTO search_text(rowid, kind, text) VALUES (?, ?, ?)",
        (added.lastrowid, _word(kind), index_text(f"{title} {text}")),
    )


def remove(conn: Connection, record: str) -> None:
    """``record`` is no longer found."""
    for row in conn.execute("DELETE FROM search WHERE record = ? RETURNING id", (record,)).fetchall():
        conn.execute("DELETE FROM search_text WHERE rowid = ?", (row["id"],))


def find(conn: Connection, text: str, kinds: Sequence[str] = (), limit: int = 50) -> list[dict[str, Any]]:
    """Records that hold all that was typed, newest first: ``{"record", "kind", "title"}``. Nothing finds nothing."""
    words = match_query(text)
    if not words:
        return []
    wanted = f"{{text}} : ({words})"
    if kinds:
        wanted += " AND {kind} : (" + " OR ".join(_word(kind) for kind in kinds) + ")"
    rows = conn.execute(
        "SELECT search.record, search.kind, search.title FROM search_text JOIN search ON search.id = search_text.rowid"
        " WHERE search_text MATCH ? ORDER BY search_text.rowid DESC LIMIT ?",
        (wanted, limit),
    )
    return [dict(row) for row in rows]


def _word(kind: str) -> str:
    """A kind as one word of the index."""
    return kind.replace(".", "0").replace("_", "1")
