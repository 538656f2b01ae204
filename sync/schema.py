"""The tables of the store itself, as the migration set "sync". A step is never changed once it has been released.

Modules own further tables, ``<module id>_…``. Ids of officers, records, drafts and leases are text; hashes, device ids
and keys are blobs; times are milliseconds since 1970 UTC by this machine's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from i18n.search import TOKENIZER

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


OPS: Final = (
    # Ops in order. bytes: what is signed; body: the plain body of a sealed op, which never leaves unsealed.
    """CREATE TABLE op (
        seq INTEGER PRIMARY KEY, op_id BLOB NOT NULL UNIQUE, prev BLOB NOT NULL, hash BLOB NOT NULL UNIQUE,
        bytes BLOB NOT NULL, body BLOB, kind TEXT NOT NULL, record TEXT NOT NULL, form TEXT NOT NULL,
        def_hash BLOB, sealed_to BLOB, officer TEXT NOT NULL, device BLOB NOT NULL,
        created_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX op_record ON op(record, seq)",
    "CREATE INDEX op_of_sync ON op(seq) WHERE form = 'sync'",  # made by the program, not counted as anybody's work
    """CREATE TRIGGER op_never_changes BEFORE UPDATE ON op BEGIN
        SELECT raise(ABORT, 'an op never changes'); END""",
    """CREATE TRIGGER op_is_kept BEFORE DELETE ON op
        WHEN OLD.seq > coalesce((SELECT value FROM floor WHERE name = 'op.prunable'), 0) BEGIN
        SELECT raise(ABORT, 'an op is kept until it may be pruned'); END""",
    # Frozen batches. recut: its ops were cut again, smaller; bytes are empty then, and when a second site has a copy.
    """CREATE TABLE batch (
        hash BLOB PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, bytes BLOB NOT NULL,
        size INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('cut', 'sent', 'receipted', 'recut')),
        cut_ms INTEGER NOT NULL, sent_ms INTEGER, carried_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0,
        next_try_ms INTEGER NOT NULL DEFAULT 0, last_error TEXT) STRICT""",
    "CREATE INDEX batch_last_seq ON batch(last_seq)",
    # An officer's signatures over op hashes; a batch carries the newest one inside it.
    """CREATE TABLE author (
        officer BLOB NOT NULL, seq INTEGER NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (officer, seq)) STRICT""",
    # One per batch and life (epoch) of the hub's log: the old ones are evidence when a hub was restored.
    """CREATE TABLE receipt (
        batch BLOB NOT NULL, epoch INTEGER NOT NULL, leaf_index INTEGER NOT NULL, state INTEGER NOT NULL,
        received_ms INTEGER NOT NULL, proof TEXT NOT NULL, PRIMARY KEY (batch, epoch)) STRICT""",
    # The largest checkpoint seen of each epoch.
    """CREATE TABLE checkpoint (
        epoch INTEGER PRIMARY KEY, size INTEGER NOT NULL, hash BLOB NOT NULL, note TEXT NOT NULL,
        seen_ms INTEGER NOT NULL) STRICT""",
    # Where replication stands; unlike a floor a mark may fall (a hub was restored).
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
)

