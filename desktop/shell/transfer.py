"""An officer moves: what is outstanding first, then where to, as what and from when; and taking one who comes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import ChoiceField, DateField, Option, PassphraseField
from desktop.kit.files import open_file, save_file
from desktop.kit.gazetteer_field import GazetteerField
from desktop.kit.icons import Picture
from desktop.kit.layout import column, holder, row
from desktop.kit.steps import Steps
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from desktop.shell.strength import StrengthMeter
from i18n import dates
from i18n.catalog import text, tr
from i18n.errors import SalaError, explain
from modules.permissions import ROLE_TITLES

if TYPE_CHECKING:
    from modules.contract import Officer
    from sync.transfers import Outstanding

SUFFIX = ".sala-transfer"
_ROLES = [Option(id, title) for id, title in ROLE_TITLES.items()]


class MoveCard:
    """Hidden until an officer is chosen. Three steps: nothing outstanding, the new place, the statement."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._officer: Officer | None = None
        self._left: Outstanding | None = None
        self.steps = Steps((lambda: tr("Nothing outstanding"), lambda: tr("New office"), lambda: tr("Statement")))
        self.who = Label("", size="heading", bold=True, wrap=True)
        self.picture = Picture("clock", "amber", 24)
        self.left = Label("", wrap=True)
        self.send = Button(lambda: tr("Send now"), icon="sync", small=True)
        self.send.clicked.connect(pane.bridge.sync_now)
        check = row(self.picture, spacing=12)
        check.addWidget(self.left, 1)
        check.addWidget(self.send)
        self.office = GazetteerField({"km": "ការិយាល័យថ្មី", "en": "New office"}, level="district")
        self.role = ChoiceField({"km": "តួនាទីនៅទីនោះ", "en": "Role there"}, _ROLES, buttons=6)
        self.day = DateField(
            {"km": "ចាប់ពីថ្ងៃ", "en": "From this day on"}, required=False,
            note=lambda: tr("Empty: from now on. From then this laptop does not unlock for them."),
        )  # fmt: skip
        self.go = Button(lambda: tr("Move and save the statement…"), kind="primary", icon="send")
        self.go.clicked.connect(self._ask)
        self.close = Button(lambda: tr("Go back"), kind="quiet")
        self.close.clicked.connect(self.end)
        self._form = holder(column(self.office, self.role, self.day, spacing=10))
        self.told = Banner()
        self.card = pane.block(
            lambda: tr("An officer moves to another office"),
            lambda: tr(
                "Their work stays here under their name. The statement makes them an officer of the new office; carry it there."
            ),
            column(
                self.steps,
                self.who,
                check,
                self._form,
                row(self.go, self.close, None, spacing=12),
                self.told,
                spacing=12,
            ),
        )
        self.card.hide()
        pane.bridge.sync_ended.connect(lambda _report, _error: self.look())

    def begin(self, officer: Officer) -> None:
        """Start with ``officer``."""
        self._officer, self._left = officer, None
        self.who.say(f"{officer.name} · {officer.latin}")
        self.role.set_value(officer.role)
        self.told.close_banner()
        self.card.show()
        self.look()

    def end(self) -> None:
        """Put the card away."""
        self.card.hide()

    def look(self) -> None:
        """Ask anew what is outstanding."""
        from modules import people

        officer, session = self._officer, self._pane.bridge.session
        if officer is not None and not self.card.isHidden():
            self._pane.bridge.work(lambda: people.outstanding(session, officer.id), then=self._show)

    def _show(self, left: Outstanding) -> None:
        before, self._left = self._left, left
        ready = left.nothing
        self.picture.show_icon("check-circle" if ready else "clock", "green" if ready else "amber")
        self.left.say(lambda: self._left_words(left))
        self.send.setVisible(left.waiting > 0)
        self._form.setEnabled(ready)
        self.go.setEnabled(ready)
        self.steps.set_now(1 if ready else 0)
        if ready and (before is None or not before.nothing):
            self.office.setFocus()
        elif before is None:  # the card stands below: what holds it up comes into sight with the focus
            (self.send if left.waiting else self.close).setFocus()

    def _left_words(self, left: Outstanding) -> str:
        if left.nothing:
            return tr("Nothing of theirs is outstanding: 0 records wait, 0 drafts are open.")
        return tr(
            "{waiting} records wait to be received by the centre, {drafts} drafts are open. Send the first, and let them finish or "
            "discard the drafts.",
            waiting=shown.number(left.waiting), drafts=shown.number(left.drafts),
        )  # fmt: skip

    def _ask(self) -> None:
        self.office.set_error("" if self.office.value() else tr("This is needed."))
        self.role.set_error("" if self.role.value() else tr("This is needed."))
        if self.office.value() and self.role.value() and self._officer is not None:
            name = f"{self._officer.latin.replace(' ', '-')}-{self.office.value()}{SUFFIX}"
            save_file(self._pane, lambda: tr("Where to save the statement"), name, self.move)

    def move(self, out: Path) -> None:
        """Do it."""
        from modules import people

        session, officer = self._pane.bridge.session, self._officer
        if officer is None:
            return
        day, office, role = self.day.value(), str(self.office.value()), str(self.role.value())
        at_ms = dates.midnight_ms(day) if day else session.clock.wall_ms()
        self.go.setEnabled(False)
        self._pane.bridge.work(
            lambda: people.move(session, officer.id, office, role, at_ms, out), then=self._moved, failed=self._refused
        )

    def _moved(self, done: dict[str, Any]) -> None:
        self.steps.set_now(2)
        place = Path(done["file"]).name
        self.told.show_words(
            "good", lambda: tr("Moved. The statement is saved: {name}", name=place),
            lambda: tr("Carry it to the new office. The centre is told at the next contact."),
        )  # fmt: skip
        self._form.setEnabled(False)
        self._pane.refresh()

    def _refused(self, error: SalaError) -> None:
        self.go.setEnabled(True)
        self.told.show_error(error)
        self.look()


