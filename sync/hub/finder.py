"""Finding records among millions: what each batch holds (kind, form, officer), and the words of bodies that the hub can read.

:mod:`sync.hub.marks` keeps both. A list goes by (batch, place), newest first, from one key to the next; a count reads marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sync.hub import labels, marks
from sync.hub.storage import Row, Tx

OWN_FORM: Final = "sync"  # what programs and the centre say of themselves: listed only when their kind is asked for
COUNTED: Final = 100_000  # marks that a count reads; beyond it the count is "at least"
COUNTED_WORDS: Final = 1_000
_BEGINNINGS: Final = 12  # words that an unfinished word may stand for


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for; "" and 0 mean any. ``label``: "" accepted and all others, else one label."""

    kind: str = ""
    form: str = ""
    office: str = ""  # a code, or its beginning: a province
    officer: bytes = b""
    label: str = ""
    since_ms: int = 0  # received
    until_ms: int = 0
    text: str = ""

    @property
    def plain(self) -> bool:
        """Whether everything is wanted."""
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one page; the key of the next page, None at the end."""

    rows: list[Row]
    after: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are: "exact", "least" (at least so many) or "about"."""

    n: int
    how: str


@dataclass(slots=True)
class _Where:
    """Conditions of a statement with their values."""

    terms: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, term: str, **values: Any) -> None:
        self.terms.append(term)
        self.values |= values

    def sql(self) -> str:
        return " AND ".join(self.terms) or "1 = 1"


def find(tx: Tx, wanted: Wanted, *, after: tuple[int, int] | None = None, limit: int = 50) -> Found:
    """A page of records behind the key ``after`` (batch, place)."""
    where = _Where()
    if after:
        where.add("o.batch <= :ab AND (o.batch < :ab OR o.place < :ap)", ab=after[0], ap=after[1])
    first, last = _batches(tx, wanted)
    if wanted.since_ms or wanted.until_ms:
        where.add("o.batch >= :first AND o.batch <= :last", first=first, last=last)
    if not wanted.kind:
        where.add(f"o.form <> '{OWN_FORM}'")
    if wanted.text:
        rows = _by_words(tx, wanted, where, limit + 1)
    elif wanted.label and wanted.label != labels.ACCEPTED:
        rows = _rows(tx, "op o", _own(tx, wanted, where), limit + 1)
    elif wanted.kind or wanted.form or wanted.office or wanted.officer:
        rows = _by_marks(tx, wanted, where, after, (first, last), limit + 1)
    else:
        rows = _rows(tx, "op o", _own(tx, wanted, where), limit + 1)
    more = len(rows) > limit
    page = rows[:limit]
    return Found(_dressed(tx, page), (page[-1]["batch"], page[-1]["place"]) if more else None)


def count(tx: Tx, wanted: Wanted) -> Count:
    """How many records fit, read from the marks: never a scan of the records."""
    if wanted.text or (wanted.label and wanted.label != labels.ACCEPTED):
        found = len(find_ids(tx, wanted, COUNTED_WORDS + 1))
        return Count(min(found, COUNTED_WORDS), "exact" if found <= COUNTED_WORDS else "least")
    where = _Where()
    _marks(tx, wanted, where, _batches(tx, wanted))
    row = tx.query(
        f"SELECT coalesce(sum(n), 0) AS n, count(*) AS rows FROM (SELECT m.n FROM mark m WHERE {where.sql()} LIMIT :most) AS counted",
        {**where.values, "most": COUNTED},
    )[0]
    if row["rows"] == COUNTED:  # more marks than a page may read
        return _about(tx) if wanted.plain else Count(int(row["n"]), "least")
    others = _not_accepted(tx, wanted) if wanted.label else 0  # marks do not know labels
    return Count(max(0, int(row["n"]) - others), "exact")


def _not_accepted(tx: Tx, wanted: Wanted) -> int:
    """Records of the wanted ones that are not accepted, in batches whose marks are there: few, and in an index of their own."""
    where = _own(tx, replace(wanted, label=""), _Where())
    first, last = _batches(tx, wanted)  # the sign keeps SQLite from reading all of these batches instead of that index
    where.add("o.label <> 'accepted' AND +o.batch >= :first AND +o.batch <= :last", first=first, last=last)
    where.add("EXISTS (SELECT 1 FROM mark m WHERE m.batch = o.batch)")
    if not wanted.kind:
        where.add(f"o.form <> '{OWN_FORM}'")
    return int(tx.query(f"SELECT count(*) AS n FROM op o WHERE {where.sql()}", where.values)[0]["n"])


