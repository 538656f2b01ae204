"""The tables as an OData 4 feed (JSON), so that Excel and Power BI read them by themselves: ``/odata/``.

Offered: ``$select $filter $orderby $top $skip $count``, pages by ``@odata.nextLink``. Read only. Every call needs a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from i18n.errors import explain
from sync.errors import Known, Refused
from sync.hub.centre import Centre
from sync.hub.feeds import filters, looks, tables, tokens
from sync.hub.feeds.tables import Column, Table
from sync.hub.storage import Row, Tx

PAGE: Final = 1_000  # rows of one answer
_MOST: Final = 10**9
_VERSION: Final = {"OData-Version": "4.0", "Cache-Control": "no-store"}
_TYPES: Final = {"text": "Edm.String", "digest": "Edm.String", "integer": "Edm.Int64", "time": "Edm.DateTimeOffset"}
_EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
_EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
_SPACE: Final = "Sala"


def routes() -> Sequence[BaseRoute]:
    """The feed's addresses below ``/odata``."""
    return [
        Route("/", service),
        Route("/$metadata", metadata),
        Route("/{table}", rows),
        Route("/{table}/$count", count),
    ]


def service(request: Request) -> Response:
    """Which tables the holder of the token may read."""
    found = _open(request)
    if isinstance(found, Response):
        return found
    value = [{"name": table.name, "kind": "EntitySet", "url": table.name} for table in found]
    return _json({"@odata.context": f"{_root(request)}/$metadata", "value": value})


def metadata(request: Request) -> Response:
    """The tables' columns and types (CSDL XML)."""
    found = _open(request)
    if isinstance(found, Response):
        return found
    return Response(_schema(found), media_type="application/xml", headers=_VERSION)


def rows(request: Request) -> Response:
    """Rows of one table."""
    table = _one(request)
    if isinstance(table, Response):
        return table
    asked, centre = request.query_params, _centre(request)
    try:
        condition = filters.condition(asked.get("$filter", ""), table)
        order = filters.order(asked.get("$orderby", ""), table)
        columns = _selected(asked.get("$select", ""), table)
        top, skip = _number(asked.get("$top"), _MOST), _number(asked.get("$skip"), 0)
        place = _resume(asked.get("$skiptoken", ""), () if order else table.by)
    except Refused as error:
        return _refused(error)

    counted = table.newest_first and not order  # only then a count is needed that nobody asked for

    def read(tx: Tx) -> tuple[int, list[Row]]:
        total = _count(tx, table, condition) if counted or asked.get("$count") == "true" else 0
        # New rows that came in front since the first page push the rest down; those behind do no harm.
        pushed = max(0, total - place.seen) if counted and place.seen is not None else 0
        behind, values = _behind(place, table)
        sql = f"SELECT * FROM ({table.query}) AS listed WHERE {condition.sql}{behind}"
        sql += f" ORDER BY {order}" if order else ""
        values |= {**condition.values, "limit": max(0, min(PAGE, top - place.given))}
        values["offset"] = 0 if behind else skip + place.given + pushed
        return total, tx.query(f"{sql} LIMIT :limit OFFSET :offset", values)

    total, found = centre.storage.read(read)
    answer: dict[str, Any] = {"@odata.context": f"{_root(request)}/$metadata#{table.name}"}
    if asked.get("$count") == "true":
        answer["@odata.count"] = total
    if (kept_from := _noted(request, table, len(found))) is not None:
        return kept_from
    answer["value"] = [{column.key: _value(row[column.key], column) for column in columns} for row in found]
    if len(found) == PAGE and place.given + PAGE < top:
        kept = {name: asked[name] for name in asked if name.startswith("$") and name != "$skiptoken"}
        seen = total if place.seen is None else place.seen
        numbers = [found[-1][name] for name in table.by] if table.by and not order else [seen]
        following = {**kept, "$skiptoken": ".".join(str(n) for n in (place.given + PAGE, *numbers))}
        answer["@odata.nextLink"] = f"{_root(request)}/{table.name}?{urlencode(following)}"
    return _json(answer)


def count(request: Request) -> Response:
    """How many rows a table has."""
    table = _one(request)
    if isinstance(table, Response):
        return table
    try:
        condition = filters.condition(request.query_params.get("$filter", ""), table)
    except Refused as error:
        return _refused(error)
    total = _centre(request).storage.read(lambda tx: _count(tx, table, condition))
    if (kept_from := _noted(request, table, 0)) is not None:
        return kept_from
    return PlainTextResponse(str(total), headers=_VERSION)


# --- inside


