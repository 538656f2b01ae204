"""S17: an inspector takes the exported log of a laptop to another machine and finds every kind of tampering."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from modules import replicate
from modules.session import Session
from sync import audit, audit_export, audit_marks, keys, notes
from sync.audit import _row_hash
from sync.hub import audits
from sync.notes import NoteKey
from sync.store import Connection
from tests.end2end.hall import PASSPHRASE, Hall, serving, take_case

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tools" / "programs" / "auditverify.py"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    patch = pytest.MonkeyPatch()
    made = Hall(tmp_path_factory.mktemp("hall"))
    patch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()
    patch.undo()


@pytest.fixture(scope="module")
def laptop(hall: Hall) -> Session:
    """A laptop whose log the centre has cosigned twice, with rows behind that."""
    [session] = hall.enrolled(1)
    for _ in range(2):
        take_case(session)
        hall.to_centre(session)
    hall.to_centre(session)
    assert session.store.read(audit_marks.cosigned) is not None
    take_case(session)
    return session


@pytest.fixture
def exported(laptop: Session, tmp_path: Path) -> Path:
    file = tmp_path / "log.jsonl"
    audit_export.write(laptop.unlocked, file)
    return file


def inspect(file: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The program as an inspector runs it on a machine that has nothing of Sala but this one file."""
    alone = file.parent / "auditverify.py"
    shutil.copy(PROGRAM, alone)
    done = subprocess.run(
        [sys.executable, "-I", str(alone), str(file), "--json", *arguments],
        cwd=file.parent, capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def centre_says(hall: Hall, laptop: Session, folder: Path) -> list[str]:
    """What the inspector brings from the centre: its key, and its last cosignature for this laptop."""
    note = hall.hub.storage.read(lambda tx: audits.note(tx, hall.hub.log, laptop.unlocked.device.device_id))
    assert note is not None
    (folder / "note.txt").write_text(note, "utf-8")
    return ["--seen", str(folder / "note.txt"), "--key", audit_export.verifier_key(hall.hub.log.note_key)]


def rewritten(file: Path, change: Any, *, sign: Session | None = None) -> Path:
    """The export with its rows changed by ``change(rows)``; ``sign``: by somebody who has the laptop and its keys."""
    lines = [json.loads(line) for line in file.read_bytes().decode().strip("\n").split("\n")]
    rows = [line for line in lines if "seq" in line]
    others = [line for line in lines[:-1] if "seq" not in line]
    change(rows)
    body = "".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in [others[0], *rows, *others[1:]]
    )
    end = lines[-1]
    if sign is not None:
        digest = sha256(body.encode()).digest()
        signature = sign.unlocked.device.sign.sign(b"sala/audit-export/v1\0" + digest).signature
        end = {"end": len(rows), "sha256": digest.hex(), "signature": signature.hex()}
    file.write_text(body + json.dumps(end) + "\n", "utf-8")
    return file


def chained(rows: list[dict[str, Any]], start: int) -> None:
    """What a careful forger does: every hash from ``start`` on is made anew."""
    before = bytes.fromhex(rows[start - 1]["hash"])
    for place in range(start, len(rows)):
        rows[place]["seq"] = place + 1
        before = _row_hash(place + 1, before, rows[place]["event"].encode())
        rows[place]["hash"] = before.hex()


def test_an_untouched_log_is_whole_and_cosigned(hall: Hall, laptop: Session, exported: Path) -> None:
    code, found = inspect(exported, *centre_says(hall, laptop, exported.parent))
    assert (code, found["ok"], found["findings"], found["key_from_file"]) == (0, True, [], False)
    assert found["rows"] > found["cosigned_size"] > 0 and found["office"] == "0306"
    alone, said = inspect(exported)
    assert (alone, said["ok"], said["key_from_file"]) == (3, True, True), "a forger's file brings a forger's key"
    assert "មជ្ឈមណ្ឌល" in said["words"][0]


