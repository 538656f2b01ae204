"""The real laptop and the real hub under every fault at once: nothing is lost, doubled or forged, and all of it gets through."""

from __future__ import annotations

import pytest

from tests.simulation import slices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("start", slices.starts(0))
def test_nothing_is_lost_doubled_or_forged(start: int) -> None:
    slices.check(start)