DOWN: Final = (
    # The highest version or time ever seen of a name: nothing rolls back.
    "CREATE TABLE floor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    """CREATE TRIGGER floor_never_falls BEFORE UPDATE ON floor WHEN NEW.value < OLD.value BEGIN
        SELECT raise(ABORT, 'a floor never falls'); END""",
    """CREATE TABLE lease (
        id TEXT PRIMARY KEY, resource TEXT NOT NULL, content TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0,
        size INTEGER NOT NULL, not_after_ms INTEGER NOT NULL, CHECK (used BETWEEN 0 AND size)) STRICT""",
    "CREATE INDEX lease_resource ON lease(resource, not_after_ms)",
    # What the centre decided about our ops; seq is the hub's.
    """CREATE TABLE inbox (
        seq INTEGER PRIMARY KEY, op BLOB NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, received_ms INTEGER NOT NULL,
        applied_ms INTEGER, refused_code TEXT) STRICT""",
    """CREATE TABLE publication (
        name TEXT PRIMARY KEY, version INTEGER NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL,
        received_ms INTEGER NOT NULL) STRICT""",
    # Signed metadata of the publications: "root/<version>" and the newest of every other role.
    "CREATE TABLE trust (role TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT",
)

FILES: Final = (
    """CREATE TABLE blob (
        id BLOB PRIMARY KEY, manifest BLOB NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL,
        added_ms INTEGER NOT NULL) STRICT""",
    """CREATE TABLE chunk (
        hash BLOB PRIMARY KEY, blob BLOB NOT NULL REFERENCES blob(id), n INTEGER NOT NULL, size INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting') STRICT""",
    "CREATE INDEX chunk_blob ON chunk(blob, n)",
    # Attachments that an op names: these travel; those of drafts stay here.
    "CREATE TABLE attached (blob BLOB PRIMARY KEY, seq INTEGER NOT NULL, sent_ms INTEGER) STRICT",
    "CREATE INDEX chunk_state ON chunk(state)",
)

OFFICE: Final = (
    # The office pack: facts are the office's names; seals and keys are those of the centre.
    """CREATE TABLE office (
        id INTEGER PRIMARY KEY CHECK (id = 1), code TEXT NOT NULL, facts TEXT NOT NULL, slot BLOB NOT NULL,
        number INTEGER NOT NULL, enrol_code TEXT NOT NULL, hub_urls TEXT NOT NULL, log_name TEXT NOT NULL,
        log_key BLOB NOT NULL, agency_seal BLOB NOT NULL, recovery_seal BLOB NOT NULL, tuf_root BLOB NOT NULL,
        signer BLOB NOT NULL, enrol_request BLOB) STRICT""",
    # Every agency key that an op was ever sealed to, with the recovery key that reads along.
    "CREATE TABLE seal_key (public BLOB PRIMARY KEY, recovery BLOB NOT NULL) STRICT",
    # secret: the officer's signing and draft key, opened by that officer's passphrase alone;
    # draft_recovery: the draft key sealed to the province's recovery key.
    """CREATE TABLE officer (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, latin TEXT NOT NULL, role TEXT NOT NULL, sign_public BLOB NOT NULL,
        secret BLOB, draft_recovery BLOB, added_ms INTEGER NOT NULL, removed_ms INTEGER) STRICT""",
    """CREATE TABLE identity (
        device_id BLOB PRIMARY KEY, sign BLOB NOT NULL, seal BLOB NOT NULL, office BLOB NOT NULL,
        blob_secret BLOB NOT NULL, commit_secret BLOB NOT NULL, predecessor BLOB, certificate BLOB,
        created_ms INTEGER NOT NULL, retired_ms INTEGER) STRICT""",
)

WORK: Final = (
    # head: subject and title; both blobs are sealed to the officer.
    """CREATE TABLE draft (
        id TEXT PRIMARY KEY, officer TEXT NOT NULL REFERENCES officer(id), head BLOB NOT NULL, body BLOB NOT NULL,
        updated_ms INTEGER NOT NULL, discarded_ms INTEGER) STRICT""",
    "CREATE INDEX draft_officer ON draft(officer, updated_ms)",
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, event TEXT NOT NULL) STRICT",
    # The complete subtrees of the log's Merkle tree, for cheap checkpoints; verification recomputes them.
    "CREATE TABLE audit_peak (height INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit BEGIN
        SELECT raise(ABORT, 'the audit log never changes'); END""",
    """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
        SELECT raise(ABORT, 'the audit log is kept'); END""",
    """CREATE TABLE search (
        id INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL) STRICT""",
    f"""CREATE VIRTUAL TABLE search_text USING fts5(
        kind, text, content='', contentless_delete=1, detail='full', tokenize="{TOKENIZER}")""",
)

WITHOUT_A_LINE: Final = (
    # What was written onto which stick. hop: for whom it is sealed, empty when it is open.
    """CREATE TABLE stick (
        id INTEGER PRIMARY KEY, folder TEXT NOT NULL, files TEXT NOT NULL, hop TEXT NOT NULL, written_ms INTEGER NOT NULL,
        bytes INTEGER NOT NULL, chunks INTEGER NOT NULL) STRICT""",
    "CREATE TABLE stick_batch (stick INTEGER NOT NULL REFERENCES stick(id), batch BLOB NOT NULL, PRIMARY KEY (stick, batch)) STRICT",
    # Checkpoints that this laptop stated on a stick: what the proof of an answer may begin from.
    "CREATE TABLE stated (epoch INTEGER NOT NULL, size INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (epoch, size)) STRICT",
    # Other laptops of this office that a person paired with this one.
    """CREATE TABLE colleague (
        device BLOB PRIMARY KEY, certificate BLOB NOT NULL, number INTEGER NOT NULL, paired_ms INTEGER NOT NULL,
        met_ms INTEGER, ended_ms INTEGER) STRICT""",
    # How far a colleague has said that it holds the ops of a device, and receipts for them.
    """CREATE TABLE held_by (
        colleague BLOB NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, received INTEGER NOT NULL,
        PRIMARY KEY (colleague, device)) STRICT""",
    # Their batches as they signed them: carried on to the hub by whichever laptop meets it first.
    """CREATE TABLE foreign_batch (
        hash BLOB PRIMARY KEY, device BLOB NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, bytes BLOB NOT NULL,
        taken_ms INTEGER NOT NULL, receipt TEXT) STRICT""",
    "CREATE INDEX foreign_batch_device ON foreign_batch(device, first_seq)",
    # Their ops, verified. body and salt: of a sealed op, once a colleague has opened it for us; record: what a module made of it.
    """CREATE TABLE foreign_op (
        device BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL, kind TEXT NOT NULL,
        salt BLOB, body BLOB, record TEXT, applied_ms INTEGER, PRIMARY KEY (device, seq)) STRICT""",
    "CREATE INDEX foreign_op_record ON foreign_op(record) WHERE record IS NOT NULL",
    "CREATE INDEX foreign_op_waiting ON foreign_op(device, seq) WHERE applied_ms IS NULL",
    # Attachments that their ops name, until all pieces have come; then they stand with this laptop's own (blob, chunk).
    "CREATE TABLE foreign_blob (id BLOB PRIMARY KEY, device BLOB NOT NULL, key BLOB NOT NULL, manifest BLOB, whole_ms INTEGER) STRICT",
    """CREATE TABLE foreign_piece (
        hash BLOB PRIMARY KEY, blob BLOB NOT NULL REFERENCES foreign_blob(id), n INTEGER NOT NULL, data BLOB) STRICT""",
    "CREATE INDEX foreign_piece_blob ON foreign_piece(blob, n)",
    "CREATE TABLE asked_for (colleague BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (colleague, hash)) STRICT",
    """CREATE TRIGGER foreign_op_never_changes BEFORE UPDATE OF device, seq, hash, bytes, kind ON foreign_op BEGIN
        SELECT raise(ABORT, 'an op never changes'); END""",
)


LINE: Final = (
    # How the line may be used, and what last went wrong with it; values are JSON or codes.
    "CREATE TABLE line (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    # Pieces of attachments (chunks and manifests) that the centre did not take: tried again slowly, the others go on.
    """CREATE TABLE piece_trouble (
        hash BLOB PRIMARY KEY, tries INTEGER NOT NULL, next_try_ms INTEGER NOT NULL, code TEXT NOT NULL) STRICT""",
    "CREATE INDEX inbox_op ON inbox(op)",
)

AUDIT: Final = (
    # One row a checkpoint op: from its state the tree can be gone on with; note: the centre's cosignature, once it is back.
    """CREATE TABLE audit_mark (
        size INTEGER PRIMARY KEY, root BLOB NOT NULL, head BLOB NOT NULL, peaks BLOB NOT NULL, made_ms INTEGER NOT NULL,
        note TEXT) STRICT""",
    # Newest checkpoints of the hub's log that a witness has cosigned, one a witness and epoch.
    """CREATE TABLE witnessed (
        witness TEXT NOT NULL, epoch INTEGER NOT NULL, size INTEGER NOT NULL, hash BLOB NOT NULL, note TEXT NOT NULL,
        cosigned_s INTEGER NOT NULL, PRIMARY KEY (witness, epoch)) STRICT""",
    # Batches that a province relay has stored and signed for: on their way, not yet at the centre.
    "ALTER TABLE batch ADD COLUMN handed_ms INTEGER",
    "ALTER TABLE batch ADD COLUMN handed_to TEXT",
)


LIFE: Final = (
    # A laptop of which a copy was found has other keys since; request: what it asks of the hub, NULL once it was answered.
    """CREATE TABLE rekey (
        device BLOB PRIMARY KEY, predecessor BLOB NOT NULL, cause TEXT NOT NULL, request BLOB, made_ms INTEGER NOT NULL,
        seen_ms INTEGER) STRICT""",
    # The centre has withdrawn this laptop; file: where its unsent work stands, sealed.
    """CREATE TABLE withdrawn (
        id INTEGER PRIMARY KEY CHECK (id = 1), told_ms INTEGER NOT NULL, cutoff_seq INTEGER, file TEXT, ops INTEGER) STRICT""",
    # Ops that have left the op log: one line each stays, so that history, references and the chain hold.
    """CREATE TABLE past (
        seq INTEGER PRIMARY KEY, op_id BLOB NOT NULL, hash BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, record TEXT NOT NULL,
        form TEXT NOT NULL, officer TEXT NOT NULL, device BLOB NOT NULL, created_ms INTEGER NOT NULL, clock TEXT NOT NULL,
        received_ms INTEGER) STRICT""",
    "CREATE INDEX past_record ON past(record, seq)",
    "CREATE INDEX past_of_sync ON past(seq) WHERE form = 'sync'",
    # clock: why this machine's clock was doubted when the op was made, '' when it was not.
    "ALTER TABLE op ADD COLUMN clock TEXT NOT NULL DEFAULT ''",
    # Rows of the audit log that left it, packed; digest: over the one before and the bytes, so that none can be taken out.
    """CREATE TABLE audit_archive (
        last INTEGER PRIMARY KEY, first INTEGER NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL) STRICT""",
    "DROP TRIGGER audit_is_kept",
    """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.seq > coalesce((SELECT value FROM floor WHERE name = 'audit.purged'), 0) BEGIN
        SELECT raise(ABORT, 'the audit log is kept'); END""",
    """CREATE VIEW op_line AS
        SELECT seq, op_id, hash, kind, record, form, officer, device, created_ms, clock FROM op
        UNION ALL SELECT seq, op_id, hash, kind, record, form, officer, device, created_ms, clock FROM past""",
)


PIECES: Final = (
    # When the manifest of a colleague's attachment went to the hub.
    "ALTER TABLE foreign_blob ADD COLUMN sent_ms INTEGER",
    # In which run the hub was last asked for a piece that it was sent, or took it; relay: who took it in its place.
    """CREATE TABLE piece_asked (
        hash BLOB PRIMARY KEY, round INTEGER NOT NULL, relay TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID""",
    # What travels: rank 0 of attachments that an op of this laptop names, 1 of colleagues' that are whole here.
    """CREATE VIEW piece AS
        SELECT a.blob AS hash, 'manifest' AS kind, a.blob AS blob, 0 AS rank, a.seq AS seq, -1 AS n,
            CASE WHEN a.sent_ms IS NULL THEN 'waiting' ELSE 'sent' END AS state FROM attached AS a
            WHERE NOT EXISTS (SELECT 1 FROM foreign_blob WHERE id = a.blob AND whole_ms IS NULL)
        UNION ALL SELECT c.hash, 'chunk', c.blob, 0, a.seq, c.n, c.state
            FROM attached AS a JOIN chunk AS c ON c.blob = a.blob
        UNION ALL SELECT f.id, 'manifest', f.id, 1, f.whole_ms, -1,
            CASE WHEN f.sent_ms IS NULL THEN 'waiting' ELSE 'sent' END FROM foreign_blob AS f
            WHERE f.whole_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attached WHERE blob = f.id)
        UNION ALL SELECT c.hash, 'chunk', c.blob, 1, f.whole_ms, c.n, c.state
            FROM foreign_blob AS f JOIN chunk AS c ON c.blob = f.id
            WHERE f.whole_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attached WHERE blob = f.id)""",
    # Whole ones stood as sent although nobody had sent them from here.
    """UPDATE chunk SET state = 'waiting' WHERE state = 'sent' AND blob IN (
        SELECT id FROM foreign_blob WHERE whole_ms IS NOT NULL AND id NOT IN (SELECT blob FROM attached))""",
)


def first_tables(db: Database) -> None:
    """Everything of version 1."""
    for statement in (*DOWN, *OPS, *FILES, *OFFICE, *WORK):
        db.execute(statement)


def publications_by_role(db: Database) -> None:
    """Which role signed a publication, which version of each was taken whole, who certified this laptop, who moved away."""
    db.execute("ALTER TABLE publication ADD COLUMN role TEXT NOT NULL DEFAULT 'targets'")
    db.execute("ALTER TABLE identity ADD COLUMN certifier BLOB")
    db.execute("ALTER TABLE officer ADD COLUMN moved_to TEXT")
    db.execute("ALTER TABLE officer ADD COLUMN moved_ms INTEGER")
    db.execute("ALTER TABLE officer ADD COLUMN recovered_ms INTEGER")
    db.execute("CREATE TABLE role_read (role TEXT PRIMARY KEY, version INTEGER NOT NULL, basis BLOB NOT NULL) STRICT")


def without_a_line(db: Database) -> None:
    """Sticks and what they hold; colleagues: other laptops of this office, and their ops."""
    for statement in WITHOUT_A_LINE:
        db.execute(statement)


def bad_lines(db: Database) -> None:
    """Settings and state of the line, and pieces in trouble."""
    for statement in LINE:
        db.execute(statement)


def witnesses_and_audit(db: Database) -> None:
    """What the centre and the provinces' witnesses have put their names to."""
    for statement in AUDIT:
        db.execute(statement)


