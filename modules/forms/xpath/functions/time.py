"""Functions over dates and times. In arithmetic they are days; what is no date gives an empty text or NaN."""

from __future__ import annotations

from datetime import date, datetime, time

from modules.forms.xpath import days
from modules.forms.xpath.functions.registry import function
from modules.forms.xpath.nodes import Context, Scalar
from modules.forms.xpath.values import NAN, moment, number


@function("today()", "date", "time", "The day at the office.", asks=True, fickle=True)
def _today(context: Context) -> date:
    return days.local(context.world.now()).date()


@function("now()", "date", "time", "The moment, with its offset.", asks=True, fickle=True)
def _now(context: Context) -> datetime:
    moment_ = context.world.now()
    return moment_.replace(microsecond=moment_.microsecond // 1000 * 1000)


@function("date(value)", "date", "time", "The day of a text, a dateTime, or a number of days since 1970.")
def _date(value: Scalar) -> date | str:
    found = days.day_of(value) if isinstance(value, float) and value == value and abs(value) < 1e9 else moment(value)
    if isinstance(found, datetime):
        return days.local(found).date()
    return "" if found is None else found


@function(
    "date-time(value)", "date", "time", "The moment of a text or of a number of days since 1970.", since="JavaRosa"
)
def _date_time(value: Scalar) -> datetime | str:
    found = days.moment_of(value) if isinstance(value, float) and abs(value) < 1e9 else moment(value)
    if isinstance(found, datetime):
        return found
    return "" if found is None else days.midnight(found)


@function("format-date(value, string)", "string", "time", "The date by %Y %y %m %n %b %d %e %a.", asks=True)
def _format_date(context: Context, value: Scalar, form: str) -> str:
    return _written(context, value, form)


@function("format-date-time(value, string)", "string", "time", "The moment by the same and %H %h %M %S %3.", asks=True)
def _format_date_time(context: Context, value: Scalar, form: str) -> str:
    return _written(context, value, form)


def _written(context: Context, value: Scalar, form: str) -> str:
    found = moment(value)
    return "" if found is None else days.written(found, form, context.world.language)


@function("decimal-date-time(value)", "number", "time", "Days since 1970 began in UTC, with parts of a day.")
def _decimal_date_time(value: Scalar) -> float:
    return NAN if isinstance(value, bool) else number(value)


@function("decimal-time(value)", "number", "time", "The part of the day that has passed in Phnom Penh: noon is 0.5.")
def _decimal_time(value: Scalar) -> float:
    if isinstance(value, str) and (part := days.time_of_day(value)) is not None:
        return part
    if isinstance(value, float):
        return value % 1 if abs(value) < 1e9 else NAN
    found = moment(value)
    if found is None:
        return NAN
    if not isinstance(found, datetime):
        return 0.0
    here = days.local(found)
    return (here.replace(tzinfo=None) - datetime.combine(here, time())).total_seconds() / days.DAY_S
