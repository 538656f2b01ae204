"""Colours that everybody can read: 4.5:1 for words on their grounds, 3:1 for the edges of controls, in every scheme."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from desktop.kit import icons, theme

GROUNDS = ("ground", "surface", "raised", "hover")
INKS = ("ink", "soft", "faint", "blue", "green", "amber", "red", "grey", "gold")
STATES = ("blue", "green", "amber", "red", "grey", "gold")


def luminance(color: QColor) -> float:
    def part(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF())


def contrast(one: QColor, two: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_words_can_be_read(scheme: theme.Scheme) -> None:
    colors = {name: QColor(value) for name, value in theme.tokens()[scheme].items()}
    pairs = [(ink, ground) for ink in INKS for ground in GROUNDS]
    pairs += [(state, f"{state}_soft") for state in STATES]
    pairs += [("ink", f"{state}_soft") for state in STATES] + [("soft", f"{state}_soft") for state in STATES]
    pairs += [
        ("on_blue", "blue"),
        ("on_blue", "blue_deep"),
        ("on_red", "red"),
        ("faint", "grey_soft"),
        ("red", "red_soft"),
    ]
    weak = {f"{ink} on {ground}": round(contrast(colors[ink], colors[ground]), 2) for ink, ground in pairs
            if contrast(colors[ink], colors[ground]) < 4.5}  # fmt: skip
    assert weak == {}


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_edges_and_focus_can_be_seen(scheme: theme.Scheme) -> None:
    colors = {name: QColor(value) for name, value in theme.tokens()[scheme].items()}
    for mark in ("edge", "focus"):
        for ground in ("surface", "ground", "raised"):
            assert contrast(colors[mark], colors[ground]) >= 3, (mark, ground)


def test_every_scheme_has_every_colour() -> None:
    names = [set(theme.tokens()[scheme]) for scheme in theme.SCHEMES]
    assert names[0] == names[1] == names[2]


def test_every_icon_draws(prepared: QApplication) -> None:
    for path in sorted((theme.ASSETS / "icons").glob("*.svg")):
        image = icons.pixmap(path.stem, "ink", 24).toImage()
        inked = sum(
            1
            for x in range(0, image.width(), 2)
            for y in range(0, image.height(), 2)
            if image.pixelColor(x, y).alpha() > 40
        )
        assert inked > 3, path.stem
        assert 'stroke-width="1.6"' in path.read_text("utf-8"), f"{path.stem}: one weight of line"


def test_the_look_changes_live(prepared: QApplication) -> None:
    theme.apply(prepared, scheme="dark", percent=150)
    assert theme.tone("ground") == QColor(theme.tokens()["dark"]["ground"])
    assert theme.font("body").pointSizeF() == pytest.approx(11.5 * 1.5)
    assert theme.height("control") > 44
    assert prepared.font().family() == theme.FAMILY
