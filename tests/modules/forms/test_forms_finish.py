"""Finishing: record, op, search row, number, trigger and the end of the draft, together."""

from __future__ import annotations

from typing import Any

import pytest

from i18n.errors import explain
from modules.contract import Refused


@pytest.fixture
def run(session: Any) -> Any:
    return session.commands.run


@pytest.mark.parametrize("form", ["barber-licence", "birth-extract-copy", "copy-legalisation", "general-application"])
def test_each_form_is_finished_with_a_number_a_fee_and_a_due_day(run: Any, finished: Any, form: str) -> None:
    made = finished(form)
    fees = {
        "barber-licence": 20_000,
        "birth-extract-copy": 12_000,
        "copy-legalisation": 40_000,
        "general-application": 30_000,
    }
    assert made["fee"] == fees[form]
    assert made["receipt"].count("-") == 2 and made["due"] > made["received"]
    shown = run("forms.show", id=made["id"])
    assert shown["answers"]["applicant"] == {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"}
    assert shown["answers"]["fee"] == {"riel": fees[form], "service": made["service"]}
    assert shown["state"] == "finished" and shown["sync"] == "waiting"
    assert run("forms.drafts")["drafts"] == []


def test_numbers_count_on_and_never_repeat(finished: Any) -> None:
    serials = [int(finished("general-application")["receipt"].rpartition("-")[2]) for _ in range(5)]
    assert serials == list(range(serials[0], serials[0] + 5))


def test_an_unfinished_form_keeps_everything_and_lists_every_problem(run: Any, sheet: Any) -> None:
    draft = run("forms.fill", form="barber-licence", answers={"chairs": 9})["draft"]
    with pytest.raises(Refused, match="FM-013") as refused:
        run("forms.finish", draft=draft)
    assert refused.value.values["count"] == len(refused.value.values["problems"]) > 5
    assert str(refused.value.values["count"]) in explain(refused.value, "km").what
    assert run("forms.draft", draft=draft)["answers"] == {"chairs": 9}
    assert run("forms.list")["total"] == 0


def test_the_same_draft_never_becomes_two_submissions(run: Any, finished: Any) -> None:
    made = finished()
    with pytest.raises(Refused, match="FM-010"):
        run("forms.finish", draft=made["id"])
    assert run("forms.list")["total"] == 1


def test_hidden_answers_are_not_frozen(run: Any, finished: Any) -> None:
    made = finished(sign=False)
    assert "sign_words" not in run("forms.show", id=made["id"])["answers"]


def test_the_op_is_sealed_and_names_form_definition_and_files(run: Any, session: Any, finished: Any) -> None:
    from sync.cbor import decode

    made = finished()
    shown = run("forms.show", id=made["id"])
    row = session.store.read(
        lambda c: dict(c.execute("SELECT * FROM op WHERE hash = ?", (bytes.fromhex(made["op"]),)).fetchone())
    )
    assert row["sealed_to"] is not None and row["kind"] == "forms.submission" and row["form"] == "barber-licence"
    assert bytes(row["def_hash"]).hex() == shown["def_hash"]
    assert "លឹម".encode() not in bytes(row["bytes"])
    body = decode(bytes(row["body"]))
    assert body["answers"] == shown["answers"] and body["receipt"] == made["receipt"]
    assert decode(bytes(row["bytes"]))[12] == [bytes.fromhex(shown["answers"]["id_scan"][0]["blob"])]


def test_it_is_found_by_name_number_phone_and_place(session: Any, run: Any, finished: Any) -> None:
    made = finished()
    finished(
        "general-application",
        applicant={"km": "ចាន់ ដារា", "latin": "CHAN DARA"},
        phone="077 123 456",
        id_card="999999999",
    )
    for typed in ("ស្រីមុំ", "sreymom", made["receipt"], "012345678", "០១២៣៤៥៦៧៨", "ហាងកាត់សក់ស្រី", "barber"):
        assert [row["id"] for row in run("forms.list", filter=typed)["rows"]] == [made["id"]], typed
    assert run("forms.list", filter="កំពង់")["total"] == 2


def test_the_trigger_tells_flows_what_they_need_and_no_more(session: Any, run: Any, finished: Any) -> None:
    import json

    made = finished()
    rows = session.store.read(
        lambda c: [dict(row) for row in c.execute("SELECT trigger, payload FROM platform_trigger")]
    )
    payload = json.loads(next(row["payload"] for row in rows if row["trigger"] == "forms.finished"))
    assert payload["submission"] == made["id"] and payload["fee"] == 20_000 and payload["due"] == made["due"]
    assert payload["person"] == {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"} and payload["phone"] == "+85512345678"
    assert set(payload["answers"]) == {"shop_name", "shop_name_latin", "shop_address", "chairs", "opens_on"}
    sample = next(trigger.sample for trigger in session.triggers() if trigger.id == "forms.finished")
    assert set(sample) == set(payload)


def test_the_bus_hears_of_it_once_and_after_the_commit(session: Any, finished: Any) -> None:
    heard = []
    session.bus.subscribe(lambda change: heard.append((change, session.commands.run("forms.list")["total"])))
    made = finished()
    mine = [
        (change.origin, total)
        for change, total in heard
        if made["id"] in change.ids and "forms.submission" in change.kinds
    ]
    assert mine == [("forms.fill", 1)]


def test_without_a_number_nothing_is_finished_and_the_draft_stays(session: Any, run: Any, sheet: Any) -> None:
    session.store.write(lambda c: c.execute("UPDATE lease SET used = size WHERE resource = 'receipt-numbers'"))
    draft = run(
        "forms.fill", form="general-application", service="motorbike-registration", answers=sheet("general-application")
    )["draft"]
    with pytest.raises(Refused, match="SY-301"):
        run("forms.finish", draft=draft)
    assert run("forms.list")["total"] == 0 and run("forms.draft", draft=draft)["answers"]


def test_a_number_is_not_lost_when_finishing_is_refused(
    session: Any, run: Any, finished: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = "SELECT sum(used) AS n FROM lease WHERE resource = 'receipt-numbers'"
    before = session.store.read(lambda c: c.execute(used).fetchone()["n"])
    with pytest.raises(Refused, match="FM-013"):
        finished(chairs=9)
    assert session.store.read(lambda c: c.execute(used).fetchone()["n"]) == before


def test_the_fee_is_that_of_the_day_of_opening(session: Any, run: Any, sheet: Any) -> None:
    library = session.modules["forms"].library
    service = library.catalogue.service("barber-shop-2-4")
    draft = run("forms.fill", form="barber-licence", answers=sheet("barber-licence"))["draft"]
    from dataclasses import replace
    from datetime import timedelta

    from i18n.dates import moment
    from modules.forms.catalogue import Price

    tomorrow = moment(session.clock.wall_ms()).date() + timedelta(1)
    library.catalogue._by_id[service.id] = replace(service, prices=(*service.prices, Price(tomorrow, 25_000)))
    assert run("forms.finish", draft=draft)["fee"] == 20_000
