"""Short links: one look-up, then 302, or a page in Khmer and English that says why not.

What a row means and which codes look alike is said by functions that the links module's manifest names. Codes are
case-insensitive (printed QR codes are upper case). Clicks are counted by day, without address or browser.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from i18n import dates
from i18n.catalog import LANGUAGES
from sync.hub.centre import Centre
from sync.hub.console.pages import HEADERS, Words, environment
from sync.hub.storage import Row, Tx

MAX_CODE: Final = 64
STATUS: Final = {"unknown": 404, "mistyped": 404, "disabled": 410, "expired": 410, "refused": 410}
MOST_NEAR: Final = 3


async def visit(request: Request) -> Response:
    """The answer to ``/<code>``."""
    return await run_in_threadpool(
        respond, request.app.state.centre, request.path_params["code"], counted=request.method == "GET"
    )


def respond(centre: Centre, code: str, *, counted: bool = True) -> Response:
    """302 to the target; 404 for a code that is not there or is mistyped, 410 for one that is over."""
    rules = _rules(tuple(_named(centre)))
    wanted, now = code.lower()[:MAX_CODE], centre.clock.wall_ms()
    if rules is None:
        return _page(centre, "unknown", wanted, [])
    judge, suggest = rules
    row = centre.storage.read(lambda tx: _link(tx, wanted))
    verdict = judge(row, now)
    if verdict == "redirect" and row is not None:
        count = BackgroundTask(centre.storage.write, lambda tx: _count(tx, wanted, now)) if counted else None
        return RedirectResponse(row["target"], 302, headers={"Cache-Control": "private, max-age=60"}, background=count)
    near = suggest(wanted) if verdict == "unknown" else []
    if near:  # shaped like a leased code, but its check character does not fit
        existing = centre.storage.read(lambda tx: [found for found in near if _link(tx, found)])
        return _page(centre, "mistyped", wanted, existing[:MOST_NEAR])
    return _page(centre, verdict, wanted, [])


def _named(centre: Centre) -> list[str]:
    for manifest in centre.manifests:
        hub = manifest.get("hub", {})
        if "redirect" in hub and "suggest" in hub:
            return [hub["redirect"], hub["suggest"]]
    return []


@cache
def _rules(names: tuple[str, ...]) -> tuple[Callable[..., str], Callable[[str], list[str]]] | None:
    """What judges a row and what finds codes that look alike; None without the links module."""
    if not names:
        return None
    judge, suggest = (_function(name) for name in names)
    return judge, suggest


def _function(dotted: str) -> Callable[..., Any]:
    module, _, name = dotted.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def _link(tx: Tx, code: str) -> Row | None:
    return tx.one("SELECT * FROM p_links_link WHERE code = :code", {"code": code})


def _count(tx: Tx, code: str, now_ms: int) -> None:
    tx.execute(
        "INSERT INTO click (code, day, n) VALUES (:code, :day, 1) ON CONFLICT (code, day) DO UPDATE SET n = click.n + 1",
        {"code": code, "day": dates.moment(now_ms).date().isoformat()},
    )


def _page(centre: Centre, verdict: str, code: str, near: list[str]) -> Response:
    sides = [Words(language, centre.clock.wall_ms()) for language in LANGUAGES]
    text = environment().get_template("notice.html").render(verdict=verdict, code=code, near=near, sides=sides)
    return HTMLResponse(text, STATUS[verdict], headers=HEADERS)
