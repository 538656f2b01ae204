"""The tables that may leave the centre: one for each module's projection, and three of the centre's own.

A column's type follows from its key (``…_ms``: a time) or is said by the module (``"type": "integer" | "time"``); everything
else is text. Types never depend on the rows, so that an empty table has the same columns as a full one. A module's table is
known by its first column unless it says ``"key": [column, …]``; it may add columns that only exports show (``"exported"``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from i18n.catalog import Language
from sync.errors import Refused
from sync.hub.projections import Projection
from sync.hub.storage import Tx

_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = -2_208_902_400_000  # 1900-01-02, in Phnom Penh too
_LAST_MS: Final = 253_402_214_400_000  # 9999-12-31

Type = Literal["text", "integer", "time", "digest"]  # digest: bytes, shown as hexadecimal text


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Times are milliseconds since 1970 UTC in rows."""

    key: str
    title: Mapping[str, str]
    type: Type


@dataclass(frozen=True, slots=True)
class Table:
    """One table: an id for addresses and file names, its title, its columns, the query of its rows."""

    name: str
    title: Mapping[str, str]
    columns: Sequence[Column]
    query: str
    key: Sequence[str]  # the columns that together name a row
    newest_first: bool = True  # new rows come before those that were there, else behind them
    by: Sequence[
        str
    ] = ()  # columns of the query whose numbers order its rows, if there are such: a feed goes on behind the last

    def rows(self, tx: Tx) -> Iterator[Sequence[Any]]:
        """All rows in the order of the columns; bytes as hexadecimal text."""
        keys = [column.key for column in self.columns]
        for row in tx.stream(self.query):
            yield [plain(row[key]) for key in keys]

    def count(self, tx: Tx) -> int:
        """How many rows there are."""
        return int(tx.query(f"SELECT count(*) AS n FROM ({self.query}) AS listed")[0]["n"])


def listed(projections: Sequence[Projection]) -> list[Table]:
    """Every table that may leave, the centre's own first."""
    return [*OWN, *(_of(p.name, p.console()) for p in projections if hasattr(p, "console"))]


def find(projections: Sequence[Projection], name: str) -> Table:
    """The table of that name. Refused HB-230: there is none."""
    found = next((table for table in listed(projections) if table.name == name), None)
    if found is None:
        raise Refused("HB-230", name=name[:100])
    return found


def plain(value: Any) -> Any:
    """A value as files can carry it."""
    return value.hex() if isinstance(value, bytes | memoryview) else value


def moment(ms: int) -> datetime:
    """A time of a row; the end of what spreadsheets can hold (1900 or 9999) for what lies beyond it: a laptop's clock may say anything."""
    return _1970 + timedelta(milliseconds=min(max(ms, _FIRST_MS), _LAST_MS))


def titles(table: Table, language: Language) -> list[str]:
    """The heads of the columns."""
    return [column.title[language] for column in table.columns]


def _of(name: str, console: Mapping[str, Any]) -> Table:
    columns = [*console["columns"], *console.get("exported", ())]
    key = console.get("key", [columns[0]["key"]])
    return Table(name, console["title"], [_column(column) for column in columns], console["query"], key)


def _column(column: Mapping[str, Any]) -> Column:
    by_key: Type = "time" if column["key"].endswith("_ms") else "text"
    return Column(column["key"], column["title"], column.get("type", by_key))


def _own(key: str, km: str, en: str, type: Type = "text") -> Column:
    return Column(key, {"km": km, "en": en}, type)


_OFFICE: Final = _own("office", "ការិយាល័យ", "Office")
_LAPTOP: Final = _own("laptop", "កុំព្យូទ័រ", "Laptop", "integer")
_RECEIVED: Final = _own("received_ms", "បានទទួល", "Received", "time")

OWN: Final = (
    Table(
        "offices",
        {"km": "ការិយាល័យ", "en": "Offices"},
        (
            _OFFICE,
            _own("name_km", "ឈ្មោះជាភាសាខ្មែរ", "Name in Khmer"),
            _own("name_en", "ឈ្មោះជាភាសាអង់គ្លេស", "Name in English"),
            _own("province_km", "រាជធានី-ខេត្តជាភាសាខ្មែរ", "Province in Khmer"),
            _own("province_en", "រាជធានី-ខេត្តជាភាសាអង់គ្លេស", "Province in English"),
            _own("laptops", "ចំនួនកុំព្យូទ័រ", "Laptops", "integer"),
            _own("last_seen_ms", "ទាក់ទងចុងក្រោយ", "Last seen", "time"),
        ),
        """SELECT f.code AS office, f.name_km, f.name_en, f.province_km, f.province_en,
               (SELECT count(*) FROM device d WHERE d.office = f.code) AS laptops,
               (SELECT max(d.last_seen_ms) FROM device d WHERE d.office = f.code) AS last_seen_ms
           FROM office f ORDER BY f.code""",
        ("office",),
    ),
    Table(
        "batches",
        {"km": "បាច់", "en": "Batches"},
        (
            _own("batch", "បាច់លេខ", "Batch", "integer"),
            _OFFICE,
            _LAPTOP,
            _own("first", "លេខរៀងដំបូង", "First number", "integer"),
            _own("ops", "ចំនួនកំណត់ត្រា", "Records", "integer"),
            _own("new_ops", "កំណត់ត្រាថ្មី", "New records", "integer"),
            _own("via", "មកតាម", "Came by"),
            _RECEIVED,
            _own("hash", "សញ្ញាសម្គាល់", "Fingerprint", "digest"),
        ),
        """SELECT b.idx AS batch, d.office, d.number AS laptop, b.first_seq AS first, b.n AS ops, b.new_ops, b.via, b.received_ms, b.hash
           FROM batch b LEFT JOIN device d ON d.device = b.device WHERE b.via <> 'hub' ORDER BY b.idx""",
        ("batch",),
        newest_first=False,
        by=("batch",),
    ),
    Table(
        "records",
        {"km": "កំណត់ត្រា", "en": "Records"},
        (
            _own("record", "សញ្ញាសម្គាល់", "Fingerprint", "digest"),
            _OFFICE,
            _LAPTOP,
            _own("number", "លេខរៀង", "Number", "integer"),
            _own("kind", "ប្រភេទ", "Kind"),
            _own("form", "ទម្រង់", "Form"),
            _own("state", "ស្ថានភាព", "State"),
            _own("made_ms", "បានធ្វើ (នាឡិកាកុំព្យូទ័រ)", "Made (the laptop's clock)", "time"),
            _RECEIVED,
        ),
        """SELECT o.hash AS record, d.office, d.number AS laptop, o.seq AS number, o.kind, o.form, o.label AS state,
               o.wall_ms AS made_ms, b.received_ms, o.batch AS at_batch, o.place AS at_place
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device
           WHERE b.via <> 'hub' ORDER BY o.batch, o.place""",
        ("record",),
        newest_first=False,
        by=("at_batch", "at_place"),
    ),
)
