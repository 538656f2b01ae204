"""``sala-hub``: the centre's command line. ``--json`` prints exactly one JSON document.

Exit codes: 0 done · 1 refused or failed for a known cause · 2 wrong usage · 3 a bug.
"""

from __future__ import annotations

import json
import logging
import sys

import click

from i18n.errors import SalaError, explain
from sync.hub import (  # noqa: F401  adds its verbs
    verbs_admin,
    verbs_agency,
    verbs_carry,
    verbs_feeds,
    verbs_life,
    verbs_line,
    verbs_log,
    verbs_objects,
    verbs_publications,
    verbs_relay,
)
from sync.hub.offices import office_facts
from sync.hub.verbs import root

__all__ = ["main", "office_facts"]

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run ``sala-hub`` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    try:
        code = root.main(arguments, prog_name="sala-hub", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return 1
    except click.ClickException as wrong:
        if as_json:
            click.echo(json.dumps({"error": {"code": "usage", "message": wrong.format_message()}}, ensure_ascii=False))
        else:
            wrong.show()
        return 2
    except SalaError as error:
        words = explain(error)
        if as_json:
            document = {"error": {"code": words.code, "message": words.what, "kept": words.kept, "next": words.next}}
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            click.echo(f"{words.code}  {words.what}\n{words.kept}\n{words.next}", err=True)
        return 1
    except Exception:
        log.exception("sala-hub failed")
        if as_json:
            click.echo(json.dumps({"error": {"code": "bug"}}))
        return 3


if __name__ == "__main__":
    sys.exit(main())
