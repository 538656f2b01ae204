"""The shipped flow over the real modules: application finished → certificate → link → message, once, with its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modules.contract import Refused
from modules.session import Session

FLOW = "barber-licence"
Run = Callable[..., Any]
Apply = Callable[..., str]


def counts(session: Session) -> dict[str, int]:
    """Everything that a flow's steps leave behind, and what they take."""

    def look(c: Any) -> dict[str, int]:
        one = lambda sql: int(c.execute(sql).fetchone()[0] or 0)  # noqa: E731
        return {
            "certificates": one("SELECT count(*) FROM certificates_issued"), "links": one("SELECT count(*) FROM links_link"),
            "messages": one("SELECT count(*) FROM messages_campaign"), "runs": one("SELECT count(*) FROM flows_run"),
            "steps": one("SELECT coalesce(sum(json_array_length(journal)), 0) FROM flows_run"), "ops": one("SELECT count(*) FROM op"),
            "audit": one("SELECT count(*) FROM audit"),
            "numbers": one("SELECT sum(used) FROM lease"), "triggers": one("SELECT count(*) FROM platform_trigger"),
            "events": one("SELECT count(*) FROM flows_event"), "found": one("SELECT count(*) FROM search"),
        }  # fmt: skip

    return session.store.read(look)


def test_the_day_of_a_barber(chief: Session, run: Run, apply: Apply) -> None:
    assert run("flows.enable", flow=FLOW)["enabled"]
    submission = apply()
    (row,) = run("flows.runs")["rows"]
    assert (row["state"], row["flow"], row["trigger"]) == ("done", FLOW, "forms.finished") and row["label"].startswith(
        "0306-"
    )
    shown = run("flows.show_run", run=row["id"])
    certificate, link, message = shown["steps"]
    assert [step["state"] for step in shown["steps"]] == ["done"] * 3
    number = certificate["result"]["number"]
    assert certificate["says"]["en"] == f"Certificate {number}"
    assert run("links.show", code=link["result"]["code"])["target"].endswith(number)
    drafted = run("messages.show", id=message["result"]["id"])
    assert (drafted["state"], drafted["good"]) == ("checked", 1)
    text = message["result"]["text"]
    assert "លឹម ស្រីមុំ" in text and number in text and link["result"]["short"] in text and drafted["segments"] <= 2
    assert shown["why"][0]["says"]["km"] and shown["why"][0]["holds"]
    assert run("certificates.issue", template=FLOW, source=submission)["already"]
    left = counts(chief)
    assert (left["certificates"], left["links"], left["messages"], left["runs"], left["steps"]) == (1, 1, 1, 1, 3)


def test_the_same_event_again_does_nothing(chief: Session, run: Run, apply: Apply) -> None:
    run("flows.enable", flow=FLOW)
    apply()
    before = counts(chief)
    (event,) = run("flows.events", flow=FLOW)["events"]
    again = run("flows.deliver", event=event["id"], trigger="forms.finished", payload={"form": FLOW})
    assert again["already"] and counts(chief) == before
    by_hand = run("flows.run", flow=FLOW, on=event["label"])
    assert by_hand["already"] and by_hand["state"] == "done" and counts(chief) == before


def test_a_flow_that_is_off_runs_only_by_hand(chief: Session, run: Run, apply: Apply) -> None:
    submission = apply()
    assert counts(chief)["runs"] == 0
    assert run("flows.run", flow=FLOW, on=submission)["state"] == "done"
    assert counts(chief)["certificates"] == 1
    run("flows.enable", flow=FLOW)
    run("flows.disable", flow=FLOW)
    apply(id_card="012345679")
    assert counts(chief)["certificates"] == 1


def test_another_form_is_passed_over_and_the_history_says_why(
    run: Run, chief: Session, answers: dict[str, Any]
) -> None:
    run("flows.enable", flow=FLOW)
    given = {name: answers[name] for name in ("applicant", "sex", "dob", "id_card", "phone", "address")}
    given |= {"subject": "សុំចុះបញ្ជី", "business": False, "checked": True}
    service = next(one["id"] for one in run("forms.services")["services"] if one["form"] == "general-application")
    run("forms.fill", form="general-application", service=service, answers=given, finish=True)
    (row,) = run("flows.runs")["rows"]
    shown = run("flows.show_run", run=row["id"])
    assert (
        row["state"] == "skipped" and not shown["why"][0]["holds"] and shown["why"][0]["found"] == "general-application"
    )
    assert [step["state"] for step in shown["steps"]] == [None] * 3 and counts(chief)["certificates"] == 0


