"""What came down after the program was made: form definitions, kept for ever, and price lists, each in force from its own day.

A definition is named by its hash and stands at ``forms/<agency>/<form>/<hash>.json`` or ``forms/<form>/<hash>.json``; a version of
a form is one definition for ever. A price list adds prices and services; what it says nothing about stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

from modules.contract import Api, Json, Refused
from modules.forms.catalogue import Catalogue
from modules.forms.definition import load_json, parse

_FORM = re.compile(r"forms/(?:[a-z0-9]{2,20}/)?(?P<form>[a-z0-9][a-z0-9-]{0,59})/(?P<hash>[0-9a-f]{64})\.json")
_LIMIT: Final = 4_000_000  # bytes of a price list
_SCHEMA: Final = Path(__file__).with_name("prices.schema.json")


class Published:
    """The published definitions and prices of this office. Another program may take in new ones at any time: see ``stamp``."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._entries: tuple[object, list[Json]] = (None, [])

    def stamp(self) -> tuple[int, int, int]:
        """What changes when a definition or a price list comes."""
        row = self._api.store.query(
            "SELECT (SELECT count(*) FROM forms_definition) AS forms, (SELECT count(*) FROM forms_prices) AS lists, "
            "(SELECT coalesce(max(added_ms), 0) FROM forms_prices) AS newest"
        )[0]
        return row["forms"], row["lists"], row["newest"]

    def entries(self) -> list[Json]:
        """Every published definition: ``{"id", "version", "def_hash", "source": bytes}``."""
        stamp = self.stamp()
        if self._entries[0] != stamp:
            rows = self._api.store.query(
                "SELECT id, version, def_hash, source FROM forms_definition ORDER BY id, version"
            )
            self._entries = (stamp, [{**row, "source": bytes(row["source"])} for row in rows])
        return self._entries[1]

    def priced(self, data: dict[str, Any]) -> dict[str, Any]:
        """The catalogue's data with what the price lists add, oldest list first."""
        merged = deepcopy(data)
        for row in self._api.store.query("SELECT source FROM forms_prices ORDER BY version, name"):
            _merge(merged, json.loads(row["source"]))
        return merged

    def take_definition(self, body: Json, known: list[Json]) -> None:
        """Keep a definition. ``Refused``: SY-461 not a definition or not what its name says, SY-462 the version is another's."""
        name, data = body["name"], body["data"]
        found = _FORM.fullmatch(name)
        if found is None:
            raise Refused("SY-461", name=name)
        try:
            form = parse(data, name=name)
        except Refused as error:
            raise Refused("SY-461", name=name) from error
        if (form.id, form.def_hash) != (found["form"], found["hash"]):
            raise Refused("SY-461", name=name)
        for entry in known:
            if entry["def_hash"] == form.def_hash:
                return
            if (entry["id"], entry["version"]) == (form.id, form.version):
                raise Refused("SY-462", form=form.id, version=form.version)
        self._api.store.execute(
            "INSERT INTO forms_definition (def_hash, id, version, name, source, added_ms) VALUES (?, ?, ?, ?, ?, ?)",
            form.def_hash, form.id, form.version, name, data, self._api.clock.wall_ms(),
        )  # fmt: skip

    def take_prices(self, body: Json, pinned: dict[str, Any]) -> None:
        """Keep a price list. ``Refused("SY-463")`` when it is none or names what is not there."""
        name, data = body["name"], body["data"]
        try:
            source = load_json(data, name=name, limit=_LIMIT)
            _check(source)
            Catalogue(_merge(self.priced(pinned), source))
        except (Refused, KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused("SY-463", name=name) from error
        self._api.store.execute(
            "INSERT INTO forms_prices (name, version, source, added_ms) VALUES (?, ?, ?, max(?, (SELECT coalesce(max(added_ms), 0) "
            "FROM forms_prices) + 1)) ON CONFLICT (name) DO UPDATE SET version = excluded.version, source = excluded.source, "
            "added_ms = excluded.added_ms",
            name, source["version"], json.dumps(source, ensure_ascii=False), self._api.clock.wall_ms(),
        )  # fmt: skip


@cache
def _validator() -> Callable[[Any], Any]:
    import fastjsonschema

    compiled: Callable[[Any], Any] = fastjsonschema.compile(json.loads(_SCHEMA.read_text("utf-8")))
    return compiled


def _check(source: Json) -> None:
    import fastjsonschema

    try:
        _validator()(source)
    except fastjsonschema.JsonSchemaException as error:
        raise ValueError(str(error)[:200]) from error


def _merge(data: dict[str, Any], source: Json) -> dict[str, Any]:
    """``data`` with the legal acts, sectors, services and prices of one list."""
    data["legal"] |= source.get("legal", {})
    sectors = {sector["id"]: sector for sector in [*data["sectors"], *source.get("sectors", ())]}
    services = {row["id"]: row for row in data["services"]}
    for row in source.get("services", ()):
        before = services.get(row["id"], {"prices": []})
        services[row["id"]] = {**row, "prices": _prices(before["prices"], row["prices"])}
    for price in source.get("prices", ()):
        row = services[price["service"]]
        row["prices"] = _prices(row["prices"], [{"from": price["from"], "riel": price["riel"]}])
    data["sectors"], data["services"] = list(sectors.values()), list(services.values())
    return data


def _prices(old: list[Json], new: list[Json]) -> list[Json]:
    """One amount a day of beginning; the newer list wins."""
    return [*{price["from"]: price for price in [*old, *new]}.values()]
