"""The tables of the first release, as its ``hub.db`` has them (``user_version`` 1). Never changed again.

On PostgreSQL, where no first release ever stood, ``batch`` and ``op`` are made partitioned by month at once.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from sync.hub import dialect

revision: Final = "0001"
down_revision: Final = None

TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE batch (
        idx INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, device BLOB NOT NULL, device_public BLOB NOT NULL, first_seq INTEGER NOT NULL,
        n INTEGER NOT NULL, received_ms INTEGER NOT NULL, app_version TEXT NOT NULL, via TEXT NOT NULL, new_ops INTEGER NOT NULL,
        raw BLOB NOT NULL)""",
    "CREATE INDEX batch_figures ON batch (device, received_ms, first_seq, n, new_ops)",
    """CREATE TABLE op (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, parent BLOB NOT NULL, device BLOB NOT NULL,
        seq INTEGER NOT NULL, op_id BLOB NOT NULL, kind TEXT NOT NULL,
        form TEXT NOT NULL, def_hash BLOB NOT NULL, wall_ms INTEGER NOT NULL, officer BLOB NOT NULL, batch INTEGER NOT NULL,
        place INTEGER NOT NULL, label TEXT NOT NULL, known INTEGER NOT NULL)""",
    "CREATE INDEX op_device ON op (device, seq)",
    "CREATE INDEX op_batch ON op (batch, place)",
    "CREATE INDEX op_waiting ON op (label, device) WHERE label <> 'accepted'",
    "CREATE INDEX op_orphan ON op (parent) WHERE label <> 'accepted'",
    "CREATE TABLE accepted (idx INTEGER PRIMARY KEY, op INTEGER NOT NULL UNIQUE)",
    "CREATE TABLE chunk (idx INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, received_ms INTEGER NOT NULL)",
    """CREATE TABLE leaf (
        idx INTEGER PRIMARY KEY, hash BLOB NOT NULL, data BLOB NOT NULL, batch INTEGER NOT NULL UNIQUE, device BLOB NOT NULL,
        receipt TEXT)""",
    "CREATE INDEX leaf_device ON leaf (device, idx)",
    "CREATE INDEX leaf_unsigned ON leaf (idx) WHERE receipt IS NULL",
    "CREATE TABLE node (height INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (height, idx))",
    """CREATE TABLE checkpoint (epoch INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
        made_ms INTEGER NOT NULL, PRIMARY KEY (epoch, size))""",
    """CREATE TABLE office (code TEXT PRIMARY KEY, name_km TEXT NOT NULL, name_en TEXT NOT NULL, province_km TEXT NOT NULL,
        province_en TEXT NOT NULL, added_ms INTEGER NOT NULL)""",
    """CREATE TABLE slot (
        slot BLOB PRIMARY KEY, office TEXT NOT NULL, number INTEGER NOT NULL, code_key BLOB NOT NULL, not_after_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL, made_ms INTEGER NOT NULL, device BLOB, UNIQUE (office, number))""",
    """CREATE TABLE device (
        device BLOB PRIMARY KEY, office TEXT NOT NULL, number INTEGER NOT NULL, sign_public BLOB NOT NULL, seal_public BLOB NOT NULL,
        office_public BLOB NOT NULL, certificate BLOB NOT NULL, enrolled_ms INTEGER NOT NULL, predecessor BLOB NOT NULL,
        officers TEXT NOT NULL, last_seen_ms INTEGER, revoked_ms INTEGER, cutoff_seq INTEGER)""",
    """CREATE TABLE lease (
        lease BLOB PRIMARY KEY, resource TEXT NOT NULL, slot BLOB NOT NULL, first INTEGER NOT NULL, size INTEGER NOT NULL,
        scope TEXT NOT NULL, content BLOB NOT NULL, made_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL)""",
    "CREATE INDEX lease_scope ON lease (resource, scope, first)",
    "CREATE INDEX lease_slot ON lease (slot)",
    """CREATE TABLE cursor (projection TEXT PRIMARY KEY, version INTEGER NOT NULL, accepted_idx INTEGER NOT NULL, failure TEXT,
        failed_op BLOB)""",
    """CREATE TABLE effect (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, result TEXT,
        projection TEXT NOT NULL, changed_ms INTEGER NOT NULL)""",
    "CREATE TABLE target (name TEXT PRIMARY KEY, data BLOB NOT NULL, source TEXT NOT NULL, changed_ms INTEGER NOT NULL)",
    "CREATE TABLE built (name TEXT PRIMARY KEY, basis BLOB NOT NULL, data BLOB NOT NULL, made_ms INTEGER NOT NULL)",
    "CREATE TABLE inbox (device BLOB PRIMARY KEY, last_seq INTEGER NOT NULL, data BLOB NOT NULL)",
    """CREATE TABLE notice (seq INTEGER PRIMARY KEY, device BLOB NOT NULL, op BLOB NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
        made_ms INTEGER NOT NULL)""",
    "CREATE TABLE admin (name TEXT PRIMARY KEY, passphrase TEXT NOT NULL, added_ms INTEGER NOT NULL)",
    """CREATE TABLE decision (idx INTEGER PRIMARY KEY, op BLOB NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL, admin TEXT NOT NULL,
        made_ms INTEGER NOT NULL)""",
    """CREATE TABLE refused (idx INTEGER PRIMARY KEY, hash BLOB NOT NULL, reason TEXT NOT NULL, via TEXT NOT NULL,
        received_ms INTEGER NOT NULL)""",
    "CREATE TABLE click (code TEXT NOT NULL, day TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (code, day))",
)

# Their keys name the month too: the database then finds the partition, and uniqueness is still its own constraint.
PARTITIONED: Final = (
    """CREATE TABLE batch (
        idx BIGSERIAL NOT NULL, hash BLOB NOT NULL, device BLOB NOT NULL, device_public BLOB NOT NULL, first_seq INTEGER NOT NULL,
        n INTEGER NOT NULL, received_ms INTEGER NOT NULL, app_version TEXT NOT NULL, via TEXT NOT NULL, new_ops INTEGER NOT NULL,
        raw BLOB NOT NULL, wall_ms INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (idx, wall_ms), UNIQUE (hash, wall_ms)) PARTITION BY RANGE (wall_ms)""",
    "CREATE TABLE batch_default PARTITION OF batch DEFAULT",
    """CREATE TABLE op (
        id BIGSERIAL NOT NULL, hash BLOB NOT NULL, parent BLOB NOT NULL, device BLOB NOT NULL,
        seq INTEGER NOT NULL, op_id BLOB NOT NULL, kind TEXT NOT NULL,
        form TEXT NOT NULL, def_hash BLOB NOT NULL, wall_ms INTEGER NOT NULL, officer BLOB NOT NULL, batch INTEGER NOT NULL,
        place INTEGER NOT NULL, label TEXT NOT NULL, known INTEGER NOT NULL,
        PRIMARY KEY (id, wall_ms), UNIQUE (hash, device, wall_ms)) PARTITION BY RANGE (wall_ms)""",
    "CREATE TABLE op_default PARTITION OF op DEFAULT",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in TABLES:
            op.execute(statement)
        return
    own = ("CREATE TABLE batch ", "CREATE TABLE op ")
    for statement in (*PARTITIONED, *(found for found in TABLES if not found.startswith(own))):
        op.execute(dialect.postgres(statement) if dialect.defines(statement) else statement)
