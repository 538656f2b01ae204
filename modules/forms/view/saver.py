"""Answers on their way to the draft: one saving at a time, at most one burst of keys behind what is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from desktop.kit.desk import Desk
from desktop.kit.timers import single_shot
from i18n.errors import SalaError

BURST_MS = 400  # while one types, the newest text is saved this often


class Saver(QObject):
    """Saves fields of one draft in the background. ``saved(ms)`` after each; nothing is lost when a saving fails."""

    def __init__(self, desk: Desk, draft: str, order: int, saved: Callable[[int], None], parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._draft, self._order, self._saved = desk, draft, order, saved
        self._waiting: dict[str, Any] = {}
        self._under_way: tuple[str, Any] | None = None
        self._burst = single_shot(self, BURST_MS, self.go)

    def put(self, field: str, raw: Any) -> None:
        """Save ``raw`` soon."""
        self._waiting[field] = raw
        if not self._burst.isActive():
            self._burst.start()

    def busy(self) -> bool:
        return bool(self._waiting) or self._under_way is not None

    def go(self) -> None:
        """Save what waits now, in the background."""
        if self._under_way is not None or not self._waiting:
            return
        field = next(iter(self._waiting))
        self._under_way = (field, self._waiting.pop(field))
        self._desk.run(
            "forms.set_answer", then=self._done, failed=self._failed, draft=self._draft, field=field, value=self._under_way[1],
            order=self._next(),
        )  # fmt: skip

    def flush(self) -> None:
        """Save everything before this returns. Raises what the saving raises; what is not saved stays here."""
        self._burst.stop()
        if (
            self._under_way is not None
        ):  # it may not have begun: saved again with a newer number, the older one is ignored
            self._waiting.setdefault(*self._under_way)
        for field in list(self._waiting):
            kept = self._desk.run_now(
                "forms.set_answer", draft=self._draft, field=field, value=self._waiting[field], order=self._next()
            )
            self._waiting.pop(field, None)
            self._saved(kept["saved_ms"])

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _done(self, kept: dict[str, Any]) -> None:
        self._under_way = None
        self._saved(kept["saved_ms"])
        if self._waiting and not self._burst.isActive():
            self._burst.start()

    def _failed(self, error: SalaError) -> None:
        if self._under_way is not None:
            self._waiting.setdefault(*self._under_way)  # tried again with the next key or on leaving
        self._under_way = None
        self._desk.show_error(error)
