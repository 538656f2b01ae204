"""A real window over a real session, for the tests of pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.session import Session


class Window:
    """The window content with one page in front. ``settle()`` waits until nothing runs any more."""

    def __init__(self, frame: Any, bridge: Any, qtbot: Any) -> None:
        self.frame, self.bridge, self.qtbot = frame, bridge, qtbot

    def settle(self) -> None:
        for _ in range(2):  # an answer may ask for the next
            self.qtbot.waitUntil(lambda: not self.bridge.busy(), timeout=15_000)
            self.qtbot.wait(20)

    def open(self, page: str, target: str = "") -> Any:
        self.frame.open(page, target)
        self.settle()
        return self.frame.page(page)

    def flaws(self, page: Any) -> list[Any]:
        """What keeps somebody out of ``page``. A table's header takes no keys: one finds rows by typing instead."""
        from desktop.kit import a11y

        return [flaw for flaw in a11y.flaws(page) if "_Header" not in flaw.where]

    def look(self, language: str, scheme: str, width: int, height: int, percent: int = 100) -> None:
        from PySide6.QtWidgets import QApplication

        from desktop.kit import theme
        from i18n import catalog

        catalog.use(language)  # type: ignore[arg-type]
        theme.retranslate(QApplication.instance())  # type: ignore[arg-type]
        theme.apply(QApplication.instance(), scheme=scheme, percent=percent)  # type: ignore[arg-type]
        self.frame.resize(width, height)
        self.settle()


@pytest.fixture
def window_on(qapp: Any, qtbot: Any) -> Iterator[Callable[..., Window]]:
    """``window_on(session)``: light, 100 %, Khmer, 1366×728, active."""
    from desktop.app import prepare
    from desktop.bridge import Bridge
    from desktop.kit import shown, theme
    from desktop.shell.frame import Frame

    prepare(qapp)
    theme.apply(qapp, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")
    bridges: list[Bridge] = []

    def make(session: Session) -> Window:
        bridges.append(Bridge(session))
        frame = Frame(bridges[-1])
        qtbot.addWidget(frame)
        frame.resize(1366, 728)
        with qtbot.waitActive(frame):
            frame.show()
            frame.activateWindow()
        return Window(frame, bridges[-1], qtbot)

    yield make
    for bridge in bridges:
        bridge.close()
    theme.apply(qapp, scheme="light", percent=100)


@pytest.fixture
def sala_cli(
    tmp_path: Path,
    office_pack: Path,
    centre_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Any]:
    """``sala_cli("links", "list", code=0)``: one run of the command line on a profile whose officer is the chief; its JSON document."""
    from desktop.cli import main
    from sync import enrol, keys
    from sync.clock import SystemClock

    passphrase = "ពាក្យសម្ងាត់នៃសាលា"
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    secret = tmp_path / "passphrase"
    secret.write_text(passphrase, "utf-8")
    monkeypatch.setenv("SALA_PASSPHRASE_FILE", str(secret))
    enrol.setup(
        tmp_path / "cli",
        office_pack,
        officer_name="ចាន់ សុខា",
        role="chief",
        passphrase=passphrase,
        clock=SystemClock(),
        cost=keys.CHEAP,
    ).lock()

    def run(*words: str, code: int = 0, officer: str = "", secret_of: str = "") -> Any:
        capsys.readouterr()
        if secret_of:
            secret.write_text(secret_of, "utf-8")
        chosen = ["--officer", officer] if officer else []
        done = main(["--home", str(tmp_path / "cli"), "--json", *chosen, *words])
        printed = capsys.readouterr()
        assert done == code, printed.err + printed.out
        return json.loads(printed.out)

    return run
