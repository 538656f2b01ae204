"""S12: two laptops of one office without a line. Concurrent edits of one case merge by field with a visible conflict list;
receipts and fee totals equal the sum; nothing is overwritten silently. By stick, over the LAN, and on to the centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from i18n.errors import Refused
from modules import replicate
from modules.session import Session
from sync import colleagues, exchange
from sync.clock import SetClock
from sync.errors import Known
from sync.listener import Listener
from sync.meeting import Host
from sync.transport import Transport
from tests.end2end.hall import PERSON, Copy, Hall, cases, conflicts, pair, serving, take_case


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


@pytest.fixture
def two(hall: Hall) -> tuple[Session, Session]:
    """Two laptops that are paired."""
    one, other = hall.enrolled(1, 2)
    pair(one, other)
    return one, other


def takings(laptop: Session) -> tuple[int, int]:
    today = laptop.commands.run("forms.today")["today"]
    return today["count"], today["riel"]


def both_ways(hall: Hall, one: Session, other: Session) -> None:
    hall.tell(one, other)
    hall.tell(other, one)
    hall.tell(one, other)


def test_receipts_and_fees_are_the_sum_and_both_see_every_case(hall: Hall, two: tuple[Session, Session]) -> None:
    one, other = two
    mine = [take_case(one) for _ in range(5)]
    theirs = [take_case(other) for _ in range(3)]
    both_ways(hall, one, other)
    assert cases(one) == cases(other)
    receipts = {case["receipt"] for case in [*mine, *theirs]}
    assert set(cases(one)) == receipts and len(receipts) == 8  # no number twice, none missing
    fees = sum(case["fee"] for case in [*mine, *theirs])
    assert takings(one) == takings(other) == (8, fees) and fees > 0
    again = hall.tell(one, other)
    assert (again["office_ops"], takings(other)) == (0, (8, fees))  # the same stick again adds nothing


def test_edits_of_one_case_merge_by_field_and_a_pick_ends_the_conflict_on_both(
    hall: Hall, two: tuple[Session, Session]
) -> None:
    one, other = two
    receipt = take_case(one)["receipt"]
    both_ways(hall, one, other)

    def correct(laptop: Session, why: str, **changes: Any) -> None:
        found = laptop.commands.run("forms.case_by_receipt", text=receipt)
        laptop.commands.run("forms.correct", id=found["id"], changes=changes, reason=why)
        hall.clock.advance(60_000)

    correct(one, "ប្តូរលេខទូរសព្ទ", phone="011222333", sex="male")
    correct(other, "ប្តូរលេខទូរសព្ទ", phone="099888777", dob="1991-01-02")
    both_ways(hall, one, other)

    assert cases(one) == cases(other)
    answers = cases(one)[receipt]["answers"]
    assert (answers["sex"], answers["dob"]) == ("male", "1991-01-02")  # both edits, field by field
    expected = {receipt: {"phone": ["+85599888777", "+85511222333"]}}
    assert conflicts(one) == conflicts(other) == expected  # nothing silently overwritten

    shown = one.commands.run("forms.conflicts")["cases"][0]
    values = shown["fields"][0]["values"]
    assert [value["officer"] for value in values] == ["សុខ ដារ៉ា", "ចាន់ សុខា"]
    assert [value["here"] for value in values] == [False, True]
    with pytest.raises(Refused) as refused:
        one.commands.run("forms.correct", id=shown["id"], changes={"phone": "012000000"}, reason="x")
    assert refused.value.code == "FM-056"
    picked = one.commands.run("forms.resolve", id=shown["id"], picks={"phone": values[1]["op"]}, reason="បានទូរសព្ទសួរ")
    assert (picked["resolved"], picked["left"]) == (["phone"], 0)
    both_ways(hall, one, other)
    assert conflicts(one) == conflicts(other) == {}
    assert cases(one) == cases(other) and cases(one)[receipt]["answers"]["phone"] == "+85511222333"


def test_what_one_laptop_took_the_other_carries_on_and_brings_the_receipt_home(
    hall: Hall, two: tuple[Session, Session]
) -> None:
    one, other = two
    receipt = take_case(one)["receipt"]
    hall.tell(one, other)
    taken = hall.to_centre(other)  # the first laptop never meets the centre
    assert taken.problems == [] and taken.new_ops > 0
    state = {row["receipt"]: row["sync"] for row in one.commands.run("forms.list")["rows"]}
    assert state[receipt] == "sending"
    hall.tell(one, other)
    back = hall.tell(other, one)
    assert back["receipts"] > 0
    for laptop in two:
        state = {row["receipt"]: row["sync"] for row in laptop.commands.run("forms.list")["rows"]}
        assert state[receipt] == "received"
    again = hall.to_centre(one)
    assert again.new_ops == 0 or again.problems == []


def test_attachments_come_piece_by_piece_and_open_on_the_other_laptop(
    hall: Hall, two: tuple[Session, Session], tmp_path: Path
) -> None:
    from PIL import Image

    one, other = two
    scan = tmp_path / "scan.png"
    Image.effect_noise((700, 700), 90).save(scan)  # more than one piece
    answers = {
        "document_kind": "diploma", "document_title": "សញ្ញាបត្រ", "issuer": "ក្រសួងអប់រំ", "pages": 1, "copies": 1,
        "original_seen": True, "original_scan": [str(scan)],
    }  # fmt: skip
    made = one.commands.run("forms.fill", form="copy-legalisation", answers={**PERSON, **answers}, finish=True)
    hall.tell(one, other)
    (row,) = other.commands.run("forms.list")["rows"]
    case = other.commands.run("forms.show", id=row["id"])
    (file,) = case["answers"]["original_scan"]
    with pytest.raises(Refused) as refused:
        other.commands.run("forms.attachment", id=row["id"], blob=file["blob"])
    assert refused.value.code == "FM-057"
    for _ in range(3):  # asked for, manifest; asked for, pieces
        hall.tell(other, one)
        brought = hall.tell(one, other)
        assert brought["problems"] == []
    shown = other.commands.run("forms.attachment", id=row["id"], blob=file["blob"])
    own = one.commands.run("forms.attachment", id=made["id"], blob=file["blob"])
    assert shown["base64"] == own["base64"]
    from sync import care

    assert care.problems(other.unlocked) == []


def test_it_goes_on_over_the_line_too(hall: Hall, two: tuple[Session, Session]) -> None:
    one, other = two
    receipt = take_case(one)["receipt"]
    hall.tell(one, other)
    with serving(hall.hub) as url:
        report = exchange.run(other.unlocked, Transport([url], other.unlocked.device))
        assert report.carried_on > 0 and report.problems == []
        again = exchange.run(other.unlocked, Transport([url], other.unlocked.device))
        assert again.carried_on == 0
    hall.tell(other, one)
    state = {row["receipt"]: row["sync"] for row in one.commands.run("forms.list")["rows"]}
    assert state[receipt] == "received"


def test_over_the_lan_strangers_get_nothing(hall: Hall) -> None:
    one, other = hall.enrolled(1, 2)
    mine, theirs = take_case(one), take_case(other)
    met: list[Any] = []
    host = Host(one.unlocked, met.append)
    listener = Listener(host)
    addresses = listener.start(["127.0.0.1"])
    try:
        invitation = host.invitation(addresses).text()
        report = replicate.meet(other, invitation)
        assert (report["number"], report["paired"], report["problems"]) == (1, True, []) and report["taken"] > 0
        assert met[0].paired and met[0].number == 2
        replicate.meet(other, invitation)
    finally:
        listener.close()
    from modules import office

    office.deliver(one)
    assert set(cases(one)) == set(cases(other)) == {mine["receipt"], theirs["receipt"]}
    with pytest.raises(Known) as closed:
        replicate.meet(other, invitation)
    assert closed.value.code == "SY-456"


def test_a_laptop_of_another_office_is_refused_on_every_way(hall: Hall) -> None:
    one = hall.enrolled(1)[0]
    stranger = hall.laptop(2, office="0401")
    hall.to_centre(stranger)
    take_case(one)
    certificate = stranger.store.read(colleagues.own_certificate)
    with pytest.raises(Refused) as refused:
        replicate.pair(one, certificate)
    assert refused.value.code == "SY-443"
    host = Host(one.unlocked)
    listener = Listener(host)
    invitation = host.invitation(listener.start(["127.0.0.1"])).text()
    try:
        with pytest.raises(Refused) as at_once:
            replicate.meet(stranger, invitation)
        assert at_once.value.code == "SY-443"
    finally:
        listener.close()
    before = one.store.read(lambda conn: conn.execute("SELECT count(*) AS n FROM foreign_op").fetchone()["n"])
    brought = hall.tell(stranger, one)
    assert (brought["office_ops"], brought["strangers"]) == (0, [])
    after = one.store.read(lambda conn: conn.execute("SELECT count(*) AS n FROM foreign_op").fetchone()["n"])
    assert before == after == 0


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Path], int]]:
    """The closed profiles of three laptops, paired, and the time at which they were closed; the examples play in copies."""
    hall = Hall(tmp_path_factory.mktemp("three"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALA_ROOTS", str(hall.roots))
        try:
            laptops = hall.enrolled(1, 2, 3)
            for one in laptops:
                for other in laptops:
                    if one is not other:
                        replicate.pair(one, other.store.read(colleagues.own_certificate))
            profiles = [laptop.unlocked.home for laptop in laptops]
        finally:
            hall.close()
        yield profiles, hall.clock.wall_ms()


# Neither shrunk nor explained: an example is short and takes about a second, the search for a shorter one takes minutes.
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["phone", "sex", "dob", "tell"]), st.integers(0, 2)),
        min_size=3,
        max_size=9,
    )
)
@example([(1, "tell", 1), (1, "phone", 2), (0, "dob", 2), (1, "phone", 1), (1, "tell", 1), (0, "phone", 2)])
@example(
    [(0, "phone", 0), (2, "phone", 1), (2, "tell", 0)]
)  # the second hears of it from the first, still without bodies
def test_three_laptops_converge_whatever_they_do(
    tmp_path_factory: pytest.TempPathFactory, three: tuple[list[Path], int], steps: list[tuple[int, str, int]]
) -> None:
    """Any edits, told in any order and any number of times: once everybody has heard everything, all show the same."""
    values = {
        "phone": ["011111111", "012222222", "015333333"],
        "sex": ["male", "female", "male"],
        "dob": ["1990-01-01", "1991-02-02", "1992-03-03"],
    }
    profiles, closed_ms = three
    hall = Copy(tmp_path_factory.mktemp("copy"), profiles, SetClock(closed_ms))
    laptops = hall.laptops
    try:
        receipt = take_case(laptops[0])["receipt"]
        for other in laptops[1:]:
            hall.tell(laptops[0], other)
        _play(hall, laptops, receipt, steps, values)
        for _ in range(2):
            for one in laptops:
                for other in laptops:
                    if one is not other:
                        assert hall.tell(one, other)["problems"] == []
        shown = [cases(laptop) for laptop in laptops]
        assert shown[0] == shown[1] == shown[2]
        assert conflicts(laptops[0]) == conflicts(laptops[1]) == conflicts(laptops[2])
    finally:
        hall.close()


def _play(
    hall: Copy, laptops: list[Session], receipt: str, steps: list[tuple[int, str, int]], values: dict[str, list[str]]
) -> None:
    do: Callable[..., Any]
    for who, what, which in steps:
        hall.clock.advance(1_000)
        if what == "tell":
            hall.tell(laptops[who], laptops[(who + 1 + which % 2) % 3])
            continue
        case = laptops[who].commands.run("forms.case_by_receipt", text=receipt)
        do = laptops[who].commands.run
        with suppress(Refused):  # nothing differs, or the field is in conflict
            do("forms.correct", id=case["id"], changes={what: values[what][which]}, reason="កែ")
