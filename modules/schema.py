"""The platform's own tables: settings, and triggers that wait to be delivered. Feature modules never see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``platform``."""

    @migrations()
    def settings_and_triggers(db: Database) -> None:
        db.execute(
            "CREATE TABLE platform_setting (scope TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (scope, owner, id)) STRICT"
        )
        db.execute(
            "CREATE TABLE platform_trigger (id TEXT PRIMARY KEY, trigger TEXT NOT NULL, payload TEXT NOT NULL, "
            "officer TEXT NOT NULL, wall_ms INTEGER NOT NULL, cause TEXT, tries INTEGER NOT NULL DEFAULT 0, "
            "delivered_ms INTEGER, failure TEXT) STRICT"
        )
        db.execute("CREATE INDEX platform_trigger_waiting ON platform_trigger (id) WHERE delivered_ms IS NULL")

    @migrations()
    def publications_taken_in(db: Database) -> None:
        db.execute(
            "CREATE TABLE platform_applied (name TEXT PRIMARY KEY, sha256 BLOB NOT NULL, refused TEXT NOT NULL, "
            "applied_ms INTEGER NOT NULL) STRICT"
        )
