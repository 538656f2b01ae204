"""The import rules hold, would notice a violation, and no core needs Qt."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("desktop", "modules", "sync", "i18n")
CORES = [path.parent.name for path in sorted(ROOT.glob("modules/*/module.toml"))]

BLOCK_QT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "shiboken6"):
            raise ImportError("Qt is blocked: " + name)
sys.meta_path.insert(0, Block())
"""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([tool, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_import_rules_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("modules/forms/core.py", "import desktop.kit.page", "BROKEN"),
        ("modules/forms/core.py", "import modules.links.core", "BROKEN"),
        ("sync/store.py", "import modules.contract", "BROKEN"),
        ("i18n/normalise.py", "import sync.store", "BROKEN"),
        ("desktop/kit/page.py", "import sync.store", "BROKEN"),
    ],
)
def test_import_rules_catch_a_violation(tmp_path: Path, file: str, line: str, rule: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / file
    planted.write_text(planted.read_text("utf-8") + f"\n{line}\n", "utf-8")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert rule in result.stdout


@pytest.mark.parametrize("module", CORES)
def test_a_core_runs_where_qt_is_not(module: str) -> None:
    code = f"{BLOCK_QT}\nfrom modules.session import load\nfrom modules import manifest\n" + (
        f"found = [m for m in manifest.installed() if m.id == {module!r}][0]\nload(found.entry)\n"
        "[load(name) for name in found.projections]\nfound.cli and load(found.cli)()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_command_line_runs_where_qt_is_not() -> None:
    code = f"{BLOCK_QT}\nfrom desktop.cli import main\nsys.exit(main(['--help']))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60, capture_output=True)


def test_no_installed_distribution_takes_our_names() -> None:
    provided = packages_distributions()
    assert not [name for name in PACKAGES if name in provided]


def test_nothing_names_a_machine_or_a_workplace() -> None:
    home = re.compile(rf"(?<![\w)\]]){re.escape(str(Path.home()))}/")  # instance('x')/root/item is a path inside a list
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".json", ".txt", ".po", ".html", ".spec"} and path.exists():
            text = path.read_text("utf-8")
            assert "../shared" not in text or name.startswith("tests/architecture/"), name
            assert home.search(text) is None, name
