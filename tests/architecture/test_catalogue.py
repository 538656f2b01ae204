"""Every word that a person may see stands in both languages, in one spelling, with the same fields."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from i18n.errors import catalogue
from i18n.normalise import ZWSP, store
from tools import catalogues

ROOT = Path(__file__).parents[2]
PACKAGES = ("desktop", "modules", "sync", "i18n")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
CODE = re.compile(r"(?:SY|HB|MD|FM|CT|LN|MS|FL|UI|TX|CL|AG)-[0-9]{3}")
SIDES = ("what", "kept", "next")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def literals(node: ast.expr) -> Iterator[ast.expr]:
    """The sentences that an argument may be: a literal, or either side of a choice."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    else:
        yield node


def sentences() -> Iterator[tuple[str, ast.expr]]:
    """Where ``tr`` or ``tr_in`` is called, and what with."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = {"tr": 0, "tr_in": 1}.get(name)
            if place is not None and len(node.args) > place:
                for literal in literals(node.args[place]):
                    yield f"{path}:{node.lineno}", literal


def none(faults: list[str]) -> None:
    """No fault, or all of them, one a line."""
    assert not faults, "\n" + "\n".join(faults)


def spelling(where: str, khmer: str) -> list[str]:
    """What is wrong with the spelling of a Khmer text."""
    faults = [f"{where}: not in normal order; write: {store(khmer)}"] if store(khmer) != khmer else []
    return [*faults, f"{where}: holds a zero-width space"] if ZWSP in khmer else faults


def test_no_catalogue_has_a_fault() -> None:
    none(catalogues.faults())


def test_every_sentence_of_the_program_has_khmer() -> None:
    entries, _ = catalogues.read(catalogues.sources())
    known = {english for _, english, _ in entries}
    missing = [
        f"{where}: {node.value!r}"
        for where, node in sentences()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in known
    ]
    none(missing)


def test_sentences_are_literals_and_never_put_together() -> None:
    built = [where for where, node in sentences() if isinstance(node, ast.JoinedStr | ast.BinOp)]
    none(built)


def test_every_error_code_of_the_program_has_words() -> None:
    used = {
        (node.value, str(path))
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }
    none(sorted(f"{code} in {path}" for code, path in used if code not in catalogue()))


def fields(text: str) -> list[str]:
    """Placeholders of a sentence; ``{near_km}`` and ``{near_en}`` are one field with two faces."""
    return sorted({re.sub("_(km|en)$", "", name) for name in catalogues.fields(text)})


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_error_says_what_was_kept_and_what_to_do(code: str) -> None:
    entry = catalogue()[code]
    assert CODE.fullmatch(code)
    assert set(entry) == {"km", "en", "cause"}
    assert isinstance(entry["cause"], str) and entry["cause"].strip()
    for side in SIDES:
        khmer, english = entry["km"][side], entry["en"][side]
        assert khmer.strip() and english.strip()
        assert fields(khmer) == fields(english)
        assert spelling(f"{code} {side}", khmer) == []
    assert set(entry["km"]) == set(entry["en"]) == set(SIDES)


def pairs_of_code() -> Iterator[tuple[str, Any, Any]]:
    """Two-language texts written in place in the sources: literal mappings with the keys km and en."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                sides = {
                    key.value: value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                if (
                    sides.keys() & {"km", "en"} and None not in node.keys and not sides.keys() - {"km", "en"}
                ):  # more keys: a name
                    yield f"{path}:{node.lineno}", sides.get("km"), sides.get("en")


def pairs_of_data(value: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """Two-language texts in a TOML document."""
    if isinstance(value, dict):
        if isinstance(value.get("km"), str) or isinstance(value.get("en"), str):
            yield where, value.get("km"), value.get("en")
        for key, inner in value.items():
            yield from pairs_of_data(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from pairs_of_data(inner, where)


def test_texts_in_place_have_both_languages_and_one_spelling() -> None:
    faults: list[str] = []
    for where, khmer, english in pairs_of_code():
        if khmer is None or english is None:
            faults.append(f"{where}: one language only")
        elif isinstance(khmer, ast.Constant) and isinstance(khmer.value, str):
            faults += spelling(where, khmer.value)
    for path in sorted([*ROOT.glob("modules/*/module.toml"), *ROOT.glob("assets/**/*.toml")]):
        for where, khmer, english in pairs_of_data(tomllib.loads(path.read_text("utf-8")), str(path.relative_to(ROOT))):
            if not khmer or not english:
                faults.append(f"{where}: one language only")
            else:
                faults += spelling(where, khmer)
    none(faults)
