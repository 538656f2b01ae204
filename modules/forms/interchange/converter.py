"""The process that turns one XLSForm into an XForm: bounded in memory and seconds, with nothing of the office's data in it.

Reads the workbook from standard input, writes one JSON object to standard output: ``{"xform", "warnings", "itemsets"}`` or
``{"error"}``, or ``{"missing": true}`` where the converter is not installed. Run as ``python -m modules.forms.interchange.converter TYPE``.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

MEMORY: Final = 1_200_000_000  # bytes of address space
SECONDS: Final = 60  # of processor time


def bound() -> None:
    """Have the system stop this process at its limits (POSIX; elsewhere the parent's clock and the counted rows must do)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def convert(data: bytes, file_type: str) -> dict[str, Any]:
    """The answer for one workbook."""
    try:
        from pyxform.errors import PyXFormError
        from pyxform.xls2xform import convert as convert_workbook
    except ImportError:
        return {"missing": True}
    try:
        made = convert_workbook(xlsform=data, file_type=file_type)
    except PyXFormError as error:
        return {"error": _with_row(str(error), data, file_type)}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, LookupError, OSError, RecursionError) as error:
        return {"error": f"{type(error).__name__}: {error}"}  # a workbook that the converter did not foresee
    return {"xform": made.xform, "warnings": [str(one) for one in made.warnings], "itemsets": made.itemsets}


def _with_row(message: str, data: bytes, file_type: str) -> str:
    """``message`` with the row of the survey sheet that it quotes, where the converter does not say it."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2json_backends import get_xlsform

    quoted = re.findall("'([^']+)'", message)
    if "[row" in message or not quoted:
        return message
    try:
        rows = get_xlsform(xlsform=data, file_type=file_type).survey or ()
    except PyXFormError:
        return message
    for number, row in enumerate(rows, 2):
        if set(quoted) & {row.get("type"), row.get("name")}:
            return f"[row : {number}] {message}"
    return message


def run(file_type: str) -> None:
    """Convert standard input."""
    bound()
    answer = convert(sys.stdin.buffer.read(), file_type)
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    run(sys.argv[-1])
