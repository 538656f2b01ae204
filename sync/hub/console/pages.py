"""What every page of the console is made with: templates, words, numbers, times, icons, the visitor's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from i18n import dates, gazetteer, segment
from i18n.catalog import LANGUAGES, Language, tr_in
from i18n.errors import SalaError, explain
from i18n.numbers import format_number, khmer_digits
from sync.hub import reports
from sync.hub.centre import Centre
from sync.hub.console import addresses, agents, navigation, roles
from sync.hub.console.login import Visit
from sync.hub.epochs import FIRST
from sync.limits import DAY_MS

HERE: Final = Path(__file__).parent
ASSETS: Final = HERE.parents[2] / "assets"
LANGUAGE_COOKIE: Final = "sala-language"
_EPOCH: Final = date(1970, 1, 1)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@cache
def environment() -> Environment:
    """The templates."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def day_ms(text: str) -> int:
    """When the day ``2026-11-22`` began in Phnom Penh; 0 for no day."""
    try:
        return ((date.fromisoformat(text) - _EPOCH).days * DAY_MS) - reports.PHNOM_PENH_MS if text else 0
    except ValueError:
        return 0


def centre_of(request: Request) -> Centre:
    """The hub that this request is about."""
    centre: Centre = request.app.state.centre
    return centre


