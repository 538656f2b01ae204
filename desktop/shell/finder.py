"""What the palette finds: pages, deeds of the window, commands of the modules, drafts, and records of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.palette import Entry
from desktop.kit.wrap import say
from desktop.shell.keys import Deed
from desktop.shell.rail import Place
from i18n.catalog import text, tr
from i18n.normalise import fold

if TYPE_CHECKING:
    from modules.contract import Command, Draft

MOST = 12


def fits(typed: str, *words: str) -> bool:
    """Whether every part of what was typed stands in the words, in either script, in any order."""
    held = fold(" ".join(words))
    return all(part in held for part in fold(typed).split())


class Finder:
    """Answers the palette. Titles are searched in both languages, so that "form" finds ទម្រង់."""

    def __init__(self, bridge: Bridge, places: Sequence[Place], deeds: Callable[[], Sequence[Deed]]) -> None:
        self._bridge, self._places, self._deeds = bridge, places, deeds
        self._drafts: list[Draft] = []

    def take_drafts(self, drafts: Sequence[Draft]) -> None:
        """The drafts that may be found; read each time the palette opens."""
        self._drafts = list(drafts)

    def find(self, typed: str) -> list[Entry]:
        """What is known without asking the store."""
        entries = [*self._draft_entries(typed), *self._command_entries(typed), *self._deed_entries(typed)]
        entries += self._place_entries(typed)
        return entries[:MOST]

    def records(self, found: Sequence[dict[str, Any]]) -> list[Entry]:
        """Entries for rows of ``sync.search``."""
        return [self._record(row) for row in found]

    def _record(self, row: dict[str, Any]) -> Entry:
        module = str(row["kind"]).partition(".")[0]
        place = self._place(module)
        return Entry(
            words=str(row["title"]),
            second=self._kind_word(str(row["kind"])),
            group=tr("Records"),
            icon=place.icon if place else "file",
            act=lambda: self._bridge.open(module, str(row["record"])),
        )

    def _kind_word(self, name: str) -> str:
        kind = self._bridge.session.kinds().get(name)
        return text(kind.title) if kind is not None else ""

    def _place(self, id: str) -> Place | None:
        return next((place for place in self._places if place.id == id), None)

    def _place_entries(self, typed: str) -> list[Entry]:
        return [
            Entry(
                words=say(place.word),
                group=tr("Pages"),
                icon=place.icon,
                key=f"Ctrl {number}" if number <= 9 else "",
                act=lambda id=place.id: self._bridge.open(id),  # type: ignore[misc]
            )
            for number, place in enumerate(self._places, 1)
            if fits(typed, *_both(place.word), place.id)
        ]

    def _deed_entries(self, typed: str) -> list[Entry]:
        return [
            Entry(words=say(deed.words), group=tr("Window"), icon=deed.icon, key=_spaced(deed.keys), act=deed.act)
            for deed in self._deeds()
            if deed.palette and fits(typed, say(deed.words))
        ]

    def _command_entries(self, typed: str) -> list[Entry]:
        commands = self._bridge.session.commands
        return [
            self._command(command)
            for command in commands.list()
            if command.palette
            and commands.allowed(command.id)
            and fits(typed, *command.title.values(), command.id.replace(".", " "))
        ]

    def _command(self, command: Command) -> Entry:
        module = command.id.partition(".")[0]
        place = self._place(module)

        def act() -> None:
            if command.page is not None:
                self._bridge.open(module, command.page)
            else:
                self._bridge.run(command.id, then=lambda _: self._bridge.show_note(text(command.title)))

        return Entry(
            words=text(command.title),
            group=tr("Commands"),
            icon=place.icon if place else "chevron-right",
            key=(command.shortcut or "").replace("+", " "),
            second=say(place.word) if place else "",
            act=act,
        )

    def _draft_entries(self, typed: str) -> list[Entry]:
        now_ms = self._bridge.session.clock.wall_ms()
        entries: list[Entry] = []
        for draft in self._drafts:
            if fits(typed, draft.title) and len(entries) < (3 if not typed else MOST):
                module = draft.subject.partition("/")[0]
                entries.append(
                    Entry(
                        words=draft.title,
                        second=shown.moment(draft.updated_ms, now_ms),
                        group=tr("Drafts to continue"),
                        icon="pencil",
                        act=lambda module=module, id=draft.id: self._bridge.open(module, id),  # type: ignore[misc]
                    )
                )
        return entries


def _both(words: object) -> list[str]:
    if isinstance(words, dict):
        return [str(side) for side in words.values()]
    return [say(words)]  # type: ignore[arg-type]


def _spaced(keys: tuple[str, ...]) -> str:
    return keys[0].replace("+", " ") if keys else ""