def _open(request: Request) -> list[Table] | Response:
    """The tables that whoever asks may read, or the answer that asks for a token."""
    centre = _centre(request)
    header = request.headers.get("authorization", "")
    row = centre.storage.read(lambda tx: tokens.holder(tx, header))
    if row is None:
        return PlainTextResponse(
            "a token is needed", 401, headers={"WWW-Authenticate": 'Basic realm="Sala"', **_VERSION}
        )
    request.state.token = row["name"]
    now = centre.clock.wall_ms()
    if tokens.stale(row, now):
        centre.storage.write(lambda tx: tokens.used(tx, row["name"], now))
    return [table for table in tables.listed(centre.runner.projections) if tokens.may_read(row, table.name)]


def _one(request: Request) -> Table | Response:
    found = _open(request)
    if isinstance(found, Response):
        return found
    wanted = request.path_params["table"]
    table = next((table for table in found if table.name == wanted), None)
    return _error(404, "HB-230", "no such table") if table is None else table


def _noted(request: Request, table: Table, rows: int) -> Response | None:
    """Write the look down before its answer goes out; the answer that goes out instead when that cannot be done."""
    centre, name = _centre(request), request.state.token
    now = centre.clock.wall_ms()
    try:
        centre.storage.write(lambda tx: looks.note(tx, name, table.name, rows, now))
    except Known as error:
        return _error(503, error.code, explain(error, "en").what)
    return None


def _centre(request: Request) -> Centre:
    centre: Centre = request.app.state.centre
    return centre


def _root(request: Request) -> str:
    return str(request.base_url).rstrip("/").removesuffix("/odata") + "/odata"


def _count(tx: Tx, table: Table, condition: filters.Condition) -> int:
    sql = f"SELECT count(*) AS n FROM ({table.query}) AS listed WHERE {condition.sql}"
    return int(tx.query(sql, condition.values)[0]["n"])


def _selected(text: str, table: Table) -> Sequence[Column]:
    if not text or text == "*":
        return table.columns
    wanted = {name.strip() for name in text.split(",")}
    unknown = wanted - {column.key for column in table.columns}
    if unknown:
        raise Refused("HB-233", reason=min(unknown)[:100])
    return [column for column in table.columns if column.key in wanted]


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused("HB-233", reason=text[:20])
    return int(text)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: how many rows went before, how many rows there were at the first page, the numbers of the last row."""

    given: int = 0
    seen: int | None = None
    last: tuple[int, ...] = ()


def _resume(token: str, by: Sequence[str]) -> _Place:
    """What a ``$skiptoken`` says; ``by``: the columns whose numbers it carries, else it carries a count."""
    if not token:
        return _Place()
    given, *numbers = (_number(part, 0) for part in token.split("."))
    if len(numbers) != (len(by) or 1):
        raise Refused("HB-233", reason=token[:20])
    return _Place(given, None, tuple(numbers)) if by else _Place(given, numbers[0])


def _behind(place: _Place, table: Table) -> tuple[str, dict[str, Any]]:
    """The condition on rows behind the last one, and its values."""
    if not place.last:
        return "", {}
    values = {f"last{n}": number for n, number in enumerate(place.last)}
    return f" AND ({', '.join(table.by)}) > ({', '.join(f':{name}' for name in values)})", values


def _value(value: Any, column: Column) -> Any:
    if column.type == "time" and value is not None:
        return tables.moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return tables.plain(value)


def _schema(listed: Sequence[Table]) -> bytes:
    ElementTree.register_namespace("edmx", _EDMX)
    root = ElementTree.Element(f"{{{_EDMX}}}Edmx", Version="4.0")
    services = ElementTree.SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = ElementTree.SubElement(services, f"{{{_EDM}}}Schema", Namespace=_SPACE)
    for table in listed:
        entity = ElementTree.SubElement(schema, f"{{{_EDM}}}EntityType", Name=f"{table.name}_row")
        key = ElementTree.SubElement(entity, f"{{{_EDM}}}Key")
        for name in table.key:
            ElementTree.SubElement(key, f"{{{_EDM}}}PropertyRef", Name=name)
        for column in table.columns:
            nullable = "false" if column.key in table.key else "true"
            kind = _TYPES[column.type]
            ElementTree.SubElement(entity, f"{{{_EDM}}}Property", Name=column.key, Type=kind, Nullable=nullable)
    container = ElementTree.SubElement(schema, f"{{{_EDM}}}EntityContainer", Name="Centre")
    for table in listed:
        ElementTree.SubElement(
            container, f"{{{_EDM}}}EntitySet", Name=table.name, EntityType=f"{_SPACE}.{table.name}_row"
        )
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _refused(error: Refused) -> Response:
    return _error(400, error.code, f"{explain(error, 'en').what} {error.values.get('reason', '')}".strip())


def _error(status: int, code: str, message: str) -> Response:
    return _json({"error": {"code": code, "message": message}}, status)


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, headers=_VERSION, media_type="application/json;odata.metadata=minimal")
