"""The tables of the flows module. A migration that stands here is never edited; a change is a new function below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def register(migrations: Migrations) -> None:
    """Register the migration set ``flows``."""

    @migrations()
    def flows(db: Database) -> None:
        db.execute("CREATE TABLE flows_definition (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT")
        db.execute(
            "CREATE TABLE flows_flow (id TEXT PRIMARY KEY, version INTEGER NOT NULL, trigger TEXT NOT NULL, "
            "definition TEXT NOT NULL REFERENCES flows_definition (hash), "
            "enabled INTEGER NOT NULL DEFAULT 0, settings TEXT NOT NULL DEFAULT '{}', imported_ms INTEGER NOT NULL, "
            "officer TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX flows_flow_trigger ON flows_flow (trigger) WHERE enabled = 1")
        db.execute(
            "CREATE TABLE flows_event (id TEXT PRIMARY KEY, trigger TEXT NOT NULL, payload TEXT NOT NULL, subject TEXT NOT NULL, "
            "label TEXT NOT NULL, cause TEXT, depth INTEGER NOT NULL, wall_ms INTEGER NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX flows_event_subject ON flows_event (subject)")
        db.execute("CREATE INDEX flows_event_label ON flows_event (label)")
        db.execute("CREATE INDEX flows_event_trigger ON flows_event (trigger, id)")
        db.execute(
            "CREATE TABLE flows_run (id TEXT PRIMARY KEY, flow TEXT NOT NULL, version INTEGER NOT NULL, "
            "definition TEXT NOT NULL REFERENCES flows_definition (hash), event TEXT NOT NULL REFERENCES flows_event (id), "
            "state TEXT NOT NULL CHECK (state IN ('done', 'skipped', 'stopped')), "
            "why TEXT NOT NULL, journal TEXT NOT NULL, officer TEXT NOT NULL, started_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, "
            "UNIQUE (flow, event)) STRICT"
        )
        db.execute("CREATE INDEX flows_run_started ON flows_run (started_ms)")