class ArriveCard:
    """Somebody comes with a statement: their name is in it, the passphrase they type."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._file: Path | None = None
        self.choose = Button(lambda: tr("Choose the statement…"), icon="folder")
        self.choose.clicked.connect(
            lambda: open_file(pane, lambda: tr("Choose the statement"), (f"*{SUFFIX}",), self.take)
        )
        self.who = Label("", bold=True, wrap=True)
        self.secret = PassphraseField({"km": "ឃ្លាសម្ងាត់របស់ពួកគេ", "en": "Their passphrase, typed by them"})
        self.strength = StrengthMeter()
        self.secret.edited.connect(lambda: self.strength.judge(self.secret.value() or ""))
        self.go = Button(lambda: tr("Make them an officer here"), kind="primary", icon="plus")
        self.go.clicked.connect(self._go)
        self._form = holder(column(self.who, self.secret, self.strength, row(self.go, None), spacing=10))
        self._form.hide()
        self.told = Banner()
        self.card = pane.block(
            lambda: tr("An officer comes from another office"),
            lambda: tr(
                "They bring the statement of their old office, stand beside you and type a passphrase of their own."
            ),
            column(row(self.choose, None), self._form, self.told, spacing=12),
        )

    def take(self, file: Path) -> None:
        """Show whose statement it is."""
        from modules import people
        from sync import transfers

        try:
            said, _ = transfers.read(people.read(file))
        except SalaError as error:
            self._form.hide()
            self.told.show_error(error)
            return
        self._file = file
        title = ROLE_TITLES[said.role]
        self.told.close_banner()
        self.who.say(
            lambda: tr(
                "{name} · {latin} · {role}, from office {office}, signed by {by}", name=said.name, latin=said.latin,
                role=text(title), office=shown.plain(said.from_office), by=said.by_name,
            )
        )  # fmt: skip
        self._form.show()
        self.secret.setFocus()

    def _go(self) -> None:
        from modules import people

        secret, file, session = self.secret.value(), self._file, self._pane.bridge.session
        self.secret.set_error("" if secret else tr("This is needed."))
        if not secret or file is None:
            return
        self.go.setEnabled(False)
        self._pane.bridge.work(
            lambda: people.arrive(session, file, str(secret)), then=self._arrived, failed=self._refused
        )

    def _arrived(self, officer: Any) -> None:
        self.go.setEnabled(True)
        self.secret.set_value(None)
        self.strength.judge("")
        self._form.hide()
        self.told.show_words("good", lambda: tr("{name} is an officer of this office now.", name=officer.name))
        self._pane.refresh()

    def _refused(self, error: SalaError) -> None:
        self.go.setEnabled(True)
        if error.code == "SY-113":
            words = explain(error)
            self.secret.set_error(f"{words.what} {words.next}")
        else:
            self.told.show_error(error)
