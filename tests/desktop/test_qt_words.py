"""Qt's own words come from our catalogue: dialogs and context menus leave nothing in English when the window is Khmer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QHeaderView, QLabel, QLineEdit, QPlainTextEdit, QWidget

from desktop.kit import a11y
from desktop.kit.dialogs import confirm
from desktop.kit.files import choose_folder, open_file, save_file
from i18n import catalog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LATIN = re.compile(r"[A-Za-z]{3,}")
ALLOWED = re.compile(r"Ctrl|Shift|Alt|Enter|USB|PDF|Backspace|Del|Ins|root|tmp|home|sala|\*|/|file:|^[a-z0-9._-]+$")


def english(widget: QWidget, folder: Path) -> list[str]:
    """Words of ``widget`` that are neither Khmer nor a name."""
    found = [words for words in a11y.spoken(widget) if LATIN.search(words) and not ALLOWED.search(words)]
    return [words for words in found if str(folder) not in words]


@pytest.mark.parametrize("which", ["open", "save", "folder"])
def test_file_dialogs_speak_khmer(prepared: QApplication, qtbot: QtBot, tmp_path: Path, which: str) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.show()
    if which == "open":
        dialog = open_file(page, "ឯកសារ", ("*.pack",), lambda _: None)
    elif which == "save":
        dialog = save_file(page, "ឯកសារ", "x.pdf", lambda _: None)
    else:
        dialog = choose_folder(page, "ថត", lambda _: None)
    dialog.setDirectory(str(tmp_path))
    QApplication.processEvents()
    left = english(dialog, tmp_path)
    header = dialog.findChild(QHeaderView)
    if header is not None:
        model = header.model()
        left += [t for t in (str(model.headerData(n, header.orientation())) for n in range(4)) if LATIN.search(t)]
    left += [label.text() for label in dialog.findChildren(QLabel) if LATIN.search(label.text())]
    assert left == []
    dialog.reject()


def test_context_menus_speak_khmer(prepared: QApplication, qtbot: QtBot) -> None:
    for editor in (QLineEdit(), QPlainTextEdit()):
        qtbot.addWidget(editor)
        menu = editor.createStandardContextMenu()
        words = [action.text().partition("\t")[0] for action in menu.actions() if action.text()]
        assert words
        assert [text for text in words if LATIN.search(text)] == []
        menu.deleteLater()


def test_standard_buttons_follow_the_language(prepared: QApplication, qtbot: QtBot) -> None:
    buttons = QDialogButtonBox.StandardButton
    box = QDialogButtonBox(buttons.Ok | buttons.Cancel | buttons.Yes | buttons.No | buttons.Close | buttons.Help)
    qtbot.addWidget(box)
    assert [button.text() for button in box.buttons() if LATIN.search(button.text())] == []
    catalog.use("en")
    other = QDialogButtonBox(buttons.Cancel)
    qtbot.addWidget(other)
    assert other.buttons()[0].text().replace("&", "") == "Cancel"


def test_a_decision_has_its_words_and_a_way_out(prepared: QApplication, qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.show()
    done: list[bool] = []
    dialog = confirm(page, "ដកចេញ?", "មិនអាចត្រឡប់វិញបានទេ។", "ដកចេញ", lambda: done.append(True), type_word="0306")
    assert dialog.focusWidget() is dialog.back
    assert not dialog.go.isEnabled()
    dialog.typed.line.setText("0306")
    dialog.typed.edited.emit()
    dialog.go.click()
    assert done == [True]
    other = confirm(page, "ដកចេញ?", "មិនអាចត្រឡប់វិញបានទេ។", "ដកចេញ", lambda: done.append(True))
    other.back.click()
    assert done == [True]
