"""The packaged program holds what our code imports, and leaves out only what it does not."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from sync.version import VERSION
from tools import shipped

ROOT = Path(__file__).parents[2]
# Files that look for something which only the checkout has, and go on without it: (file, top-level module).
OPTIONAL = {("desktop/day/papers.py", "playwright"), ("sync/hub/feeds/files.py", "duckdb")}
PRIVATE = {"pyimod02_importers", "_typeshed"}


@cache
def imports() -> list[tuple[str, str]]:
    """``(file, dotted module)`` of every import of our packages that is not ours, also inside functions."""
    return [
        (str(path.relative_to(ROOT)), name)
        for package in shipped.PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in named(path)
        if name.partition(".")[0] not in {*shipped.PACKAGES, *PRIVATE}
    ]


def named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_the_hub(file: str) -> bool:
    return file.startswith("sync/hub/") or (file.startswith("modules/") and file.endswith("/hub.py"))


def test_every_import_is_locked() -> None:
    """Standard library, ours, or pinned with hashes for the program that imports it."""
    providers = packages_distributions()
    laptop, hub = shipped.locked("laptop"), shipped.locked("laptop", "hub")
    strangers = set()
    for file, name in imports():
        top = name.partition(".")[0]
        allowed = hub if of_the_hub(file) else laptop
        if top in sys.stdlib_module_names or (file, top) in OPTIONAL:
            continue
        if not {shipped.canonical(found) for found in providers.get(top, ())} & set(allowed):
            strangers.add((file, top))
    assert not strangers


def test_nothing_that_is_imported_is_left_out() -> None:
    missing = {
        (file, name)
        for file, name in imports()
        for out in shipped.EXCLUDED
        if (name == out or name.startswith(f"{out}.")) and (file, name.partition(".")[0]) not in OPTIONAL
    }
    assert not missing


def test_the_optional_imports_are_still_there() -> None:
    assert {(file, name.partition(".")[0]) for file, name in imports()} >= OPTIONAL


def test_no_qt_library_of_an_imported_module_is_dropped() -> None:
    used = {name.split(".")[1] for _, name in imports() if name.startswith("PySide6.Qt")}
    assert "QtWidgets" in used
    for module in used:
        assert not shipped.DROPPED.search(f"/PySide6/Qt/lib/lib{module.replace('Qt', 'Qt6', 1)}.so.6"), module
        assert not shipped.DROPPED.search(f"/PySide6/{module.replace('Qt', 'Qt6', 1)}.dll"), module


@pytest.mark.parametrize(
    ("place", "dropped"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", False),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", False),
        ("PySide6/plugins/platforms/qwindows.dll", False),
        ("PySide6/Qt/plugins/printsupport/libcupsprintersupport.so", False),
        ("PySide6/Qt/plugins/platforminputcontexts/libibusplatforminputcontextplugin.so", False),
        ("PySide6/Qt/plugins/imageformats/libqjpeg.so", False),
        ("PySide6/Qt/lib/libicudata.so.73", False),
        ("PySide6/Qt/translations/qtbase_de.qm", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", True),
        ("PySide6/Qt6Qml.dll", True),
        ("PySide6/plugins/tls/qopensslbackend.dll", True),
    ],
)
def test_what_is_dropped(place: str, dropped: bool) -> None:
    assert (shipped.kept([(place, "", "BINARY")]) == []) is dropped


def test_every_module_and_every_file_beside_it_is_shipped() -> None:
    modules = shipped.our_modules()
    assert {"desktop.cli", "sync.hub.cli", "modules.forms", "i18n.pdf"} <= set(modules)
    assert not [name for name in modules if "__pycache__" in name or name.endswith(".__init__")]
    places = {f"{folder}/{Path(file).name}" for file, folder in shipped.data_files()}
    for path in ROOT.glob("modules/*/module.toml"):
        assert str(path.relative_to(ROOT)) in places
    wanted = {
        "assets/tokens.toml", "i18n/locale/km/LC_MESSAGES/sala.mo", "sync/hub/console/static/htmx.min.js", "licences/LICENSE",
        "modules/forms/definition.schema.json", "assets/fonts/SalaKhmer-Regular.ttf", "assets/gazetteer/gazetteer.sqlite",
    }  # fmt: skip
    assert wanted <= places
    steps = {place for place in places if place.startswith("sync/hub/migrations/versions/")}  # read as files
    assert not [place for place in places - steps if place.endswith((".py", ".pyc", ".po"))]


def test_every_resource_that_code_finds_beside_itself_lies_in_a_shipped_package() -> None:
    """``__file__`` in the folder of the program is ``_internal``: what climbs out of our packages finds nothing there."""
    for package in shipped.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            depth = len(path.relative_to(ROOT).parts) - 1
            for found in re.findall(r"Path\(__file__\)(?:\.resolve\(\))?\.parents\[(\d+)\]", path.read_text("utf-8")):
                assert int(found) <= depth, path


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_the_programs_have_their_entries() -> None:
    for script in shipped.PROGRAMS.values():
        text = (ROOT / "tools" / "programs" / script).read_text("utf-8")
        assert "import main" in text and text.rstrip().endswith("sys.exit(main())")
    assert len({Path(script).stem for script in shipped.PROGRAMS.values()}) == len(shipped.PROGRAMS)


def test_a_distribution_that_nobody_locked_is_a_stranger() -> None:
    assert shipped.strangers(
        ["click.core", "pytest.main", "_pytest.python", "PySide6.QtCore", "json", "sync.hub.cli"]
    ) == ["pytest"]
    assert not shipped.strangers(
        name for _, name in imports() if name.partition(".")[0] not in {top for _, top in OPTIONAL}
    )


def test_the_programs_can_share_one_archive_of_code() -> None:
    """The name by which tools/programs/shared_code.py does it is PyInstaller's own affair: see docs/decisions/004."""
    found = find_spec("PyInstaller")
    assert found is not None and found.origin is not None
    loader = (Path(found.origin).parent / "loader" / "pyimod02_importers.py").read_text("utf-8")
    assert shipped.archive_is_named(loader), "the build would stop: the name is another one in this PyInstaller"
    assert not shipped.archive_is_named(loader.replace("sys._pyinstaller_pyz", "sys._other_name"))
    assert not shipped.archive_is_named('# reads sys._pyinstaller_pyz\nhasattr(sys, "_pyinstaller_pyz")\n')
    assert "sys._pyinstaller_pyz = " in (ROOT / "tools" / "programs" / "shared_code.py").read_text("utf-8")