def test_a_log_that_was_forged_whole_with_a_centre_of_its_own_is_not_called_cosigned(
    hall: Hall, laptop: Session, exported: Path
) -> None:
    brought, centre = centre_says(hall, laptop, exported.parent), SigningKey.generate()
    lines = [json.loads(line) for line in exported.read_bytes().decode().strip("\n").split("\n")]
    lines[0]["centre_key"] = audit_export.verifier_key(NoteKey("hub", bytes(centre.verify_key)))
    for line in lines[1:-1]:
        if "mark" in line:
            text = audit_marks.text(
                laptop.unlocked.device.device_id, line["mark"]["size"], bytes.fromhex(line["mark"]["root"])
            )
            line["mark"]["note"] = f"{text}\n{notes.cosignature_line(text, 'hub', centre, 1_795_000_000)}"
    exported.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    rewritten(exported, lambda rows: None, sign=laptop)
    assert inspect(exported)[0] == 3
    assert inspect(exported, *brought)[0] == 1


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x1c"])
def test_signs_that_end_lines_elsewhere_are_part_of_an_event(
    hall: Hall, laptop: Session, tmp_path: Path, sign: str
) -> None:
    laptop.store.write(lambda conn: audit.append(conn, laptop.clock, {"what": f"a{sign}b"}))
    audit_export.write(laptop.unlocked, tmp_path / "log.jsonl")
    assert inspect(tmp_path / "log.jsonl", *centre_says(hall, laptop, tmp_path))[0] == 0


@pytest.mark.parametrize(
    "head",
    ["[" * 100_000, '["end"]', '{"sala": "audit/1"}', '{"sala": "audit/1", "device": 1}\n["end"]',
     '{"sala": "audit/1", "device": "", "device_key": "", "office": "", "from": 0, "head": "", "peaks": ["00"],'
     ' "devices": []}\n{"end": 0}'],
)  # fmt: skip
def test_a_file_that_is_none_is_unreadable_and_accuses_nobody(tmp_path: Path, head: str) -> None:
    (tmp_path / "log.jsonl").write_text(head + "\n", "utf-8")
    assert inspect(tmp_path / "log.jsonl")[0] == 2


def test_a_row_is_deleted(hall: Hall, laptop: Session, exported: Path) -> None:
    code, found = inspect(rewritten(exported, lambda rows: rows.pop(5)), *centre_says(hall, laptop, exported.parent))
    assert (code, found["findings"][0]) == (1, {"what": "deleted", "row": 6, "other": 0})


