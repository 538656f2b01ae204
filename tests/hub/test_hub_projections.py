"""Projections: cursor and rows move together, a mistake stops one alone, what is made anew equals what stood there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.links import codes
from sync.errors import Known, Refused
from sync.hub import decisions, dispatch, marks, projections
from sync.hub.centre import Centre
from sync.hub.projections import AcceptedOp, ProjectionTx, Runner
from sync.hub.rebuild import digest, rebuild
from sync.hub.storage_sqlite import SqliteStorage
from tests.hub.laptop import Laptop, join


class Notes:
    """A projection for these tests: one row an op, one intent for every third; stops at a body that says so."""

    name = "notes"
    version = 1
    kinds = frozenset({"links.created"})

    def __init__(self) -> None:
        self.broken = True

    def tables(self) -> Sequence[str]:
        return (
            "CREATE TABLE p_notes_note (op TEXT PRIMARY KEY, text TEXT NOT NULL, place BIGINT NOT NULL, got_ms BIGINT NOT NULL)",
        )

    def apply(self, tx: ProjectionTx, op: AcceptedOp, received_ms: int) -> None:
        text = str((op.body or {}).get("note"))
        tx.execute(
            "INSERT INTO p_notes_note (op, text, place, got_ms) VALUES (:op, :text, :place, :got)",
            {"op": op.hash, "text": text, "place": op.index, "got": received_ms},
        )
        if text == "stop" and self.broken:
            raise ValueError("a mistake of the module")
        if op.index % 3 == 0:
            tx.intent(f"{op.hash}/send", "notes.send", {"text": text})


@pytest.fixture
def noted(centre: Centre) -> tuple[Centre, Notes]:
    """A hub that runs only :class:`Notes`."""
    notes = Notes()
    centre.runner = Runner(centre.storage, [notes])
    return centre, notes


def rows(centre: Centre) -> list[dict[str, Any]]:
    return centre.storage.read(lambda tx: tx.query("SELECT * FROM p_notes_note ORDER BY place"))


def cursor(centre: Centre, name: str = "notes") -> dict[str, Any]:
    return centre.storage.read(lambda tx: tx.query("SELECT * FROM cursor WHERE projection = :n", {"n": name}))[0]


def test_accepted_ops_are_applied_once_in_their_order(noted: tuple[Centre, Notes]) -> None:
    centre, _ = noted
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(5))
    assert centre.runner.run() == 5
    assert centre.runner.run() == 0
    assert [row["place"] for row in rows(centre)] == [1, 2, 3, 4, 5]
    assert cursor(centre)["accepted_idx"] == 5
    centre.ingest.take(laptop.batch(2))
    assert centre.runner.run() == 2


def test_a_stretch_is_bounded_and_the_rest_follows(
    noted: tuple[Centre, Notes], monkeypatch: pytest.MonkeyPatch
) -> None:
    centre, _ = noted
    monkeypatch.setattr(projections.read, "__kwdefaults__", {"limit": 3, "verify": False})
    laptop = join(centre, Laptop())
    for _ in range(4):
        centre.ingest.take(laptop.batch(2))
    assert centre.runner.run() == 8
    assert len(rows(centre)) == 8


def test_no_stretch_is_read_by_two(noted: tuple[Centre, Notes], monkeypatch: pytest.MonkeyPatch) -> None:
    centre, notes = noted
    centre.ingest.take(join(centre, Laptop()).batch(40))
    read, seen = projections.read, []

    def noticed(*asked: Any, **more: Any) -> Any:
        found = read(*asked, **more, limit=4)
        seen.append(found)
        return found

    monkeypatch.setattr(projections, "read", noticed)
    runners = [centre.runner, Runner(centre.storage, [notes])]
    threads = [threading.Thread(target=runner.run) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    stretches = [stretch for stretch in seen if stretch is not None]
    assert len(rows(centre)) == 40 and len({stretch.after for stretch in stretches}) == len(stretches) >= 10


def test_what_comes_while_words_are_taken_in_is_projected_before_the_rest_of_them(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = join(centre, Laptop())
    for _ in range(4):
        centre.ingest.take(laptop.batch(2))
    monkeypatch.setattr(marks, "STRETCH", 2)
    seen: list[tuple[int, int]] = []  # batches whose words wait, and ops that are not projected

    def rest(_worked_s: float) -> None:
        behind, at = centre.storage.read(lambda tx: (marks.behind(tx), cursor(centre, "links")["accepted_idx"]))
        last = centre.storage.read(lambda tx: tx.query("SELECT max(idx) AS last FROM accepted"))[0]["last"]
        seen.append((behind, last - at))
        if seen[-1] == (2, 0) and seen.count((2, 0)) == 2:  # the next two batches are about to be taken in
            centre.ingest.take(laptop.batch(3))

    centre.project(rest)
    assert (1, 3) in seen and (1, 0) in seen and (0, 3) not in seen
    assert centre.storage.read(marks.behind) == 0


def test_a_mistake_stops_its_projection_alone_and_names_the_op(
    noted: tuple[Centre, Notes], caplog: pytest.LogCaptureFixture
) -> None:
    centre, notes = noted
    other = Notes()
    other.name, other.broken = "other", False
    other.tables = lambda: ("CREATE TABLE p_other_note (op TEXT)",)  # type: ignore[method-assign]
    other.apply = lambda tx, op, ms: tx.execute("INSERT INTO p_other_note (op) VALUES (:op)", {"op": op.hash})  # type: ignore[assignment, method-assign, misc, return-value]
    centre.runner = Runner(centre.storage, [notes, other])
    laptop = join(centre, Laptop())
    made = [laptop.op({"note": text}) for text in ("one", "stop", "three")]
    centre.ingest.take(laptop.batch(made=made))
    with caplog.at_level(logging.CRITICAL):
        centre.runner.run()
    stopped = cursor(centre)
    assert [row["text"] for row in rows(centre)] == ["one"]
    assert (stopped["accepted_idx"], stopped["failure"]) == (1, "ValueError: a mistake of the module")
    second = "SELECT hash FROM op WHERE seq = 2 AND device = :d"
    bad = centre.storage.read(lambda tx: tx.query(second, {"d": laptop.id}))[0]["hash"]
    assert stopped["failed_op"] == bad
    assert cursor(centre, "other")["accepted_idx"] == 3
    assert centre.ingest.take(laptop.batch(1)).label == "accepted"  # ingest goes on
    assert centre.runner.run() == 1  # and so does the other

    notes.broken = False  # the module was mended
    outcome = centre.rebuild("notes")["notes"]
    assert (outcome.rows, outcome.stopped, outcome.failure, outcome.sound) == (4, True, "", True)
    assert len(rows(centre)) == 4 and cursor(centre)["failure"] is None
    assert centre.runner.run() == 0


def test_a_rebuild_that_stops_says_where(noted: tuple[Centre, Notes], caplog: pytest.LogCaptureFixture) -> None:
    centre, _ = noted
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(made=[laptop.op({"note": "fine"}), laptop.op({"note": "stop"})]))
    with caplog.at_level(logging.CRITICAL):
        outcome = centre.rebuild()["notes"]
    assert not outcome.sound and "a mistake" in outcome.failure and outcome.rows == 1
    assert cursor(centre)["failure"] == outcome.failure


def test_an_altered_table_is_noticed_and_replaced(noted: tuple[Centre, Notes]) -> None:
    centre, _ = noted
    centre.ingest.take(join(centre, Laptop()).batch(4))
    centre.runner.run()
    before = rows(centre)
    centre.storage.write(lambda tx: tx.execute("UPDATE p_notes_note SET text = 'forged' WHERE place = 2"))
    outcome = centre.rebuild()["notes"]
    assert (outcome.same, outcome.sound) == (False, False)
    assert rows(centre) == before
    assert centre.rebuild()["notes"].sound


def test_a_rebuild_checks_the_raw_batches_anew(noted: tuple[Centre, Notes]) -> None:
    from sync.cbor import Malformed

    centre, _ = noted
    centre.ingest.take(join(centre, Laptop()).batch(4))
    centre.runner.run()
    raw = centre.storage.read(lambda tx: tx.query("SELECT raw FROM batch"))[0]["raw"]
    damaged = raw[:-2] + bytes([raw[-2] ^ 1]) + raw[-1:]
    centre.storage.write(lambda tx: tx.execute("UPDATE batch SET raw = :raw", {"raw": damaged}))
    with pytest.raises(Malformed):
        centre.rebuild()
    assert len(rows(centre)) == 4  # the live table stays


def test_a_stored_op_that_is_not_the_labelled_one_is_noticed(noted: tuple[Centre, Notes]) -> None:
    from sync.cbor import Malformed

    centre, _ = noted
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(2))
    centre.storage.write(lambda tx: tx.execute("UPDATE op SET place = 1 - place"))
    with pytest.raises(Malformed):
        centre.storage.read(lambda tx: projections.read(tx, after=0, kinds=Notes.kinds, verify=True))


def test_a_new_version_starts_from_the_first_op(noted: tuple[Centre, Notes]) -> None:
    centre, notes = noted
    centre.ingest.take(join(centre, Laptop()).batch(3))
    centre.runner.run()
    notes.version = 2
    runner = Runner(centre.storage, [notes])
    assert rows(centre) == []
    runner.run()
    assert len(rows(centre)) == 3 and cursor(centre)["version"] == 2


def test_effects_are_asked_for_once_whatever_is_rebuilt(noted: tuple[Centre, Notes]) -> None:
    centre, _ = noted
    centre.ingest.take(join(centre, Laptop()).batch(6))
    centre.runner.run()
    (first, second) = centre.storage.read(dispatch.waiting)
    centre.storage.write(lambda tx: dispatch.finish(tx, first["id"], admin="សុខា", note="ប្រគល់រួច", now_ms=9))
    centre.rebuild()
    assert [row["id"] for row in centre.storage.read(dispatch.waiting)] == [second["id"]]
    (done,) = centre.storage.read(dispatch.ended)
    assert (done["state"], done["result"]) == ("done", {"admin": "សុខា", "note": "ប្រគល់រួច"})
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: dispatch.finish(tx, first["id"], admin="x", note="", now_ms=9))
    assert refused.value.code == "HB-140"
    centre.storage.write(lambda tx: dispatch.finish(tx, second["id"], admin="x", note="", now_ms=9, failed=True))
    assert [row["state"] for row in centre.storage.read(dispatch.ended)] == ["done", "failed"]


def test_an_unknown_name_is_refused(centre: Centre) -> None:
    with pytest.raises(Refused) as refused:
        rebuild(centre.storage, centre.runner, "nothing")
    assert refused.value.code == "HB-151"


# --- the modules that are installed


@pytest.fixture(scope="module")
def linked(shared_centre: Centre) -> Centre:
    return shared_centre


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_installed_modules_rebuilt_equal_live_whatever_the_order(linked: Centre, data: st.DataObject) -> None:
    """Batches of several laptops in any order, projections run now and then: a rebuild gives the same tables, byte for byte."""
    laptops = [join(linked, Laptop()) for _ in range(2)]
    batches = []
    for laptop in laptops:
        for _ in range(data.draw(st.integers(1, 3))):
            made = [
                laptop.op(
                    {
                        "code": codes.encode(data.draw(st.integers(0, 50)), bytes(32)),
                        "target": "https://moi.gov.kh/x",
                        "title": "ផ្សារ",
                    }
                )
                for _ in range(data.draw(st.integers(1, 4)))
            ]
            batches.append(laptop.batch(made=made))
    for one in data.draw(st.permutations(batches)):
        linked.ingest.take(one)
        if data.draw(st.booleans()):
            linked.runner.run()
    assert all(outcome.same and outcome.sound for outcome in linked.rebuild().values())


def test_projections_come_from_manifests_and_a_broken_one_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = projections.manifests()
    assert {"links", "forms", "certificates", "messages"} <= {manifest["module"]["id"] for manifest in found}
    (tmp_path / "gardens").mkdir()
    (tmp_path / "gardens" / "module.toml").write_text('[module]\nid = "gardens"\n', "utf-8")
    assert [manifest["module"]["id"] for manifest in projections.manifests(tmp_path)] == ["gardens"]
    with caplog.at_level(logging.CRITICAL):
        assert projections.load(["modules.nowhere.hub:Projection"]) == []
    with pytest.raises(TypeError):
        projections.load(["pathlib:Path"])


def test_equal_tables_have_equal_digests(noted: tuple[Centre, Notes]) -> None:
    centre, _ = noted
    centre.ingest.take(join(centre, Laptop()).batch(2))
    empty = centre.storage.read(lambda tx: digest(tx, ["p_notes_note"]))
    centre.runner.run()
    assert empty["rows"] == 0 != centre.storage.read(lambda tx: digest(tx, ["p_notes_note"]))["rows"]


# --- decisions


def test_a_released_branch_is_accepted_at_the_end_with_what_hangs_on_it(noted: tuple[Centre, Notes]) -> None:
    centre, _ = noted
    laptop = join(centre, Laptop())
    clone = laptop.clone()
    centre.ingest.take(laptop.batch(2))
    centre.ingest.take(clone.batch(3))
    first = centre.storage.read(lambda tx: tx.query("SELECT hash FROM op WHERE label = 'q:fork' ORDER BY seq"))[0][
        "hash"
    ]
    centre.storage.write(lambda tx: decisions.decide(tx, first, "released", "ម៉ាស៊ីនដដែល", "សុខា", 5))
    centre.runner.run()
    assert [row["place"] for row in rows(centre)] == [1, 2, 3, 4, 5]
    assert centre.rebuild()["notes"].sound
    assert centre.ingest.take(clone.batch(1)).label == "accepted"  # the branch goes on
    (decided,) = centre.storage.read(lambda tx: decisions.of_op(tx, first))
    assert (decided["decision"], decided["admin"]) == ("released", "សុខា")


@pytest.mark.parametrize(
    ("decision", "reason", "code"),
    [("sent_back", " ", "HB-142"), ("released", "", "HB-142"), ("released", "because", "HB-141")],
)
def test_a_decision_needs_its_reason_and_its_quarantine(
    centre: Centre, laptop: Laptop, decision: str, reason: str, code: str
) -> None:
    centre.ingest.take(laptop.batch(1))
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: decisions.decide(tx, laptop.head, decision, reason, "x", 1))
    assert refused.value.code == code
    assert centre.storage.read(lambda tx: tx.query("SELECT * FROM notice")) == []


def test_a_decision_about_nothing_is_refused(centre: Centre) -> None:
    with pytest.raises(Refused):
        centre.storage.write(lambda tx: decisions.decide(tx, bytes(32), "accepted", "", "x", 1))
    with pytest.raises(ValueError, match="no decision"):
        centre.storage.write(lambda tx: decisions.decide(tx, bytes(32), "burnt", "", "x", 1))


class Greedy(Notes):
    """Writes a megabyte an op."""

    def apply(self, tx: ProjectionTx, op: AcceptedOp, received_ms: int) -> None:
        tx.execute(
            "INSERT INTO p_notes_note (op, text, place, got_ms) VALUES (:op, :text, :place, :got)",
            {"op": op.hash, "text": "x" * 1_000_000, "place": op.index, "got": received_ms},
        )


def test_a_full_disk_is_no_mistake_of_a_module(centre: Centre) -> None:
    centre.runner = Runner(centre.storage, [Greedy()])
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(3))
    if not isinstance(centre.storage, SqliteStorage):
        return  # the room of a server's disk cannot be bounded from here
    writer: Any = centre.storage
    pages = writer._writer.execute("PRAGMA page_count").fetchone()[0]
    writer._writer.execute(f"PRAGMA max_page_count = {pages + 300}")
    with pytest.raises(Known, match="HB-102"):
        centre.runner.run()
    assert cursor(centre)["failure"] is None and cursor(centre)["accepted_idx"] == 0 and rows(centre) == []
    writer._writer.execute(f"PRAGMA max_page_count = {1 << 30}")
    assert centre.runner.run() == 3 and len(rows(centre)) == 3
