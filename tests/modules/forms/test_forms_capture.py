"""Drafts: every answer durable, readable or not; nothing locked can be changed; all problems at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused


@pytest.fixture
def run(session: Any) -> Any:
    return session.commands.run


@pytest.fixture
def draft(run: Any) -> str:
    return str(run("forms.start", form="barber-licence")["draft"])


def test_the_catalogue_is_found_by_part_of_a_khmer_name(run: Any) -> None:
    found = run("forms.services", query="កាត់សក់")["services"][0]
    assert (found["id"], found["fee"], found["days"], found["form"]) == ("barber-shop-2-4", 20_000, 7, "barber-licence")
    assert len(run("forms.services")["services"]) >= 30
    assert run("forms.definition", form="barber-licence")["def_hash"]


def test_an_answer_is_cleaned_and_kept(run: Any, draft: str) -> None:
    kept = run("forms.set_answer", draft=draft, field="phone", value="០១២\u200b៣៤៥ ៦៧៨")
    assert kept["value"] == "+85512345678" and kept["problem"] is None
    assert run("forms.draft", draft=draft)["answers"] == {"phone": "+85512345678"}
    run("forms.set_answer", draft=draft, field="phone", value="  ")
    assert run("forms.draft", draft=draft)["answers"] == {}


def test_what_cannot_be_read_is_kept_as_typed(run: Any, draft: str) -> None:
    kept = run("forms.set_answer", draft=draft, field="dob", value="17/5")
    assert kept["value"] is None and kept["problem"]["code"] == "TX-010"
    opened = run("forms.draft", draft=draft)
    assert opened["typed"] == {"dob": "17/5"} and opened["at"] == "dob"
    assert "TX-010" in [one["code"] for one in opened["problems"]]
    run("forms.set_answer", draft=draft, field="dob", value="17/5/1990")
    opened = run("forms.draft", draft=draft)
    assert opened["typed"] == {} and opened["answers"]["dob"] == "1990-05-17"


def test_a_hint_is_said_and_stops_nothing(run: Any, draft: str) -> None:
    kept = run("forms.set_answer", draft=draft, field="id_card", value="12345")
    assert kept["value"] == "12345" and kept["problem"] is None
    assert kept["hints"][0]["code"] == "FM-151" and "5" in kept["hints"][0]["words"]["en"]


def test_the_fee_cannot_be_entered(run: Any, draft: str) -> None:
    for value in (0, "1", {"riel": 1}, None):
        with pytest.raises(Refused, match="FM-012"):
            run("forms.set_answer", draft=draft, field="fee", value=value)
    assert run("forms.draft", draft=draft)["fee"] == 20_000


def test_a_fee_per_copy_follows_the_number_of_copies(run: Any) -> None:
    draft = run("forms.start", form="copy-legalisation")["draft"]
    assert run("forms.draft", draft=draft)["fee"] == 20_000
    assert run("forms.set_answer", draft=draft, field="copies", value="៣")["fee"] == 60_000


def test_one_form_serves_other_services_of_the_catalogue(run: Any) -> None:
    draft = run("forms.start", form="general-application", service="motorbike-registration")["draft"]
    opened = run("forms.draft", draft=draft)
    assert opened["service"]["id"] == "motorbike-registration" and opened["fee"] == 30_000
    for form, service in (
        ("general-application", None),
        ("barber-licence", "motorbike-registration"),
        ("barber-licence", "x"),
    ):
        with pytest.raises(Refused, match="FM-004"):
            run("forms.start", form=form, **({"service": service} if service else {}))


def test_unknown_things_are_refused_by_name(run: Any, draft: str) -> None:
    with pytest.raises(Refused, match="FM-003"):
        run("forms.start", form="passport")
    with pytest.raises(Refused, match="FM-011"):
        run("forms.set_answer", draft=draft, field="nonsense", value="1")
    with pytest.raises(Refused, match="FM-010"):
        run("forms.set_answer", draft="0" * 32, field="phone", value="1")
    with pytest.raises(Refused, match="MD-012"):
        run("forms.set_answer", draft="../../x", field="phone", value="1")


def test_a_file_is_attached_once_and_taken_away(run: Any, draft: str, scan: Path) -> None:
    added = run("forms.attach", draft=draft, field="id_scan", path=str(scan))["value"]
    again = run("forms.attach", draft=draft, field="id_scan", path=str(scan))["value"]
    assert added == again and added[0]["name"] == scan.name and added[0]["media"] == "image/png"
    assert run("forms.detach", draft=draft, field="id_scan", blob=added[0]["blob"])["value"] == []
    with pytest.raises(Refused, match="FM-014"):
        run("forms.set_answer", draft=draft, field="id_scan", value=str(scan))
    with pytest.raises(Refused, match="FM-011"):
        run("forms.attach", draft=draft, field="phone", path=str(scan))


def test_a_fifty_megabyte_attachment_leaves_the_draft_as_it_was(run: Any, draft: str, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    before = run("forms.draft", draft=draft)
    with pytest.raises(Refused, match="FM-020"):
        run("forms.attach", draft=draft, field="id_scan", path=str(large))
    assert run("forms.draft", draft=draft)["answers"] == before["answers"]


def test_drafts_are_listed_with_who_and_how_far(run: Any, draft: str) -> None:
    run("forms.set_answer", draft=draft, field="applicant", value={"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"})
    other = run("forms.start", form="copy-legalisation")["draft"]
    rows = {row["draft"]: row for row in run("forms.drafts")["drafts"]}
    assert set(rows) == {draft, other}
    assert rows[draft]["title"]["km"].endswith("· លឹម ស្រីមុំ") and rows[draft]["title"]["en"].endswith("· LIM SREYMOM")
    assert rows[draft]["answered"] == 1 and rows[draft]["of"] == 18 and not rows[draft]["empty"]
    assert rows[other]["empty"]
    run("forms.discard", draft=other)
    assert [row["draft"] for row in run("forms.drafts")["drafts"]] == [draft]
    with pytest.raises(Refused, match="FM-010"):
        run("forms.draft", draft=other)


def test_check_says_everything_at_once(run: Any, draft: str) -> None:
    checked = run("forms.check", draft=draft)
    assert not checked["ready"] and len(checked["problems"]) >= 10
    assert [row["id"] for row in checked["sections"]] == ["applicant", "residence", "business", "documents", "payment"]
    assert "sign_words" not in checked["shown"]
    run("forms.set_answer", draft=draft, field="sign", value=True)
    assert "sign_words" in run("forms.check", draft=draft)["shown"]


def test_an_answers_file_is_all_or_nothing(run: Any, sheet: Any) -> None:
    with pytest.raises(Refused, match="FM-013") as refused:
        run("forms.fill", form="barber-licence", answers={**sheet("barber-licence"), "chairs": 7}, finish=True)
    assert [one["field"] for one in refused.value.values["problems"]] == ["chairs"]
    assert run("forms.drafts")["drafts"] == [] and run("forms.list")["total"] == 0
    kept = run("forms.fill", form="barber-licence", answers={**sheet("barber-licence"), "chairs": 7})
    assert not kept["ready"] and len(run("forms.drafts")["drafts"]) == 1


def test_a_saving_that_comes_late_overwrites_nothing(run: Any, draft: str) -> None:
    run("forms.set_answer", draft=draft, field="shop_name", value="ហាងថ្មី", order=5)
    late = run("forms.set_answer", draft=draft, field="shop_name", value="ហាងចាស់", order=4)
    assert late["value"] == "ហាងថ្មី"
    run("forms.set_answer", draft=draft, field="workers", value=4, order=3)
    opened = run("forms.draft", draft=draft)
    assert opened["answers"] == {"shop_name": "ហាងថ្មី", "workers": 4} and opened["order"] == 5


def test_what_was_discarded_comes_back_as_it_was(run: Any, draft: str, finished: Any) -> None:
    run("forms.set_answer", draft=draft, field="workers", value=4)
    run("forms.discard", draft=draft)
    assert run("forms.drafts")["drafts"] == []
    run("forms.restore", draft=draft)
    assert run("forms.draft", draft=draft)["answers"] == {"workers": 4}
    done = finished()["id"]
    with pytest.raises(Refused, match="FM-010"):
        run("forms.restore", draft=done)
    with pytest.raises(Refused, match="FM-010"):
        run("forms.restore", draft="0" * 32)
