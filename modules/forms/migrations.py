"""The tables of the forms module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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

    @migrations()
    def published(db: Database) -> None:
        db.execute(
            "CREATE TABLE forms_definition (def_hash TEXT PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, "
            "source BLOB NOT NULL, added_ms INTEGER NOT NULL, UNIQUE (id, version)) STRICT"
        )
        db.execute(
            "CREATE TRIGGER forms_definition_stays BEFORE DELETE ON forms_definition "
            "BEGIN SELECT RAISE(ABORT, 'a definition is kept for ever'); END"
        )
        db.execute(
            "CREATE TABLE forms_prices (name TEXT PRIMARY KEY, version INTEGER NOT NULL, source TEXT NOT NULL, "
            "added_ms INTEGER NOT NULL) STRICT"
        )

    @migrations()
    def several_laptops(db: Database) -> None:
        """base: the answers as finished; laptop: which other laptop took the case, 0 for this one; refs: what a change had seen."""
        db.execute("ALTER TABLE forms_submission ADD COLUMN base TEXT")
        db.execute("ALTER TABLE forms_submission ADD COLUMN laptop INTEGER NOT NULL DEFAULT 0")
        db.execute("CREATE INDEX forms_submission_op ON forms_submission (op)")
        db.execute("ALTER TABLE forms_change ADD COLUMN refs TEXT NOT NULL DEFAULT '[]'")
        db.execute(
            "CREATE TABLE forms_conflict (submission TEXT NOT NULL REFERENCES forms_submission (id), field TEXT NOT NULL, "
            "place INTEGER NOT NULL, op TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (submission, field, place)) STRICT"
        )
        _one_after_the_other(db)

    @migrations()
    def reviews(db: Database) -> None:
        """The centre's last word about a case; it holds as long as no newer op of the case exists than ``review_op``."""
        db.execute("ALTER TABLE forms_submission ADD COLUMN review TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE forms_submission ADD COLUMN review_reason TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE forms_submission ADD COLUMN review_op TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE forms_submission ADD COLUMN review_ms INTEGER NOT NULL DEFAULT 0")
        db.execute("CREATE INDEX forms_submission_review ON forms_submission (review) WHERE review <> ''")


def _one_after_the_other(db: Database) -> None:
    """Changes from before several laptops worked on one case: each had seen the one before it."""
    rows = db.query(
        "SELECT s.id, s.op AS root, s.answers, c.op, c.before FROM forms_change c JOIN forms_submission s ON s.id = c.submission "
        "ORDER BY s.id, c.wall_ms DESC, c.op DESC"
    )
    cases: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault(row["id"], []).append(row)
    for id, changes in cases.items():
        base = json.loads(changes[0]["answers"])
        for place, change in enumerate(changes):  # the newest first
            base |= json.loads(change["before"])
            seen = changes[place + 1]["op"] if place + 1 < len(changes) else change["root"]
            db.execute("UPDATE forms_change SET refs = ? WHERE op = ?", (json.dumps([seen]), change["op"]))
        db.execute("UPDATE forms_submission SET base = ? WHERE id = ?", (json.dumps(base, ensure_ascii=False), id))
