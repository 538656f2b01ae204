"""Names: surname given-name, whatever the space key typed."""

from __future__ import annotations

import pytest

from i18n.names import parts, tidy


@pytest.mark.parametrize("typed", ["សុខ ស្រីមុំ", "សុខ\u200bស្រីមុំ", " សុខ \u00a0 ស្រីមុំ ", "សុខ\u200b ស្រីមុំ", "សុខ\tស្រីមុំ"])
def test_one_space_between_the_parts(typed: str) -> None:
    assert tidy(typed) == "សុខ ស្រីមុំ"


def test_parts() -> None:
    assert parts("សុខ ស្រីមុំ") == ("សុខ", "ស្រីមុំ")
    assert parts("Sok Srey Mom") == ("Sok", "Srey Mom")
    assert parts("ស្រីមុំ") == ("ស្រីមុំ", "")


def test_the_order_of_characters_is_mended() -> None:
    assert tidy("ចំាន់ សុីម") == "ចាំន់ ស៊ីម"