def find_ids(tx: Tx, wanted: Wanted, limit: int) -> list[Row]:
    """The first so many that fit, undressed."""
    where = _Where()
    first, last = _batches(tx, wanted)
    if wanted.since_ms or wanted.until_ms:
        where.add("o.batch >= :first AND o.batch <= :last", first=first, last=last)
    if not wanted.kind:
        where.add(f"o.form <> '{OWN_FORM}'")
    if wanted.text:
        return _by_words(tx, wanted, where, limit)
    return _rows(tx, "op o", _own(tx, wanted, where), limit)


def by_hash(tx: Tx, beginning: str) -> list[Row]:
    """Records whose hash begins so (eight hexadecimal digits or more): what stands on a receipt or in another record."""
    try:
        low = bytes.fromhex(beginning + "0" * (64 - len(beginning)))
        high = bytes.fromhex(beginning + "f" * (64 - len(beginning)))
    except ValueError:
        return []
    rows = tx.query(
        "SELECT id, batch, place FROM op WHERE hash >= :low AND hash <= :high ORDER BY hash LIMIT 20",
        {"low": low, "high": high},
    )
    return _dressed(tx, rows)


def forms(tx: Tx) -> list[str]:
    """Every form that occurs, by hops over the index: never by reading all of it."""
    return list(_distinct(tx, "mark", "form"))


def kinds(tx: Tx) -> list[str]:
    """Every kind that occurs."""
    return list(_distinct(tx, "mark", "kind"))


def _distinct(tx: Tx, table: str, column: str, most: int = 500) -> Iterator[str]:
    last = ""
    for _ in range(most):
        row = tx.query(f"SELECT min({column}) AS value FROM {table} WHERE {column} > :last", {"last": last})[0]
        if row["value"] is None:
            return
        last = row["value"]
        yield last


def _about(tx: Tx) -> Count:
    """What laptops sent, their programs' own ops included."""
    return Count(int(tx.query("SELECT coalesce(sum(records), 0) AS n FROM device")[0]["n"]), "about")


def _batches(tx: Tx, wanted: Wanted) -> tuple[int, int]:
    """The first and the last batch of the wanted days, found by halving: batches come in the order of the hub's clock."""
    last = int(tx.query("SELECT coalesce(max(idx), 0) AS n FROM batch")[0]["n"])
    first = _first_since(tx, wanted.since_ms, last) if wanted.since_ms else 0
    return first, _first_since(tx, wanted.until_ms, last) - 1 if wanted.until_ms else last


def _first_since(tx: Tx, ms: int, last: int) -> int:
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        row = tx.one(
            "SELECT idx, received_ms FROM batch WHERE idx >= :at AND idx < :high ORDER BY idx LIMIT 1",
            {"at": middle, "high": high},
        )
        if row is None:
            high = middle
        elif row["received_ms"] < ms:
            low = int(row["idx"]) + 1
        else:
            high = middle
    return low


def _devices(tx: Tx, office: str) -> list[bytes]:
    rows = tx.query(
        "SELECT device FROM device WHERE office >= :o AND office < :beyond ORDER BY device",
        {"o": office, "beyond": office + ":"},
    )
    return [bytes(row["device"]) for row in rows]


def _in(where: _Where, column: str, values: Sequence[Any]) -> None:
    names = [f"{column.replace('.', '')}{place}" for place in range(len(values))]
    where.add(
        f"{column} IN ({', '.join(f':{name}' for name in names) or 'NULL'})", **dict(zip(names, values, strict=True))
    )


def _own(tx: Tx, wanted: Wanted, where: _Where) -> _Where:
    """The conditions on the record itself."""
    if wanted.label and wanted.label != labels.ACCEPTED:
        where.add("o.label = :label AND o.label <> 'accepted'", label=wanted.label)
    elif wanted.label:
        where.add("o.label = 'accepted'")
    for column, value in (("kind", wanted.kind), ("form", wanted.form), ("officer", wanted.officer)):
        if value:
            where.add(f"o.{column} = :{column}", **{column: value})
    if wanted.office:
        _in(where, "o.device", _devices(tx, wanted.office))
    return where