def test_a_row_is_deleted_and_the_numbers_are_closed_up(hall: Hall, laptop: Session, exported: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows.pop(5)
        for place, row in enumerate(rows):
            row["seq"] = place + 1

    code, found = inspect(rewritten(exported, change), *centre_says(hall, laptop, exported.parent))
    assert (code, found["findings"][0]) == (1, {"what": "deleted", "row": 6, "other": 0})


def test_a_row_is_edited(hall: Hall, laptop: Session, exported: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[6]["event"] = rows[6]["event"].replace('"at":', '"at":1')

    code, found = inspect(rewritten(exported, change), *centre_says(hall, laptop, exported.parent))
    assert (code, found["findings"][0]) == (1, {"what": "edited", "row": 7, "other": 0})


@pytest.mark.parametrize("how", ["whole rows", "events", "renumbered"])
def test_two_rows_change_places(hall: Hall, laptop: Session, exported: Path, how: str) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        if how == "events":
            rows[4]["event"], rows[5]["event"] = rows[5]["event"], rows[4]["event"]
        else:
            rows[4], rows[5] = rows[5], rows[4]
        if how == "renumbered":
            rows[4]["seq"], rows[5]["seq"] = 5, 6

    code, found = inspect(rewritten(exported, change), *centre_says(hall, laptop, exported.parent))
    assert (code, found["findings"][0]) == (1, {"what": "reordered", "row": 5, "other": 6})


def test_the_end_is_cut_off(hall: Hall, laptop: Session, exported: Path) -> None:
    size = laptop.store.read(audit.checkpoint).size - 1  # exporting was a row itself
    code, found = inspect(
        rewritten(exported, lambda rows: rows.__delitem__(slice(-5, None))), *centre_says(hall, laptop, exported.parent)
    )
    assert (code, found["findings"][0]) == (1, {"what": "truncated", "row": size - 4, "other": size})


def test_a_careful_forger_with_the_laptops_keys_is_found_by_the_cosignature(
    hall: Hall, laptop: Session, exported: Path
) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[6]["event"] = rows[6]["event"].replace('"at":', '"at":1')
        chained(rows, 6)

    code, found = inspect(rewritten(exported, change, sign=laptop), *centre_says(hall, laptop, exported.parent))
    assert code == 1 and found["findings"][0]["what"] == "rewritten"
    assert found["findings"][0]["row"] <= 7 <= found["findings"][0]["other"]


def test_any_other_change_of_the_file_is_noticed(exported: Path) -> None:
    text = exported.read_text("utf-8")
    exported.write_text(text.replace('"office": "0306"', '"office": "0307"'), "utf-8")
    assert inspect(exported)[1]["findings"][0]["what"] == "changed"


@pytest.mark.parametrize("bytes_", [b"", b"not json", b'{"sala": "audit/2"}\n', b"[1]\n", b"\xff\xfe"])
def test_what_is_no_export_is_said_so(tmp_path: Path, bytes_: bytes) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(bytes_)
    assert inspect(file)[0] == 2


def test_a_note_of_another_centre_or_laptop_is_not_taken(hall: Hall, laptop: Session, exported: Path) -> None:
    brought = centre_says(hall, laptop, exported.parent)
    note = (exported.parent / "note.txt").read_text("utf-8")
    (exported.parent / "note.txt").write_text(note.replace("\u2014 hub ", "\u2014 hab "), "utf-8")
    assert inspect(exported, *brought)[0] == 2
    device = laptop.unlocked.device.device_id.hex()
    (exported.parent / "note.txt").write_text(note.replace(device, "00" * 16), "utf-8")
    assert inspect(exported, *brought)[0] == 2


# --- the database itself


def copy_of(laptop: Session, folder: Path) -> Session:
    """The laptop's whole profile, copied while it stands, and opened."""
    shutil.copytree(laptop.unlocked.home, folder, ignore=shutil.ignore_patterns("*.lock"))
    return Session.open(keys.unlock(folder, laptop.officer.id, PASSPHRASE, laptop.clock))


def behind_the_back(session: Session, *statements: str) -> None:
    """What somebody with the key of the database can do: the triggers are theirs too."""

    def work(conn: Connection) -> None:
        conn.execute("DROP TRIGGER audit_never_changes")
        conn.execute("DROP TRIGGER audit_is_kept")
        for statement in statements:
            conn.execute(statement)

    session.store.write(work)


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (["DELETE FROM audit WHERE seq = 8"], {"what": "deleted", "row": 8, "other": 0}),
        (["UPDATE audit SET event = replace(event, '\"at\":', '\"at\":2') WHERE seq = 8"], {"what": "edited", "row": 8, "other": 0}),
        (
            [
                "UPDATE audit SET seq = -8 WHERE seq = 8", "UPDATE audit SET seq = 8 WHERE seq = 9",
                "UPDATE audit SET seq = 9 WHERE seq = -8",
            ],
            {"what": "reordered", "row": 8, "other": 9},
        ),
    ],
)  # fmt: skip
def test_a_copy_of_the_database_is_tampered_with(
    hall: Hall, laptop: Session, tmp_path: Path, statements: list[str], what: dict[str, Any]
) -> None:
    copy = copy_of(laptop, tmp_path / "copy")
    try:
        behind_the_back(copy, *statements)
        audit_export.write(copy.unlocked, tmp_path / "log.jsonl")
    finally:
        copy.close()
    code, found = inspect(tmp_path / "log.jsonl", *centre_says(hall, laptop, tmp_path))
    assert (code, found["findings"][0]) == (1, what)


