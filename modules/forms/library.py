"""The definitions, the service catalogue and the holidays that came with the program or were published since, each pinned by
its hash.

``assets/forms/index.json`` is committed beside them: a file whose hash is not the pinned one is refused (FM-001), so that
nobody changes a question or a fee on a laptop. Old versions stay listed: a draft is finished under the version it began with.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Json, Refused
from modules.forms.catalogue import Catalogue
from modules.forms.definition import Definition, canonical, digest, load_json, parse
from modules.forms.working_days import Holidays

if TYPE_CHECKING:
    from modules.forms.published import Published

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_INDEX: Final = "forms/index.json"
_LIMIT: Final = 4_000_000  # bytes of the catalogue or the holidays


class Library:
    """What is read from ``folder`` on first need and kept. Definitions are immutable, so any thread may share them."""

    def __init__(self, folder: Path = ASSETS, published: Published | None = None) -> None:
        self._folder = folder
        self._published = published
        self._open: dict[str, Definition] = {}
        self._catalogue: tuple[object, Catalogue] | None = None

    @cached_property
    def index(self) -> Json:
        return load_json(self._read(_INDEX), name=_INDEX, limit=_LIMIT)

    def current(self, form: str) -> Definition:
        """The newest definition of ``form``. ``Refused`` FM-003: no such form; FM-001: its file was changed."""
        entries = [entry for entry in self.entries() if entry["id"] == form]
        if not entries:
            raise Refused("FM-003", form=form)
        return self._definition(max(entries, key=lambda entry: int(entry["version"])))

    def pinned(self, def_hash: str) -> Definition:
        """The definition of that hash, old or new. ``Refused("FM-005")`` when it is not here."""
        for entry in self.entries():
            if entry["def_hash"] == def_hash:
                return self._definition(entry)
        raise Refused("FM-005", hash=def_hash[:12])

    def forms(self) -> list[Definition]:
        """The newest version of every form, in the order of the index."""
        return [self.current(form) for form in dict.fromkeys(entry["id"] for entry in self.entries())]

    def entries(self) -> list[Json]:
        """Every definition: those of the program in the order of the index, then the published ones."""
        return [*self.index["forms"], *(self._published.entries() if self._published else ())]

    @property
    def catalogue(self) -> Catalogue:
        """The services with the prices of every list that is here."""
        stamp = self._published.stamp() if self._published else None
        if self._catalogue is None or self._catalogue[0] != stamp:
            data = self.pinned_services()
            self._catalogue = (stamp, Catalogue(self._published.priced(data) if self._published else data))
        return self._catalogue[1]

    def pinned_services(self) -> dict[str, Any]:
        """The catalogue's data as it came with the program."""
        return self._pinned_data("services")

    @cached_property
    def holidays(self) -> Holidays:
        return Holidays(self._pinned_data("holidays"))

    def _definition(self, entry: Json) -> Definition:
        made = self._open.get(entry["def_hash"])
        if made is None:
            if "source" in entry:
                made = parse(entry["source"], name=entry["id"])
            else:
                made = parse(self._read(f"forms/{entry['file']}"), name=entry["file"])
            if made.def_hash != entry["def_hash"] or made.id != entry["id"] or made.version != entry["version"]:
                raise Refused("FM-001", file=entry.get("file", entry["id"]))
            self._open[made.def_hash] = made
        return made

    def _pinned_data(self, name: str) -> dict[str, Any]:
        entry = self.index[name]
        data = load_json(self._read(f"services/{entry['file']}"), name=entry["file"], limit=_LIMIT)
        if digest(data) != entry["hash"]:
            raise Refused("FM-001", file=entry["file"])
        return data

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise Refused("FM-001", file=path.name) from error


def pin(folder: Path = ASSETS) -> Json:
    """The index of what stands in ``folder`` now: run ``python -m modules.forms.library`` after a change, review, commit."""
    forms = [
        (path.name, parse(path.read_bytes(), name=path.name)) for path in sorted((folder / "forms").glob("*-*.json"))
    ]
    services = load_json((folder / "services/catalogue.json").read_bytes(), name="catalogue.json", limit=_LIMIT)
    holidays = load_json((folder / "services/holidays.json").read_bytes(), name="holidays.json", limit=_LIMIT)
    return {
        "sala_index": 1,
        "forms": [
            {"id": form.id, "version": form.version, "file": name, "def_hash": form.def_hash} for name, form in forms
        ],
        "services": {"file": "catalogue.json", "hash": digest(services)},
        "holidays": {"file": "holidays.json", "hash": digest(holidays)},
    }


if __name__ == "__main__":
    index = pin()
    canonical(index)
    (ASSETS / _INDEX).write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", "utf-8")
