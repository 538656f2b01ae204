"""Every state of the page for everybody: named, whole, translated, in every look, by Tab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from desktop.kit import theme
from i18n import catalog
from modules.certificates.view import CertificatesPage
from tests.modules.certificates.view.hands import type_into, words

# --- for everybody


def visit(page: CertificatesPage, siem: Any, settle: Any) -> Iterator[str]:
    """Every state of the page."""
    made = siem.issue()
    yield "target"
    type_into(page.check.scan, made["text"])
    settle()
    yield "verdict"
    page.check.show_waiting()
    settle()
    yield "waiting"
    page.check._many([Path("/nonexistent/a.pdf"), Path("/nonexistent/b.pdf")])
    settle()
    yield "batch"
    page.open_target("issue")
    settle()
    yield "gallery"
    page.issue.gallery.chosen.emit("barber-licence")
    settle()
    yield "editor"
    page.issue.done.show_made({**made, "already": False}, {"km": "ក", "en": "a"}, "លឹម")
    page.issue.stack.setCurrentWidget(page.issue.done)
    settle()
    yield "done"
    page.open_target("register")
    settle()
    yield "register"
    page.register.open(made["id"])
    settle()
    page.register.detail.revoke.click()
    yield "detail"


@pytest.mark.parametrize("language", ["km", "en"])
def test_nothing_is_nameless_clipped_or_untranslated(
    page: CertificatesPage, siem: Any, settle: Any, dressed: Any, language: Any
) -> None:
    for state in visit(page, siem, settle):
        catalog.use(language)
        theme.retranslate(dressed)
        QApplication.processEvents()
        for button in page.findChildren(QAbstractButton):
            if button.isVisible():
                assert button.accessibleName().strip(), (state, button)
                assert min(button.width(), button.height()) >= 32, (state, button.accessibleName(), button.size())
        for line in page.findChildren(QLineEdit):
            if line.isVisible():
                assert line.accessibleName().strip(), (state, line.placeholderText())
        assert page.minimumSizeHint().height() <= 510 and page.minimumSizeHint().width() <= 928, (
            state,
            page.minimumSizeHint(),
        )
        if language == "km":
            for text in words(page):
                letters = [letter for letter in text if letter.isalpha()]
                assert not letters or any("\u1780" <= letter <= "\u17ff" for letter in text) or _is_data(text), (
                    state,
                    text,
                )
        catalog.use("km")


def _is_data(text: str) -> bool:
    return text in {"KH1 · Ed25519", "LIM SREYMOM"} or text.isupper()


@pytest.mark.parametrize(("scheme", "percent"), [("dark", 100), ("contrast", 100), ("light", 150), ("light", 200)])
def test_every_look_paints(
    page: CertificatesPage, siem: Any, settle: Any, dressed: Any, scheme: Any, percent: int
) -> None:
    for _state in visit(page, siem, settle):
        theme.apply(dressed, scheme=scheme, percent=percent)
        QApplication.processEvents()
        assert not page.grab().isNull()
        assert page.minimumSizeHint().width() <= 928 * max(1, percent / 100)
        theme.apply(dressed, scheme="light", percent=100)


def test_tab_walks_the_verdict(page: CertificatesPage, siem: Any, settle: Any) -> None:
    type_into(page.check.scan, siem.issue()["text"])
    settle()
    seen = []
    for _ in range(12):
        focus = QApplication.focusWidget()
        seen.append(focus)
        if focus is None:
            break
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert {page.check.again, page.check.verdict.same, page.check.scan} <= set(seen)