def test_the_end_of_the_database_is_cut_off(hall: Hall, laptop: Session, tmp_path: Path) -> None:
    mark = laptop.store.read(audit_marks.cosigned)
    assert mark is not None
    copy = copy_of(laptop, tmp_path / "copy")
    try:
        behind_the_back(copy, f"DELETE FROM audit WHERE seq > {mark.size - 3}")
        audit_export.write(copy.unlocked, tmp_path / "log.jsonl")
    finally:
        copy.close()
    code, found = inspect(tmp_path / "log.jsonl", *centre_says(hall, laptop, tmp_path))
    assert code == 1 and found["findings"][0]["what"] == "truncated"
    assert found["findings"][0]["row"] == mark.size - 2


def test_a_rolled_back_database_is_found_by_the_centre_and_by_the_inspector(hall: Hall, tmp_path: Path) -> None:
    laptop = hall.laptop(2)
    hall.to_centre(laptop)
    take_case(laptop)
    hall.to_centre(laptop)
    hall.to_centre(laptop)
    copy = copy_of(laptop, tmp_path / "old")  # Friday's copy of the whole disk
    for _ in range(2):
        take_case(laptop)
        hall.to_centre(laptop)
    try:
        audit_export.write(copy.unlocked, tmp_path / "log.jsonl")
        code, found = inspect(tmp_path / "log.jsonl")
        assert code == 3, "in itself an old copy is sound: only the centre knows better"
        brought = centre_says(hall, laptop, tmp_path)
        code, found = inspect(tmp_path / "log.jsonl", *brought)
        assert (code, found["findings"][0]["what"]) == (1, "rolled_back")
        assert found["findings"][0]["other"] == found["cosigned_size"] > found["rows"]
    finally:
        copy.close()


def test_over_the_line_the_cosignature_comes_back_too(hall: Hall) -> None:
    with serving(hall.hub) as url:
        hall.url = url
        laptop = hall.laptop(3)
        for _ in range(3):
            report = replicate.once(laptop)
            assert report["problems"] == []
            hall.hub.settle()
            take_case(laptop)
    marks = laptop.store.read(audit_marks.every)
    assert len(marks) >= 2 and any(mark.note for mark in marks)
    listed = hall.hub.storage.read(lambda tx: audits.listing(tx))
    assert {row["verdict"] for row in listed} == {audits.SOUND}


def test_the_centre_does_not_cosign_a_log_that_was_rewritten(hall: Hall, tmp_path: Path) -> None:
    """A log that somebody rewrote and let go on: the proof in the next checkpoint does not lead from the last one."""

    class Op:
        device, seq, kind = "ab" * 16, 1, audit.CHECKPOINT_KIND
        predecessor = ""
        body: Any = {"size": 3, "root": bytes(32)}

    from sync.hub.projections import ProjectionTx

    def apply(seq: int, body: Any) -> str:
        op = Op()
        op.seq, op.body = seq, body

        def work(tx: Any) -> str:
            audits.Audit().apply(ProjectionTx(tx, "audit", 5), op, 5)
            row = tx.query(
                "SELECT verdict FROM p_audit_mark WHERE device = :d AND seq = :s", {"d": op.device, "s": seq}
            )
            return str(row[0]["verdict"])

        return hall.hub.storage.write(work)

    assert apply(1, {"size": 3, "root": bytes(32)}) == audits.SOUND
    assert apply(2, {"size": 3, "root": bytes(32), "after": 3, "proof": []}) == audits.SOUND
    assert apply(3, {"size": 2, "root": bytes(32), "after": 0, "proof": []}) == audits.SMALLER
    assert apply(4, {"size": 9, "root": bytes(32), "after": 3, "proof": [bytes(32)]}) == audits.OTHER
    assert apply(5, {"size": -1, "root": b""}) == audits.OTHER
    assert apply(6, None) == audits.OTHER
    hall.hub.storage.write(lambda tx: tx.execute("DELETE FROM p_audit_mark WHERE device = :d", {"d": Op.device}))