def _marks(tx: Tx, wanted: Wanted, where: _Where, span: tuple[int, int]) -> None:
    """The conditions on what a batch holds."""
    if not wanted.kind:
        where.add(f"m.form <> '{OWN_FORM}'")
    for column, value in (("kind", wanted.kind), ("form", wanted.form), ("officer", wanted.officer)):
        if value:
            where.add(f"m.{column} = :{column}", **{column: value})
    if wanted.office:
        _in(where, "m.device", _devices(tx, wanted.office))
    if wanted.since_ms or wanted.until_ms:
        where.add("m.batch >= :mfirst AND m.batch <= :mlast", mfirst=span[0], mlast=span[1])


def _by_marks(
    tx: Tx, wanted: Wanted, where: _Where, after: tuple[int, int] | None, span: tuple[int, int], limit: int
) -> list[Row]:
    """Go through the batches that hold such records, newest first, until the page is full."""
    found: list[Row] = []
    below = after[0] if after else span[1]
    while len(found) < limit:
        held = _Where()
        _marks(tx, wanted, held, span)
        rows = tx.query(
            f"""SELECT m.batch, sum(m.n) AS n FROM mark m WHERE {held.sql()} AND m.batch <= :below
                GROUP BY m.batch ORDER BY m.batch DESC LIMIT 60""",
            {**held.values, "below": below},
        )
        if not rows:
            break
        chosen = _enough(rows, limit - len(found))
        own = _own(tx, wanted, _Where(list(where.terms), dict(where.values)))
        _in(own, "o.batch", [row["batch"] for row in chosen])
        found += _rows(tx, "op o", own, limit - len(found))
        below = chosen[-1]["batch"] - 1
    return found


def _enough(rows: Sequence[Row], needed: int) -> Sequence[Row]:
    """As many of these batches as surely fill the page, and one more because the first may be half read."""
    total = 0
    for place, row in enumerate(rows):
        total += row["n"] if place else 0
        if total >= needed:
            return rows[: place + 1]
    return rows


def _by_words(tx: Tx, wanted: Wanted, where: _Where, limit: int) -> list[Row]:
    """Records with all the words; the last may be the beginning of one."""
    words = marks.split(wanted.text)
    if not words:
        return []
    last = list(_beginnings(tx, words[-1]))
    if not last:
        return []
    own = _own(tx, wanted, where)
    for place, word in enumerate(words[:-1]):
        own.add(
            f"EXISTS (SELECT 1 FROM word w{place} WHERE w{place}.word = :w{place} AND w{place}.op = o.id)",
            **{f"w{place}": word},
        )
    found: dict[int, Row] = {}
    for word in last:
        own.values["word"] = word
        source = "word x JOIN op o ON o.id = x.op"
        for row in _rows(tx, source, _Where([*own.terms, "x.word = :word"], own.values), limit):
            found[row["id"]] = row
    return sorted(found.values(), key=lambda row: (row["batch"], row["place"]), reverse=True)[:limit]


def _beginnings(tx: Tx, word: str) -> Iterator[str]:
    """The words that begin so, by hops over the index."""
    last, beyond = word, word + "\U0010ffff"
    sign = ">="
    for _ in range(_BEGINNINGS):
        sql = f"SELECT min(word) AS word FROM word WHERE word {sign} :last AND word < :beyond"
        row = tx.query(sql, {"last": last, "beyond": beyond})[0]
        if row["word"] is None:
            return
        last, sign = row["word"], ">"
        yield last


def _rows(tx: Tx, source: str, where: _Where, limit: int) -> list[Row]:
    order = "x.op DESC" if source.startswith("word") else "o.batch DESC, o.place DESC"  # ids rise with batches
    return tx.query(
        f"SELECT o.id, o.batch, o.place FROM {source} WHERE {where.sql()} ORDER BY {order} LIMIT :limit",
        {**where.values, "limit": limit},
    )


def _dressed(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """The rows with everything that a list shows, in the same order."""
    if not rows:
        return []
    where = _Where()
    _in(where, "o.id", [row["id"] for row in rows])
    found = tx.query(
        f"""SELECT o.id, o.hash, o.device, o.seq, o.kind, o.form, o.wall_ms, o.officer, o.batch, o.place, o.label, b.received_ms, b.via,
               d.office, d.number, d.officers, f.name_km, f.name_en, CASE WHEN a.op IS NULL THEN 0 ELSE 1 END AS aside
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           LEFT JOIN set_aside a ON a.op = o.hash AND a.device = o.device WHERE {where.sql()}""",
        where.values,
    )
    by_id = {row["id"]: row for row in found}
    return [by_id[row["id"]] for row in rows]
