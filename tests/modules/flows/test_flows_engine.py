"""Definitions are read strictly, references and conditions are total, circles end, and a bug takes everything back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.flows import conditions, definition, references
from modules.session import Session

Run = Callable[..., Any]
Write = Callable[..., str]
WORDS = {"km": "សាក", "en": "Trial"}
STEP: dict[str, Any] = {
    "id": "link",
    "title": WORDS,
    "do": "links.create",
    "with": {"url": "https://moi.gov.kh/{{event.code}}"},
}

SCOPE: dict[str, Any] = {
    "event": {"form": "a", "n": 3, "yes": True, "none": None, "list": ["x", {"y": 1}], "ឈ្មោះ": "លឹម", "empty": ""},
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{{event.form}}", "a"),
        ("{{ event.n }}", 3),
        ("{{event.yes}}", True),
        ("{{event.none}}", None),
        ("{{event.list}}", ["x", {"y": 1}]),
        ("{{event.list.1.y}}!", "1!"),
        ("{{event.ឈ្មោះ}} {{event.n}}", "លឹម 3"),
        (["{{event.n}}", {"a": "{{event.form}}"}], [3, {"a": "a"}]),
        ("no {braces} at all", "no {braces} at all"), (5, 5), ("{{ }}", "{{ }}"),
    ],
)  # fmt: skip
def test_references_are_filled(value: Any, filled: Any) -> None:
    assert references.fill(value, SCOPE) == filled


@pytest.mark.parametrize(
    "value",
    ["{{event.gone}}", "{{event.list.9}}", "{{event.form.upper}}", "{{event.form.__class__}}", "{{event.n.real}}", "{{other}}",
     "x{{event.list}}", "x{{event.none}}", "x{{event.yes}}", "{{event.list.-1}}", "{{event.list.²}}"],
)  # fmt: skip
def test_a_reference_to_nothing_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="FL-020"):
        references.fill(value, SCOPE)


def test_what_is_filled_in_is_never_read_again() -> None:
    assert references.fill("{{event.form}}-{{event.n}}", {"event": {"form": "{{event.n}}", "n": 1}}) == "{{event.n}}-1"


def test_a_text_does_not_grow_without_end() -> None:
    with pytest.raises(Refused, match="FL-021"):
        references.fill("{{event.a}} {{event.a}}", {"event": {"a": "x" * 15_000}})


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ({"path": "event.form", "is": "a"}, True), ({"path": "event.form", "is_not": "a"}, False), ({"path": "event.n", "is": 3}, True),
        ({"path": "event.n", "is": "3"}, False), ({"path": "event.yes", "is": 1}, False), ({"path": "event.none", "is": None}, True),
        ({"path": "event.gone", "is": None}, True),
        ({"path": "event.form", "in": ["b", "a"]}, True),
        ({"path": "event.n", "at_least": 3}, True),
        ({"path": "event.n", "at_most": 2}, False),
        ({"path": "event.form", "at_least": 0}, False),
        ({"path": "event.yes", "at_least": 0}, False),
        ({"path": "event.list", "contains": "x"}, True),
        ({"path": "event.form", "contains": "a"}, True),
        ({"path": "event.none", "contains": "a"}, False),
        ({"path": "event.n", "contains": "3"}, False),
        ({"path": "event.empty", "exists": True}, False),
        ({"path": "event.gone", "exists": False}, True),
        ({"all": [{"path": "event.n", "is": 3}, {"path": "event.n", "is": 4}]}, False),
        ({"any": [{"path": "event.n", "is": 3}, {"path": "event.n", "is": 4}]}, True),
        ({"not": {"path": "event.n", "is": 4}}, True),
        (None, True),
    ],
)  # fmt: skip
def test_conditions(test: Any, holds: bool) -> None:
    assert conditions.judge(test, SCOPE).holds is holds


def test_every_test_of_a_condition_is_in_its_history() -> None:
    tests = [{"path": "event.n", "is": 3, "says": WORDS}, {"path": "event.form", "is": "b", "says": WORDS}]
    verdict = conditions.judge({"any": tests}, SCOPE)
    assert [(one["path"], one["holds"], one["found"]) for one in verdict.tests] == [
        ("event.n", True, 3),
        ("event.form", False, "a"),
    ]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(plain, st.sampled_from(conditions.TESTS), st.text(alphabet="ab.0", max_size=6), plain)
def test_conditions_are_total(scope: Any, test: str, path: str, wanted: Any) -> None:
    if test == "in":
        wanted = [wanted]
    elif test in ("at_least", "at_most"):
        wanted = 2
    assert conditions.judge({"path": path, test: wanted}, {"a": scope}).holds in (True, False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sala_flow": 2}, "FL-003"),
        ({"id": "Bad Id"}, "FL-003"),
        ({"steps": []}, "FL-003"),
        ({"more": 1}, "FL-003"),
        ({"title": {"en": "x"}}, "FL-003"),
        ({"steps": [{**STEP, "run": "import os"}]}, "FL-003"),
        ({"steps": [STEP, STEP]}, "FL-003"),
        ({"steps": [{**STEP, "id": "event"}]}, "FL-003"),
        ({"when": {"trigger": "links.created", "if": {"path": "event.a", "is": 1}}}, "FL-003"),  # does not say what it means
        ({"when": {"trigger": "links.created", "if": {"path": "event.a", "is": 1, "in": [1], "says": WORDS}}}, "FL-003"),
        ({"when": {"trigger": "links.created", "if": {"path": "link.code", "is": 1, "says": WORDS}}}, "FL-004"),
        ({"steps": [{**STEP, "with": {"url": "{{later.x}}"}}]}, "FL-004"),
        ({"steps": [{**STEP, "with": {"url": "{{link.code}}"}}]}, "FL-004"),
        ({"steps": [{**STEP, "with": {"url": "{{settings.none}}"}}]}, "FL-004"),
        ({"when": {"trigger": "moon.full"}}, "FL-010"), ({"steps": [{**STEP, "do": "links.explode"}]}, "FL-011"),
        ({"steps": [{**STEP, "with": {"url": "x", "color": "red"}}]}, "FL-012"), ({"steps": [{**STEP, "with": {"title": "x"}}]}, "FL-012"),
        ({"steps": [{**STEP, "do": "messages.approve", "with": {"id": "x"}}]}, "FL-014"),
        ({"steps": [{**STEP, "do": "flows.enable", "with": {"flow": "trial"}}]}, "FL-014"),
    ],
)  # fmt: skip
def test_a_wrong_flow_is_refused_whole(run: Run, write: Write, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        run("flows.import", file=write(**changes))
    assert [flow["id"] for flow in run("flows.list")["flows"]] == ["barber-licence"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FL-003"), (b"\xff\xfe{}", "FL-003"), (b"[" * 5000, "FL-003"), (b'{"a":1,"a":2}', "FL-003"), (b"[]", "FL-003"),
        (b" " * 200_001, "FL-002"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_flow_is_refused(run: Run, tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(Refused, match=code):
        run("flows.import", file=str(path))
    with pytest.raises(Refused, match="FL-001"):
        run("flows.import", file=str(tmp_path / "none.json"))


def test_a_flow_is_imported_off_and_only_newer_ones_take_its_place(run: Run, write: Write) -> None:
    assert not run("flows.import", file=write())["enabled"]
    run("flows.enable", flow="trial")
    assert run("flows.import", file=write())["enabled"]  # the same file again changes nothing
    with pytest.raises(Refused, match="FL-013"):
        run("flows.import", file=write(summary={"km": "ផ្សេង", "en": "Other"}))
    newer = run("flows.import", file=write(version=2))
    assert (newer["version"], newer["enabled"]) == (2, False)
    with pytest.raises(Refused, match="FL-013"):
        run("flows.import", file=write())


def test_one_bad_flow_does_not_hold_up_another(run: Run, write: Write) -> None:
    run("flows.import", file=write())
    run("flows.import", file=write(id="another", steps=[{**STEP, "with": {"url": "http://x"}}]))
    for flow in ("trial", "another"):
        run("flows.enable", flow=flow)
    run("links.create", url="https://www.moi.gov.kh/")
    states = {row["flow"]: row["state"] for row in run("flows.runs")["rows"]}
    assert states == {"trial": "done", "another": "stopped"}
    assert run("messages.list")["total"] == 1


def test_a_circle_of_flows_ends(run: Run, write: Write, chief: Session) -> None:
    run("flows.import", file=write(steps=[STEP]))  # a link is made → make a link
    run("flows.enable", flow="trial")
    run("links.create", url="https://www.moi.gov.kh/")
    rows = run("flows.runs")["rows"]
    assert len(rows) == 10 and [row["state"] for row in rows].count("stopped") == 1
    assert run("flows.show_run", run=rows[0]["id"])["steps"][0]["error"]["code"] == "FL-019"
    assert run("links.list")["total"] == 10
    waiting = chief.store.read(
        lambda c: c.execute("SELECT count(*) FROM platform_trigger WHERE delivered_ms IS NULL").fetchone()[0]
    )
    assert waiting == 0


def test_a_bug_in_a_step_takes_the_whole_run_back_and_not_the_officers_work(
    run: Run, write: Write, chief: Session, caplog: pytest.LogCaptureFixture
) -> None:
    run(
        "flows.import",
        file=write(steps=[STEP, {**STEP, "id": "again", "if": {"path": "link.code", "exists": True, "says": WORDS}}]),
    )
    run("flows.enable", flow="trial")
    broken = "CREATE TRIGGER no_step BEFORE INSERT ON flows_run BEGIN SELECT RAISE(ABORT, 'x'); END"
    chief.store.write(lambda c: c.execute(broken))
    run("links.create", url="https://www.moi.gov.kh/")
    assert run("links.list")["total"] == 1 and run("flows.runs")["total"] == 0
    assert "delivering a trigger failed" in caplog.text
    chief.store.write(lambda c: c.execute("DROP TRIGGER no_step"))
    chief.store.write(lambda c: c.execute("UPDATE platform_trigger SET tries = 0"))
    chief.deliver_triggers()
    assert run("flows.runs")["total"] >= 1 and run("links.list")["total"] > 1


def test_words_that_ask_too_much_do_not_undo_the_work(run: Run, write: Write) -> None:
    once = {"path": "event.title", "is": "go", "says": WORDS}
    run("flows.import", file=write(steps=[{**STEP, "if": once, "says": {"km": "{{link.none}}", "en": "x"}}]))
    run("flows.enable", flow="trial")
    run("links.create", url="https://www.moi.gov.kh/", title="go")
    row = next(
        row for row in run("flows.runs")["rows"] if run("flows.show_run", run=row["id"])["steps"][0]["state"] == "done"
    )
    assert row["state"] == "done" and run("flows.show_run", run=row["id"])["steps"][0]["says"] is None


def test_every_shipped_flow_fits_what_is_installed(run: Run) -> None:
    for flow in definition.shipped():
        assert run("flows.enable", flow=flow.id)["enabled"]
        assert json.loads(flow.text)["sala_flow"] == 1
    with pytest.raises(Refused, match="FL-016"):
        run("flows.enable", flow="none")
    code = run("links.create", url="https://www.moi.gov.kh/")["code"]
    with pytest.raises(Refused, match="FL-017"):
        run("flows.run", flow="barber-licence", on=code)


def test_a_simple_run_is_quick(run: Run, write: Write, chief: Session) -> None:
    import time

    run(
        "flows.import",
        file=write(steps=[{**STEP, "do": "links.left", "with": {}}], when={"trigger": "messages.released"}),
    )
    run("flows.enable", flow="trial")
    start = time.process_time()

    def many(_c: Any) -> None:
        for n in range(200):
            run("flows.deliver", event=f"e{n}", trigger="messages.released", payload={"id": str(n)})

    chief.store.write(many)
    assert run("flows.runs")["total"] == 200
    assert 200 / (time.process_time() - start) > 200
