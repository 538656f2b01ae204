"""Pictures of every page for judging the looks: both languages, every scheme and text size, small and usual screens.

``python -m tools.looks [--out DIR] [--only WORD] [--fast]`` makes an office in a temporary folder, works a little in it and grabs
the window without a screen. ``--fast`` takes Khmer light at 1366×768 and English dark at 1024×600 only.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

from PySide6.QtCore import QDeadlineTimer, QEventLoop, QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from desktop.app import prepare
from desktop.kit import theme
from desktop.shell.window import Window
from i18n import catalog

if TYPE_CHECKING:
    from modules.session import Session

ROOT = Path(__file__).parents[1]
PASSPHRASE = "ផ្កាឈូក ទន្លេសាប ៤៥៦"
SCREENS = ((1366, 728), (1024, 600))

APPLICANT = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"}, "sex": "female", "dob": "1994-03-12",
    "id_card": "010203040", "phone": "+85512345678", "address": {"code": "03060101"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How the window looks in one set of pictures."""

    language: catalog.Language
    scheme: theme.Scheme
    screen: tuple[int, int]
    percent: int

    def take(self, app: QApplication, window: Window) -> None:
        """Give ``window`` this look."""
        window.resize(*self.screen)
        theme.apply(app, scheme=self.scheme, percent=self.percent)
        window._use_language(self.language)
        rest(window)

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.screen[0]}"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: how to come there from Home."""

    name: str
    show: Callable[[Window], None]


