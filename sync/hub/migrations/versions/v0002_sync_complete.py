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
    _console(sqlite=sqlite)
    _feeds()
    _acts()
    _relays()
    _forks()
    _heartbeats()
    _processes()
    _stable()
    _indices()


def _indices() -> None:
    """What every page of the console counts and what every record's page asks must not read all that ever was."""
    op.create_index("effect_changed", "effect", ["changed_ms"])
    waits = sa.text("state = 'waiting'")
    op.create_index("effect_waiting", "effect", ["kind"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("decision_op", "decision", ["op"])


def _stable() -> None:
    """What a second site holds is counted by the log."""
    op.execute(
        """UPDATE meta SET name = 'stable-entries', value = CAST((
               SELECT coalesce(max(l.idx) + 1, 0) FROM leaf l WHERE l.batch <= CAST(meta.value AS BIGINT)) AS TEXT)
           WHERE name = 'stable-batch'"""
    )


def _heartbeats() -> None:
    """The newest text message of each laptop without data."""
    op.create_table(
        "heartbeat",
        _key(blob("device")),
        integer("seq"),
        blob("head"),
        integer("pending"),
        text("message"),
        integer("received_ms"),
    )


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
    op.create_table("former_key", _key(blob("public")), text("role"), integer("ended_ms"), integer("stolen"))
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
    """Programs that read the tables, programs that are told of every accepted op, laptops that may read what is sealed."""
    op.create_table("desk", blob("device"), integer("added_ms"), text("added_by"), sa.PrimaryKeyConstraint("device"))
    op.create_table(
        "feed_token", text("name"), blob("digest"), text("tables"), integer("made_ms"), integer("used_ms", null=True),
        sa.PrimaryKeyConstraint("name"),
    )  # fmt: skip
    op.create_table(
        "feed_look", integer("hour"), text("name"), text("subject"), integer("reads"), integer("rows"),
        sa.PrimaryKeyConstraint("hour", "name", "subject"),
    )  # fmt: skip
    op.create_table(
        "webhook", counted("id"), text("url"), text("kinds"), blob("secret"), integer("accepted_idx"), integer("tries"),
        integer("next_ms"), text("last_result"), text("state"), integer("made_ms"),
    )  # fmt: skip


def _console(*, sqlite: bool) -> None:
    """Roles, second factors and visits of admins, the audit of the console, and the sums behind its pages."""
    for column in (
        text("role", default="owner"), blob("totp", null=True), integer("totp_step", default=0), text("recovery", default="[]"),
        integer("must_change", default=0), integer("disabled_ms", null=True),
    ):  # fmt: skip
        op.add_column("admin", column)
    op.add_column("device", integer("batches", default=0))
    op.add_column("device", integer("records", default=0))
    op.create_table(
        "visit", _key(blob("key_hash")), text("admin"), text("token"), text("stage"), integer("begun_ms"), integer("seen_ms"),
        integer("until_ms"), text("agent"), blob("pending", null=True), text("held", null=True),
    )  # fmt: skip
    op.create_index("visit_admin", "visit", ["admin"])
    op.create_table("door_try", _key(text("name")), integer("wrong"), integer("last_ms"))
    op.create_table(
        "look", _key(integer("idx")), blob("hash"), text("admin"), text("what"), text("subject"), integer("at_ms"), text("event"),
    )  # fmt: skip
    for name, columns in (
        ("look_admin", ["admin", "idx"]),
        ("look_subject", ["subject", "idx"]),
        ("look_at", ["at_ms"]),
    ):
        op.create_index(name, "look", columns)
    for statement in _ONLY_ADDED_SQLITE if sqlite else _ONLY_ADDED_POSTGRES:
        op.execute(statement)
    op.create_table(
        "contact", _key(blob("device")), integer("at_ms"), integer("publications"), integer("waiting"), text("app")
    )
    op.create_table("edition", _key(integer("version")), integer("made_ms"))
    op.create_table("tally", _key(integer("day")), _key(blob("device")), integer("batches"), integer("records"))
    op.create_table("set_aside", _key(blob("op")), _key(blob("device")))
    op.create_table(
        "mark", _key(integer("batch")), _key(text("kind")), _key(text("form")), _key(blob("officer")), blob("device"), integer("n"),
    )  # fmt: skip
    for name in ("kind", "form", "officer", "device"):
        op.create_index(f"mark_{name}", "mark", [name, "batch"])
    op.create_table("amends", _key(blob("target")), _key(integer("op")))
    op.create_index("amends_op", "amends", ["op"])
    op.create_table("parallel", _key(blob("target")), integer("batch"), integer("closed", null=True))
    op.create_index("parallel_batch", "parallel", ["batch"])
    op.create_table("word", _key(text("word")), _key(integer("op")), sqlite_with_rowid=False)
    op.execute(
        """UPDATE device SET batches = (SELECT count(*) FROM batch b WHERE b.device = device.device),
               records = (SELECT coalesce(sum(b.new_ops), 0) FROM batch b WHERE b.device = device.device)"""
    )
    op.execute(
        f"""INSERT INTO tally (day, device, batches, records)
            SELECT (received_ms + {_PHNOM_PENH_MS}) / {_DAY_MS}, device, count(*), sum(new_ops) FROM batch
            GROUP BY (received_ms + {_PHNOM_PENH_MS}) / {_DAY_MS}, device"""
    )


def _key(column: sa.Column[Any]) -> sa.Column[Any]:
    """A part of the primary key that nobody counts up."""
    column.primary_key, column.autoincrement = True, False
    return column


_DAY_MS: Final = 86_400_000
_PHNOM_PENH_MS: Final = 7 * 3_600_000
_ONLY_ADDED_SQLITE: Final = tuple(
    f"CREATE TRIGGER look_no_{verb.lower()} BEFORE {verb} ON look BEGIN SELECT raise(ABORT, 'the audit is only added to'); END"
    for verb in ("UPDATE", "DELETE")
)
_ONLY_ADDED_POSTGRES: Final = (
    """CREATE FUNCTION look_only_added() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$""",
    "CREATE TRIGGER look_no_change BEFORE UPDATE OR DELETE ON look FOR EACH ROW EXECUTE FUNCTION look_only_added()",
    "CREATE TRIGGER look_no_truncate BEFORE TRUNCATE ON look FOR EACH STATEMENT EXECUTE FUNCTION look_only_added()",
)


def _acts() -> None:
    """What the centre does, until it is signed; what is known of bytes that were no batch."""
    op.create_table("act", counted("idx"), text("kind"), blob("body"), integer("made_ms"))
    for column in (
        text("file", default=""), integer("size", default=0), blob("device", null=True), integer("first_seq", null=True),
        integer("n", null=True), integer("bad_seq", null=True), blob("bad_op", null=True), blob("raw", null=True),
    ):  # fmt: skip
        op.add_column("refused", column)


def _relays() -> None:
    """Province relays and witnesses."""
    op.create_table(
        "relay", sa.Column("name", _TEXT, primary_key=True), text("province"), blob("public"), integer("added_ms"),
        integer("seen_ms", null=True), integer("waiting", default=0), integer("oldest_ms", null=True),
        integer("removed_ms", null=True), text("alarm", default=""),
    )  # fmt: skip
    op.create_table(
        "cosignature", integer("epoch"), integer("size"), text("witness"), text("line"), integer("cosigned_s"),
        sa.PrimaryKeyConstraint("epoch", "size", "witness"),
    )  # fmt: skip
    op.create_table(
        "handed", counted("idx"), text("what"), blob("hash"), blob("device", null=True), blob("public", null=True),
        integer("first_seq"), integer("last_seq"), integer("size"), integer("received_ms"), blob("raw"), text("state"),
        integer("tries", default=0), text("reason", default=""), text("receipt", default=""), sa.UniqueConstraint("hash"),
    )  # fmt: skip
    op.create_index("handed_state", "handed", ["state", "idx"])
    op.create_index("handed_device", "handed", ["device", "idx"])
    op.create_table("heard", sa.Column("device", sa.LargeBinary, primary_key=True), blob("status"), integer("asked_ms"))


def _forks() -> None:
    """Branches of one device key that two laptops held; those that stand in quarantine already are found again."""
    op.create_table(
        "fork", sa.Column("op", sa.LargeBinary, primary_key=True), blob("device"), blob("parent"), integer("seq"), blob("sibling"),
    )  # fmt: skip
    op.create_index("fork_device", "fork", ["device", "seq"])
    op.create_table(
        "evidence", sa.Column("batch", sa.LargeBinary, primary_key=True), blob("device"), integer("received_ms")
    )
    op.execute(
        """INSERT INTO fork (op, device, parent, seq, sibling)
           SELECT o.hash, o.device, o.parent, o.seq, (SELECT s.hash FROM op s WHERE s.device = o.device AND s.seq = o.seq
               AND s.parent = o.parent AND s.hash <> o.hash AND s.label IN ('accepted', 'q:schema') ORDER BY s.hash LIMIT 1)
           FROM op o WHERE o.label = 'q:fork' AND EXISTS (SELECT 1 FROM op s WHERE s.device = o.device AND s.seq = o.seq
               AND s.parent = o.parent AND s.hash <> o.hash AND s.label IN ('accepted', 'q:schema'))"""
    )


def _processes() -> None:
    """What several hub processes over one database must know of each other."""
    op.create_table("nonce", _key(blob("nonce")), integer("spent_ms"))
