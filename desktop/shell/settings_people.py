"""The office and its officers: who may unlock this laptop, with a passphrase of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.bridge import Bridge
from desktop.kit.button import Button
from desktop.kit.dialogs import confirm
from desktop.kit.fields import ChoiceField, LineField, Option, PassphraseField
from desktop.kit.icons import Picture
from desktop.kit.layout import Rule, Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane, fact
from desktop.shell.strength import StrengthMeter
from desktop.shell.transfer import ArriveCard, MoveCard
from i18n.catalog import text, tr
from i18n.errors import SalaError, explain

if TYPE_CHECKING:
    from modules.contract import Officer


@dataclass(frozen=True, slots=True)
class Person:
    """A new officer."""

    name: str
    latin: str
    role: str


class PeoplePane(Pane):
    """Office facts, the list of officers, a new officer, and one's own passphrase."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        from modules.people import may_add
        from modules.permissions import ROLE_TITLES, ROLES

        self._roles = ROLE_TITLES
        self.may = "officers" in ROLES.get(bridge.session.officer.role, frozenset())
        self.may_add = may_add(bridge.session)
        office = bridge.session.office
        name = office.get("name", {"km": "", "en": ""})
        province = office.get("province", {"km": "", "en": ""})
        number = office.get("device_number", "")
        facts = Wrapped(
            holder(fact(lambda: tr("Office"), lambda: text(name))),
            holder(fact(lambda: tr("Province"), lambda: text(province))),
            holder(fact(lambda: tr("Code"), str(office.get("code", "")))),
            holder(fact(lambda: tr("Laptop"), str(number))),
            spacing=40,
            top=True,
        )
        self.block(lambda: tr("Office"), "", facts)
        self.list: QVBoxLayout = column(spacing=4)
        self.block(
            lambda: tr("Officers of this laptop"),
            lambda: tr("Everybody unlocks with a passphrase of their own. Who leaves stays in the records they made."),
            self.list,
        )
        self.moving = MoveCard(self)
        self._make_new()
        self.arrive = ArriveCard(self)
        self.arrive.card.setVisible(self.may)
        self._make_own()
        self.end()
        self.refresh()

    # The list

    def refresh(self) -> None:
        self.bridge.work(self.bridge.session.unlocked.officers, then=self._show)

    def _show(self, officers: list[Officer]) -> None:
        while (item := self.list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for number, officer in enumerate(officers):
            if number:
                self.list.addWidget(Rule())
            self.list.addWidget(self._row(officer))

    def _row(self, officer: Officer) -> QWidget:
        here = officer.id == self.bridge.session.officer.id
        title = self._roles.get(officer.role, {"km": "", "en": ""})
        words = column(
            Label(
                officer.name if officer.name == officer.latin else f"{officer.name} · {officer.latin}",
                bold=here,
                wrap=True,
            ),
            Label(lambda: f"{text(title)} · {tr('you')}" if here else text(title), size="small", tone="soft"),
            spacing=0,
        )
        line = row(Picture("person", "blue" if here else "soft"), spacing=12, margins=(0, 4, 0, 4))
        line.addLayout(words, 1)
        if self.may and not here:
            move = Button(lambda: tr("Move…"), small=True)
            move.clicked.connect(lambda: self.moving.begin(officer))
            line.addWidget(move)
            remove = Button(lambda: tr("Remove…"), kind="danger", small=True)
            remove.clicked.connect(lambda: self._ask_remove(officer))
            line.addWidget(remove)
        return holder(line)

    def _ask_remove(self, officer: Officer) -> None:
        confirm(
            self,
            lambda: tr("Remove {name} from this laptop?", name=officer.name),
            lambda: tr(
                "They cannot unlock it any more, and their drafts can no longer be opened. What they finished stays. The "
                "database is encrypted anew; older backups keep opening with the old passphrase."
            ),
            lambda: tr("Remove"),
            lambda: self._remove(officer),
        )

    def _remove(self, officer: Officer) -> None:
        from modules import people

        session = self.bridge.session
        self.bridge.work(lambda: people.remove(session, officer.id), then=lambda _: self._removed(officer.name))

    def _removed(self, name: str) -> None:
        self.bridge.show_note(tr("Removed: {name}", name=name))
        self.refresh()

    # A new officer

    def _make_new(self) -> None:
        self.name = LineField({"km": "គោត្តនាម និងនាម", "en": "Surname and given name, in Khmer"}, longest=80)
        self.latin = LineField({"km": "ឈ្មោះជាអក្សរឡាតាំង", "en": "Name in Latin letters"}, longest=80)
        self.role = ChoiceField(
            {"km": "តួនាទី", "en": "Role"}, [Option(id, title) for id, title in self._roles.items()], buttons=6
        )
        self.secret = PassphraseField({"km": "ឃ្លាសម្ងាត់របស់ពួកគេ", "en": "Their passphrase, typed by them"})
        self.strength = StrengthMeter()
        self.secret.edited.connect(lambda: self.strength.judge(self.secret.value() or ""))
        self.add = Button(lambda: tr("Add this officer"), icon="plus")
        self.add.clicked.connect(self._add)
        card = self.block(
            lambda: tr("A new officer"),
            lambda: tr("They stand beside you and type the passphrase themselves."),
            column(self.name, self.latin, self.role, self.secret, self.strength, row(self.add, None), spacing=12),
        )
        card.setVisible(self.may_add)

    def _add(self) -> None:
        from modules import people

        values = (self.name.value(), self.latin.value(), self.role.value(), self.secret.value())
        fields = (self.name, self.latin, self.role, self.secret)
        for field, value in zip(fields, values, strict=True):
            field.set_error("" if value else tr("This is needed."))
        if not all(values):
            next(field for field, value in zip(fields, values, strict=True) if not value).setFocus()
            return
        person = Person(str(values[0]), str(values[1]), str(values[2]))
        session, secret = self.bridge.session, str(values[3])
        self.add.setEnabled(False)
        self.bridge.work(lambda: people.add(session, person, secret), then=self._added, failed=self._not_added)

    def _added(self, officer: Any) -> None:
        self.add.setEnabled(True)
        for field in (self.name, self.latin, self.secret):
            field.set_value(None)
        self.role.set_value(None)
        self.strength.judge("")
        self.bridge.show_note(tr("Added: {name}", name=officer.name))
        self.refresh()

    def _not_added(self, error: SalaError) -> None:
        self.add.setEnabled(True)
        words = explain(error)
        (self.secret if error.code == "SY-113" else self.name).set_error(f"{words.what} {words.next}")

    # One's own passphrase

    def _make_own(self) -> None:
        self.old = PassphraseField({"km": "ឃ្លាសម្ងាត់ចាស់", "en": "Old passphrase"})
        self.new = PassphraseField({"km": "ឃ្លាសម្ងាត់ថ្មី", "en": "New passphrase"})
        self.again = PassphraseField({"km": "ម្តងទៀត", "en": "Once more"})
        self.own_strength = StrengthMeter()
        self.new.edited.connect(lambda: self.own_strength.judge(self.new.value() or ""))
        self.change = Button(lambda: tr("Change my passphrase"), icon="key")
        self.change.clicked.connect(self._change)
        self.block(
            lambda: tr("My passphrase"), "",
            column(self.old, self.new, self.own_strength, self.again, row(self.change, None), spacing=12),
        )  # fmt: skip

    def _change(self) -> None:
        from sync import keys

        old, new = self.old.value(), self.new.value()
        self.old.set_error("" if old else tr("This is needed."))
        self.again.set_error("" if new == self.again.value() else tr("The two are not the same."))
        if not old or not new or new != self.again.value():
            return
        unlocked = self.bridge.session.unlocked
        self.change.setEnabled(False)
        self.bridge.work(
            lambda: keys.change_passphrase(unlocked, old, new), then=self._changed, failed=self._not_changed
        )

    def _changed(self, _: object) -> None:
        self.change.setEnabled(True)
        for field in (self.old, self.new, self.again):
            field.set_value(None)
        self.own_strength.judge("")
        self.bridge.show_note(tr("Your passphrase is changed."))

    def _not_changed(self, error: SalaError) -> None:
        self.change.setEnabled(True)
        words = explain(error)
        (self.new if error.code == "SY-113" else self.old).set_error(f"{words.what} {words.next}")
