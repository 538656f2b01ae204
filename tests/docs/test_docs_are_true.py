"""What the documents name exists: verbs and options of the programs, files, links, modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("desktop", "modules", "sync", "i18n", "assets", "docs", "tests", "tools", "requirements")
MADE = ("assets/fonts/", "assets/gazetteer/", "assets/trust/roots")  # by ./dev setup, or by the centre
GLOBAL = {"--home", "--officer", "--language", "--data"}  # options with a value that stand before the verb
VERB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@cache
def program(name: str) -> click.Group:
    import sync.hub.cli  # noqa: F401  it hangs every verb into the root
    from desktop import cli as laptop
    from sync.hub import verbs

    return laptop.root if name == "sala-cli" else verbs.root


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def commands(text: str) -> Iterator[str]:
    """Every command line of a page: between backticks, or a line of a block of code."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    fenced = [
        line.strip() for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()
    ]
    for found in (*re.findall(r"`([^`\n]+)`", text), *lines, *fenced):
        line = re.sub(r"^(\$ |sudo )", "", found)
        line = re.split(r"\s+#|\s+(?:>|&&|\|\|)\s", line)[0]
        if re.match(r"(sala-cli|sala-hub|\./dev)\s", line):
            yield line


def wrong(line: str) -> Iterator[str]:
    """What of the command ``line`` the program does not know. ``a · b`` are several verbs, ``a|b`` and ``a | b`` one of them."""
    name, *_ = line.split()
    for part in line.removeprefix(name).split(" · "):
        words = re.sub(r"[\[\]]", "", part.replace(" | ", "|")).split()
        yield from unknown(
            program(name), words, {"--home", "--json", "--officer", "--language", "--data", "-h", "--help"}
        )


def unknown(verb: click.Command, words: list[str], options: set[str]) -> Iterator[str]:
    """What of ``words`` behind ``verb`` it does not know; ``options`` are those of the verbs before it."""
    options = options | {name for one in verb.params for name in (*one.opts, *one.secondary_opts)}
    with_value = GLOBAL | {name for one in verb.params if not getattr(one, "is_flag", False) for name in one.opts}
    choices = [
        one.type.choices
        for one in verb.params
        if isinstance(one, click.Argument) and isinstance(one.type, click.Choice)
    ]
    is_value = False
    for place, word in enumerate(words):
        if is_value or word == "…":
            is_value = False
        elif word.startswith("-"):
            if word not in options:
                yield f"{verb.name} {word}"
            is_value = word in with_value
        elif not all(VERB.fullmatch(one) for one in word.split("|")):
            continue
        elif isinstance(verb, click.Group):
            for one in word.split("|"):
                found = verb.get_command(click.Context(verb), one)
                yield from unknown(found, words[place + 1 :], options) if found else [f"{verb.name} {one}"]
            return
        elif choices:
            allowed = choices.pop(0)
            yield from (f"{verb.name} {one}" for one in word.split("|") if one not in allowed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_and_option_exists(page: Path) -> None:
    lines = [line for line in commands(text_of(page)) if not line.startswith("./dev")]
    assert [(line, fault) for line in lines for fault in wrong(line)] == []


def test_the_verbs_of_dev_exist() -> None:
    verbs = set(re.findall(r'"([a-z]+)": \w+', (ROOT / "dev").read_text("utf-8"))) | {"help"}
    named = {line.split()[1] for page in PAGES for line in commands(text_of(page)) if line.startswith("./dev")}
    assert {"demo", "test"} <= named <= verbs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_exists(page: Path) -> None:
    text = text_of(page)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)\s#]+)", text)
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [path for path in paths if not path.startswith(MADE) and not any(ROOT.glob(path.rstrip("/")))]
    for module in re.findall(rf"python3? -m ((?:{'|'.join(FOLDERS)})[\w.]*)", text):
        place = ROOT.joinpath(*module.split("."))
        if not place.with_suffix(".py").exists() and not (place / "__main__.py").exists():
            missing.append(module)
    assert missing == []


def test_a_wrong_verb_would_be_found() -> None:
    """The check itself sees what is not there."""
    assert [*wrong("sala-cli --json nonsense")] == ["root nonsense"]
    assert [*wrong("sala-hub --data DIR report gaps|nonsense · rebuild --nonsense")] == [
        "report nonsense",
        "rebuild --nonsense",
    ]
    assert [*wrong("sala-cli officers outstanding | move | nonsense")] == ["officers nonsense"]
    assert [*wrong("sala-cli --home DIR --officer sok sync export DIR --seal centre")] == []
