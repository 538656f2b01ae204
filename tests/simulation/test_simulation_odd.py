"""The other half of the seeds: the real laptop and the real hub under every fault at once."""

from __future__ import annotations

import pytest

from tests.simulation import slices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("start", slices.starts(1))
def test_nothing_is_lost_doubled_or_forged_either(start: int) -> None:
    slices.check(start)
