"""The window of the day, driven as a person drives it: keys and clicks on real widgets, and a picture of all that is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.day import samples
from i18n import catalog

if TYPE_CHECKING:
    from desktop.day.centre import HubProcess
    from desktop.kit.page import Page
    from modules.session import Session

SIZES: Final = ((1366, 768), (1024, 600))
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PAGES: Final = ("home", "forms", "certificates", "links", "messages", "flows", "outbox", "carry", "settings")


class Stage:
    """One window over one profile folder. ``saved`` lists every picture."""

    def __init__(self, out: Path, home: Path, roots: Path, *, pictures: bool) -> None:
        import os

        os.environ["SALA_ROOTS"] = str(roots)
        from desktop import app as start
        from desktop.shell.window import Window
        from sync import keys

        self.out = out / "pictures"
        self.out.mkdir(parents=True, exist_ok=True)
        self.saved: list[Path] = []
        self._pictures = pictures
        self._begun = ""  # the draft of the pictures
        existing = QApplication.instance()
        self.app = existing if isinstance(existing, QApplication) else QApplication(["sala"])
        start.prepare(self.app)
        self.window = Window(home, cost=keys.CHEAP)
        self.window.resize(*SIZES[0])
        self.window.show()
        self.wait(lambda: True)
        self.window.begin()

    # --- the day

    def first_run(self, pack: Path) -> Session:
        """The wizard in Khmer, the officer's empty frame, then the door with one wrong passphrase."""
        wizard = self.window.wizard
        if wizard is None:
            raise RuntimeError("no wizard on a bare laptop")
        self.both_languages("wizard-1")
        wizard.pack.take(pack)
        self.both_languages("wizard-2-office")
        wizard.primary()
        name, latin = samples.OFFICER
        wizard.officer.name.set_value(name)
        wizard.officer.latin.set_value(latin)
        wizard.officer.ready.emit()
        self.both_languages("wizard-3-officer")
        wizard.primary()
        wizard.secret.first.set_value(samples.PASSPHRASE)
        wizard.secret.again.set_value(samples.PASSPHRASE)
        wizard.secret.first.edited.emit()
        self.both_languages("wizard-4-passphrase")
        wizard.primary()
        self.wait(lambda: wizard.next.isEnabled(), 60)
        self.both_languages("wizard-5-done")
        wizard.primary()
        self.wait(lambda: self.window.frame is not None, 30)
        self.both_languages("home-new-office")
        self._lock_and_unlock()
        return self.session()

    def first_form(self, answers: dict[str, Any], scan: Path) -> dict[str, Any]:
        """The barber's licence at the counter: found by a part of its name, begun by typing, finished with Ctrl+Enter."""
        session = self.session()
        page: Any = self.open("forms", "new")
        self._type("កាត់សក់")
        self.wait(lambda: bool(page.services.current()))
        self.settle()
        self.both_languages("forms-found")
        self._press(Qt.Key.Key_Return)
        self.wait(lambda: page.capture.sheet is not None)
        self.settle()
        self._type(answers["applicant"]["km"])
        self._press(Qt.Key.Key_Return)
        self._type(answers["applicant"]["latin"])
        self._press(Qt.Key.Key_Return)
        self.settle()
        self.both_languages("forms-typing")
        draft = page.capture.sheet.draft
        self.open("forms", "list")
        kept = session.commands.run("forms.draft", draft=draft)["answers"]["applicant"]
        if (
            kept["km"] != answers["applicant"]["km"]
            or kept["latin"].casefold() != answers["applicant"]["latin"].casefold()
        ):
            raise RuntimeError(f"what was typed was not kept: {kept}")
        for field, value in answers.items():
            session.commands.run("forms.set_answer", draft=draft, field=field, value=value)
        session.commands.run("forms.attach", draft=draft, field="id_scan", path=str(scan))
        self.open("forms", draft)
        self._press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        self.wait(lambda: session.commands.run("forms.list")["total"] == 1, 30)
        self.settle()
        self.both_languages("forms-finished")
        taken: dict[str, Any] = session.commands.run("forms.list")["rows"][0]
        return taken

    def verdicts(self, sources: dict[str, str]) -> None:
        """Each verdict fills the page."""
        if not self._pictures:
            return
        page: Any = self.open("certificates", "check")
        for case, source in sources.items():
            page.check.check(source)
            self.settle()
            if case in ("valid", "revoked"):
                self.shoot(f"certificates-{case}")
            else:
                self.both_languages(f"certificates-{case}")
        page.check.begin()

    def noon(self) -> None:
        """Every page while the line is down."""
        self.every_page("")

    def evening(self, hub: HubProcess) -> None:
        """The pages that changed when the line returned, the papers, and the console in a browser."""
        if self.window.bridge is not None:
            self.window.bridge.sync_now()  # as somebody does who looks whether all of it is there
        self.settle()
        self.every_page("-received", pages=("home", "forms", "outbox"))
        if self._pictures:
            from desktop.day import papers

            self.saved += papers.pages_of(self.out.parent, self.out)
            self.saved += papers.console(hub, self.out)

    def stay_open(self, hub: HubProcess) -> None:
        """The person takes over; ends when the window is closed."""
        self.window.setWindowTitle(f"សាលា · Sala — {samples.PASSPHRASE} — {hub.url}/console/")
        self.app.exec()

    def close(self) -> None:
        self.window.close()
        self.wait(lambda: self.window.bridge is None, 30)

    # --- pictures

    def every_page(self, suffix: str, pages: tuple[str, ...] = PAGES) -> None:
        """Each page in both languages, light and dark, large and small."""
        if not self._pictures or self.window.frame is None:
            return
        for page in pages:
            self.open(page)
            self.shoot(f"{page}{suffix}")
            for name, target in self._targets(page).items():
                self.open(page, target)
                self.shoot(f"{page}-{name}{suffix}")

    def both_languages(self, name: str) -> None:
        if not self._pictures:
            return
        for language in catalog.LANGUAGES:
            self._speak(language)
            self.save(f"{name}-{language}-light-{SIZES[0][0]}x{SIZES[0][1]}")
        self._speak("km")

    def shoot(self, name: str) -> None:
        """What is shown now, in every language, scheme and size."""
        for scheme in SCHEMES:
            self._paint(scheme)
            for width, height in SIZES:
                self.window.resize(width, height)
                for language in catalog.LANGUAGES:
                    self._speak(language)
                    self.save(f"{name}-{language}-{scheme}-{width}x{height}")
        self._speak("km")
        self._paint("light")
        self.window.resize(*SIZES[0])

    def save(self, name: str) -> None:
        self.settle()
        place = self.out / f"{name}.png"
        self.window.grab().save(str(place))
        self.saved.append(place)

    # --- inside

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Let the window work until ``condition`` holds; TimeoutError if it never does."""
        end = time.monotonic() + seconds
        while True:
            self._turn(15)
            if condition():
                return
            if time.monotonic() > end:
                raise TimeoutError(f"the window did not come to it in {seconds} s")

    def settle(self) -> None:
        """Until nothing runs and everything asked for is painted."""
        bridge = self.window.bridge
        self.wait(lambda: bridge is None or not bridge.busy(), 30)
        self._turn(30)
        self.wait(lambda: bridge is None or not bridge.busy(), 30)

    def _turn(self, ms: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def session(self) -> Session:
        """Of whoever has the window unlocked."""
        if self.window.bridge is None:
            raise RuntimeError("locked")
        return self.window.bridge.session

    def open(self, page: str, target: str = "") -> Page:
        """Go to a page, as its command does."""
        if self.window.frame is None:
            raise RuntimeError("locked")
        self.window.frame.open(page, target)
        self.settle()
        return self.window.frame.page(page)

    def unlock(self, officer: str = "", passphrase: str = samples.PASSPHRASE) -> None:
        """At the door: ``officer`` (an id, else whoever is chosen) types ``passphrase``."""
        from desktop.shell.unlock import read_names

        door = self.window.door
        if door is None:
            raise RuntimeError("no door")
        if officer:
            door.show_names(read_names(self.window.home), officer)
        door.passphrase.set_value(passphrase)
        door.go.click()
        self.wait(lambda: self.window.frame is not None, 30)
        self.settle()

    def _type(self, words: str) -> None:
        """As an input method gives Khmer: committed text to whatever has the focus."""
        event = QInputMethodEvent()
        event.setCommitString(words)
        QApplication.sendEvent(self._focus(), event)
        self._turn(10)

    def _press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self._focus(), key, modifiers)
        self._turn(10)

    def _focus(self) -> QWidget:
        focus = QApplication.focusWidget()
        if focus is None:
            raise RuntimeError("nothing has the focus")
        return focus

    def _speak(self, language: catalog.Language) -> None:
        if catalog.language() != language:
            self.window.switch_language()
            self._turn(10)

    def _paint(self, scheme: Literal["light", "dark"]) -> None:
        from desktop.kit import theme

        theme.apply(self.app, scheme=scheme, percent=100)

    def _targets(self, page: str) -> dict[str, str]:
        """What else a page can show: its verbs, and one of its records."""
        run = self.session().commands.run
        if page == "forms":
            return {"case": run("forms.list")["rows"][0]["id"], "capture": self._draft()}
        if page == "certificates":
            return {"issue": "issue", "register": "register"}
        if page == "messages":
            return {"campaign": run("messages.list")["rows"][-1]["id"]}
        if page == "flows":
            return {"flow": run("flows.list")["flows"][0]["id"]}
        if page == "carry":
            return {name: name for name in ("codes", "office", "conflicts")}
        if page == "outbox":
            return {"list": "received"}
        if page == "settings":
            return {name: name for name in ("people", "enrolment", "centre", "safety", "line")}
        return {}

    def _draft(self) -> str:
        """A form that somebody has begun: the same one whenever it is asked for."""
        if self._begun:
            return self._begun
        run = self.session().commands.run
        draft = str(run("forms.start", form="barber-licence")["draft"])
        for field in ("applicant", "sex", "dob", "id_card", "phone", "address"):
            run("forms.set_answer", draft=draft, field=field, value=samples.BARBER[field])
        self._begun = draft
        return draft

    def _lock_and_unlock(self) -> None:
        """Second start: the door, one wrong passphrase, then the right one."""
        self.window.lock()
        door = self.window.door
        if door is None:
            raise RuntimeError("no door after locking")
        self.both_languages("unlock")
        door.passphrase.set_value("ខុស ខុស ខុស")
        door.go.click()
        self.wait(lambda: door.go.isEnabled() and not door.passphrase.value(), 30)
        self.both_languages("unlock-refused")
        self.unlock()
