"""Colours, type and sizes of the window: one look for the whole process, changed live.

Widgets never hold a colour: they ask :func:`tone` when they paint. Widgets that keep a font or a palette implement
``retheme()``; :func:`apply` calls it on every living widget after the look changed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from i18n.catalog import LOCALE

Scheme = Literal["light", "dark", "contrast"]
SchemeChoice = Literal["system", "light", "dark", "contrast"]

ASSETS: Final = LOCALE.parent.parent / "assets"
FAMILY: Final = "Sala Khmer"
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark", "contrast")


@dataclass(frozen=True, slots=True)
class Look:
    """How the window looks now. ``percent`` is the text size; ``both_labels`` shows Khmer and English on field
    labels.
    """

    scheme: Scheme = "light"
    percent: int = 100
    both_labels: bool = True


_look = Look()


@cache
def tokens() -> dict[str, dict[str, Any]]:
    """``assets/tokens.toml`` as it stands."""
    return tomllib.loads((ASSETS / "tokens.toml").read_text("utf-8"))


def look() -> Look:
    """The current look."""
    return _look


@cache
def _color(scheme: Scheme, name: str) -> QColor:
    return QColor(tokens()[scheme][name])


def tone(name: str) -> QColor:
    """The colour ``name`` of the tokens ("ink", "blue_soft", …) in the current scheme. Do not change the returned
    object.
    """
    return _color(_look.scheme, name)


def space(name: str) -> int:
    """A distance in logical pixels: hair 2, tight 4, small 8, medium 12, large 16, wide 24, huge 40."""
    return int(tokens()["space"][name])


def radius(name: str = "control") -> int:
    return int(tokens()["radius"][name])


@cache
def _font(points: float, bold: bool) -> QFont:
    made = QFont(FAMILY)
    made.setPointSizeF(points)
    made.setBold(bold)
    return made


def font(size: str = "body", *, bold: bool = False) -> QFont:
    """The interface font at a type size of the tokens (display … hint), scaled by the person's text size."""
    return _font(tokens()["type"][size] * _look.percent / 100, bold)


@cache
def _line(points: float, bold: bool) -> float:
    return QFontMetricsF(_font(points, bold)).height()


def line_height(size: str = "body", *, bold: bool = False) -> float:
    """Height of one line in logical pixels; the font's own metrics hold the Khmer subscripts."""
    return _line(tokens()["type"][size] * _look.percent / 100, bold)


def height(name: str) -> int:
    """A control height (target, row, control, top, strip) that grows with the text size."""
    at_100 = int(tokens()["height"][name])
    body = tokens()["type"]["body"]
    grown = _line(body * _look.percent / 100, False) - _line(body, False)
    return at_100 + round(max(0.0, grown))


def lift() -> int:
    """How far an icon beside words is raised: the line box leaves room for subscripts, so letters sit above its middle."""
    return round(_look.percent / 100 * 1.6)


def drop(size: str) -> float:
    """How far digits and Latin capitals alone are lowered to stand in the middle of a disc or a key cap, for the same reason."""
    return float(tokens()["type"][size]) * _look.percent / 100 * 0.2


def scaled(pixels: float) -> int:
    """``pixels`` at 100 % text size, grown with the text size: for widths that must hold words, and for icons beside
    text.
    """
    return round(pixels * _look.percent / 100)


def palette() -> QPalette:
    """The Qt palette of the current scheme, for everything that Qt itself paints."""
    made = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, "ground"),
        (roles.WindowText, "ink"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "ground"),
        (roles.Text, "ink"),
        (roles.Button, "surface"),
        (roles.ButtonText, "ink"),
        (roles.BrightText, "on_blue"),
        (roles.ToolTipBase, "raised"),
        (roles.ToolTipText, "ink"),
        (roles.PlaceholderText, "faint"),
        (roles.Link, "blue"),
        (roles.LinkVisited, "blue"),
        (roles.Highlight, "blue"),
        (roles.HighlightedText, "on_blue"),
        (roles.Accent, "blue"),
        (roles.Light, "surface"),
        (roles.Midlight, "line"),
        (roles.Mid, "line"),
        (roles.Dark, "edge"),
        (roles.Shadow, "edge"),
    ):
        made.setColor(role, tone(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, tone("faint"))
    return made


def load_fonts() -> bool:
    """Register the fonts of ``assets/fonts``. False when they were not prepared: the system's font is then used."""
    loaded = [QFontDatabase.addApplicationFont(str(path)) for path in sorted((ASSETS / "fonts").glob("*.ttf"))]
    return any(number >= 0 for number in loaded)


def resolve(choice: SchemeChoice) -> Scheme:
    """The scheme of a person's choice; "system" asks the desktop."""
    if choice != "system":
        return choice
    return "dark" if QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"


def apply(
    app: QApplication,
    *,
    scheme: SchemeChoice | None = None,
    percent: int | None = None,
    both_labels: bool | None = None,
) -> None:
    """Change the look of the whole process now; what is None stays as it is."""
    global _look
    _look = replace(
        _look,
        scheme=resolve(scheme) if scheme else _look.scheme,
        percent=min(200, max(100, percent)) if percent else _look.percent,
        both_labels=_look.both_labels if both_labels is None else both_labels,
    )
    app.setPalette(palette())
    app.setFont(font())
    for widget in app.allWidgets():
        retheme(widget)


def retheme(widget: QWidget) -> None:
    """Let one widget take the current look (its ``retheme()`` if it has one) and paint again."""
    call = getattr(widget, "retheme", None)
    if callable(call):
        call()
    widget.update()


def retranslate(app: QApplication) -> None:
    """Tell every window that the language changed; each widget sets its own words again."""
    for widget in app.topLevelWidgets():
        app.sendEvent(widget, QEvent(QEvent.Type.LanguageChange))
