"""What every page of the console is made with: templates, words, times, the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from i18n import segment
from i18n.catalog import LANGUAGES, Language, tr_in
from sync.hub.console.login import Visit

HERE: Final = Path(__file__).parent
PHNOM_PENH: Final = timezone(timedelta(hours=7))
LANGUAGE_COOKIE: Final = "sala-language"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_environment = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def language(request: Request) -> Language:
    """The language that the visitor chose; Khmer first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return next((known for known in LANGUAGES if known == chosen), "km")


def page(request: Request, template: str, values: Mapping[str, Any], *, visit: Visit | None, status: int = 200) -> HTMLResponse:
    """One page in the visitor's language."""
    lang = language(request)
    text = _environment.get_template(template).render(
        **values,
        lang=lang,
        t=lambda message, **fields: shown(tr_in(lang, message, **fields)),
        say=lambda words: shown(words[lang]),
        shown=shown,
        clock=clock,
        ago=lambda ms: ago(lang, ms, request.app.state.centre.clock.wall_ms()),
        visit=visit,
        here=request.url.path,
        centre_name=request.app.state.centre.settings["name"],
        projections=menu(request),
    )
    return HTMLResponse(
        text, status, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    )


def menu(request: Request) -> list[tuple[str, Mapping[str, str]]]:
    """The projections that the console lists: name and title."""
    found = []
    for projection in request.app.state.centre.runner.projections:
        console = getattr(projection, "console", None)
        if console is not None:
            found.append((projection.name, console()["title"]))
    return found


def shown(text: object) -> Markup:
    """Text with break opportunities between Khmer words, escaped; browsers then wrap it at words."""
    return Markup("&#8203;").join(Markup.escape(part) for part in segment.display(str(text)).split("\u200b"))


def clock(ms: int | None) -> str:
    """A time in Phnom Penh."""
    if ms is None:
        return "–"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(PHNOM_PENH).strftime("%d-%m-%Y %H:%M")


def ago(lang: Language, ms: int | None, now_ms: int) -> Markup:
    """How long ago, in words."""
    if ms is None:
        return shown(tr_in(lang, "never"))
    minutes = max(0, now_ms - ms) // 60_000
    if minutes < 1:
        return shown(tr_in(lang, "just now"))
    if minutes < 60:
        return shown(tr_in(lang, "{n} min ago", n=minutes))
    if minutes < 48 * 60:
        return shown(tr_in(lang, "{n} h ago", n=minutes // 60))
    return shown(tr_in(lang, "{n} days ago", n=minutes // 1440))
