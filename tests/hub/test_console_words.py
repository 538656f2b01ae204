"""Every sentence of the console is in the catalogue, and every address of the audit has words."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import Route

from sync.hub.console import addresses, navigation, roles
from sync.hub.console.routes import routes
from tools import catalogues

CONSOLE = Path(__file__).parents[2] / "sync" / "hub" / "console"
QUOTED = r"(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")"
SAID = re.compile(rf"\b(?:t|raw)\(\s*{QUOTED}")
COUNTED = re.compile(rf"\.many\(\s*{QUOTED},\s*{QUOTED}")


def sentences() -> set[str]:
    """What the templates say."""
    found = set()
    for path in (CONSOLE / "templates").glob("*.html"):
        text = path.read_text("utf-8")
        found |= {a or b for a, b in SAID.findall(text)}
        found |= {word for four in COUNTED.findall(text) for word in four if word}
    return found


def test_every_sentence_has_its_khmer() -> None:
    entries, _ = catalogues.read(catalogues.sources())
    khmer = {english for _, english, said in entries if said}
    wanted = (
        sentences() | set(addresses.WORDS) | {tab.words for group in navigation.GROUPS for tab in (group, *group.tabs)}
    )
    assert sorted(wanted - khmer) == []


def test_every_page_has_a_name_in_the_audit() -> None:
    nameless = []
    for route in routes():
        assert isinstance(route, Route)
        path = "/console" + re.sub(r"\{[^}]*\}", "1", route.path)
        quiet = ("login", "logout", "code", "begin", "language", "static", "font")
        if path.split("/")[2] not in quiet and addresses.page_name(lambda message, **_: message, path) == path:
            nameless.append(path)
    assert nameless == []


def test_every_power_and_role_is_named_and_every_tab_asks_for_one_that_exists() -> None:
    assert set(roles.TITLES) == set(roles.POWERS)
    assert set(roles.DUTIES) == frozenset().union(*roles.POWERS.values()) == roles.POWERS[roles.OWNER]
    assert all(tab.power in roles.DUTIES for group in navigation.GROUPS for tab in group.tabs)
    assert addresses.door(lambda message, **_: message, "something else") == "something else"
    assert addresses.page_name(lambda message, **_: message, "admin add") == "admin add"
