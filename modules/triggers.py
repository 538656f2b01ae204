"""Triggers on their way to flows: stored with the change that caused them, delivered after it, each exactly once.

A trigger is a row written in the transaction of the command that emitted it, so it exists if and only if the change does.
Delivering runs ``flows.deliver`` and marks the row in one transaction: after a crash the row is either still waiting or done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from modules.contract import Json, SalaError
from sync.store import Connection, Store

log = logging.getLogger(__name__)

_delivering: ContextVar[str | None] = ContextVar(
    "delivering", default=None
)  # the trigger whose flows run on this thread

TRIES: Final = 3  # after that a trigger waits for a person (flows page) instead of failing at every start


def store(connection: Connection, *, id: str, trigger: str, payload: Json, officer: str, wall_ms: int) -> None:
    """Write one trigger inside the caller's transaction; ``cause`` is the trigger whose flows emitted it."""
    connection.execute(
        "INSERT INTO platform_trigger (id, trigger, payload, officer, wall_ms, cause) VALUES (?, ?, ?, ?, ?, ?)",
        (
            id,
            trigger,
            json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
            officer,
            wall_ms,
            _delivering.get(),
        ),
    )


def waiting(store: Store) -> list[dict[str, Any]]:
    """Triggers that are not delivered and have tries left, oldest first."""
    return store.read(
        lambda connection: [
            dict(row)
            for row in connection.execute(
                "SELECT id, trigger, payload, cause FROM platform_trigger "
                "WHERE delivered_ms IS NULL AND tries < ? ORDER BY id LIMIT 100",
                (TRIES,),
            )
        ]
    )


def deliver(store: Store, run: Callable[..., Any], now_ms: Callable[[], int]) -> int:
    """Deliver what waits through ``run("flows.deliver", …)``; returns how many were delivered.

    A delivery that fails is counted and left waiting; the next one goes on, so that one bad flow never blocks the others.
    """
    delivered = 0
    for row in waiting(store):

        def work(connection: Connection, row: dict[str, Any] = row) -> None:
            token = _delivering.set(row["id"])
            try:
                run(
                    "flows.deliver",
                    event=row["id"],
                    trigger=row["trigger"],
                    payload=json.loads(row["payload"]),
                    cause=row["cause"],
                )
            finally:
                _delivering.reset(token)
            with store.authorize(None):
                connection.execute("UPDATE platform_trigger SET delivered_ms = ? WHERE id = ?", (now_ms(), row["id"]))

        try:
            store.write(work)
            delivered += 1
        except SalaError as error:
            _failed(store, row["id"], error.code)
        except Exception as error:  # a bug in a flow must not take the officer's finished work down with it
            log.exception("delivering a trigger failed")
            _failed(store, row["id"], type(error).__name__)
    return delivered


def _failed(store: Store, id: str, failure: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute("UPDATE platform_trigger SET tries = tries + 1, failure = ? WHERE id = ?", (failure, id))

    store.write(work)
