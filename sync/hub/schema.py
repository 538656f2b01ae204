"""The hub's tables (SQLAlchemy Core), for SQLite and PostgreSQL. Raw batches and chunks are the truth; the rest can be rebuilt.

Hashes, keys and ids are blobs; times are milliseconds since 1970 UTC by the hub's clock; yes and no are 1 and 0. ``accepted`` gives
every op that was ever accepted its place in the order in which projections see it: an op that waited for its parent comes after it.

This file says how the tables are now; ``migrations/`` says how a database gets there, and a test holds the two together. To add a
table or a column: write it here *and* in the newest file of ``migrations/versions``. The hot paths use plain SQL with named
parameters (``sync/hub/storage.py``), so nothing imports this file while the hub serves.

On PostgreSQL ``batch`` and ``op`` are partitioned by month of the device's clock (``wall_ms``). A batch and an op name their own time,
so the same hash always falls into the same month, and uniqueness stays a constraint of the database.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

INT: Final = BigInteger().with_variant(Integer(), "sqlite")
STRING: Final = Text().with_variant(Text(collation="C"), "postgresql")
OF_PROJECTIONS: Final = ("cursor", "effect")  # what a projection needs beside its own tables


def _int(name: str, *, null: bool = False, default: int | None = None) -> Column[Any]:
    return Column(name, INT, nullable=null, server_default=None if default is None else text(str(default)))


def _blob(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, LargeBinary, nullable=null)


def _text(name: str, *, null: bool = False, default: str | None = None) -> Column[Any]:
    return Column(name, STRING, nullable=null, server_default=default)


def _key(name: str, type_: Any = INT, *, counted: bool = True) -> Column[Any]:
    """A primary key of one column. ``counted``: an integer that the database counts up itself."""
    return Column(name, type_, primary_key=True, autoincrement=counted and type_ is INT)


def tables(*, partitioned: bool = False) -> MetaData:
    """Every table of the hub. ``partitioned``: as PostgreSQL keeps ``batch`` and ``op``, whose keys then name their month too."""
    found = MetaData()
    _records(found, partitioned=partitioned)
    _copies(found)
    _log(found)
    _relays(found)
    _offices(found)
    _projections(found)
    _downward(found)
    _people(found)
    _console(found)
    _feeds(found)
    _heartbeats(found)
    _processes(found)
    return found


def _records(m: MetaData, *, partitioned: bool) -> None:
    """What laptops send."""
    month = ["wall_ms"] if partitioned else []
    by_month: dict[str, Any] = {"postgresql_partition_by": "RANGE (wall_ms)"} if partitioned else {}
    Table(
        "batch", m, Column("idx", INT, nullable=False, autoincrement=True), _blob("hash"), _blob("device"), _blob("device_public"),
        _int("first_seq"), _int("n"), _int("received_ms"), _text("app_version"), _text("via"), _int("new_ops"),
        _blob("raw"),  # empty when the bytes lie in the object storage, under ``hash``
        _int("wall_ms", default=0),  # the device's clock at the first op
        _int("size", default=0),  # of the raw bytes
        PrimaryKey("idx", *month), UniqueConstraint("hash", *month),
        Index("batch_figures", "device", "received_ms", "first_seq", "n", "new_ops"),  # boards read it instead of the batches
        **by_month,
    )  # fmt: skip
    waits = text("label <> 'accepted'")  # few: pending and quarantined
    Table(
        "op", m, Column("id", INT, nullable=False, autoincrement=True), _blob("hash"), _blob("parent"), _blob("device"), _int("seq"),
        _blob("op_id"), _text("kind"), _text("form"), _blob("def_hash"), _int("wall_ms"), _blob("officer"), _int("batch"), _int("place"),
        _text("label"), _int("known"),
        PrimaryKey("id", *month),
        UniqueConstraint("hash", "device", *month),  # nobody can take another laptop's op away by sending it first
        Index("op_device", "device", "seq"), Index("op_batch", "batch", "place"),
        Index("op_waiting", "label", "device", sqlite_where=waits, postgresql_where=waits),
        Index("op_orphan", "parent", sqlite_where=waits, postgresql_where=waits),
        **by_month,
    )  # fmt: skip
    Table(  # op: its id, because hashes would cost a random place each; wall_ms: its month, so that a join finds it at once
        "accepted", m, _key("idx"), _int("op"), _int("wall_ms", default=0), UniqueConstraint("op"),
    )  # fmt: skip
    Table("chunk", m, _key("idx"), _blob("hash"), _int("size"), _int("received_ms"), UniqueConstraint("hash"))
    Table(  # what was no batch; raw and the findings only when an enrolled laptop's header stands before it
        "refused", m, _key("idx"), _blob("hash"), _text("reason"), _text("via"), _int("received_ms"),
        _text("file", default=""), _int("size", default=0), _blob("device", null=True), _int("first_seq", null=True),
        _int("n", null=True), _int("bad_seq", null=True), _blob("bad_op", null=True), _blob("raw", null=True),
    )  # fmt: skip
    Table(
        "act", m, _key("idx"), _text("kind"), _blob("body"), _int("made_ms")
    )  # of the centre, until signed: empty after commits


def _copies(m: MetaData) -> None:
    """Laptops of which copies were at work, and receipts of this hub that were shown to it again."""
    # op: the root of a branch that was put aside; sibling: the op after the same parent that is the chain's next.
    Table(
        "fork", m, _key("op", LargeBinary), _blob("device"), _blob("parent"), _int("seq"), _blob("sibling"),
        Index("fork_device", "device", "seq"),
    )  # fmt: skip
    Table("evidence", m, _key("batch", LargeBinary), _blob("device"), _int("received_ms"))


def _log(m: MetaData) -> None:
    """The Merkle log."""
    unsigned = text("receipt IS NULL")
    Table(
        "leaf", m, _key("idx"), _blob("hash"), _blob("data"), _int("batch"), _blob("device"), _text("receipt", null=True),
        UniqueConstraint("batch"), Index("leaf_device", "device", "idx"),
        Index("leaf_unsigned", "idx", sqlite_where=unsigned, postgresql_where=unsigned),
    )  # fmt: skip
    Table("node", m, _key("height", counted=False), _key("idx", counted=False), _blob("hash"))
    Table(
        "checkpoint", m, _key("epoch", counted=False), _key("size", counted=False), _blob("root"), _text("note"), _int("made_ms"),
    )  # fmt: skip


def _relays(m: MetaData) -> None:
    """Province relays: at the centre who they are and what they cosigned; at a relay what it holds and has handed on."""
    Table(
        "relay", m, _key("name", STRING), _text("province"), _blob("public"), _int("added_ms"), _int("seen_ms", null=True),
        _int("waiting", default=0), _int("oldest_ms", null=True), _int("removed_ms", null=True), _text("alarm", default=""),
    )  # fmt: skip
    Table(
        "cosignature", m, _key("epoch", counted=False), _key("size", counted=False), _key("witness", STRING), _text("line"),
        _int("cosigned_s"),
    )  # fmt: skip
    Table(  # what: batch or chunk; a batch's bytes go when the centre's second site has it, its receipt stays
        "handed", m, _key("idx"), _text("what"), _blob("hash"), _blob("device", null=True), _blob("public", null=True),
        _int("first_seq"), _int("last_seq"), _int("size"), _int("received_ms"), _blob("raw"), _text("state"), _int("tries", default=0),
        _text("reason", default=""), _text("receipt", default=""), UniqueConstraint("hash"),
        Index("handed_state", "state", "idx"), Index("handed_device", "device", "idx"),
    )  # fmt: skip
    Table(
        "heard", m, _key("device", LargeBinary), _blob("status"), _int("asked_ms")
    )  # the centre's last word about a laptop


def _offices(m: MetaData) -> None:
    """Offices, laptops and their numbers."""
    Table(
        "office", m, _key("code", STRING), _text("name_km"), _text("name_en"), _text("province_km"), _text("province_en"),
        _int("added_ms"),
    )  # fmt: skip
    Table(
        "slot", m, _key("slot", LargeBinary), _text("office"), _int("number"), _blob("code_key"), _int("not_after_ms"), _int("tries"),
        _int("made_ms"), _blob("device", null=True), UniqueConstraint("office", "number"),
    )  # fmt: skip
    Table(
        "device", m, _key("device", LargeBinary), _text("office"), _int("number"), _blob("sign_public"), _blob("seal_public"),
        _blob("office_public"), _blob("certificate"), _int("enrolled_ms"), _blob("predecessor"), _text("officers"),
        _int("last_seen_ms", null=True), _int("revoked_ms", null=True), _int("cutoff_seq", null=True), _text("words", default=""),
        _int("batches", default=0), _int("records", default=0),  # received of it: summed while they come
    )  # fmt: skip
    # Keys of signers that gave way to others: what they certified counts on, unless somebody had stolen them.
    Table("former_key", m, _key("public", LargeBinary), _text("role"), _int("ended_ms"), _int("stolen"))
    # Laptops whose request was right and whose certificate a province must still sign.
    Table(
        "pending_device", m, _key("device", LargeBinary), _blob("slot"), _blob("request"), _int("asked_ms"),
    )  # fmt: skip
    # Officers who moved: from then on their signatures count for the other office only.
    Table(
        "transfer", m, _key("idx"), _blob("officer"), _text("name"), _text("latin"), _text("from_office"), _text("to_office"),
        _text("role"), _int("at_ms"), _blob("statement"), _text("made_by"), _int("made_ms"), Index("transfer_officer", "officer"),
    )  # fmt: skip
    Table(
        "lease", m, _key("lease", LargeBinary), _text("resource"), _blob("slot"), _int("first"), _int("size"), _text("scope"),
        _blob("content"), _int("made_ms"), _int("not_after_ms"),
        Index("lease_scope", "resource", "scope", "first"), Index("lease_slot", "slot"),
    )  # fmt: skip


def _projections(m: MetaData) -> None:
    """How far projections are, and what they ask of the world. Their own tables (``p_*``) are made by their modules."""
    Table(
        "cursor", m, _key("projection", STRING), _int("version"), _int("accepted_idx"), _text("failure", null=True),
        _blob("failed_op", null=True),
    )  # fmt: skip
    Table(
        "effect", m, _key("id", STRING), _text("kind"), _text("payload"), _text("state"), _int("tries"), _text("result", null=True),
        _text("projection"), _int("changed_ms"), Index("effect_changed", "changed_ms"),
        Index("effect_waiting", "kind", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip


def _downward(m: MetaData) -> None:
    """What goes down to laptops."""
    Table("target", m, _key("name", STRING), _blob("data"), _text("source"), _int("changed_ms"))
    # What modules publish; basis: the same content without its date, so that a new date alone publishes nothing.
    Table("built", m, _key("name", STRING), _blob("basis"), _blob("data"), _int("made_ms"))
    # The sealed notices of one device up to a sequence number: sealing anew would change the bytes.
    Table("inbox", m, _key("device", LargeBinary), _int("last_seq"), _blob("data"))
    Table("notice", m, _key("seq"), _blob("device"), _blob("op"), _text("kind"), _blob("body"), _int("made_ms"))
    # Who signs which part of the publications; metadata: what a keeper elsewhere signed last.
    Table(
        "role", m, _key("name", STRING), _text("kind"), _text("subject"), _text("holder"), _blob("public"), _int("online"),
        _blob("metadata", null=True), _int("added_ms"), _int("changed_ms"),
    )  # fmt: skip


def _people(m: MetaData) -> None:
    """Settings, admins and what they decide, visits of short links."""
    Table("meta", m, _key("name", STRING), _text("value"))
    Table(
        "admin", m, _key("name", STRING), _text("passphrase"), _int("added_ms"), _text("role", default="owner"), _blob("totp", null=True),
        _int("totp_step", default=0), _text("recovery", default="[]"), _int("must_change", default=0), _int("disabled_ms", null=True),
    )  # fmt: skip
    Table(
        "decision", m, _key("idx"), _blob("op"), _text("decision"), _text("reason"), _text("admin"), _int("made_ms"),
        Index("decision_op", "op"),
    )  # fmt: skip
    Table("click", m, _key("code", STRING), _key("day", STRING), _int("n"))


def _console(m: MetaData) -> None:
    """Who is logged in, who looked at what, and the sums and words that keep the console's pages quick."""
    Table(
        "visit", m, _key("key_hash", LargeBinary), _text("admin"), _text("token"), _text("stage"), _int("begun_ms"), _int("seen_ms"),
        _int("until_ms"), _text("agent"), _blob("pending", null=True), _text("held", null=True),  # held: what was typed when a visit ended
        Index("visit_admin", "admin"),
    )  # fmt: skip
    Table("door_try", m, _key("name", STRING), _int("wrong"), _int("last_ms"))
    Table(  # append-only: triggers refuse to change or delete a row
        "look", m, _key("idx", counted=False), _blob("hash"), _text("admin"), _text("what"), _text("subject"), _int("at_ms"),
        _text("event"),
        Index("look_admin", "admin", "idx"), Index("look_subject", "subject", "idx"), Index("look_at", "at_ms"),
    )  # fmt: skip
    # What a laptop said of itself when it was heard last: over the line, from a stick or in a text message.
    Table("contact", m, _key("device", LargeBinary), _int("at_ms"), _int("publications"), _int("waiting"), _text("app"))
    Table("edition", m, _key("version", counted=False), _int("made_ms"))  # of the publications: when each was signed
    Table("tally", m, _key("day", counted=False), _key("device", LargeBinary), _int("batches"), _int("records"))
    Table(
        "set_aside", m, _key("op", LargeBinary), _key("device", LargeBinary)
    )  # quarantined ops that an admin has rejected
    Table(  # what a batch holds of each kind, form and officer
        "mark", m, _key("batch", counted=False), _key("kind", STRING), _key("form", STRING), _key("officer", LargeBinary), _blob("device"),
        _int("n"), Index("mark_kind", "kind", "batch"), Index("mark_form", "form", "batch"), Index("mark_officer", "officer", "batch"),
        Index("mark_device", "device", "batch"),
    )  # fmt: skip
    # Which record (its hash) a record amends; those that two laptops amended without seeing each other. closed: by which op.
    Table("amends", m, _key("target", LargeBinary), _key("op", counted=False), Index("amends_op", "op"))
    Table(
        "parallel",
        m,
        _key("target", LargeBinary),
        _int("batch"),
        _int("closed", null=True),
        Index("parallel_batch", "batch"),
    )
    Table(
        "word", m, _key("word", STRING), _key("op", counted=False), sqlite_with_rowid=False
    )  # of plain bodies; op: its id


