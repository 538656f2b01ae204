"""The slots file: a copy of whatever other shape leaves the other copy in force."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from sync import cbor, slots
from sync.keys import Unlocked


@pytest.mark.parametrize(
    "body",
    [[1, [], None, None], {1: 1, 2: [], 3: [b"x"]}, {1: 1, 2: [[]]}, {1: 1, 2: 7}, {1: 9, 2: [], 4: [[b"x"]]}, "x", []],
)
def test_a_copy_of_another_shape_leaves_the_other_in_force(profile: Unlocked, body: Any) -> None:
    before, data = slots.read(profile.home), cbor.encode(body)
    (profile.home / slots.FILES[0]).write_bytes(cbor.encode(["sala/slots/v1", data, sha256(data).digest()]))
    assert slots.read(profile.home) == before
