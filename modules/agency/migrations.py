"""The tables of the agency module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``agency``."""

    @migrations()
    def desk(db: Database) -> None:
        db.execute(
            "CREATE TABLE agency_key (id TEXT PRIMARY KEY, private BLOB NOT NULL, added_ms INTEGER NOT NULL, officer TEXT NOT NULL) STRICT"
        )
        # How far the feed of the hub was read; name: "line", for sticks need no memory.
        db.execute("CREATE TABLE agency_place (name TEXT PRIMARY KEY, after INTEGER NOT NULL) STRICT")
        db.execute(
            "CREATE TABLE agency_submission (op TEXT PRIMARY KEY, device TEXT NOT NULL, office TEXT NOT NULL, laptop INTEGER NOT NULL, "
            "form TEXT NOT NULL, def_hash TEXT NOT NULL, receipt TEXT NOT NULL, person TEXT NOT NULL, latin TEXT NOT NULL, "
            "officer TEXT NOT NULL, made_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, body TEXT NOT NULL, "
            "state TEXT NOT NULL CHECK (state IN ('new', 'accepted', 'sent_back', 'withdrawn')), reason TEXT NOT NULL, decided_ms INTEGER, "
            "decision TEXT) STRICT"
        )
        db.execute("CREATE INDEX agency_submission_order ON agency_submission (received_ms, op)")
        db.execute("CREATE INDEX agency_submission_state ON agency_submission (state, received_ms, op)")
        # A change may come before what it changes: another laptop of the office may have made it.
        db.execute(
            "CREATE TABLE agency_change (op TEXT PRIMARY KEY, submission TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, "
            "made_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX agency_change_submission ON agency_change (submission)")
        db.execute("CREATE TABLE agency_file (blob TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT")