def _feeds(m: MetaData) -> None:
    """Programs that read the tables, programs that are told of every accepted op, laptops that may read what is sealed."""
    Table("desk", m, _key("device", LargeBinary), _int("added_ms"), _text("added_by"))
    Table(
        "feed_token",
        m,
        _key("name", STRING),
        _blob("digest"),
        _text("tables"),
        _int("made_ms"),
        _int("used_ms", null=True),
    )
    Table(  # what each program has read in the hour that has not gone into the audit yet
        "feed_look", m, _key("hour", counted=False), _key("name", STRING), _key("subject", STRING), _int("reads"), _int("rows"),
    )  # fmt: skip
    Table(
        "webhook", m, _key("id"), _text("url"), _text("kinds"), _blob("secret"), _int("accepted_idx"), _int("tries"), _int("next_ms"),
        _text("last_result"), _text("state"), _int("made_ms"),
    )  # fmt: skip


def _heartbeats(m: MetaData) -> None:
    """The newest text message of each laptop without data, as it came."""
    Table(
        "heartbeat",
        m,
        _key("device", LargeBinary),
        _int("seq"),
        _blob("head"),
        _int("pending"),
        _text("message"),
        _int("received_ms"),
    )


def _processes(m: MetaData) -> None:
    """What several hub processes over one database must know of each other."""
    Table("nonce", m, _key("nonce", LargeBinary), _int("spent_ms"))  # of signed requests, until they are too old


def sqlite_statements(*names: str) -> list[str]:
    """The definitions of these tables in SQLite's words: for a scratch database beside the hub's own."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateTable

    found = tables()
    return [str(CreateTable(found.tables[name]).compile(dialect=sqlite.dialect())) for name in names]