def life_of_a_device(db: Database) -> None:
    """New keys after a copy was found, withdrawal by the centre, ops that have left the log, doubts about the clock."""
    for statement in LIFE:
        db.execute(statement)


def pieces_of_colleagues(db: Database) -> None:
    """Attachments of colleagues go on to the hub too; in which run the hub was asked for which piece."""
    for statement in PIECES:
        db.execute(statement)


def certified_by(db: Database) -> None:
    """The signed metadata that named the province's key when it certified this laptop: proof for a hub that forgot both."""
    db.execute("ALTER TABLE identity ADD COLUMN delegated BLOB")
    db.execute(
        "UPDATE identity SET delegated = (SELECT bytes FROM trust WHERE role = 'targets') WHERE certifier IS NOT NULL"
    )


def pieces_lacked(db: Database) -> None:
    """When, by its own clock, the hub last said that it lacks a piece: no older word of it that it has it counts."""
    db.execute("ALTER TABLE piece_asked ADD COLUMN lacked_ms INTEGER NOT NULL DEFAULT 0")


def pieces_of_sticks(db: Database) -> None:
    """The newest op when a stick was written: pieces of attachments that waited then stand on it."""
    db.execute("ALTER TABLE stick ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0")


def handed_for_colleagues(db: Database) -> None:
    """Which relay has stored and signed for a colleague's batch that went there from here; empty: none yet."""
    db.execute("ALTER TABLE foreign_batch ADD COLUMN handed_to TEXT NOT NULL DEFAULT ''")


STEPS: Final[tuple[Callable[[Database], None], ...]] = (
    first_tables, publications_by_role, without_a_line, bad_lines, witnesses_and_audit, life_of_a_device,
    pieces_of_colleagues, certified_by, pieces_lacked, pieces_of_sticks,
    handed_for_colleagues,
)  # fmt: skip
VERSION: Final = len(STEPS)  # stands in the file's user_version; a file with a greater one was written by a newer Sala


def register(migrations: Migrations) -> None:
    """Register every step with sqlite-utils."""
    for step in STEPS:
        migrations()(step)
