"""The tables of the messages module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``messages``."""

    @migrations()
    def campaigns(db: Database) -> None:
        db.execute(
            "CREATE TABLE messages_campaign (id TEXT PRIMARY KEY, title TEXT NOT NULL, template TEXT NOT NULL, "
            "header TEXT NOT NULL, file TEXT NOT NULL, leave_out INTEGER NOT NULL, strip_breaks INTEGER NOT NULL, "
            "state TEXT NOT NULL CHECK (state IN ('draft', 'checked', 'approved', 'released')), fault TEXT NOT NULL, "
            "author TEXT NOT NULL, source TEXT UNIQUE, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, "
            "count INTEGER NOT NULL, good INTEGER NOT NULL, bad INTEGER NOT NULL, segments INTEGER NOT NULL, longest INTEGER NOT NULL, "
            "bare_segments INTEGER NOT NULL, bits INTEGER NOT NULL, price INTEGER NOT NULL, "
            "approver TEXT, approved_ms INTEGER, not_after_ms INTEGER, manifest BLOB, signature BLOB, op TEXT) STRICT"
        )
        db.execute("CREATE INDEX messages_campaign_changed ON messages_campaign (changed_ms)")
        db.execute(
            "CREATE TABLE messages_recipient (campaign TEXT NOT NULL REFERENCES messages_campaign (id), row INTEGER NOT NULL, "
            "cells TEXT NOT NULL, phone TEXT NOT NULL, text TEXT NOT NULL, segments INTEGER NOT NULL, problems TEXT NOT NULL, "
            "PRIMARY KEY (campaign, row)) STRICT, WITHOUT ROWID"
        )
        db.execute("CREATE INDEX messages_recipient_bad ON messages_recipient (campaign, row) WHERE problems <> '[]'")
        db.execute(
            "CREATE TABLE messages_optout (phone TEXT PRIMARY KEY, reason TEXT NOT NULL, since_ms INTEGER NOT NULL, "
            "officer TEXT NOT NULL) STRICT"
        )
