"""A campaign from the first word to the hand-over: two officers, and every edit takes the approval back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused
from modules.messages import approval
from modules.session import Session

TEXT = "ជូនចំពោះ {{ឈ្មោះ}}៖ សូមអញ្ជើញប្រជុំនៅសាលាឃុំ ថ្ងៃច័ន្ទ ម៉ោង ៨ ព្រឹក។"
Run = Callable[..., Any]


@pytest.fixture
def run(session: Session) -> Run:
    return session.commands.run


@pytest.fixture
def approve(second_officer: Session) -> Callable[[str], Any]:
    return lambda id: second_officer.commands.run("messages.approve", id=id)


def people(folder: Path, n: int = 20, *, bad: int = 0) -> str:
    file = folder / "people.csv"
    rows = [f"លឹម ស្រីមុំ {i},{'' if i < bad else f'012{100000 + i}'}" for i in range(n)]
    file.write_text("ឈ្មោះ,លេខទូរស័ព្ទ\n" + "\n".join(rows), "utf-8")
    return str(file)


def ops(session: Session) -> list[str]:
    return session.store.read(
        lambda c: [row["kind"] for row in c.execute("SELECT kind FROM op WHERE kind LIKE 'messages.%' ORDER BY seq")]
    )


def test_the_whole_way_of_a_campaign(run: Run, approve: Callable[[str], Any], session: Session, tmp_path: Path) -> None:
    made = run("messages.draft", title="ប្រជុំឃុំ", template=TEXT, recipients=people(tmp_path))
    assert (made["state"], made["good"], made["bad"], made["segments"], made["cost"]) == ("checked", 20, 0, 40, 4800)
    with pytest.raises(Refused, match="MS-033"):
        run("messages.handover", id=made["id"])
    approved = approve(made["id"])
    assert (approved["state"], approved["approver_name"], approved["author_name"]) == ("approved", "លឹម ដារ៉ា", "ចាន់ សុខា")
    assert ops(session) == []
    released = run("messages.handover", id=made["id"])
    assert (released["state"], released["sync"]) == ("released", "waiting")
    assert ops(session) == ["messages.texts", "messages.release"]
    with pytest.raises(Refused, match="MS-032"):
        run("messages.draft", id=made["id"], title="x")
    with pytest.raises(Refused, match="MS-033"):
        run("messages.handover", id=made["id"])


def test_the_author_cannot_approve_even_as_chief(second_officer: Session, tmp_path: Path) -> None:
    run = second_officer.commands.run
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    with pytest.raises(Refused, match="MS-034"):
        run("messages.approve", id=made["id"])
    assert run("messages.show", id=made["id"])["state"] == "checked"


def test_a_receiving_officer_cannot_approve(run: Run, tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    with pytest.raises(Refused, match="MD-010"):
        run("messages.approve", id=made["id"])


@pytest.mark.parametrize(
    "edit", [{"title": "x"}, {"template": TEXT + "!"}, {"strip_breaks": True}, {"leave_out": True}, {}]
)
def test_every_edit_takes_the_approval_back(
    run: Run, approve: Callable[[str], Any], tmp_path: Path, edit: dict[str, Any]
) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    approve(made["id"])
    edited = run("messages.draft", id=made["id"], **edit)
    assert (edited["state"], edited["approver"], edited["approved_ms"]) == ("checked", None, None)
    with pytest.raises(Refused, match="MS-033"):
        run("messages.handover", id=made["id"])


def test_another_list_takes_the_approval_back(run: Run, approve: Callable[[str], Any], tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    approve(made["id"])
    assert run("messages.draft", id=made["id"], recipients=people(tmp_path, 3))["state"] == "checked"
    assert run("messages.rows", id=made["id"])["total"] == 3


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE messages_recipient SET text = text || '!' WHERE row = 2",
        "UPDATE messages_recipient SET phone = '+85510999999' WHERE row = 2",
        "DELETE FROM messages_recipient WHERE row = 2",
        "UPDATE messages_campaign SET price = 1",
        "UPDATE messages_campaign SET author = 'x'",
        "UPDATE messages_campaign SET template = 'x'",
        "UPDATE messages_campaign SET not_after_ms = not_after_ms + 1",
        "UPDATE messages_campaign SET signature = zeroblob(64)",
    ],
)
def test_a_change_behind_the_programs_back_is_found_at_the_hand_over(
    run: Run, approve: Callable[[str], Any], session: Session, tmp_path: Path, sql: str
) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    approve(made["id"])
    session.store.write(lambda c: c.execute(sql))
    with pytest.raises(Refused, match="MS-035"):
        run("messages.handover", id=made["id"])
    assert ops(session) == []


def test_bad_rows_hold_a_campaign_back_until_they_are_mended_or_left_out(
    run: Run, approve: Callable[[str], Any], tmp_path: Path
) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path, 10, bad=3))
    assert (made["state"], made["good"], made["bad"]) == ("draft", 7, 3)
    with pytest.raises(Refused, match="MS-033"):
        approve(made["id"])
    bad = run("messages.rows", id=made["id"], only="bad")
    assert bad["total"] == 3 and [row["row"] for row in bad["rows"]] == [2, 3, 4]
    assert bad["rows"][0]["problems"][0]["km"]["what"]
    assert run("messages.draft", id=made["id"], leave_out=True)["state"] == "checked"
    assert approve(made["id"])["good"] == 7


def test_an_unfinished_text_is_kept_with_its_reason(run: Run, tmp_path: Path) -> None:
    made = run("messages.draft", template="ជូន {{ឈ្មោះ", recipients=people(tmp_path))
    assert (made["state"], made["fault"]["code"], made["count"], made["good"]) == ("draft", "MS-012", 20, 0)
    mended = run("messages.draft", id=made["id"], template="ជូន {{ភូមិ}}")
    assert mended["fault"]["code"] == "MS-030" and "ភូមិ" in mended["fault"]["km"]["what"]
    assert run("messages.draft", id=made["id"], template="ជូន {{ឈ្មោះ}}")["state"] == "checked"
    assert run("messages.rows", id=made["id"])["rows"][0]["text"] == "ជូន លឹម ស្រីមុំ 0"


def test_a_wrong_file_leaves_the_list_that_was_there(run: Run, tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    wrong = tmp_path / "old.csv"
    wrong.write_bytes(b"name,phone\n\xb4\xc1,012345678\n")
    with pytest.raises(Refused, match="MS-021"):
        run("messages.draft", id=made["id"], recipients=str(wrong))
    assert run("messages.show", id=made["id"])["count"] == 20


def test_who_asked_not_to_be_written_to_is_left_alone_at_every_step(
    run: Run, approve: Callable[[str], Any], tmp_path: Path
) -> None:
    run("messages.opt_out", phone="០១២ ១០០ ០០០", reason="សុំដោយផ្ទាល់")
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path), leave_out=True)
    assert (made["good"], made["bad"]) == (19, 1)
    run("messages.opt_out", phone="012100001")
    with pytest.raises(Refused, match="MS-037"):
        approve(made["id"])
    run("messages.draft", id=made["id"])
    approve(made["id"])
    run("messages.opt_out", phone="012100002")
    with pytest.raises(Refused, match="MS-037"):
        run("messages.handover", id=made["id"])
    run("messages.opt_in", phone="012100002")
    assert run("messages.handover", id=made["id"])["good"] == 18
    with pytest.raises(Refused, match="MS-038"):
        run("messages.opt_out", phone="nobody")


def test_an_approval_lapses(run: Run, second_officer: Session, tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    second_officer.settings.set("messages.valid_days", -1)
    second_officer.commands.run("messages.approve", id=made["id"])
    with pytest.raises(Refused, match="MS-036"):
        run("messages.handover", id=made["id"])


def test_invisible_breaks_are_found_and_priced(run: Run, tmp_path: Path) -> None:
    text = "\u200b".join(["សូមអញ្ជើញ"] * 6) + " {{ឈ្មោះ}}"
    made = run("messages.draft", template=text, recipients=people(tmp_path, 5))
    assert made["saving"] == 5 * 120 and made["segments"] == 10
    counted = run("messages.segments", text=text)
    assert counted["breaks"] == 5
    bare = run("messages.draft", id=made["id"], strip_breaks=True)
    assert (bare["segments"], bare["saving"]) == (5, 0)
    assert "\u200b" not in run("messages.preview", id=made["id"], row=2)["text"]


def test_a_preview_shows_the_borders_of_one_recipients_message(run: Run, tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path))
    shown = run("messages.preview", id=made["id"], row=2)
    assert len(shown["parts"]) == shown["segments"] == 2 and "".join(shown["parts"]) == shown["text"]
    assert (shown["encoding"], shown["cost"]) == ("UCS-2", 240)
    with pytest.raises(Refused, match="MS-031"):
        run("messages.preview", id=made["id"], row=99)
    with pytest.raises(Refused, match="MS-031"):
        run("messages.show", id="none")


def test_a_flow_drafts_one_message_once(run: Run) -> None:
    given: dict[str, Any] = {
        "template": TEXT,
        "fields": {"ឈ្មោះ": "លឹម ស្រីមុំ"},
        "phone": "012345678",
        "title": "អាជ្ញាប័ណ្ណ",
        "source": "run-1",
    }
    first = run("messages.draft_from_flow", **given)
    assert (first["state"], first["segments"]) == ("checked", 1) and "លឹម ស្រីមុំ" in first["text"]
    assert run("messages.draft_from_flow", **given) == first
    assert run("messages.list")["total"] == 1
    nobody = run("messages.draft_from_flow", **{**given, "phone": "", "source": "run-2"})
    assert nobody["state"] == "draft"  # a person without a telephone stops no flow


def test_campaigns_are_found_and_listed(run: Run) -> None:
    run("messages.draft", title="ប្រជុំឃុំ", template="អញ្ជើញ")
    run("messages.draft", title="ពន្ធ", template="បង់ពន្ធ")
    assert [row["title"] for row in run("messages.list", text="ឃុំ")["rows"]] == ["ប្រជុំឃុំ"]
    assert run("messages.list", state="checked")["total"] == 0 and run("messages.list")["total"] == 2


def test_check_keeps_nothing(run: Run, tmp_path: Path) -> None:
    report = run("messages.check", template=TEXT, recipients=people(tmp_path, 20, bad=2))
    assert (report["good"], report["bad"], report["segments"], report["cost"]) == (18, 2, 36, 4320)
    assert [row["row"] for row in report["bad_rows"]] == [2, 3] and len(report["preview"]) == 3
    assert run("messages.list")["total"] == 0


def test_large_campaigns_go_in_parts(run: Run, approve: Callable[[str], Any], session: Session, tmp_path: Path) -> None:
    made = run("messages.draft", template=TEXT, recipients=people(tmp_path, 1201))
    approve(made["id"])
    run("messages.handover", id=made["id"])
    assert ops(session) == ["messages.texts"] * 3 + ["messages.release"]


def test_five_thousand_recipients_within_a_second(run: Run, tmp_path: Path) -> None:
    file = people(tmp_path, 5_000)
    run("messages.segments", text="ក")
    start = time.process_time()
    made = run("messages.draft", template=TEXT, recipients=file)
    run("messages.rows", id=made["id"])
    run("messages.preview", id=made["id"], row=2)
    assert made["good"] == 5_000 and time.process_time() - start < 2.0  # budget 1 s; CI machines are shared


def test_an_approval_covers_every_fact() -> None:
    from nacl.signing import SigningKey

    key = SigningKey(bytes(32))
    facts = approval.manifest(
        campaign="c", office="0306", author="a", template="t", set_=approval.set_hash([("+85512345678", "x", 1)]), recipients=1, segments=1,
        price=120, not_after_ms=5,
    )  # fmt: skip
    signature = key.sign(approval.message(facts)).signature
    assert approval.holds(facts, bytes(key.verify_key), signature)
    for name in approval.FIELDS:
        changed = {**facts, name: 7 if isinstance(facts[name], int) else "other"}
        assert not approval.holds(changed, bytes(key.verify_key), signature), name
    for row in [("+85512345679", "x", 1), ("+85512345678", "y", 1), ("+85512345678", "x", 2)]:
        assert approval.set_hash([row]) != facts["set"]
    assert approval.set_hash([("a", "b", 1), ("c", "d", 1)]) != approval.set_hash([("c", "d", 1), ("a", "b", 1)])
    assert not approval.holds(facts, b"short", signature) and not approval.holds({}, bytes(key.verify_key), signature)