def test_a_dry_run_on_a_past_case_does_everything_and_leaves_nothing(chief: Session, run: Run, apply: Apply) -> None:
    submission = apply()
    before = counts(chief)
    tried = run("flows.dry_run", flow=FLOW, on=submission)
    assert tried["mode"] == "rehearsal" and [step["state"] for step in tried["steps"]] == ["done"] * 3
    assert tried["steps"][2]["says"]["km"].startswith("«ជូនចំពោះ លឹម ស្រីមុំ")
    assert counts(chief) == before
    again = run("flows.dry_run", flow=FLOW, on=submission)  # the same number would be given: none was used
    assert again["steps"][0]["result"]["number"] == tried["steps"][0]["result"]["number"]
    assert (
        run("flows.run", flow=FLOW, on=submission)["steps"][0]["result"]["number"]
        == tried["steps"][0]["result"]["number"]
    )


def test_a_dry_run_on_the_sample_describes_and_calls_nothing(chief: Session, run: Run) -> None:
    before = counts(chief)
    tried = run("flows.dry_run", flow=FLOW)
    assert tried["mode"] == "description" and [step["state"] for step in tried["steps"]] == ["untried"] * 3
    assert tried["steps"][1]["with"]["url"] == "https://sala.gov.kh/check/‹certificate.number›"
    assert counts(chief) == before


def test_a_rehearsal_asked_for_directly_is_taken_back_too(chief: Session, run: Run, apply: Apply) -> None:
    submission = apply()
    before = counts(chief)
    with pytest.raises(Refused, match="FL-040"):
        run("flows.rehearse", flow=FLOW, on=submission)
    assert counts(chief) == before


def test_a_refused_step_stops_the_run_and_it_goes_on_from_there(chief: Session, run: Run, apply: Apply) -> None:
    run("flows.enable", flow=FLOW)
    run("flows.configure", flow=FLOW, settings={"verify_page": "http://verify.gov.kh.evil.com/"})
    apply()
    (row,) = run("flows.runs")["rows"]
    shown = run("flows.show_run", run=row["id"])
    assert row["state"] == "stopped" and [step["state"] for step in shown["steps"]] == ["done", "stopped", None]
    assert (
        shown["steps"][1]["error"]["code"] == "LN-001"
        and "verify.gov.kh.evil.com" in shown["steps"][1]["error"]["km"]["what"]
    )
    assert (counts(chief)["certificates"], counts(chief)["links"]) == (1, 0)
    with pytest.raises(Refused, match="FL-015"):
        run("flows.configure", flow=FLOW, settings={"other": "x"})
    run("flows.configure", flow=FLOW, settings={"verify_page": "https://check.example.gov.kh/c/"})
    resumed = run("flows.resume", run=row["id"])
    assert resumed["state"] == "done" and [step["state"] for step in resumed["steps"]] == ["done"] * 3
    assert (counts(chief)["certificates"], counts(chief)["links"], counts(chief)["messages"]) == (1, 1, 1)
    with pytest.raises(Refused, match="FL-018"):
        run("flows.resume", run=row["id"])


def test_codes_that_run_out_stop_the_run_and_lose_nothing(chief: Session, run: Run, apply: Apply) -> None:
    run("flows.enable", flow=FLOW)
    chief.store.write(lambda c: c.execute("UPDATE lease SET used = size WHERE resource = 'link-codes'"))
    apply()
    (row,) = run("flows.runs")["rows"]
    assert run("flows.show_run", run=row["id"])["steps"][1]["error"]["code"] == "SY-301"
    chief.store.write(lambda c: c.execute("UPDATE lease SET used = 0 WHERE resource = 'link-codes'"))
    assert run("flows.resume", run=row["id"])["state"] == "done"


def test_an_officer_who_may_not_issue_stops_the_run_for_one_who_may(
    open_office: Callable[..., Session], answers: dict[str, Any]
) -> None:
    cashier = open_office(role="cashier")
    cashier.store.write(lambda c: c.execute("SELECT 1"))
    with pytest.raises(Refused, match="MD-010"):
        cashier.commands.run("flows.enable", flow=FLOW)
    cashier.commands.run("forms.fill", form="barber-licence", answers=answers, finish=True)
    assert cashier.commands.run("flows.runs")["total"] == 0
