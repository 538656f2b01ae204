"""Every look and act of the console is written down, in a chain that the log vouches for, without a secret in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.clock import SetClock
from sync.errors import Refused
from sync.hub import exports, watch, whole
from sync.hub.centre import Centre
from sync.hub.console import admins
from sync.hub.site import FolderSite
from sync.hub.storage_sqlite import SqliteStorage
from tests.hub.console_hub import ADMIN, PASSPHRASE, Browser, fill, let_in, words
from tests.hub.laptop import NOW


def rows(centre: Centre, **wanted: object) -> list[dict[str, object]]:
    """The audit, oldest first."""
    return centre.storage.read(lambda tx: watch.listing(tx, **wanted))[::-1]  # type: ignore[arg-type]


def test_every_look_and_every_act_stands_in_the_audit(person: Callable[..., Browser], centre: Centre) -> None:
    facts = fill(centre)
    browser = person()
    start = len(rows(centre))
    for path in (
        "/console/office/0306",
        f"/console/record/{facts['record']}",
        "/console/offices?q=baribour",
        "/console/office/9999",
    ):
        browser.get(path)
    browser.get("/console/office/0306")  # again: the same look
    browser.post(f"/console/record/{facts['record']}", decision="accepted", reason="ល្អ")
    browser.post(f"/console/record/{facts['record']}", decision="sent_back", reason="")
    found = [(row["what"], row["subject"]) for row in rows(centre)[start:]]
    record = f"/console/record/{facts['record']}"
    assert found == [
        ("look", "/console/office/0306"), ("look", record), ("look", "/console/offices"), ("act", record), ("act", record), ("act", record),
    ]  # fmt: skip
    last = rows(centre)
    assert (
        last[-3]["event"]["asked"] == {"decision": "accepted", "reason": "ល្អ"} and last[-1]["event"]["refused"] == 422
    )
    assert "query" in last[-4]["event"]
    page = browser.get("/console/audit?admin=" + ADMIN)
    assert "0306" in words(page)
    for query in (
        "?what=act",
        "?subject=/console/record/",
        "?since=2026-11-01&until=2026-12-01",
        "?before=2",
        "?since=x&before=y",
    ):
        assert browser.get("/console/audit" + query).status_code == 200
    assert 'id="rows"' not in browser.get("/console/audit?until=2020-01-01").text


def test_no_passphrase_and_no_code_ever_enters_the_audit(person: Callable[..., Browser], centre: Centre) -> None:
    browser = person()
    browser.post("/console/me", act="factor", passphrase=PASSPHRASE)
    browser.post("/console/me", act="confirm", code="314159")
    browser.post("/console/me", act="passphrase", old=PASSPHRASE, new="ភ្នំត្បែង ខែវស្សា", again="ភ្នំត្បែង ខែវស្សា")
    text = json.dumps(rows(centre), default=str, ensure_ascii=False)
    assert PASSPHRASE not in text and "314159" not in text and "ភ្នំត្បែង" not in text


def test_a_page_is_not_shown_when_its_look_cannot_be_written_down(
    person: Callable[..., Browser], centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync.errors import Known

    browser = person()

    def full(*_: object, **__: object) -> None:
        raise Known("HB-102")

    monkeypatch.setattr(watch, "note", full)
    answer = browser.get("/console/offices")
    assert answer.status_code == 503 and "HB-102" in answer.text and "0306" not in answer.text
    assert browser.get("/console/").status_code == 200  # the board is how one sees that the disk is full
    assert browser.post("/console/log/verify").status_code == 503


def test_the_audit_is_only_added_to_and_a_change_beside_the_hub_shows(
    person: Callable[..., Browser], centre: Centre
) -> None:
    browser = person()
    for path in ("offices", "batches", "devices", "log"):
        browser.get(f"/console/{path}")
    verdict = centre.storage.read(watch.verify)
    assert (
        verdict.ok
        and verdict.rows == len(rows(centre))
        and centre.storage.read(watch.head) == (verdict.rows, verdict.head)
    )
    for statement in ("UPDATE look SET admin = 'x' WHERE idx = 2", "DELETE FROM look WHERE idx = 2"):
        with pytest.raises(Exception, match="only added to"):  # each database has an error of its own
            centre.storage.write(lambda tx, s=statement: tx.execute(s))  # type: ignore[misc]
    assert "banner green" in browser.post("/console/audit/verify").text
    drop = "look_no_update" if isinstance(centre.storage, SqliteStorage) else "look_no_change ON look"
    centre.storage.write(lambda tx: tx.execute(f"DROP TRIGGER {drop}"))
    for change, back in (
        ("UPDATE look SET admin = 'x' WHERE idx = 2", f"UPDATE look SET admin = '{ADMIN}' WHERE idx = 2"),
        (
            "UPDATE look SET event = event || ' ' WHERE idx = 3",
            "UPDATE look SET event = substr(event, 1, length(event) - 1) WHERE idx = 3",
        ),
        ("UPDATE look SET idx = 900 WHERE idx = 4", "UPDATE look SET idx = 4 WHERE idx = 900"),
    ):
        centre.storage.write(lambda tx, s=change: tx.execute(s))  # type: ignore[misc]
        assert not centre.storage.read(watch.verify).ok
        centre.storage.write(lambda tx, s=back: tx.execute(s))  # type: ignore[misc]
        assert centre.storage.read(watch.verify).ok
    centre.storage.write(lambda tx: tx.execute("UPDATE look SET admin = 'x' WHERE idx = 2"))
    assert "banner red" in browser.post("/console/audit/verify").text


def test_whoever_writes_the_chain_anew_contradicts_the_log(
    person: Callable[..., Browser], centre: Centre, clock: SetClock
) -> None:
    browser = person()
    for path in ("offices", "batches", "devices"):
        browser.get(f"/console/{path}")
    centre.settle()
    size, head = centre.storage.read(watch.head)
    assert centre.storage.read(watch.anchors) == {size: head}
    centre.settle()
    browser.get("/console/log")
    centre.settle()  # within the hour: not again
    assert len(centre.storage.read(watch.anchors)) == 1
    clock.advance(watch.ANCHOR_MS)
    centre.settle()
    assert len(centre.storage.read(watch.anchors)) == 2 and centre.storage.read(watch.verify).ok

    for name in ("look_no_delete", "look_no_change ON look"):
        if ("ON" in name) != isinstance(centre.storage, SqliteStorage):
            centre.storage.write(lambda tx, n=name: tx.execute(f"DROP TRIGGER {n}"))  # type: ignore[misc]
    centre.storage.write(lambda tx: tx.execute("DELETE FROM look WHERE idx > 2"))  # a sound chain, only shorter
    verdict = centre.storage.read(watch.verify)
    assert not verdict.ok and verdict.row == 3
    for number in range(size):  # as long as it was, and sound by itself
        centre.storage.write(lambda tx, n=number: watch.note(tx, ADMIN, watch.LOOK, f"/console/batch/{n}", NOW))  # type: ignore[misc]
    assert not centre.storage.read(watch.verify).ok
    assert browser.log_in().status_code == 303
    assert "banner red" in browser.post("/console/audit/verify").text


def test_the_audit_comes_back_with_a_hub_that_is_made_anew(
    person: Callable[..., Browser], centre: Centre, clock: SetClock, tmp_path: Path
) -> None:
    browser = person()
    for path in ("offices", "batches"):
        browser.get(f"/console/{path}")
    centre.settle()
    site = FolderSite(tmp_path / "second")
    exports.backup(centre, site)
    again = tmp_path / "again"
    shutil.copytree(centre.folder / "keys", again / "keys")
    hub, _ = whole.restore(again, site, clock)
    try:
        assert hub.storage.read(watch.verify) == centre.storage.read(watch.verify)
        assert hub.storage.read(watch.verify).rows > 2
        assert hub.storage.write(lambda tx: watch.put_back(tx, "no row\n{}\n[1]\n")) == 0
    finally:
        hub.close()


def test_the_audit_leaves_as_a_table_and_for_a_checker(person: Callable[..., Browser], centre: Centre) -> None:
    from hashlib import sha256

    browser = person()
    browser.get("/console/offices?q==SUM(A1)")
    table = browser.get("/console/audit/export?as=csv")
    assert table.content.startswith(b"\xef\xbb\xbfnumber,") and ADMIN in table.text
    before, seen = bytes(32), 0
    for line in browser.get("/console/audit/export?as=jsonl").text.splitlines():
        row = json.loads(line)  # a stranger's checker: the format of docs/formats, nothing of ours
        seen += 1
        before = sha256(b"SALA-AUDIT-1" + seen.to_bytes(8, "big") + before + row["event"].encode()).digest()
        assert (row["seq"], row["hash"]) == (seen, before.hex())
    assert seen > 2


def test_the_rules_of_log_ins_hold_without_a_page_too(centre: Centre) -> None:
    def refuses(code: str, work: Callable[..., object]) -> None:
        with pytest.raises(Refused, match=code):
            centre.storage.write(work)

    let_in(centre)
    refuses("HB-160", lambda tx: admins.set_passphrase(tx, "x", "short", 1))
    refuses("HB-200", lambda tx: admins.set_passphrase(tx, "x", PASSPHRASE, 1, role="king"))
    refuses("HB-201", lambda tx: admins.set_passphrase(tx, " \u200b ", PASSPHRASE, 1))
    refuses("HB-201", lambda tx: admins.set_passphrase(tx, "a\nb", PASSPHRASE, 1))
    refuses("HB-161", lambda tx: admins.change_role(tx, "nobody", "viewer"))
    refuses("HB-200", lambda tx: admins.change_role(tx, ADMIN, "king"))
    refuses("HB-203", lambda tx: admins.set_rule(tx, "some"))