def main() -> None:
    """Grab every scene in every look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "looks")
    parser.add_argument("--only", default="", help="scenes whose name holds this word")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--percent", type=int, default=100, help="text size")
    parser.add_argument("--schemes", default="light,dark", help="of light, dark, contrast")
    options = parser.parse_args()
    app = QApplication(["sala"])
    prepare(app)
    schemes = [scheme for scheme in theme.SCHEMES if scheme in options.schemes.split(",")]
    looks = [Look(*each, options.percent) for each in product(catalog.LANGUAGES, schemes, SCREENS)]
    if options.fast:
        looks = [
            Look("km", schemes[0], SCREENS[0], options.percent),
            Look("en", schemes[-1], SCREENS[1], options.percent),
        ]
    with tempfile.TemporaryDirectory(prefix="sala-looks-") as folder:
        count = _take(app, Path(folder), options.out, options.only, looks)
    print(f"{count} pictures in {options.out}")


def _take(app: QApplication, folder: Path, out: Path, only: str, looks: list[Look]) -> int:
    out.mkdir(parents=True, exist_ok=True)
    pack = make_office(folder)
    taken = 0
    taken += _before_the_door(app, folder, pack, out, only, looks)
    home = folder / "home"
    work(home, pack)
    window = Window(home)
    window.show()
    window.begin()
    _enter(window)
    for look in looks:
        look.take(app, window)
        for scene in scenes(window):
            if only in scene.name:
                scene.show(window)
                rest(window)
                _grab(window, out / f"{scene.name}-{look}.png")
                _tidy(window)
                taken += 1
    window.close()
    return taken


# --- the office and its work


def make_office(folder: Path) -> Path:
    """A centre in ``folder`` and the pack of one laptop of Kampong Siem."""
    from sync.clock import SystemClock
    from sync.hub import centre
    from sync.hub.offices import office_facts

    os.environ["SALA_ROOTS"] = str(folder / "hub" / "roots")
    hub = centre.create(folder / "hub", SystemClock(), name="មជ្ឈមណ្ឌល", log_name="hub")
    try:
        pack = folder / "0306.pack"
        pack.write_bytes(hub.enrol(office_facts("0306"), ["http://127.0.0.1:9"]))
    finally:
        hub.close()
    return pack


def work(home: Path, pack: Path) -> None:
    """Set the laptop up and do some of a morning's work, through the same commands as everybody."""
    from modules.session import Session
    from sync import enrol, keys
    from sync.clock import SystemClock
    from sync.officer import Officer

    unlocked = enrol.setup(
        home, pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", role="receiving", passphrase=PASSPHRASE,
        clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    keys.add_officer(unlocked, Officer("", "លឹម ដារ៉ា", "Lim Dara", "chief"), PASSPHRASE + " ប្រធាន", cost=keys.CHEAP)
    session = Session.open(unlocked)
    try:
        services = session.commands.run("forms.services", query="")["services"]
        general = [service["id"] for service in services if service["form"] == "general-application"]
        for number in range(14):
            _submission(session, number, general[number * 7 % len(general)])
        session.commands.run("forms.fill", form="barber-licence", answers=APPLICANT, finish=False)
        for url, title in (
            ("https://www.phnompenh.gov.kh/services/market-fees", "តម្លៃទីផ្សារ"),
            ("https://kampongcham.gov.kh/vaccination", "ចាក់វ៉ាក់សាំង"),
            ("https://registration.interior.gov.kh/civil", "អត្រានុកូលដ្ឋាន"),
        ):
            session.commands.run("links.create", url=url, title=title)
    finally:
        session.close()


def _submission(session: Session, number: int, service: str) -> None:
    names = (("សុខ ពិសី", "SOK PISEY"), ("ហេង សុវណ្ណារ៉ា", "HENG SOVANNARA"), ("ប៉ែន វណ្ណា", "PEN VANNA"))
    khmer, latin = names[number % 3]
    answers: dict[str, Any] = {
        **APPLICANT, "applicant": {"km": khmer, "latin": latin}, "subject": "សុំលិខិតបញ្ជាក់ទីលំនៅ",
        "business": False, "checked": True,
    }  # fmt: skip
    session.commands.run("forms.fill", form="general-application", service=service, answers=answers, finish=True)


# --- scenes


def scenes(window: Window) -> Iterator[Scene]:
    """Every page, every place that a command of the palette names, and what floats over the pages."""
    frame = window.frame
    if frame is None:
        return
    for page in frame.rail.order():
        if page != "settings":
            yield Scene(page, lambda w, page=page: _open(w, page))  # type: ignore[misc]
    for section in ("look", "people", "safety", "desk", "about"):
        yield Scene(f"settings-{section}", lambda w, section=section: _open(w, "settings", section))  # type: ignore[misc]
    for command in frame.bridge.session.commands.list():
        if command.palette and command.page:
            module, target = command.id.partition(".")[0], command.page
            yield Scene(f"{module}-{target}", lambda w, m=module, t=target: _open(w, m, t))  # type: ignore[misc]
    found: list[Any] = []
    frame.bridge.drafts(found.extend)
    rest(window)
    for draft in found[:1]:
        module = draft.subject.partition("/")[0]
        yield Scene(f"{module}-draft", lambda w, m=module, id=draft.id: _open(w, m, id))  # type: ignore[misc]
    yield Scene("palette", _palette)
    yield Scene("help", lambda w: w.frame.open_help() if w.frame else None)
    yield Scene("refusal", _refusal)


def _open(window: Window, page: str, target: str = "") -> None:
    if window.frame is not None:
        window.frame.open(page, target)


def _palette(window: Window) -> None:
    if window.frame is not None:
        window.frame.open("home")
        window.frame.open_palette()


def _refusal(window: Window) -> None:
    from i18n.errors import Known

    if window.frame is not None:
        window.frame.open("outbox")
        window.frame.show_error(Known("UI-003"))


def _before_the_door(app: QApplication, folder: Path, pack: Path, out: Path, only: str, looks: list[Look]) -> int:
    """The wizard's steps and the door."""
    taken = 0
    fresh = Window(folder / "fresh")
    fresh.show()
    fresh.begin()
    door_home = folder / "door"
    work_home(door_home, pack)
    door = Window(door_home)
    door.show()
    door.begin()
    for look in looks:
        for window in (fresh, door):
            look.take(app, window)
        if fresh.wizard is not None and fresh.wizard.pack.pack is None:
            fresh.wizard.pack.take(pack)
        for step, name in enumerate(("office", "officer", "passphrase")):
            if fresh.wizard is not None and only in f"wizard-{name}":
                fresh.wizard._go(step)
                rest(fresh)
                _grab(fresh, out / f"wizard-{name}-{look}.png")
                taken += 1
        if only in "door":
            rest(door)
            _grab(door, out / f"door-{look}.png")
            taken += 1
    fresh.close()
    door.close()
    return taken


def work_home(home: Path, pack: Path) -> None:
    """A profile with two officers and no work."""
    from sync import enrol, keys
    from sync.clock import SystemClock
    from sync.officer import Officer

    unlocked = enrol.setup(
        home, pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", role="receiving", passphrase=PASSPHRASE,
        clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    keys.add_officer(unlocked, Officer("", "លឹម ដារ៉ា", "Lim Dara", "chief"), PASSPHRASE + " ប្រធាន", cost=keys.CHEAP)
    unlocked.lock()


# --- the window


def _enter(window: Window) -> None:
    door = window.door
    if door is None:
        raise SystemExit("no door")
    door.passphrase.set_value(PASSPHRASE)
    door.go.click()
    wait(lambda: window.frame is not None, window)
    rest(window)


def _grab(window: Window, path: Path) -> None:
    dialog = window.findChild(QDialog)
    picture = window.grab()
    if dialog is not None and dialog.isVisible():
        picture = dialog.grab()
    picture.save(str(path))


def _tidy(window: Window) -> None:
    frame = window.frame
    if frame is None:
        return
    frame.palette_list.close_palette()
    frame.banner.close_banner()
    for dialog in window.findChildren(QDialog):
        dialog.close()
    frame.open("home")
    rest(window)


def wait(until: Callable[[], bool], window: QObject, seconds: float = 30) -> None:
    """Run the event loop until something is so."""
    deadline = QDeadlineTimer(int(seconds * 1000))
    while not until():
        if deadline.hasExpired():
            raise SystemExit(f"it took longer than {seconds} s: {window}")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def rest(window: Window, moments: int = 6) -> None:
    """Until nothing runs, and what was posted is painted."""
    bridge = window.bridge
    if bridge is not None:
        wait(lambda: not bridge.busy(), window)
    for _ in range(moments):
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    widget = QApplication.focusWidget()
    if isinstance(widget, QWidget) and widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
        widget.clearFocus()


if __name__ == "__main__":
    main()
