"""Reads ``module.toml``: what a module is, checked without running any of its code.

```toml
[module]
id = "links"
version = "0.1.0"
contract = [1, 0]
entry = "modules.links.core:activate"
view = "modules.links.view:LinksPage"     # optional
cli = "modules.links.cli:commands"        # optional
icon = "links"
order = 40
permissions = ["records.read", "records.write"]
title = { km = "តំណ", en = "Links" }
summary = { km = "…", en = "…" }

[hub]
projections = ["modules.links.hub:Projection"]

[[kind]]                                  # record kinds, so that the hub knows them without importing the core
name = "links.created"
version = 1
title = { km = "…", en = "…" }

[[publication]]                           # what comes down under this name is taken in by Kind.apply
under = "forms/"
kind = "forms.definition"
```
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast, get_args

from modules.contract import CONTRACT, Manifest, Permission, Refused

MODULES = Path(__file__).parent

_DOTTED = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
_ID = re.compile(r"[a-z][a-z0-9_]{2,31}")
_SIZE_LIMIT = 64 * 1024  # bytes; a manifest is a page of text


def read(path: Path) -> Manifest:
    """The manifest in ``path``. Raises ``Refused("MD-001")`` with the reason when it does not keep the contract."""
    if path.stat().st_size > _SIZE_LIMIT:
        raise Refused("MD-001", module=path.parent.name, reason="too large")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return _manifest(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise Refused("MD-001", module=path.parent.name, reason=str(error)) from error


def installed(folder: Path = MODULES) -> list[Manifest]:
    """Every module that has a manifest below ``folder``, in the order of the navigation rail."""
    return sorted(
        (read(path) for path in folder.glob("*/module.toml")), key=lambda manifest: (manifest.order, manifest.id)
    )


def _manifest(table: dict[str, Any]) -> Manifest:
    module = table["module"]
    contract = cast("tuple[int, int]", tuple(module["contract"]))
    if contract[0] != CONTRACT[0] or contract > CONTRACT:
        raise ValueError(f"contract {contract} is not {CONTRACT}")
    if not _ID.fullmatch(module["id"]):
        raise ValueError(f"id {module['id']!r}")
    permissions = frozenset(module.get("permissions", ()))
    view_needs = frozenset(module.get("view_needs", ()))
    if unknown := (permissions | view_needs) - set(get_args(Permission)):
        raise ValueError(f"unknown permissions {sorted(unknown)}")
    return Manifest(
        id=module["id"],
        version=str(module["version"]),
        contract=contract,
        title=_words(module["title"]),
        summary=_words(module["summary"]),
        icon=str(module["icon"]),
        entry=_dotted(module["entry"]),
        view=_dotted(module["view"]) if "view" in module else None,
        cli=_dotted(module["cli"]) if "cli" in module else None,
        projections=tuple(_dotted(name) for name in table.get("hub", {}).get("projections", ())),
        publications=tuple(_route(route) for route in table.get("publication", ())),
        permissions=cast("frozenset[Permission]", permissions),
        view_needs=cast("frozenset[Permission]", view_needs),
        hosts=tuple(module.get("hosts", ())),
        order=int(module.get("order", 100)),
        retention={
            kind["name"]: _retention(kind["retention_days"])
            for kind in table.get("kind", ())
            if "retention_days" in kind
        },
    )


def _route(route: dict[str, Any]) -> tuple[str, str]:
    under, kind = route["under"], route["kind"]
    if not (isinstance(under, str) and isinstance(kind, str) and re.fullmatch(r"[a-z]+/[a-z0-9/-]*", under)):
        raise ValueError(f"publication {under!r}")
    return under, kind


def _retention(value: int | str) -> int | None:
    """Days that ops of a kind stay whole on a laptop after the centre received them, or "always"."""
    if value == "always":
        return None
    if type(value) is not int or value < 1:
        raise ValueError(f"retention_days {value!r}")
    return value


def _words(value: dict[str, str]) -> dict[str, str]:
    if set(value) != {"km", "en"} or not all(isinstance(words, str) and words.strip() for words in value.values()):
        raise ValueError("a text needs km and en")
    return value


def _dotted(name: str) -> str:
    if not _DOTTED.fullmatch(name):
        raise ValueError(f"{name!r} is not module:name")
    return name
