"""Short links: one look-up, then 302, or a page in Khmer and English that says why not.

Codes are case-insensitive (printed QR codes are upper case). Clicks are counted by day, without address or browser.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from i18n.catalog import LANGUAGES, Language, tr_in
from sync.errors import Known
from sync.hub import projections
from sync.hub.centre import Centre
from sync.hub.storage import Row, Tx

MAX_CODE: Final = 64
_STATUS: Final = {"unknown": 404, "disabled": 410, "expired": 410, "refused": 410}


def respond(centre: Centre, code: str) -> Response:
    """The answer to a visit of ``/<code>``."""
    wanted = code.lower()
    now = centre.clock.wall_ms()
    row = centre.storage.read(lambda tx: _link(tx, wanted)) if len(wanted) <= MAX_CODE else None
    verdict = _rule("redirect")(row, now)
    if verdict == "redirect" and row is not None:
        centre.storage.write(lambda tx: _count(tx, wanted, now))
        return RedirectResponse(row["target"], status_code=302, headers={"Cache-Control": "private, max-age=60"})
    near = centre.storage.read(lambda tx: _existing(tx, _rule("suggest")(wanted))) if verdict == "unknown" else []
    return HTMLResponse(_page(verdict, wanted, near), status_code=_STATUS[verdict])


async def visit(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(respond, request.app.state.centre, request.path_params["code"])


@cache
def _rule(name: str) -> Callable[..., Any]:
    """A rule that a module's manifest names for the redirector."""
    for manifest in projections.manifests():
        if dotted := manifest.get("hub", {}).get(name):
            module, _, function = dotted.partition(":")
            rule: Callable[..., Any] = getattr(import_module(module), function)
            return rule
    raise Known("HB-150", rule=name)


def _link(tx: Tx, code: str) -> Row | None:
    return tx.one("SELECT * FROM p_links_link WHERE code = :code", {"code": code})


def _count(tx: Tx, code: str, now_ms: int) -> None:
    day = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
    tx.execute(
        "INSERT INTO click (code, day, n) VALUES (:code, :day, 1) ON CONFLICT (code, day) DO UPDATE SET n = click.n + 1",
        {"code": code, "day": day},
    )


def _existing(tx: Tx, suggestions: list[str]) -> list[str]:
    return [code for code in suggestions if _link(tx, code)][:3]


def _words(language: Language, verdict: str) -> tuple[str, str]:
    titles: dict[str, tuple[str, str]] = {
        "unknown": (tr_in(language, "This link does not exist"), tr_in(language, "Check the code letter by letter and try again.")),
        "disabled": (tr_in(language, "This link was switched off"), tr_in(language, "Ask the office that gave it to you.")),
        "expired": (tr_in(language, "This link has expired"), tr_in(language, "Ask the office that gave it to you.")),
        "refused": (tr_in(language, "This link was refused"), tr_in(language, "Ask the office that gave it to you.")),
    }
    return titles[verdict]


def _page(verdict: str, code: str, near: list[str]) -> str:
    parts: list[Any] = []
    for language in LANGUAGES:
        title, advice = _words(language, verdict)
        parts.append(f'<section lang="{language}"><h1>{html.escape(title)}</h1><p>{html.escape(advice)}</p></section>')
    links = "".join(f'<li><a href="/{html.escape(found)}">{html.escape(found)}</a></li>' for found in near)
    meant = f"<ul>{links}</ul>" if links else ""
    return (
        '<!doctype html><html lang="km"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(code[:MAX_CODE])}</title><link rel="stylesheet" href="/console/static/console.css">'
        f'<body class="notice"><main>{"".join(parts)}{_code(code)}{meant}</main></body></html>'
    )


def _code(code: str) -> str:
    return f'<p class="code">{html.escape(code[:MAX_CODE])}</p>'
