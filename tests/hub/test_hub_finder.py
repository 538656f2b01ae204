"""Finding records: every filter gives exactly what a reading of everything gives, page by page; words, hashes, counts."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sync import batch as formats
from sync.clock import SetClock
from sync.hub import finder, marks, tally
from sync.hub.centre import Centre
from sync.hub.finder import Wanted
from sync.limits import DAY_MS
from tests.hub.laptop import OFFICER, Laptop, join

SECOND = {
    "code": "0401", "name": {"km": "សាលាស្រុកបរិបូណ៌", "en": "Baribour District Hall"}, "province": {"km": "កំពង់ឆ្នាំង", "en": "Kampong Chhnang"},
}  # fmt: skip
KINDS = ("links.created", "messages.released", "gardens.planted")


@pytest.fixture
def crowd(centre: Centre, clock: SetClock) -> list[Laptop]:
    """Three laptops of two offices that sent 40 batches of mixed kinds over ten days."""
    dice = random.Random(7)
    laptops = [join(centre, Laptop()), join(centre, Laptop()), join(centre, Laptop(), SECOND)]
    for _ in range(40):
        clock.advance(DAY_MS // 4)
        laptop = dice.choice(laptops)
        made = [
            laptop.op({"title": dice.choice(("ផ្សារធំ", "សាលារៀន", "market <b>", "Market day"))}, kind=dice.choice(KINDS))
            for _ in range(dice.randrange(1, 9))
        ]
        centre.ingest.take(laptop.batch(made=made))
    assert marks.advance(centre.storage) > 40
    return laptops


def everything(centre: Centre) -> list[dict[str, Any]]:
    """All records that offices made, newest first, with their bodies: read without any index."""
    rows = centre.storage.read(
        lambda tx: tx.query(
            """SELECT o.*, b.received_ms, b.raw, d.office FROM op o JOIN batch b ON b.idx = o.batch JOIN device d ON d.device = o.device
               ORDER BY o.batch DESC, o.place DESC"""
        )
    )
    for row in rows:
        row["body"] = formats.parse(row["raw"]).ops[row["place"]].fields.body
    return [row for row in rows if row["form"] != "sync"]


def listed(centre: Centre, wanted: Wanted, limit: int = 7) -> list[bytes]:
    """All pages one after the other."""
    found: list[bytes] = []
    after = None
    while True:
        page = centre.storage.read(lambda tx, a=after: finder.find(tx, wanted, after=a, limit=limit))  # type: ignore[misc]
        found += [bytes(row["hash"]) for row in page.rows]
        after = page.after
        if after is None:
            return found


def test_every_filter_gives_what_reading_everything_gives(centre: Centre, crowd: list[Laptop], clock: SetClock) -> None:
    whole = everything(centre)
    days = sorted({row["received_ms"] for row in whole})
    dice = random.Random(3)
    alone = [Wanted(label="accepted"), Wanted(label="accepted", since_ms=days[9]), Wanted(label="q:schema")]
    mixed = [
        Wanted(
            kind=dice.choice(("", "", *KINDS)), office=dice.choice(("", "0306", "04", "0401", "25")),
            form=dice.choice(("", "links", "none")),
            officer=dice.choice((b"", OFFICER, bytes(16))), label=dice.choice(("", "", "accepted", "q:schema")),
            since_ms=dice.choice((0, 0, days[9], days[20] + 1)), until_ms=dice.choice((0, 0, days[30], days[21] + 1)),
        )
        for _ in range(60)
    ]  # fmt: skip
    for wanted in (*alone, *mixed):
        right = [
            bytes(row["hash"]) for row in whole
            if wanted.kind in ("", row["kind"]) and row["office"].startswith(wanted.office) and wanted.form in ("", row["form"])
            and wanted.officer in (b"", bytes(row["officer"])) and wanted.label in ("", row["label"])
            and row["received_ms"] >= wanted.since_ms and (not wanted.until_ms or row["received_ms"] < wanted.until_ms)
        ]  # fmt: skip
        assert listed(centre, wanted) == right, wanted
        count = centre.storage.read(lambda tx, w=wanted: finder.count(tx, w))  # type: ignore[misc]
        assert (count.n, count.how) == (len(right), "exact"), wanted


def test_words_and_their_beginnings_are_found_in_both_scripts(centre: Centre, crowd: list[Laptop]) -> None:
    whole = everything(centre)
    for text, titles in (
        ("ផ្សារធំ", {"ផ្សារធំ"}), ("សាលា", {"សាលារៀន"}), ("MARKET", {"market <b>", "Market day"}), ("mark", {"market <b>", "Market day"}),
        ("market da", {"Market day"}), ("day market", {"Market day"}), ("zebra", set()), ("<>", set()), ("market zebra", set()),
    ):  # fmt: skip
        right = [bytes(row["hash"]) for row in whole if row["body"]["title"] in titles]
        assert listed(centre, Wanted(text=text)) == right, text
        count = centre.storage.read(lambda tx, t=text: finder.count(tx, Wanted(text=t)))  # type: ignore[misc]
        assert count.n == len(right)
    both = Wanted(text="market", kind="links.created", office="0306")
    right = [
        bytes(row["hash"]) for row in whole
        if "arket" in row["body"]["title"] and row["kind"] == "links.created" and row["office"] == "0306"
    ]  # fmt: skip
    assert listed(centre, both) == right


def test_a_record_is_found_by_the_beginning_of_its_hash(centre: Centre, crowd: list[Laptop]) -> None:
    head = crowd[0].head.hex()
    for length in (8, 9, 64):
        rows = centre.storage.read(lambda tx, n=length: finder.by_hash(tx, head[:n]))  # type: ignore[misc]
        assert [bytes(row["hash"]).hex() for row in rows] == [head]
    assert centre.storage.read(lambda tx: finder.by_hash(tx, "xyzxyzxy")) == []


def test_counts_that_would_read_too_much_say_so(
    centre: Centre, crowd: list[Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "COUNTED", 3)
    monkeypatch.setattr(finder, "COUNTED_WORDS", 2)
    read = centre.storage.read
    assert read(lambda tx: finder.count(tx, Wanted())).how == "about"
    assert read(lambda tx: finder.count(tx, Wanted(office="0306"))).how == "least"
    assert read(lambda tx: finder.count(tx, Wanted(text="market"))) == finder.Count(2, "least")


def test_what_comes_is_taken_in_once_and_can_be_made_anew(centre: Centre, crowd: list[Laptop]) -> None:
    def state() -> tuple[list[Any], list[Any]]:
        return centre.storage.read(
            lambda tx: (
                tx.query("SELECT * FROM mark ORDER BY batch, kind, form, officer"), tx.query("SELECT * FROM word ORDER BY word, op"),
            )
        )  # fmt: skip

    before = state()
    assert marks.advance(centre.storage) == 0 and centre.storage.read(marks.behind) == 0
    data = crowd[0].batch(2)
    centre.ingest.take(data)
    centre.ingest.take(data)
    assert centre.storage.read(marks.behind) == 1 and marks.advance(centre.storage, 1) == 1
    after = state()
    assert len(after[0]) == len(before[0]) + 1
    centre.storage.write(marks.forget)
    marks.advance(centre.storage)
    assert state() == after


def test_words_of_a_body_are_bounded_and_sealed_ones_have_none() -> None:
    from sync.ops import SealedRef

    assert marks.words_of(SealedRef(bytes(8), bytes(32))) == ()
    assert len(marks.words_of({"t": " ".join(f"word{n}" for n in range(500))})) == marks.MOST_WORDS
    assert marks.words_of({"deep": {"list": ["A ០១២", 7, None, b"x"]}}) == ("a", "012")


def test_sums_of_boards_are_those_of_the_batches(centre: Centre, crowd: list[Laptop]) -> None:
    stranger = Laptop()
    centre.ingest.take(stranger.batch(3))  # before its enrolment
    join(centre, stranger)

    def sums() -> tuple[list[Any], list[Any]]:
        return centre.storage.read(
            lambda tx: (
                tx.query("SELECT device, batches, records FROM device ORDER BY device"),
                tx.query("SELECT day, device, batches, records FROM tally ORDER BY day, device"),
            )
        )

    kept = sums()
    centre.storage.write(tally.recount)
    assert sums() == kept and sum(row["records"] for row in kept[0]) >= 40
