"""Tables of this module: what was issued here, what was printed, what was checked, what waits for a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``certificates``."""

    @migrations()
    def certificates(db: Database) -> None:
        db.execute(
            "CREATE TABLE certificates_issued (id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, template TEXT NOT NULL, "
            "version INTEGER NOT NULL, name TEXT NOT NULL, cti TEXT NOT NULL UNIQUE, status_index INTEGER NOT NULL UNIQUE, "
            "text TEXT NOT NULL, issued_s INTEGER NOT NULL, expires_s INTEGER, officer TEXT NOT NULL, source TEXT, "
            "status TEXT NOT NULL DEFAULT 'valid', reason TEXT, changed_ms INTEGER NOT NULL, replaces TEXT, op TEXT NOT NULL, "
            "prints INTEGER NOT NULL DEFAULT 0) STRICT"
        )
        db.execute("CREATE INDEX certificates_issued_source ON certificates_issued (source, template)")
        db.execute("CREATE INDEX certificates_issued_status ON certificates_issued (status, id)")
        db.execute(
            "CREATE TABLE certificates_print (id TEXT PRIMARY KEY, certificate TEXT NOT NULL REFERENCES certificates_issued (id), "
            "copy INTEGER NOT NULL, way TEXT NOT NULL, sha256 TEXT NOT NULL, officer TEXT NOT NULL, printed_ms INTEGER NOT NULL, "
            "UNIQUE (certificate, copy)) STRICT"
        )
        db.execute(
            "CREATE TABLE certificates_check (id TEXT PRIMARY KEY, checked_ms INTEGER NOT NULL, officer TEXT NOT NULL, "
            "overall TEXT NOT NULL, code INTEGER NOT NULL, cti TEXT, source TEXT NOT NULL, holder INTEGER) STRICT"
        )
        db.execute("CREATE INDEX certificates_check_cti ON certificates_check (cti)")
        db.execute(
            "CREATE TABLE certificates_recheck (id TEXT PRIMARY KEY, ref TEXT NOT NULL UNIQUE, key_hash TEXT, seen_ms INTEGER NOT NULL, "
            "seen INTEGER NOT NULL DEFAULT 1, officer TEXT NOT NULL, outcome TEXT, closed_ms INTEGER, closed_by TEXT) STRICT"
        )
