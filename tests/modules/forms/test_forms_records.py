"""Submissions afterwards: lists, reading that is noted, corrections and withdrawals as new ops, receipts found again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from modules.contract import Refused


@pytest.fixture
def run(session: Any) -> Any:
    return session.commands.run


def test_lists_go_page_by_page_without_gap_or_double(run: Any, finished: Any) -> None:
    made = [finished("general-application")["id"] for _ in range(7)][::-1]
    seen, after = [], ""
    while True:
        page = run("forms.list", limit=3, after=after)
        seen += [row["id"] for row in page["rows"]]
        assert page["total"] == 7
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == made
    assert [row["id"] for row in run("forms.list", limit=2, offset=5)["rows"]] == made[5:]


def test_lists_by_state_and_form(run: Any, finished: Any) -> None:
    barber, other = finished()["id"], finished("general-application")["id"]
    run("forms.withdraw", id=other, reason="មិនត្រូវការទៀត")
    states = ("all", "open", "due", "waiting", "received", "withdrawn")
    by_state = {state: [row["id"] for row in run("forms.list", state=state)["rows"]] for state in states}
    assert by_state == {
        "all": [other, barber],
        "open": [barber],
        "due": [],
        "waiting": [barber],
        "received": [],
        "withdrawn": [other],
    }
    assert [row["id"] for row in run("forms.list", form="barber-licence")["rows"]] == [barber]
    assert [row["id"] for row in run("forms.list", filter="ស្រីមុំ", state="withdrawn")["rows"]] == [other]
    row = run("forms.list", state="open")["rows"][0]
    assert row["title"]["en"].startswith("Men's barber") and row["days_left"] == 7 and row["shown_state"] == "waiting"


def test_a_due_case_is_listed_and_counted_on_the_home_page(session: Any, run: Any, finished: Any) -> None:
    made = finished()
    assert run("forms.today")["items"] == []
    session.store.write(lambda c: c.execute("UPDATE forms_submission SET due = '2020-01-02'"))
    assert [row["id"] for row in run("forms.list", state="due")["rows"]] == [made["id"]]
    today = run("forms.today")
    (item,) = today["items"]
    assert item["target"] == made["id"] and item["tone"] == "red" and "Overdue" in item["note"]["en"]
    assert today["today"] == {"count": 1, "riel": 20_000} and today["week"] == [0, 0, 0, 0, 0, 0, 1]
    assert today["figures"][0]["value"] == "20,000៛"


def test_reading_a_case_is_an_event_of_the_audit_log(session: Any, run: Any, finished: Any) -> None:
    from sync import audit

    made = finished()
    before = session.store.read(audit.checkpoint).size
    run("forms.list")
    assert session.store.read(audit.checkpoint).size == before
    run("forms.show", id=made["id"])
    assert session.store.read(audit.checkpoint).size == before + 1
    event = session.store.read(
        lambda c: c.execute("SELECT event FROM audit ORDER BY seq DESC LIMIT 1").fetchone()["event"]
    )
    assert made["id"] in str(event) and "លឹម" not in str(event)
    assert session.store.read(audit.verify).ok
    with pytest.raises(Refused, match="FM-030"):
        run("forms.show", id="0" * 32)


def test_a_correction_is_a_new_op_that_names_the_old(session: Any, run: Any, finished: Any) -> None:
    from sync.cbor import decode

    made = finished()
    fixed = run("forms.correct", id=made["id"], changes={"phone": "077 123 456", "sign": False}, reason=" លេខខុស ")
    assert fixed["changed"] == ["phone", "sign", "sign_words"]
    shown = run("forms.show", id=made["id"])
    assert shown["answers"]["phone"] == "+85577123456" and "sign_words" not in shown["answers"]
    assert shown["receipt"] == made["receipt"] and shown["fee"] == made["fee"] and shown["op"] == made["op"]
    (change,) = shown["changes"]
    assert change["reason"] == "លេខខុស" and change["officer_name"] and change["kind"] == "correction"
    assert change["before"]["phone"] == "+85512345678" and change["after"]["phone"] == "+85577123456"
    assert change["after"]["sign_words"] is None
    assert [event["kind"] for event in shown["history"]] == ["forms.submission", "forms.correction"]
    again = run("forms.correct", id=made["id"], changes={"workers": 5}, reason="x")

    def refs(op: str) -> list[str]:
        data = session.store.read(
            lambda c: c.execute("SELECT bytes FROM op WHERE hash = ?", (bytes.fromhex(op),)).fetchone()["bytes"]
        )
        return [ref.hex() for ref in decode(bytes(data))[11]]

    assert refs(fixed["op"]) == [made["op"]] and refs(again["op"]) == [made["op"], fixed["op"]]
    assert [row["id"] for row in run("forms.list", filter="077123456")["rows"]] == [made["id"]]
    assert run("forms.list", filter="012345678 barber")["rows"], (
        "the identity card number is the same digits and still there"
    )


def test_what_may_not_be_corrected(run: Any, finished: Any) -> None:
    made = finished("copy-legalisation")
    id = made["id"]
    for changes, reason, code in (
        ({"copies": 5}, "x", "FM-034"),
        ({"fee": 1}, "x", "FM-012"),
        ({"original_scan": "x.png"}, "x", "FM-014"),
        ({"pages": 0}, "x", "FM-013"),
        ({"dob": "soon"}, "x", "FM-013"),
        ({"nonsense": 1}, "x", "FM-011"),
        ({"pages": 2}, " \u200b ", "FM-032"),
        ({"pages": 1}, "x", "FM-033"),
        ({}, "x", "FM-033"),
    ):
        with pytest.raises(Refused, match=code):
            run("forms.correct", id=id, changes=changes, reason=reason)
    shown = run("forms.show", id=id)
    assert shown["changes"] == [] and len(shown["history"]) == 1


def test_a_withdrawal_keeps_the_record(run: Any, finished: Any) -> None:
    made = finished()
    run("forms.withdraw", id=made["id"], reason="អ្នកស្នើសុំប្តូរចិត្ត")
    shown = run("forms.show", id=made["id"])
    assert (
        shown["shown_state"] == "withdrawn"
        and shown["changes"][0]["kind"] == "withdrawal"
        and shown["answers"]["chairs"] == 3
    )
    with pytest.raises(Refused, match="FM-031"):
        run("forms.withdraw", id=made["id"], reason="x")
    with pytest.raises(Refused, match="FM-031"):
        run("forms.correct", id=made["id"], changes={"workers": 9}, reason="x")


def test_a_receipt_finds_its_case(run: Any, finished: Any) -> None:
    made = finished()
    finished("general-application")
    qr = run("forms.show", id=made["id"])["qr"]
    khmer = made["receipt"].translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩"))
    serial = str(int(made["receipt"].rpartition("-")[2]))
    for text in (qr, made["receipt"], khmer, serial, f" {qr}\r\n"):
        assert run("forms.case_by_receipt", text=text)["id"] == made["id"]
    with pytest.raises(Refused, match="FM-037"):
        run("forms.case_by_receipt", text=qr[:-1] + ("A" if qr[-1] != "A" else "B"))
    with pytest.raises(Refused, match="FM-036"):
        run("forms.case_by_receipt", text="0306-01-999999")
    with pytest.raises(Refused, match="FM-035"):
        run("forms.case_by_receipt", text="https://example.gov.kh/")


def test_a_receipt_is_found_in_200_ms_among_many(session: Any, run: Any, finished: Any) -> None:
    made = finished("general-application")
    columns = (
        "form, version, def_hash, service, person, latin, phone, fee, opened, received, received_ms, due, officer, "
        "officer_name, op, last_op, answers"
    )
    session.store.write(
        lambda c: c.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 21000) "
            f"INSERT INTO forms_submission (id, receipt, serial, {columns}) "
            f"SELECT printf('%032x', i), printf('0306-09-%06d', i), i, {columns} FROM n, forms_submission WHERE receipt = ?",
            (made["receipt"],),
        )
    )
    started = time.process_time()
    assert run("forms.case_by_receipt", text="0306-09-020000")["receipt"] == "0306-09-020000"
    assert time.process_time() - started < 0.2
    started = time.process_time()
    assert run("forms.list", limit=50)["total"] == 20_002
    assert time.process_time() - started < 0.2


def test_an_attachment_is_given_out_of_its_own_case_only(run: Any, finished: Any, scan: Any) -> None:
    from base64 import b64decode

    made, other = finished(), finished("general-application")
    blob = run("forms.show", id=made["id"])["answers"]["id_scan"][0]["blob"]
    assert b64decode(run("forms.attachment", id=made["id"], blob=blob)["base64"]) == scan.read_bytes()
    with pytest.raises(Refused, match="FM-030"):
        run("forms.attachment", id=other["id"], blob=blob)


def test_a_correction_may_be_a_draft_first(run: Any, finished: Any, tmp_path: Any, png: Any) -> None:
    made = finished()
    draft = run("forms.edit", id=made["id"])["draft"]
    assert run("forms.edit", id=made["id"])["draft"] == draft, "an open correction is continued"
    opened = run("forms.draft", draft=draft)
    assert opened["corrects"] == made["id"] and opened["receipt"] == made["receipt"] and opened["problems"] == []
    run("forms.set_answer", draft=draft, field="workers", value="៥")
    other = tmp_path / "ហាង.png"
    other.write_bytes(png(48, (1, 2, 3)))
    run("forms.attach", draft=draft, field="shop_photo", path=str(other))
    with pytest.raises(Refused, match="FM-032"):
        run("forms.finish", draft=draft)
    run("forms.note_reason", draft=draft, reason="រាប់ខុស")
    run("forms.set_answer", draft=draft, field="dob", value="later")
    with pytest.raises(Refused, match="FM-013") as refused:
        run("forms.finish", draft=draft)
    assert refused.value.values["problems"][0]["code"] == "TX-010"  # type: ignore[index]
    run("forms.set_answer", draft=draft, field="dob", value="1990-05-17")
    assert run("forms.finish", draft=draft)["changed"] == ["workers", "shop_photo"]
    shown = run("forms.show", id=made["id"])
    assert shown["answers"]["workers"] == 5 and shown["answers"]["shop_photo"][0]["name"] == other.name
    assert shown["changes"][0]["reason"] == "រាប់ខុស" and shown["receipt"] == made["receipt"]
    assert run("forms.list")["total"] == 1 and run("forms.drafts")["drafts"] == []
    with pytest.raises(Refused, match="FM-010"):
        run("forms.note_reason", draft=run("forms.start", form="barber-licence")["draft"], reason="x")


def test_a_receipt_can_be_looked_at_without_counting(run: Any, finished: Any) -> None:
    from base64 import b64decode

    made = finished("general-application")
    assert b64decode(run("forms.receipt_pdf", id=made["id"])["base64"]).startswith(b"%PDF-")
    assert run("forms.receipt_pdf", id=made["id"])["copy"] == 0
    run("forms.note_given", what="printed", record=made["id"])
    assert run("forms.receipt_pdf", id=made["id"])["copy"] == 1


def test_no_submission_is_ever_deleted(session: Any, run: Any, finished: Any) -> None:
    finished("general-application")
    with pytest.raises(Exception, match="never deleted"):
        session.store.write(lambda c: c.execute("DELETE FROM forms_submission"))
    assert run("forms.list")["total"] == 1
