"""Every sentence of the console is in the catalogue, and every address of the audit has words."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import Route

from sync.hub.console import addresses, agents, navigation, roles
from sync.hub.console.pages import Words
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


def test_what_somebody_looked_for_is_said_in_words() -> None:
    found = addresses.asked(
        lambda message, **_: f"«{message}»", "text=%E1%9E%95%E1%9F%92%E1%9E%9F%E1%9E%B6%E1%9E%9A&page=2&until="
    )
    assert found == [("«Search»", "ផ្សារ"), ("page", "2")]
    words = Words("km", 0)
    assert "០៣០៦" in words.page_name("/console/office/0306").replace("\u200b", "").replace("&#8203;", "")
    assert "a1b2" in words.page_name("/console/record/a1b2"), "a hash keeps its letters and figures"


def test_a_later_life_of_the_log_is_called_by_when_it_began() -> None:
    first, later = Words("en", 0).epoch(1), Words("en", 0).epoch(1_763_800_000)
    assert first == "log epoch 1" and later == "log since 22/11/2025 15:26"
    assert "1763800000" not in Words("km", 0).epoch(1_763_800_000)


def test_a_browser_is_called_by_two_names() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
    edge = chrome.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64") + " Edg/141.0.0.0"
    assert (agents.short(chrome), agents.short(edge)) == ("Chrome · Linux", "Edge · Windows")
    assert agents.short("python-httpx/0.28.1") == "python-httpx/0.28.1" and len(agents.short("x" * 500)) == 40
    assert agents.short("") == ""
