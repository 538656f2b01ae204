"""The tables of the links module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``links``."""

    @migrations()
    def links(db: Database) -> None:
        db.execute(
            "CREATE TABLE links_link (code TEXT PRIMARY KEY, target TEXT NOT NULL, host TEXT NOT NULL, title TEXT NOT NULL, "
            "state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')), expires_ms INTEGER, "
            "created_ms INTEGER NOT NULL, officer TEXT NOT NULL, op TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX links_link_target ON links_link (target)")
        db.execute("CREATE INDEX links_link_created ON links_link (created_ms)")
