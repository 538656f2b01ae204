"""JavaRosa beside us: the engine of ODK Collect, out of the jar that pyxform's wheel carries. For comparison only, never shipped."""

from __future__ import annotations

import base64
import importlib.util
import math
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "javarosa"
FORM = HERE / "form.xml"
_IN_WHEEL = "validators/odk_validate/bin/ODK_Validate.jar"


def jar() -> Path | None:
    """``SALA_ODK_VALIDATE``, else that of an installed pyxform."""
    if named := os.environ.get("SALA_ODK_VALIDATE"):
        return Path(named) if Path(named).is_file() else None
    found = importlib.util.find_spec("pyxform")
    places = [Path(place) / _IN_WHEEL for place in (found.submodule_search_locations or ())] if found else []
    return next((place for place in places if place.is_file()), None)


def missing() -> str:
    """Why there is nothing to compare with; empty when there is."""
    if shutil.which("java") is None or shutil.which("javac") is None:
        return "no Java development kit here"
    return "" if jar() else "no ODK_Validate.jar: install pyxform, or say where it is in SALA_ODK_VALIDATE"


class JavaRosa:
    """One process that evaluates expressions over a form; ``folder`` takes the compiled driver."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join((str(jar()), str(folder)))
        subprocess.run(
            ["javac", "-nowarn", "-cp", str(jar()), "-d", str(folder), str(HERE / "Oracle.java")], check=True
        )
        self._process = subprocess.Popen(
            ["java", "-Duser.timezone=Asia/Phnom_Penh", "-Duser.language=en", "-cp", path, "Oracle"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="ascii",
        )  # fmt: skip
        assert self._said() == "ready"

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def open(self, form: Path) -> None:
        """Every further question is about ``form``."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"form\t{form}\n")
        self._process.stdin.flush()
        assert self._said() == "ready"

    def ask(self, questions: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
        """Type and value of each (place, expression): a number is a float, a nodeset a list of texts."""
        return [self._one(place, expression) for place, expression in questions]

    def _one(self, place: str, expression: str, *more: str) -> tuple[str, Any]:
        assert self._process.stdin is not None
        line = "\t".join((place, base64.b64encode(expression.encode()).decode(), *more))
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        type_, _, coded = self._said().partition("\t")
        text = base64.b64decode(coded).decode()
        if type_ == "number":
            return type_, math.nan if text == "NaN" else float(text)
        if type_ == "boolean":
            return type_, text == "true"
        if type_.startswith("nodeset"):
            return "nodeset", text.split("\x01") if type_ != "nodeset 0" else []
        return type_, text

    def nanoseconds(self, place: str, expression: str, times: int) -> float:
        """What one evaluation takes when Java has warmed up."""
        return float(self._one(place, expression, str(times))[1])

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
