"""What a complete replication needs beyond the first release.

To add something: a function of its own below, called at the end of :func:`upgrade`; the same table in ``sync/hub/schema.py``.
``op.create_table("name", integer("n"), text("what"), …)`` and ``op.add_column("table", integer("n", default=0))`` do on both databases.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_INT: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def integer(name: str, *, null: bool = False, default: int | None = None) -> sa.Column[Any]:
    return sa.Column(name, _INT, nullable=null, server_default=None if default is None else sa.text(str(default)))


def blob(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary, nullable=null)


def text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=null, server_default=default)


def counted(name: str) -> sa.Column[Any]:
    """A primary key that the database counts up itself."""
    return sa.Column(name, _INT, primary_key=True, autoincrement=True)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    _months(sqlite=sqlite)
    if sqlite:
        _own_ops()
    _roles_and_officers()
    _feeds()


def _months(*, sqlite: bool) -> None:
    """What partitions by month and raw bytes outside the database need."""
    if sqlite:  # PostgreSQL's tables were made with them
        op.add_column("batch", integer("wall_ms", default=0))
        op.add_column("batch", integer("size", default=0))
        op.execute("UPDATE batch SET size = length(raw)")
    op.add_column("accepted", integer("wall_ms", default=0))
    op.execute("UPDATE accepted SET wall_ms = (SELECT o.wall_ms FROM op o WHERE o.id = accepted.op)")


def _own_ops() -> None:
    """An op belongs to the laptop that signed its batch: another one that sends a copy first takes nothing away."""
    op.execute("ALTER TABLE op RENAME TO op_first")
    for index in ("op_device", "op_batch", "op_waiting", "op_orphan"):
        op.execute(f"DROP INDEX {index}")
    op.execute(
        """CREATE TABLE op (
            id INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, device BLOB NOT NULL,
            seq INTEGER NOT NULL, op_id BLOB NOT NULL, kind TEXT NOT NULL,
            form TEXT NOT NULL, def_hash BLOB NOT NULL, wall_ms INTEGER NOT NULL, officer BLOB NOT NULL, batch INTEGER NOT NULL,
            place INTEGER NOT NULL, label TEXT NOT NULL, known INTEGER NOT NULL, UNIQUE (hash, device))"""
    )
    op.execute("INSERT INTO op SELECT * FROM op_first ORDER BY id")
    op.execute("DROP TABLE op_first")
    op.execute("CREATE INDEX op_device ON op (device, seq)")
    op.execute("CREATE INDEX op_batch ON op (batch, place)")
    op.execute("CREATE INDEX op_waiting ON op (label, device) WHERE label <> 'accepted'")
    op.execute("CREATE INDEX op_orphan ON op (parent) WHERE label <> 'accepted'")


def _roles_and_officers() -> None:
    """Who signs publications, laptops that wait for a province's signature, officers who moved."""
    op.create_table(
        "role", sa.Column("name", _TEXT, primary_key=True), text("kind"), text("subject"), text("holder"), blob("public"),
        integer("online"), blob("metadata", null=True), integer("added_ms"), integer("changed_ms"),
    )  # fmt: skip
    op.create_table(
        "pending_device", sa.Column("device", sa.LargeBinary, primary_key=True), blob("slot"), blob("request"),
        integer("asked_ms"),
    )  # fmt: skip
    op.create_table(
        "transfer", counted("idx"), blob("officer"), text("name"), text("latin"), text("from_office"), text("to_office"),
        text("role"), integer("at_ms"), blob("statement"), text("made_by"), integer("made_ms"),
    )  # fmt: skip
    op.create_index("transfer_officer", "transfer", ["officer"])
    op.add_column("device", text("words", default=""))


def _feeds() -> None:
    """Programs that read the tables, and programs that are told of every accepted op."""
    op.create_table(
        "feed_token", text("name"), blob("digest"), text("tables"), integer("made_ms"), integer("used_ms", null=True),
        sa.PrimaryKeyConstraint("name"),
    )  # fmt: skip
    op.create_table(
        "webhook", counted("id"), text("url"), text("kinds"), blob("secret"), integer("accepted_idx"), integer("tries"),
        integer("next_ms"), text("last_result"), text("state"), integer("made_ms"),
    )  # fmt: skip
