"""What only PostgreSQL does: several hub processes over one database, durability asked for and checked, months, bulk, words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from sync import batch, receipts, wire
from sync.clock import SetClock, SystemClock
from sync.errors import Known, Refused
from sync.hub import centre as centres
from sync.hub import database, exports, ingest, migrations, postgres_months, schema
from sync.hub.centre import SETTINGS
from sync.hub.nonces import LIFE_MS, SharedNonces
from sync.hub.postgres_connection import PostgresTx, connect
from sync.hub.postgres_words import statement
from sync.hub.storage import Tx
from sync.hub.storage_postgres import PostgresStorage
from tests.hub import postgres
from tests.hub.conftest import Process, sala_hub
from tests.hub.laptop import NOW, Laptop, join
from tests.hub.test_hub_migrations import differences


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.server().fresh() as made:
        yield made


@pytest.fixture
def storage(url: str) -> Iterator[PostgresStorage]:
    made = PostgresStorage(url, now_ms=lambda: NOW)
    yield made
    made.close()


# --- words


def test_parameters_are_found_where_they_are_parameters() -> None:
    assert statement("SELECT :a, ':b', x::text, \"c:d\" FROM t WHERE n LIKE 'q:%' -- :e\n AND m % 2 = :a") == (
        "SELECT %(a)s, ':b', x::text, \"c:d\" FROM t WHERE n LIKE 'q:%%' -- :e\n AND m %% 2 = %(a)s"
    )


def test_values_come_back_as_from_sqlite(storage: PostgresStorage) -> None:
    def work(tx: Tx) -> dict[str, Any]:
        tx.execute("CREATE TABLE p_t (id INTEGER PRIMARY KEY, n INTEGER, share REAL, raw BLOB, text TEXT)")
        tx.execute(
            "INSERT INTO p_t (n, share, raw, text) VALUES (:n, :s, :r, :t)",
            {"n": 1 << 53, "s": 0.1, "r": b"\0\xff", "t": "a\0b"},
        )
        tx.execute(
            "INSERT INTO p_t (n, share, raw, text) VALUES (:n, :s, :r, :t)", {"n": True, "s": None, "r": b"", "t": ""}
        )
        rows = tx.query("SELECT n, share, raw, text FROM p_t ORDER BY id")
        figures = tx.query("SELECT sum(n) AS total, avg(n) AS mean, count(*) AS n, 1 = 1 AS yes FROM p_t")[0]
        return {"rows": rows, **figures}

    found = storage.write(work)
    assert found["rows"] == [
        {"n": 1 << 53, "share": 0.1, "raw": b"\0\xff", "text": "a\N{SYMBOL FOR NULL}b"},
        {"n": 1, "share": None, "raw": b"", "text": ""},
    ]
    assert (found["total"], type(found["total"])) == ((1 << 53) + 1, int)
    assert (found["n"], found["yes"], type(found["yes"])) == (2, 1, int)
    assert isinstance(found["mean"], float | int)


def test_texts_sort_by_code_points(storage: PostgresStorage) -> None:
    def work(tx: Tx) -> list[str]:
        for name in ("ខ", "a", "B", "ក", "_"):
            tx.execute("INSERT INTO meta (name, value) VALUES (:n, '')", {"n": name})
        return [row["name"] for row in tx.query("SELECT name FROM meta ORDER BY name")]

    assert storage.write(work) == sorted(["ខ", "a", "B", "ក", "_"])


@pytest.mark.parametrize("n", [3, 40])
def test_few_and_many_rows_are_inserted_alike(storage: PostgresStorage, n: int) -> None:
    sql = "INSERT INTO chunk (hash, size, received_ms) VALUES (:hash, :size, :now) ON CONFLICT DO NOTHING"

    def rows(first: int) -> list[dict[str, Any]]:
        return [{"hash": bytes([i]), "size": i, "now": NOW} for i in range(first, first + n)]

    assert storage.write(lambda tx: tx.execute_many(sql, rows(0))) == n
    assert storage.write(lambda tx: (tx.execute_many(sql, rows(1)), tx.execute_many(sql, rows(2)))) == (1, 1)
    found = storage.read(lambda tx: tx.query("SELECT idx, size FROM chunk ORDER BY idx"))
    assert [row["size"] for row in found] == list(range(n + 2))


def test_many_rows_after_a_work_that_was_undone(storage: PostgresStorage) -> None:
    sql = "INSERT INTO chunk (hash, size, received_ms) VALUES (:hash, :size, :now) ON CONFLICT DO NOTHING"
    rows = [{"hash": bytes([i]), "size": i, "now": NOW} for i in range(20)]

    def fail(tx: Tx) -> None:
        tx.execute_many(sql, rows)
        raise ValueError

    with pytest.raises(ValueError):
        storage.write(fail)
    assert storage.write(lambda tx: tx.execute_many(sql, rows)) == 20


def test_many_texts_with_a_zero(storage: PostgresStorage) -> None:
    rows = [{"n": f"{i}\0", "v": "\0"} for i in range(20)]
    storage.write(lambda tx: tx.execute_many("INSERT INTO meta (name, value) VALUES (:n, :v)", rows))
    assert (
        storage.write(
            lambda tx: tx.execute_many("INSERT INTO meta (name, value) VALUES (:n, :v)", [{"n": "\0", "v": ""}])
        )
        == 1
    )


# --- durable


def test_the_hub_asks_for_every_commit_to_be_flushed(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    storage = PostgresStorage(url)
    try:
        assert storage.write(lambda tx: tx.query("SHOW synchronous_commit"))[0]["synchronous_commit"] == "on"
    finally:
        storage.close()


def test_a_server_that_does_not_flush_is_refused() -> None:
    with postgres.cluster(fsync="off") as dsn:
        host = dsn.partition("host=")[2].partition(" ")[0]
        with pytest.raises(Known) as known:
            PostgresStorage(f"postgresql://sala@/postgres?host={host}")
    assert (known.value.code, known.value.values["setting"]) == ("HB-163", "fsync = off")


def test_a_database_in_another_encoding_is_refused() -> None:
    server = postgres.server()
    server.run("CREATE DATABASE other_words ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        with pytest.raises(Known) as known:
            PostgresStorage(server.url("other_words"))
        assert known.value.code == "HB-163"
    finally:
        server.run("DROP DATABASE other_words WITH (FORCE)")


def test_a_connection_that_breaks_is_said_in_words_and_made_anew(storage: PostgresStorage) -> None:
    storage.write(lambda tx: tx.execute("INSERT INTO meta (name, value) VALUES ('kept', '')"))

    def cut(tx: Tx) -> None:
        pid = tx.query("SELECT pg_backend_pid() AS pid")[0]["pid"]
        tx.execute("INSERT INTO meta (name, value) VALUES ('lost', '')")
        postgres.server().run(f"SELECT pg_terminate_backend({pid})")
        tx.query("SELECT 1 AS yes")

    with pytest.raises(Known) as known:
        storage.write(cut)
    assert known.value.code == "HB-162"
    storage.write(lambda tx: tx.execute("INSERT INTO meta (name, value) VALUES ('again', '')"))
    assert [row["name"] for row in storage.read(lambda tx: tx.query("SELECT name FROM meta ORDER BY name"))] == [
        "again",
        "kept",
    ]


def test_a_turn_whose_connection_broke_is_given_again(storage: PostgresStorage, url: str) -> None:
    other = PostgresStorage(url)
    try:
        with storage.turn():
            line = storage._turn._connection
            assert line is not None
            end = "SELECT pg_terminate_backend(CAST(:pid AS integer))"
            storage.read(lambda tx: tx.query(end, {"pid": line.info.backend_pid}))
            with other.turn() as mine:  # the lock went with the connection
                assert mine
        with storage.turn() as mine:
            assert mine
    finally:
        other.close()


def test_no_server_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Known) as known:
        PostgresStorage(f"postgresql://sala@/none?host={tmp_path}")
    assert known.value.code == "HB-162"


# --- schema


def test_the_migrated_database_is_what_the_schema_describes(url: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        described = schema.tables(partitioned=True)
        parts = {found["name"] for found in _parts(url)}
        assert [change for change in differences(connection, described) if getattr(change[1], "name", "") not in parts
                and getattr(getattr(change[1], "table", None), "name", "") not in parts] == []  # fmt: skip
    engine.dispose()


def _parts(url: str) -> list[dict[str, Any]]:
    storage = PostgresStorage(url, now_ms=lambda: NOW)
    try:
        return storage.read(postgres_months.partitions)
    finally:
        storage.close()


def test_a_newer_database_is_not_touched(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(Known) as known:
        PostgresStorage(url)
    assert (known.value.code, known.value.values) == ("HB-101", {"found": 99, "known": migrations.HEAD})


def test_two_programs_that_open_an_empty_database_at_once_make_it_once() -> None:
    with postgres.server().fresh(migrated=False) as url:
        made: list[PostgresStorage] = []
        threads = [threading.Thread(target=lambda: made.append(PostgresStorage(url))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 3
        for storage in made:
            storage.close()


def test_numbers_go_on_behind_rows_that_were_written_with_theirs(url: str) -> None:
    storage = PostgresStorage(url)
    storage.write(
        lambda tx: tx.execute("INSERT INTO chunk (idx, hash, size, received_ms) VALUES (7, :h, 1, 1)", {"h": b"a"})
    )
    storage.close()
    storage = PostgresStorage(url)
    try:
        storage.write(
            lambda tx: tx.execute("INSERT INTO chunk (hash, size, received_ms) VALUES (:h, 1, 1)", {"h": b"b"})
        )
        assert [row["idx"] for row in storage.read(lambda tx: tx.query("SELECT idx FROM chunk ORDER BY idx"))] == [7, 8]
    finally:
        storage.close()


# --- months


def put_op(tx: Tx, n: int, wall_ms: int) -> int:
    return tx.execute(
        """INSERT INTO op (hash, parent, device, seq, op_id, kind, form, def_hash, wall_ms, officer, batch, place, label, known)
           VALUES (:h, :e, :d, :n, :e, 'a.b', '', :e, :wall, :e, 1, 0, 'accepted', 1) ON CONFLICT DO NOTHING""",
        {"h": n.to_bytes(4, "big"), "d": b"d", "e": b"", "n": n, "wall": wall_ms},
    )


def test_ops_lie_in_the_month_of_their_own_clock(storage: PostgresStorage) -> None:
    start, end = postgres_months.bounds(2026, 11)
    assert start <= NOW < end
    for n, wall in enumerate([start, end - 1, end, 0, (1 << 53) - 1]):
        assert storage.write(lambda tx, n=n, wall=wall: (put_op(tx, n, wall), put_op(tx, n, wall))) == (1, 0)  # type: ignore[misc]
    where = storage.read(lambda tx: tx.query("SELECT tableoid::regclass::text AS place FROM op ORDER BY seq"))
    assert [row["place"] for row in where] == ["op_2026_11", "op_2026_11", "op_2026_12", "op_default", "op_default"]


def test_a_month_that_rows_came_before_gets_them(storage: PostgresStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_months, "MANY", 3)
    late, wild = postgres_months.bounds(2025, 2)[0], postgres_months.bounds(2031, 5)[0]
    for n in range(4):
        storage.write(lambda tx, n=n: put_op(tx, n, late + n))  # type: ignore[misc]
    storage.write(lambda tx: put_op(tx, 9, wild))
    assert "op_2025_02" in storage.write(lambda tx: postgres_months.ensure(tx, NOW))
    made = storage.write(lambda tx: postgres_months.ensure(tx, postgres_months.bounds(2031, 4)[0]))
    assert {"op_2031_04", "op_2031_05", "op_2031_06"} <= set(made)
    found = storage.read(lambda tx: tx.query("SELECT seq, tableoid::regclass::text AS place FROM op ORDER BY seq"))
    assert [(row["seq"], row["place"]) for row in found] == [(n, "op_2025_02") for n in range(4)] + [(9, "op_2031_05")]
    assert storage.write(lambda tx: postgres_months.ensure(tx, NOW)) == []


def test_a_new_month_never_waits_for_a_reader(storage: PostgresStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    storage._months_checked = float("-inf")
    storage._now_ms = lambda: postgres_months.bounds(2028, 1)[0]
    began, done = threading.Event(), threading.Event()

    def read(tx: Tx) -> None:
        tx.query("SELECT count(*) AS n FROM op")
        began.set()
        done.wait(20)

    reader = threading.Thread(target=storage.read, args=(read,))
    reader.start()
    began.wait(5)
    storage.write(lambda tx: put_op(tx, 1, NOW))
    names = {found["name"] for found in storage.read(postgres_months.partitions)}
    done.set()
    reader.join()
    assert "op_2028_01" not in names
    storage._months_checked = float("-inf")
    storage.write(lambda tx: put_op(tx, 2, NOW))
    assert "op_2028_01" in {found["name"] for found in storage.read(postgres_months.partitions)}


# --- whole hubs


def test_a_hub_is_made_by_the_command_line(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    sala_hub(folder, "init", "--database", url)
    assert json.loads((folder / SETTINGS).read_text("utf-8"))[database.SETTING] == url
    assert not (folder / "hub.db").exists()
    sala_hub(folder, "enrol", "0306", "--out", str(tmp_path / "pack"))
    assert sala_hub(folder, "verify-log") == {"ok": True, "faults": []}
    assert all(found["same"] for found in sala_hub(folder, "rebuild").values())
    refused = sala_hub(tmp_path / "other", "init", "--database", url, ok=False)
    assert refused["error"]["code"] == "HB-165"
    assert not (tmp_path / "other" / "keys").exists()


@pytest.mark.parametrize("wrong", ["hub.db", "mysql://x", "postgresql://u:secret@h/d?nonsense=1"])
def test_what_is_no_address_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(Refused) as refused:
        database.require_url(wrong)
    assert refused.value.code == "HB-164" and "secret" not in str(refused.value.values)


def test_keys_and_database_go_together(url: str, tmp_path: Path) -> None:
    centres.create(tmp_path / "one", SetClock(NOW), name="one", log_name="hub", url=url).close()
    centres.create(tmp_path / "two", SetClock(NOW), name="two", log_name="hub").close()
    settings = tmp_path / "two" / SETTINGS
    settings.write_text(json.dumps({**json.loads(settings.read_text("utf-8")), database.SETTING: url}), "utf-8")
    with pytest.raises(Known) as known:
        centres.open_(tmp_path / "two", SetClock(NOW))
    assert known.value.code == "HB-165"


def test_a_nonce_of_one_process_is_spent_at_another_and_only_once(
    url: str, tmp_path: Path, hub_process: Callable[..., Process]
) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(folder, SystemClock(), name="hub", log_name="hub", url=url)
    laptop = join(hub, Laptop(now=SystemClock().wall_ms()))
    hub.close()
    here, there = (hub_process(folder).url for _ in range(2))
    nonce = httpx.get(f"{here}/v1/log/checkpoint").headers[wire.NONCE]
    path = "/v1/receipts?after=0"
    signature = laptop.sign.sign(wire.request_message("GET", path, b"", bytes.fromhex(nonce))).signature.hex()
    headers = {wire.DEVICE: laptop.id.hex(), wire.NONCE: nonce, wire.SIGNATURE: signature}
    assert httpx.get(there + path, headers=headers).status_code == 200
    assert [httpx.get(place + path, headers=headers).status_code for place in (here, there)] == [401, 401]


def test_shared_nonces_age_and_are_forgotten(storage: PostgresStorage) -> None:
    clock = SetClock(NOW)
    given, other = (SharedNonces(storage, clock, b"secret") for _ in range(2))
    stranger = SharedNonces(storage, clock, b"another hub")
    honest, late = given.give(), given.give()
    assert not given.spend(bytes(16)) and not given.spend(honest[:-1]) and not stranger.spend(honest)
    clock.wall += LIFE_MS
    assert other.spend(honest) and not given.spend(honest)
    clock.wall += 1
    assert not given.spend(late)
    clock.wall += 3 * LIFE_MS
    assert given.spend(given.give())
    assert storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM nonce"))[0]["n"] == 1


def test_a_number_that_becomes_visible_late_is_not_called_copied(url: str, tmp_path: Path) -> None:
    """A second connection gives a batch its number, a later number is committed and copied, then the first one is."""
    hub = centres.create(tmp_path / "hub", SetClock(NOW), name="hub", log_name="hub", url=url)
    slow, quick = join(hub, Laptop()), join(hub, Laptop())

    def copied(laptop: Laptop) -> int:
        return hub.storage.read(lambda tx: centres.stable(tx, laptop.id))

    late = batch.parse(slow.batch(3))
    try:
        with connect(url) as connection:
            tx = PostgresTx(connection)
            (number,) = ingest._write(tx, [(late, "line")], NOW, elsewhere=False).values()
            hub.ingest.take(quick.batch(2))
            newest = hub.storage.read(lambda tx: tx.query("SELECT max(idx) AS idx FROM batch"))[0]["idx"]
            assert newest > number  # the gap: a larger number is here, the smaller one is not
            exports.backup(hub, tmp_path / "site", confirm=True)
            assert (copied(quick), copied(slow)) == (2, 0)
            leaf = receipts.Leaf(late.hash, late.device_id, late.first_seq, late.last_seq, NOW, receipts.State.ACCEPTED)
            hub.log.append(tx, [(leaf, number)])
            hub.log.seal(tx, NOW)
        assert (copied(quick), copied(slow)) == (2, 0)  # committed after the copy was made: nobody may let go of it
        exports.backup(hub, tmp_path / "site", confirm=True)
        assert (copied(quick), copied(slow)) == (2, 3)
    finally:
        hub.close()


def test_two_hub_processes_on_one_database_keep_one_log(
    url: str, tmp_path: Path, hub_process: Callable[..., Process]
) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(folder, SystemClock(), name="hub", log_name="hub", url=url)
    laptops = [join(hub, Laptop(now=SystemClock().wall_ms())) for _ in range(6)]
    before = hub.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM leaf"))[0]["n"]
    hub.close()
    urls = [hub_process(folder).url for _ in range(2)]
    answers: list[tuple[bytes, str]] = []

    def send(which: int, laptop: Laptop) -> None:
        with httpx.Client(timeout=60) as client:
            for turn in range(8):
                data = laptop.batch(3)
                for place in ((which + turn) % 2, (which + turn + 1) % 2) if turn % 3 == 0 else ((which + turn) % 2,):
                    answer = client.put(f"{urls[place]}/v1/batches/{sha256(data).hexdigest()}", content=data)
                    assert answer.status_code in (200, 201), answer.text
                    answers.append((sha256(data).digest(), answer.text))

    threads = [threading.Thread(target=send, args=(which, laptop)) for which, laptop in enumerate(laptops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6 * (8 + 3)
    hub = centres.open_(folder, SystemClock())
    try:
        assert hub.storage.read(hub.log.verify) == []
        found = {receipts.verify(text, hub.log.note_key).leaf.batch_hash for _, text in answers}
        assert found == {digest for digest, _ in answers} and len(found) == 48
        assert hub.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM leaf"))[0]["n"] == before + 48
        labels = hub.storage.read(
            lambda tx: tx.query(
                "SELECT label, count(*) AS n FROM op WHERE device IN (SELECT device FROM device) GROUP BY label"
            )
        )
        assert labels == [{"label": "accepted", "n": 6 * 24}]
        order = hub.storage.read(
            lambda tx: tx.query(
                """SELECT o.device, o.seq FROM accepted a JOIN op o ON o.id = a.op AND o.wall_ms = a.wall_ms
                   WHERE o.device IN (SELECT device FROM device) ORDER BY a.idx"""
            )
        )
        for laptop in laptops:
            assert [row["seq"] for row in order if row["device"] == laptop.id] == list(range(1, 25))
        hub.settle()
        assert all(outcome.sound for outcome in hub.rebuild().values())
    finally:
        hub.close()
