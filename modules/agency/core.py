"""The agency module: its commands, its one kind. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modules.agency import migrations
from modules.agency.deciding import DECISIONS, KIND, Deciding, check
from modules.agency.opening import Opening
from modules.contract import Api, Command, Kind, Permission, Setting, Trigger

READ: Final[frozenset[Permission]] = frozenset({"agency.open"})
GIVE: Final[frozenset[Permission]] = frozenset({"agency.open", "files.export"})
_OP: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT: Final = {"type": "string", "maxLength": 500}
_MOST_PAGE: Final = 12_000_000  # characters of a page in base64


class Agency:
    """What ``activate`` returns."""

    def __init__(self, api: Api) -> None:
        self._opening, self._deciding = Opening(api), Deciding(api)
        self.kinds: Sequence[Kind] = (
            Kind(name=KIND, version=1, title={"km": "សេចក្តីសម្រេច", "en": "Decision"}, validate=check),
        )
        self.commands: Sequence[Command] = (*self._keys(), *self._desk())
        self.triggers: Sequence[Trigger] = ()
        self.settings: Sequence[Setting] = ()
        self.migrations = migrations.register

    def close(self) -> None:
        """Nothing is held open."""

    def _keys(self) -> Sequence[Command]:
        opening = self._opening
        return (
            _command("add_key", "បញ្ចូលសោទីភ្នាក់ងារ", "Add the agency's key", opening.add_key, {"text": _TEXT}, writes=True),
            _command("remove_key", "ដកសោទីភ្នាក់ងារ", "Remove a key", opening.remove_key, {"id": _TEXT}, writes=True),
            _command("keys", "សោទីភ្នាក់ងារ", "The agency's keys", opening.keys),
            _command("place", "ទីតាំងអាន", "How far the feed was read", opening.place),
            _command(
                "take", "បើកទិន្នន័យបិទត្រា", "Open sealed records", opening.take,
                {"page": {"type": "string", "maxLength": _MOST_PAGE}}, writes=True, line={"type": "boolean"},
            ),
        )  # fmt: skip

    def _desk(self) -> Sequence[Command]:
        deciding = self._deciding
        return (
            _command(
                "list", "ពាក្យស្នើសុំនៅលើតុ", "Submissions on the desk", deciding.list_, text=_TEXT, state=_TEXT, form=_TEXT,
                office=_TEXT, limit={"type": "integer", "minimum": 1, "maximum": 500}, offset={"type": "integer", "minimum": 0},
            ),
            _command("show", "បើកពាក្យស្នើសុំ", "Show a submission", deciding.show, {"op": _OP}, writes=True),
            _command(
                "decide", "សម្រេច", "Decide", deciding.decide, {"op": _OP, "decision": {"enum": list(DECISIONS)}}, writes=True,
                reason={"type": "string", "maxLength": 4_000},
            ),
            _command("file_key", "សោឯកសារភ្ជាប់", "Key of an attachment", deciding.file_key, {"op": _OP, "blob": _OP}),
            _command(
                "export", "នាំចេញ", "Export", deciding.export,
                {"out": {"type": "string", "minLength": 1, "maxLength": 4096}}, GIVE, form=_TEXT,
                format={"enum": ["csv", "jsonl"]},
            ),
            _command("note_given", "កត់ត្រាការនាំចេញ", "Note an export", deciding.note_given, {"form": _TEXT}, GIVE, writes=True),
        )  # fmt: skip


def activate(api: Api) -> Agency:
    """The agency module over ``api``."""
    return Agency(api)


def _command(
    name: str, khmer: str, english: str, run: Any, required: Mapping[str, Any] | None = None,
    needs: frozenset[Permission] = READ, *, writes: bool = False, **optional: Any,
) -> Command:  # fmt: skip
    must = dict(required or {})
    params = {
        "type": "object",
        "additionalProperties": False,
        "required": list(must),
        "properties": {**must, **optional},
    }
    return Command(
        id=f"agency.{name}", title={"km": khmer, "en": english}, run=run, params=params, needs=needs, writes=writes
    )
