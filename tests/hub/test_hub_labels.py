"""A label is a pure function, and what it says holds for every situation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.hub import labels
from sync.hub.labels import ACCEPTED, FORK, PENDING, REVOKED, SCHEMA, Situation

ALL = (ACCEPTED, PENDING, FORK, REVOKED, SCHEMA)
situations = st.builds(
    Situation, parent=st.sampled_from([None, *ALL]), enrolled=st.booleans(), sibling_accepted=st.booleans(), after_cutoff=st.booleans(),
    known=st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ACCEPTED),
        ({"parent": SCHEMA}, ACCEPTED),
        ({"known": False}, SCHEMA),
        ({"enrolled": False}, PENDING),
        ({"parent": None}, PENDING),
        ({"parent": PENDING}, PENDING),
        ({"parent": FORK}, FORK),
        ({"parent": REVOKED}, REVOKED),
        ({"sibling_accepted": True}, FORK),
        ({"after_cutoff": True}, REVOKED),
        ({"after_cutoff": True, "sibling_accepted": True}, FORK),
        ({"after_cutoff": True, "known": False}, REVOKED),
    ],
)
def test_the_label_of_each_situation(changes: dict[str, object], expected: str) -> None:
    plain: dict[str, object] = {
        "parent": ACCEPTED,
        "enrolled": True,
        "sibling_accepted": False,
        "after_cutoff": False,
        "known": True,
    }
    assert labels.label(Situation(**{**plain, **changes})) == expected  # type: ignore[arg-type]


@given(situations)
def test_nothing_is_accepted_behind_a_quarantined_or_missing_parent(s: Situation) -> None:
    found = labels.label(s)
    assert found in ALL
    if found == ACCEPTED:
        assert s.enrolled and s.known and s.parent in (ACCEPTED, SCHEMA) and not (s.sibling_accepted or s.after_cutoff)
    assert (found == PENDING) == (not s.enrolled or s.parent in (None, PENDING))
