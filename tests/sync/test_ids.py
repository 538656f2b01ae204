"""Ids sort by time and never repeat."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from sync.ids import uuid7


@given(st.integers(0, (1 << 48) - 1))
def test_an_id_is_a_uuid_of_version_7_with_its_time(ms: int) -> None:
    id = uuid.UUID(bytes=uuid7(ms))
    assert (id.version, id.variant, id.int >> 80) == (7, uuid.RFC_4122, ms)


def test_ids_of_one_millisecond_rise() -> None:
    ids = [uuid7(1_700_000_000_000) for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
