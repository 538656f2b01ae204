"""Manifests are read without running code, and refused with a reason when they do not keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from i18n.errors import Refused
from modules import manifest

GOOD = """
[module]
id = "sample"
version = "1.0"
contract = [1, 0]
entry = "modules.sample.core:activate"
icon = "forms"
permissions = ["records.read"]
title = { km = "គំរូ", en = "Sample" }
summary = { km = "មុខងារគំរូ", en = "A sample module" }

[hub]
projections = ["modules.sample.hub:Projection"]
"""


def written(folder: Path, text: str, name: str = "sample") -> Path:
    place = folder / name / "module.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
    return place


def test_a_good_manifest_is_read(tmp_path: Path) -> None:
    found = manifest.read(written(tmp_path, GOOD))
    assert (found.id, found.view, found.projections) == ("sample", None, ("modules.sample.hub:Projection",))
    assert found.permissions == {"records.read"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "sample"', 'id = "Sample!"'),
        ("contract = [1, 0]", "contract = [2, 0]"),
        ("contract = [1, 0]", "contract = [1, 9]"),
        ('entry = "modules.sample.core:activate"', 'entry = "os.system(1)"'),
        ('permissions = ["records.read"]', 'permissions = ["root"]'),
        ('title = { km = "គំរូ", en = "Sample" }', 'title = { en = "Sample" }'),
        ('icon = "forms"', ""),
        ("[module]", "[module"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(Refused) as refusal:
        manifest.read(written(tmp_path, GOOD.replace(old, new)))
    assert refusal.value.code == "MD-001"


def test_an_oversized_manifest_is_not_even_parsed(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        manifest.read(written(tmp_path, GOOD + "#" * 70_000))
    assert refusal.value.values["reason"] == "too large"


def test_installed_modules_come_in_the_order_of_the_rail(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace('icon = "forms"', 'icon = "forms"\norder = 20'), "a")
    written(
        tmp_path,
        GOOD.replace('id = "sample"', 'id = "first"').replace('icon = "forms"', 'icon = "forms"\norder = 10'),
        "b",
    )
    assert [found.id for found in manifest.installed(tmp_path)] == ["first", "sample"]


def test_every_shipped_manifest_keeps_the_contract() -> None:
    assert {found.id for found in manifest.installed()} >= {"forms", "certificates", "links", "messages", "flows"}
