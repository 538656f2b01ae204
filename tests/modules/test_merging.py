"""The laws of putting a record together: order and repetition do not matter, both sides converge, nothing is lost unseen."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modules.merging import Change, before, merge

ROOT = "root"
FIELDS = ("name", "phone", "chairs")
BASE = {"name": "សុខា", "phone": "012", "chairs": 2}


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes as laptops make them: each names some that were there, as a hash can only name what exists."""
    made: list[Change] = []
    for number in range(draw(st.integers(0, 7))):
        refs = draw(st.sets(st.sampled_from([ROOT, *(change.op for change in made)]), min_size=1))
        values = draw(st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 2), min_size=1, max_size=3))
        made.append(Change(f"op{number}", frozenset(refs), values, draw(st.integers(0, 3))))
    return made


def ancestors(changes: list[Change], op: str) -> set[str]:
    """Slow and plain: what the definition says."""
    by_op = {change.op: change for change in changes}
    refs = by_op[op].refs if op in by_op else frozenset()
    return set(refs).union(*(ancestors(changes, ref) for ref in refs)) if refs else set()


@given(histories(), st.randoms())
def test_order_and_repetition_do_not_matter(changes: list[Change], dice: random.Random) -> None:
    shuffled = changes + dice.sample(changes, len(changes) // 2)
    dice.shuffle(shuffled)
    assert merge(ROOT, BASE, shuffled) == merge(ROOT, BASE, changes)


@given(histories(), st.data())
def test_two_sides_converge_when_they_have_told_each_other(changes: list[Change], data: st.DataObject) -> None:
    mine = [change for change in changes if data.draw(st.booleans())]
    theirs = [change for change in changes if change not in mine] + mine[:1]
    assert merge(ROOT, BASE, [*mine, *theirs]) == merge(ROOT, BASE, [*theirs, *mine]) == merge(ROOT, BASE, changes)


@given(histories())
def test_every_last_value_stands_or_is_shown(changes: list[Change]) -> None:
    merged = merge(ROOT, BASE, changes)
    for field in FIELDS:
        writers = [change for change in changes if field in change.values]
        last = [one for one in writers if not any(one.op in ancestors(changes, other.op) for other in writers)]
        shown = {candidate.op for candidate in merged.conflicts.get(field, ())}
        if len({one.values[field] for one in last}) > 1:
            assert shown == {one.op for one in last}
        else:
            assert not shown
            assert merged.values[field] == (last[0].values[field] if last else BASE[field])
        assert merged.values[field] in [one.values[field] for one in last] or not last


@given(histories(), st.sampled_from(FIELDS), st.integers(0, 2))
def test_a_pick_that_has_seen_all_ends_the_conflict_of_its_field_alone(
    changes: list[Change], field: str, value: int
) -> None:
    merged = merge(ROOT, BASE, changes)
    picked = merge(ROOT, BASE, [*changes, Change("pick", frozenset(merged.heads), {field: value})])
    assert picked.values[field] == value and field not in picked.conflicts
    assert picked.heads == ("pick",)
    for other in set(FIELDS) - {field}:
        assert picked.values[other] == merged.values[other]
        assert picked.conflicts.get(other) == merged.conflicts.get(other)


@given(histories())
def test_a_single_line_of_changes_has_no_conflict(changes: list[Change]) -> None:
    line: list[Change] = []
    for change in changes:
        refs = frozenset({line[-1].op if line else ROOT})
        line.append(Change(change.op, refs, change.values, change.wall_ms))
    merged = merge(ROOT, BASE, line)
    expected: dict[str, Any] = dict(BASE)
    for change in line:
        assert before(ROOT, BASE, line, change.op) == expected
        expected |= change.values
    assert merged.values == expected and not merged.conflicts
    assert merged.heads == ((line[-1].op,) if line else (ROOT,))


def test_two_who_did_not_see_each_other() -> None:
    one = Change("a", frozenset({ROOT}), {"phone": "011", "chairs": 3}, 5)
    two = Change("b", frozenset({ROOT}), {"phone": "099", "name": "សុខ"}, 9)
    merged = merge(ROOT, BASE, [one, two])
    assert merged.values == {"name": "សុខ", "phone": "099", "chairs": 3}
    assert [candidate.value for candidate in merged.conflicts["phone"]] == ["099", "011"]
    assert set(merged.conflicts) == {"phone"} and merged.heads == ("a", "b")


def test_a_circle_that_no_hash_can_make_ends() -> None:
    wrong = [Change("a", frozenset({"b"}), {"name": 1}), Change("b", frozenset({"a"}), {"name": 2})]
    assert merge(ROOT, BASE, wrong).values["name"] in (1, 2, "សុខា")
