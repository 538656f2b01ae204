"""How the hub's SQL and values become PostgreSQL's: ``:name`` parameters, 64-bit integers, no booleans, no decimals.

The same statement must give the same rows as on SQLite, so that both databases pass the same tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sync.hub import dialect

if TYPE_CHECKING:
    import psycopg

_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::|:([A-Za-z_][A-Za-z_0-9]*)|%")
NUL: Final = "\N{SYMBOL FOR NULL}"  # what stands for U+0000, which PostgreSQL's texts cannot hold


@lru_cache(maxsize=2_048)
def statement(sql: str) -> str:
    """``sql`` with named parameters as psycopg writes them, table definitions with PostgreSQL's types."""
    return _TOKEN.sub(_token, dialect.postgres(sql) if dialect.defines(sql) else sql)


def _token(found: re.Match[str]) -> str:
    if found[1]:
        return f"%({found[1]})s"
    return found[0].replace("%", "%%")


def without_nul(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` as PostgreSQL's texts can hold them."""
    return {name: value.replace("\0", NUL) if isinstance(value, str) else value for name, value in values.items()}


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Teach a connection what the hub's values are."""
    from psycopg.adapt import Loader
    from psycopg.types.bool import BoolBinaryLoader, BoolLoader
    from psycopg.types.numeric import Int8BinaryDumper, NumericBinaryLoader, NumericLoader

    def whole(base: type[Loader]) -> type[Loader]:
        """Sums of BIGINT come as NUMERIC: whole ones are integers, the others floats, as on SQLite."""

        class Number(base):  # type: ignore[misc,valid-type]
            def load(self, data: Any) -> Any:
                value = super().load(data)
                return int(value) if value == value.to_integral_value() else float(value)

        return Number

    def number(base: type[Loader]) -> type[Loader]:
        class Flag(base):  # type: ignore[misc,valid-type]
            def load(self, data: Any) -> Any:
                return int(super().load(data))

        return Flag

    class Flag(Int8BinaryDumper):
        def dump(self, obj: Any) -> Any:
            return super().dump(int(obj))

    types = connection.adapters
    types.register_dumper(int, Int8BinaryDumper)
    types.register_dumper(bool, Flag)
    types.register_loader("numeric", whole(NumericLoader))
    types.register_loader("numeric", whole(NumericBinaryLoader))
    types.register_loader("bool", number(BoolLoader))
    types.register_loader("bool", number(BoolBinaryLoader))
