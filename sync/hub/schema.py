"""The hub's tables, in SQL that SQLite and PostgreSQL both read. Raw batches and chunks are the truth; the rest can be rebuilt.

Hashes, keys and ids are blobs; times are milliseconds since 1970 UTC by the hub's clock. ``accepted`` gives every op that
was ever accepted its place in the order in which projections see it: an op that waited for its parent comes after it.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

OF_PROJECTIONS: Final = (
    """CREATE TABLE cursor (projection TEXT PRIMARY KEY, version INTEGER NOT NULL, accepted_idx INTEGER NOT NULL, failure TEXT,
        failed_op BLOB)""",
    """CREATE TABLE effect (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, result TEXT,
        projection TEXT NOT NULL, changed_ms INTEGER NOT NULL)""",
)

TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE batch (
        idx INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, device BLOB NOT NULL, device_public BLOB NOT NULL, first_seq INTEGER NOT NULL,
        n INTEGER NOT NULL, received_ms INTEGER NOT NULL, app_version TEXT NOT NULL, via TEXT NOT NULL, new_ops INTEGER NOT NULL,
        raw BLOB NOT NULL)""",
    "CREATE INDEX batch_figures ON batch (device, received_ms, first_seq, n, new_ops)",  # boards read it instead of the batches
    """CREATE TABLE op (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, parent BLOB NOT NULL, device BLOB NOT NULL,
        seq INTEGER NOT NULL, op_id BLOB NOT NULL, kind TEXT NOT NULL,
        form TEXT NOT NULL, def_hash BLOB NOT NULL, wall_ms INTEGER NOT NULL, officer BLOB NOT NULL, batch INTEGER NOT NULL,
        place INTEGER NOT NULL, label TEXT NOT NULL, known INTEGER NOT NULL)""",
    "CREATE INDEX op_device ON op (device, seq)",
    "CREATE INDEX op_batch ON op (batch, place)",
    "CREATE INDEX op_waiting ON op (label, device) WHERE label <> 'accepted'",  # few: pending and quarantined
    "CREATE INDEX op_orphan ON op (parent) WHERE label <> 'accepted'",
    "CREATE TABLE accepted (idx INTEGER PRIMARY KEY, op INTEGER NOT NULL UNIQUE)",  # op: its id; hashes would cost a random place each
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
    *OF_PROJECTIONS,
    "CREATE TABLE target (name TEXT PRIMARY KEY, data BLOB NOT NULL, source TEXT NOT NULL, changed_ms INTEGER NOT NULL)",
    # What modules publish; basis: the same content without its date, so that a new date alone publishes nothing.
    "CREATE TABLE built (name TEXT PRIMARY KEY, basis BLOB NOT NULL, data BLOB NOT NULL, made_ms INTEGER NOT NULL)",
    # The sealed notices of one device up to a sequence number: sealing anew would change the bytes.
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
