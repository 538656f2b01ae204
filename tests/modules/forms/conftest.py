"""Invented people and papers for the forms tests, and a session at a hall without a line."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VILLAGE = "03060101"

PERSON: dict[str, Any] = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "Lim Sreymom"},
    "sex": "female",
    "dob": "១៧/០៥/១៩៩០",
    "id_card": "០១២ ៣៤៥ ៦៧៨",
    "phone": "០១២ ៣៤៥ ៦៧៨",
    "address": {"code": VILLAGE, "house": "១២ ផ្លូវជាតិលេខ២"},
}

SHEETS: dict[str, dict[str, Any]] = {
    "barber-licence": {
        **PERSON,
        "shop_name": "ហាងកាត់សក់ស្រីមុំ",
        "shop_name_latin": "Sreymom Barber",
        "shop_address": {"code": VILLAGE, "house": ""},
        "chairs": "៣",
        "workers": 4,
        "opens_on": "10/12/2026",
        "services": ["shave", "cut"],
        "sign": True,
        "sign_words": "ហាងកាត់សក់ស្រីមុំ",
        "remarks": "បើកពីម៉ោង ៧ ព្រឹក",
    },
    "birth-extract-copy": {
        **PERSON,
        "relation": "mother",
        "child": {"km": "សុខ ដារា", "latin": "Sok Dara"},
        "child_dob": "2015-03-02",
        "mother": {"km": "លឹម ស្រីមុំ", "latin": ""},
        "registered_at": {"code": VILLAGE[:6]},
        "reason": "school",
        "copies": 3,
    },
    "copy-legalisation": {
        **PERSON,
        "document_kind": "diploma",
        "document_title": "សញ្ញាបត្រមធ្យមសិក្សាទុតិយភូមិ",
        "issuer": "ក្រសួងអប់រំ",
        "pages": 1,
        "copies": "២",
        "original_seen": True,
    },
    "general-application": {**PERSON, "subject": "សុំចុះបញ្ជីម៉ូតូ", "business": False, "checked": True},
}
PICTURE_FIELD = {"barber-licence": "id_scan", "copy-legalisation": "original_scan"}


def _png(side: int = 32, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def png() -> Callable[..., bytes]:
    """``png(side, colour)``: the bytes of a picture."""
    return _png


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A small picture on disk, as a camera would leave it."""
    path = tmp_path / "អត្តសញ្ញាណប័ណ្ណ.png"
    path.write_bytes(_png())
    return path


@pytest.fixture
def sheet(scan: Path) -> Callable[[str], dict[str, Any]]:
    """Complete answers of a form, its required picture included."""

    def answers(form: str) -> dict[str, Any]:
        made = dict(SHEETS[form])
        if form in PICTURE_FIELD:
            made[PICTURE_FIELD[form]] = [str(scan)]
        return made

    return answers


@pytest.fixture
def finished(session: Any, sheet: Callable[[str], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Take and finish one submission; answers may be replaced by name."""

    def take(form: str = "barber-licence", **other: Any) -> dict[str, Any]:
        service = other.pop("service", "motorbike-registration" if form == "general-application" else None)
        chosen = {"service": service} if service else {}
        return dict(
            session.commands.run("forms.fill", form=form, answers={**sheet(form), **other}, finish=True, **chosen)
        )

    return take


# --- the window


@pytest.fixture(scope="session")
def dressed(qapp: Any) -> Any:
    """Style, fonts and Qt's words as the program sets them: once, as a style must not be changed under a window."""
    from desktop.app import prepare

    prepare(qapp)
    return qapp


@pytest.fixture
def prepared(dressed: Any) -> Any:
    """The application, light, at 100 %, in Latin digits."""
    from desktop.kit import shown, theme

    theme.apply(dressed, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")
    return dressed


@pytest.fixture
def frame(session: Any, prepared: Any, qtbot: Any) -> Any:
    """The window content of the receiving officer with the forms page in front, active, everything read."""
    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame

    bridge = Bridge(session)
    made = Frame(bridge)
    qtbot.addWidget(made)
    made.resize(1366, 728)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.open("forms", "new")
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
    yield made
    bridge.close()


@pytest.fixture
def settle(frame: Any, qtbot: Any) -> Callable[[], None]:
    """Until nothing runs any more."""
    return lambda: qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)


@pytest.fixture
def page(frame: Any) -> Any:
    return frame.page("forms")


@pytest.fixture
def press() -> Callable[..., None]:
    """``press("text", Key_Return, …)``: keys to whatever has the focus, as a person types them, in any script."""
    from PySide6.QtCore import QEvent, Qt
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    def one(letter: str) -> None:
        key = Qt.Key.Key_unknown if ord(letter) > 127 else Qt.Key(ord(letter.upper()))
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(
                QApplication.focusWidget(), QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, letter)
            )

    def work(*parts: Any) -> None:
        for part in parts:
            if isinstance(part, str):
                for letter in part:
                    one(letter)
            elif isinstance(part, tuple):
                QTest.keyClick(QApplication.focusWidget(), part[0], part[1])
            else:
                QTest.keyClick(QApplication.focusWidget(), part)

    return work
