"""The diagnostics bundle: what IT staff need to know about one laptop, without a name, a number, an answer or a key."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i18n.errors import Known

if TYPE_CHECKING:
    from modules.session import Session

ROOT = Path(__file__).parents[1]
SELFTEST_S = 120
_LOG_LIMIT = 200_000  # bytes of the newest log that travel


def write_bundle(home: Path, out: Path, *, session: Session | None = None) -> Path:
    """Write ``out`` (a zip) and return it. A present file is replaced. ``Known("UI-004")`` when it cannot be written."""
    parts = {"machine.json": _json(machine(home)), "selftest.json": _json(selftest())}
    if session is not None:
        parts["profile.json"] = _json(profile(session))
    temporary = out.with_suffix(out.suffix + ".part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in parts.items():
                bundle.writestr(name, text)
            for log in sorted(home.glob("log/*.log")):
                bundle.writestr(f"log/{log.name}", log.read_bytes()[-_LOG_LIMIT:])
        temporary.replace(out)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise Known("UI-004", file=out.name) from error
    return out


def selftest() -> dict[str, Any]:
    """The program's self-test in a process of its own: it loads everything, also what the window must not load."""
    own = Path(sys.executable)
    beside = (
        [str(own.with_name("sala-cli" + own.suffix))]
        if getattr(sys, "frozen", False)
        else [str(own), "-m", "desktop.cli"]
    )
    ran = subprocess.run(
        [*beside, "--json", "selftest"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=SELFTEST_S,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, check=False,
    )  # fmt: skip
    try:
        report: dict[str, Any] = json.loads(ran.stdout)
    except json.JSONDecodeError:
        return {"ok": False, "checks": {}, "exit": ran.returncode}
    return report


def machine(home: Path) -> dict[str, Any]:
    """Versions and space; no host name, no user name, no path."""
    from importlib.metadata import distributions

    place = home if home.exists() else home.parent
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python": sys.version.split()[0],
        "frozen": bool(getattr(sys, "frozen", False)),
        "free_mb": shutil.disk_usage(place).free // 1_000_000 if place.exists() else None,
        "packages": {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]},
    }


def profile(session: Session) -> dict[str, Any]:
    """Counts, states and integrity."""
    from dataclasses import asdict

    from sync import outbox

    summary = asdict(session.store.read(outbox.summary))
    summary.pop("stuck", None)
    return {
        "office": session.office["code"],
        "device": session.unlocked.device.device_id.hex(),
        "modules": {found.id: found.version for found in session.manifests},
        "outbox": summary,
        "integrity": session.store.integrity(),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)
