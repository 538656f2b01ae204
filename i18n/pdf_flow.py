"""Khmer paragraphs for ReportLab's page layout (Platypus): in stories, in cells of tables, over page ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Flowable  # noqa: TID253  a base class; import this module where a PDF is made

from i18n.pdf_text import LEADING, Align, Line, Span, draw_lines, narrowest, wrap_spans


class KhmerParagraph(Flowable):  # type: ignore[misc]
    """Wrapped text that splits between lines. ``text`` is a string of one look, or spans that carry their own."""

    width: float = 0
    height: float = 0

    def __init__(
        self, text: str | Sequence[Span], font: str = "SalaKhmer", size: float = 11, *, align: Align = "left",
        leading: float | None = None, colour: str | None = None, space_before: float = 0, space_after: float = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.spans = [Span(text, font, size, colour)] if isinstance(text, str) else list(text)
        self.align: Align = align
        self.leading = leading or max((span.size for span in self.spans), default=size) * LEADING
        self.spaceBefore, self.spaceAfter = space_before, space_after
        self._lines: list[Line] | None = None  # None: not yet wrapped

    def _of(self, lines: list[Line]) -> KhmerParagraph:
        part = KhmerParagraph(
            [piece for line in lines for piece in line.pieces], align=self.align, leading=self.leading
        )
        part._lines, part.width = lines, self.width
        return part

    def wrap(self, available: float, _height: float) -> tuple[float, float]:
        if self._lines is None or available != self.width:
            self._lines = wrap_spans(self.spans, available)
        self.width, self.height = available, self.leading * len(self._lines)
        return self.width, self.height

    def split(self, available: float, height: float) -> list[Any]:
        self.wrap(available, height)
        lines = self._lines or []
        fits = int(height // self.leading)
        if not 0 < fits < len(lines):
            return []
        first, rest = self._of(lines[:fits]), self._of(lines[fits:])
        first.spaceBefore, rest.spaceAfter = self.spaceBefore, self.spaceAfter
        return [first, rest]

    def draw(self) -> None:
        draw_lines(self.canv, 0, self.height, self._lines or [], self.width, self.align, self.leading)

    def minWidth(self) -> float:
        """The narrowest column that cuts no word."""
        return narrowest(self.spans)
