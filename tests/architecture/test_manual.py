"""The manual says what the program says: generated pages, names of pages and buttons, verbs and options, pictures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import sync.hub.cli  # noqa: F401  # every verb joins its group
from desktop.cli import root as laptop
from sync.hub.verbs import root as hub
from tools import catalogues

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "manual"
WITH_TITLES = [
    *(ROOT / "desktop").rglob("*.py"),
    *(ROOT / "modules").glob("*/module.toml"),
    *(ROOT / "modules").glob("*.py"),
]
LABEL = re.compile(r"(?<![*\w\\])\*([^*\n]{2,80})\*(?![*\w])")  # *Outbox → To USB…*
CALL = re.compile(r"(sala-hub|sala-cli) ([^`\n]*)")
PICTURE = re.compile(r"\]\((pictures/[^)]+)\)")


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.manual", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def entries() -> set[str]:
    """Every sentence of the catalogue in either language, without the dots of a button that asks something first."""
    found, _ = catalogues.read(catalogues.sources())
    titles = re.findall(r'(?:km|en)"?\s*[:=]\s*"([^"]+)"', "\n".join(path.read_text("utf-8") for path in WITH_TITLES))
    return {said.rstrip("…").strip() for _, english, khmer in found for said in (english, khmer)} | {
        said.rstrip("…").strip() for said in titles
    }


@pytest.mark.parametrize("page", [MANUAL / f"{name}.{side}.md" for name in ("admin", "it") for side in ("km", "en")])
def test_every_button_and_page_that_a_chapter_names_is_called_so_in_the_program(page: Path) -> None:
    text, known = page.read_text("utf-8"), entries()
    named = [part.strip() for words in LABEL.findall(text) for part in words.split(" → ")]
    assert len(named) > 40
    assert [words for words in named if words.rstrip("…").strip() not in known] == []


@pytest.mark.parametrize("page", [MANUAL / f"{name}.{side}.md" for name in ("admin", "it") for side in ("km", "en")])
def test_every_verb_and_option_of_a_chapter_exists(page: Path) -> None:
    programs: dict[str, click.Command] = {"sala-hub": hub, "sala-cli": laptop}
    wrong = []
    for name, rest in CALL.findall(page.read_text("utf-8")):
        command, words = programs[name], rest.split("#")[0].split()
        while words and isinstance(command, click.Group):
            word = words.pop(0)
            if word.startswith("--"):
                option = next((one for one in command.params if word in one.opts), None)
                words = words[0 if option is None or getattr(option, "is_flag", False) else 1 :]
            elif (found := command.get_command(click.Context(command), word)) is not None:
                command = found
            elif word.isascii() and word.isalpha() and word.islower():
                wrong.append(f"{name} {rest}: {word}")
        wrong += [
            f"{name} {rest}: {word}" for word in words
            if word.startswith("--") and not any(word in one.opts for one in command.params)
        ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("side", ["km", "en"])
def test_every_picture_is_there_and_a_khmer_chapter_shows_khmer_pages(side: str) -> None:
    for page in MANUAL.glob(f"*.{side}.md"):
        for name in PICTURE.findall(page.read_text("utf-8")):
            assert (MANUAL / name).is_file(), f"{page.name}: {name}"
            other = (MANUAL / name).with_name(Path(name).stem + "-km.png")
            assert side == "en" or not other.is_file(), f"{page.name} shows {name} though there is {other.name}"