def language(request: Request) -> Language:
    """The language that the visitor chose; Khmer first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return next((known for known in LANGUAGES if known == chosen), "km")


class Words:
    """What templates say, count and date with, in one language."""

    def __init__(self, lang: Language, now_ms: int) -> None:
        self.lang, self.now_ms = lang, now_ms

    def t(self, message: str, **values: object) -> Markup:
        """A sentence of the catalogue."""
        return shown(self.raw(message, **values))

    def raw(self, message: str, **values: object) -> str:
        """A sentence for an attribute: without break opportunities. Whole numbers are written in the language's digits."""
        return tr_in(self.lang, message, **{name: self.num(v) if type(v) is int else v for name, v in values.items()})

    def many(self, one: str, more: str, n: int) -> Markup:
        """``one`` when ``n`` is 1, else ``more``; Khmer says both alike."""
        return self.t(one if n == 1 else more, n=n)

    def say(self, words: Mapping[str, str]) -> Markup:
        """The side of a two-language text."""
        return shown(words[self.lang])

    def num(self, value: int) -> str:
        return format_number(value, "khmer" if self.lang == "km" else "latin")

    def digits(self, text: object) -> str:
        """A number that is a name (a laptop's number) in the language's digits."""
        return khmer_digits(str(text)) if self.lang == "km" else str(text)

    def size(self, value: int) -> str:
        """Bytes for people."""
        for unit, divisor in (("MB", 1 << 20), ("kB", 1 << 10)):
            if value >= divisor:
                return f"{self.digits(f'{value / divisor:.1f}')} {unit}"
        return f"{self.num(value)} B"

    def day(self, ms: int) -> str:
        return dates.short_date(dates.moment(ms).date(), "khmer" if self.lang == "km" else "latin")

    def moment(self, ms: int | None) -> str:
        """Date and time in Phnom Penh; a dash for none."""
        return "–" if ms is None else dates.short_moment(ms, "khmer" if self.lang == "km" else "latin")

    def today(self) -> Markup:
        """Weekday, date and time of now, as the head of the page says it."""
        at = dates.moment(self.now_ms)
        weekday = (dates.DAYS if self.lang == "km" else dates.DAYS_EN)[at.weekday()]
        time = dates.short_time(self.now_ms, "khmer" if self.lang == "km" else "latin")
        if self.lang == "km":
            return shown(f"ថ្ងៃ{weekday} {_long(at.date())} {time}")
        return shown(f"{weekday} {dates.official_date(at.date(), 'en')}, {time}")

    def epoch(self, number: int) -> Markup:
        """Which life of the log this is: the first by its number, a later one (a POSIX second) by when it began."""
        if number == FIRST:
            return self.t("log epoch {epoch}", epoch=number)
        return self.t("log since {when}", when=self.moment(number * 1000))

    def ago(self, ms: int | None) -> str:
        """How long ago, in words."""
        if ms is None:
            return self.raw("never")
        minutes = max(0, self.now_ms - ms) // 60_000
        if minutes < 1:
            return self.raw("just now")
        if minutes < 60:
            return self.raw("{n} min ago", n=minutes)
        if minutes < 48 * 60:
            return self.raw("{n} h ago", n=minutes // 60)
        return self.raw("{n} days ago", n=minutes // 1440)

    def page_name(self, address: str) -> Markup:
        """What the page at an address is called."""
        return shown(addresses.page_name(self.raw, address, self.digits))

    def asked(self, query: str) -> list[tuple[str, str]]:
        """What somebody looked for: words and value of each filter."""
        return addresses.asked(self.raw, query)

    def agent(self, said: str) -> str:
        """A browser and its system by the names that people know them by."""
        return agents.short(said)

    def door(self, subject: str) -> Markup:
        """What happened at the log-in."""
        return shown(addresses.door(self.raw, subject))

    def province(self, code: str) -> Markup:
        """The name of a province by its code."""
        try:
            unit = gazetteer.unit(code)
        except KeyError:
            return shown(self.digits(code))
        return shown(unit.km if self.lang == "km" else unit.en)

    def explain(self, error: SalaError) -> tuple[str, Markup, Markup, Markup]:
        """Code, what happened, what was kept, what to do."""
        words = explain(error, self.lang)
        return words.code, shown(words.what), shown(words.kept), shown(words.next)


def _long(day: date) -> str:
    return f"{khmer_digits(day.day)} {dates.MONTHS[day.month - 1]} {khmer_digits(day.year)}"


def render(request: Request, template: str, values: Mapping[str, Any], visit: Visit | None) -> str:
    """A template filled for this visitor."""
    centre = centre_of(request)
    words = Words(language(request), centre.clock.wall_ms())
    figures = centre.storage.read(reports.totals) if visit else None
    shown_groups, offices = navigation.groups(visit) if visit else [], _Offices(centre, words)
    return environment().get_template(template).render(
        lang=words.lang, w=words, t=words.t, raw=words.raw, say=words.say, num=words.num, shown=shown, icon=icon, visit=visit,
        here=request.url.path, figures=figures, epoch=centre.log.epoch, centre_name=centre.settings["name"],
        groups=shown_groups, group=navigation.current(shown_groups, request.url.path), may=visit.may if visit else _nobody,
        role_titles=roles.TITLES, office_name=offices.name, knows_office=offices.knows, **values,
    )  # fmt: skip


class _Offices:
    """What offices are called. Names are read once a page, and only when one is asked for."""

    def __init__(self, centre: Centre, words: Words) -> None:
        self._centre, self._words = centre, words
        self._names: dict[str, dict[str, str]] | None = None
        self._shown: dict[str, Markup] = {}

    def knows(self, code: str) -> bool:
        """Whether the office has a page here."""
        if self._names is None:
            rows = self._centre.storage.read(
                lambda tx: tx.query("SELECT code, name_km, name_en FROM office ORDER BY code")
            )
            self._names = {row["code"]: {"km": row["name_km"], "en": row["name_en"]} for row in rows}
        return code in self._names

    def name(self, code: str) -> Markup:
        """Its own name, else the gazetteer's, else a dash: the code stands beside it anyway."""
        if code not in self._shown:
            self._shown[code] = self._name(code)
        return self._shown[code]

    def _name(self, code: str) -> Markup:
        if self.knows(code) and self._names is not None and self._names[code][self._words.lang]:
            return self._words.say(self._names[code])
        try:
            unit = gazetteer.unit(code)
        except KeyError:
            return Markup("–")
        return shown(unit.full_km() if self._words.lang == "km" else unit.en)


def _nobody(_power: str) -> bool:
    """What somebody outside may."""
    return False


def page(
    request: Request, template: str, values: Mapping[str, Any], *, visit: Visit | None, status: int = 200
) -> HTMLResponse:
    """One page in the visitor's language."""
    return HTMLResponse(render(request, template, values, visit), status, headers=HEADERS)


def menu(centre: Centre) -> list[tuple[str, Mapping[str, str]]]:
    """The module tables that the console lists: name and title."""
    found = []
    for projection in centre.runner.projections:
        console = getattr(projection, "console", None)
        if console is not None:
            found.append((projection.name, console()["title"]))
    return found


def shown(text: object) -> Markup:
    """Text with break opportunities between Khmer words, escaped; browsers then wrap it at words."""
    return Markup("&#8203;").join(Markup.escape(part) for part in segment.display(str(text)).split("\u200b"))


@cache
def icon(name: str) -> Markup:
    """One of the program's icons, drawn in the colour of the text beside it."""
    svg = (ASSETS / "icons" / f"{name}.svg").read_text("utf-8")
    return Markup(svg.replace("<svg ", '<svg class="icon" aria-hidden="true" ', 1))


@cache
def tokens() -> str:
    """The program's colours as a style sheet: light, dark as the visitor's system says, and high contrast."""
    found = tomllib.loads((ASSETS / "tokens.toml").read_text("utf-8"))

    def block(theme: str) -> str:
        return ":root{" + "".join(f"--{name.replace('_', '-')}:{value};" for name, value in found[theme].items()) + "}"

    dark, contrast = block("dark"), block("contrast")
    return f"{block('light')}\n@media (prefers-color-scheme:dark){{{dark}}}\n@media (prefers-contrast:more){{{contrast}}}\n"
