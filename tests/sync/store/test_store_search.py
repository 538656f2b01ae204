"""Finding records by any part of their words."""

from __future__ import annotations

from typing import Any

import pytest

from sync import search
from sync.store import Store


def add(store: Store, record: str, title: str, text: str = "", kind: str = "forms.submission") -> None:
    store.write(lambda conn: search.index(conn, record, kind, title, text))


def found(store: Store, text: str, *kinds: str, limit: int = 50) -> list[str]:
    return [row["record"] for row in store.read(lambda conn: search.find(conn, text, kinds, limit))]


def test_khmer_latin_and_digits_are_found_by_their_parts(store: Store) -> None:
    add(store, "r1", "អាជ្ញាប័ណ្ណកាត់សក់", "សុខ វិបុល Sok Vibol ភ្នំពេញ 012345678")
    add(store, "r2", "លិខិតបញ្ជាក់", "ចាន់ ដារា Chan Dara កំពង់ចាម ០៩៩")
    for typed in ("ពេញ", "កាត់សក់", "vibol", "SOK", "01234", "០១២៣", "វិបុល កាត់", "ភ្នំ"):
        assert found(store, typed) == ["r1"], typed
    assert found(store, "099") == ["r2"]
    assert found(store, "សុខ ដារា") == []
    assert store.read(lambda conn: search.find(conn, "dara")) == [
        {"record": "r2", "kind": "forms.submission", "title": "លិខិតបញ្ជាក់"}
    ]


def test_newest_first_and_no_more_than_asked(store: Store) -> None:
    for number in range(5):
        add(store, f"r{number}", "ពាក្យ")
    assert found(store, "ពាក្យ", limit=3) == ["r4", "r3", "r2"]
    add(store, "r1", "ពាក្យ ថ្មី")
    assert found(store, "ពាក្យ") == ["r1", "r4", "r3", "r2", "r0"]


def test_an_entry_replaces_its_older_one(store: Store) -> None:
    add(store, "r1", "old words")
    add(store, "r1", "new words")
    assert found(store, "old") == []
    assert found(store, "new") == ["r1"]
    store.write(lambda conn: search.remove(conn, "r1"))
    assert found(store, "new") == []
    add(store, "r9", "unrelated")
    assert found(store, "new") == []


def test_kinds_narrow_it(store: Store) -> None:
    add(store, "f", "ពាក្យ", kind="forms.submission")
    add(store, "c", "ពាក្យ", kind="certificates.certificate")
    add(store, "x", "ពាក្យ", kind="forms.submission_note")
    assert found(store, "ពាក្យ", "forms.submission") == ["f"]
    assert found(store, "ពាក្យ", "forms.submission", "certificates.certificate") == ["c", "f"]
    assert found(store, "ពាក្យ", "links.link") == []
    assert found(store, "forms") == []  # a kind is not a word of the record


@pytest.mark.parametrize("typed", ["", "   ", "\"'*(){}:^-+", "NOT", "a AND", "text : x", "{kind} : x", "*", "\u200b"])
def test_whatever_is_typed_is_only_words(store: Store, typed: str) -> None:
    add(store, "r1", "ពាក្យ")
    assert found(store, typed) == []


def test_a_search_inside_a_write_sees_the_write(store: Store) -> None:
    def work(conn: Any) -> list[dict[str, Any]]:
        search.index(conn, "r1", "forms.submission", "ពាក្យ", "")
        return search.find(conn, "ពាក្យ")

    assert len(store.write(work)) == 1
