"""What PostgreSQL calls the types that SQLite and the modules' tables are written in.

Table definitions are written once, with ``INTEGER``, ``BLOB``, ``TEXT`` and ``REAL``. On PostgreSQL an INTEGER must hold 64 bits, a
BLOB is a BYTEA, a REAL must hold what a Python float holds, and a TEXT sorts by code points, as it does in SQLite, whatever the
database's language: the same rows come in the same order from both. Types are written in capitals; a column may be called ``text``.
"""

from __future__ import annotations

import re
from typing import Final

_TYPES: Final = (
    (re.compile(r"\bINTEGER PRIMARY KEY\b"), "BIGSERIAL PRIMARY KEY"),
    (re.compile(r"\b(?:INTEGER|INT)\b"), "BIGINT"),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    (re.compile(r"\bTEXT\b(?! COLLATE)"), 'TEXT COLLATE "C"'),
)
_DEFINES: Final = re.compile(r"\s*(?:CREATE\s+TABLE|ALTER\s+TABLE\s+\w+\s+ADD)\b", re.IGNORECASE)


def defines(sql: str) -> bool:
    """Whether ``sql`` names column types: it makes a table or adds a column."""
    return _DEFINES.match(sql) is not None


def postgres(sql: str) -> str:
    """A table definition as PostgreSQL reads it."""
    for pattern, name in _TYPES:
        sql = pattern.sub(name, sql)
    return sql
