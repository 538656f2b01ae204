"""The tables of the forms module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``forms`` (a ``sqlite_utils.Migrations``)."""

    @migrations()
    def submissions(db: Database) -> None:
        db.execute(
            "CREATE TABLE forms_submission (id TEXT PRIMARY KEY, receipt TEXT NOT NULL UNIQUE, serial INTEGER NOT NULL, "
            "form TEXT NOT NULL, version INTEGER NOT NULL, def_hash TEXT NOT NULL, service TEXT NOT NULL, "
            "person TEXT NOT NULL, latin TEXT NOT NULL, phone TEXT NOT NULL, fee INTEGER NOT NULL, opened TEXT NOT NULL, "
            "received TEXT NOT NULL, received_ms INTEGER NOT NULL, due TEXT NOT NULL, officer TEXT NOT NULL, "
            "officer_name TEXT NOT NULL, "
            "state TEXT NOT NULL DEFAULT 'finished' CHECK (state IN ('finished', 'withdrawn')), op TEXT NOT NULL, "
            "last_op TEXT NOT NULL, answers TEXT NOT NULL, printed INTEGER NOT NULL DEFAULT 0) STRICT"
        )
        db.execute(
            "CREATE TRIGGER forms_submission_stays BEFORE DELETE ON forms_submission "
            "BEGIN SELECT RAISE(ABORT, 'a submission is withdrawn, never deleted'); END"
        )
        db.execute("CREATE INDEX forms_submission_serial ON forms_submission (serial)")
        db.execute("CREATE INDEX forms_submission_form ON forms_submission (form, id)")
        db.execute("CREATE INDEX forms_submission_due ON forms_submission (state, due, id)")
        db.execute("CREATE INDEX forms_submission_state ON forms_submission (state, id)")
        db.execute("CREATE INDEX forms_submission_received ON forms_submission (state, received, fee)")
        db.execute(
            "CREATE TABLE forms_change (op TEXT PRIMARY KEY, submission TEXT NOT NULL REFERENCES forms_submission (id), "
            "kind TEXT NOT NULL CHECK (kind IN ('correction', 'withdrawal')), reason TEXT NOT NULL, officer TEXT NOT NULL, "
            "officer_name TEXT NOT NULL, wall_ms INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX forms_change_submission ON forms_change (submission, wall_ms)")
