"""Lines of Khmer in PDF: breaking, measuring, drawing, so that the picture is right and copied text is exact.

Text between two spaces is one *phrase*. Each phrase is written inside ``/Span <</ActualText …>>``: readers then copy
and find the characters that were given, not the glyphs. Per phrase is what every reader returns exactly; per word
confuses pdfium, and per line puts highlights in the wrong place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal

from i18n.normalise import ZWSP
from i18n.pdf_shape import Run, runs, shape, subset_name
from i18n.segment import clusters, line_pieces

Align = Literal["left", "centre", "right"]

LEADING: Final = 1.75  # baseline to baseline, in font sizes: Khmer stacks deep
BASELINE: Final = 0.62  # of the leading lies above the baseline
_SHARE: Final = {"left": 0.0, "centre": 0.5, "right": 1.0}
_UNSEEN = {ord(ZWSP): None, 0x2060: None, 0xFEFF: None, ord("\t"): " ", ord("\r"): None, 0xA0: " "}


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one look. ``size`` in points; ``colour`` as ``#rrggbb``, None for black."""

    text: str
    font: str = "SalaKhmer"
    size: float = 11
    colour: str | None = None

    def width(self) -> float:
        """How far the text goes, in points."""
        return shape(self.text, self.font).advance * self.size / 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is drawn: its pieces in order, none of them with an end of line in it."""

    pieces: tuple[Span, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def width(self) -> float:
        """Width in points, trailing spaces left out."""
        return sum(piece.width() for piece in self.pieces)


def seen(text: str) -> str:
    """``text`` without what has no picture: zero-width spaces, byte order marks, returns."""
    return text.translate(_UNSEEN)


def _on_one_line(text: str) -> str:
    return seen(text).replace("\n", " ")


def _pieces(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """What must stay on one line: pieces of text, cut where the look changes."""
    text = "".join(span.text for span in spans)
    ends: list[tuple[int, Span]] = []
    at = 0
    for span in spans:
        at += len(span.text)
        ends.append((at, span))
    at, index = 0, 0
    for piece in line_pieces(text):
        parts: list[Span] = []
        while piece:
            end, look = ends[index]
            part, piece = piece[: end - at], piece[end - at :]
            if part:
                parts.append(Span(part, look.font, look.size, look.colour))
            at += len(part)
            index += at == end
        yield parts


def _split_tail(parts: list[Span]) -> tuple[list[Span], list[Span], bool]:
    """Body, trailing spaces, and whether the line ends here."""
    body = [Span(seen(part.text), part.font, part.size, part.colour) for part in parts]
    ended = any("\n" in part.text for part in body)
    tail: list[Span] = []
    while body:
        part = body.pop()
        kept = part.text.rstrip(" \n")
        spaces = part.text[len(kept) :].replace("\n", "")
        if spaces:
            tail.insert(0, Span(spaces, part.font, part.size, part.colour))
        if kept:
            body.append(Span(kept, part.font, part.size, part.colour))
            break
    return body, tail, ended


def wrap_spans(spans: Sequence[Span], width: float) -> list[Line]:
    """Lines no wider than ``width`` points. A word that is wider alone is cut between clusters, never inside one."""
    lines: list[Line] = []
    line: list[Span] = []
    used = 0.0

    def end() -> None:
        nonlocal line, used
        while line and line[-1].text.isspace():
            line.pop()
        lines.append(Line(tuple(line)))
        line, used = [], 0.0

    ended = False
    for parts in _pieces(spans):
        body, tail, ended = _split_tail(parts)
        wide = sum(part.width() for part in body)
        if line and used + wide > width:
            end()
        if wide > width:
            body = [Span(cluster, p.font, p.size, p.colour) for p in body for cluster in clusters(p.text)]
        for part in body:
            step = part.width()
            if line and used + step > width:
                end()
            line.append(part)
            used += step
        if ended:
            end()
        else:
            line += tail
            used += sum(part.width() for part in tail)
    if line or ended or not lines:
        end()
    return lines


def narrowest(spans: Sequence[Span]) -> float:
    """The width in points of the widest word: a column of it cuts none."""
    bodies = (_split_tail(parts)[0] for parts in _pieces(spans))
    return max((sum(part.width() for part in body) for body in bodies), default=0.0)


def _joined(pieces: Iterable[Span]) -> Iterator[Span]:
    """Clusters of a cut word shaped together again: neighbours of one look between two spaces."""
    for (blank, font, size, colour), group in groupby(pieces, lambda p: (p.text.isspace(), p.font, p.size, p.colour)):
        texts = [piece.text for piece in group]
        if blank or all(len(clusters(text)) > 1 for text in texts):
            yield from (Span(text, font, size, colour) for text in texts)
        else:
            yield Span("".join(texts), font, size, colour)


def _phrases(line: Line) -> Iterator[tuple[bool, list[Span]]]:
    """Runs of spaces (False) and of everything else (True); a space inside a piece ends the phrase too."""
    parts: list[Span] = []
    for piece in _joined(line.pieces):
        for blank, letters in groupby(piece.text, str.isspace):
            parts.append(Span("".join(letters), piece.font, piece.size, piece.colour))
            del blank
    for blank, group in groupby(parts, lambda part: part.text.isspace()):
        yield not blank, list(group)


class _Writer:
    """Writes one line's operators; remembers font, height and colour so that each is said once."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas
        self.code: list[str] = []
        self._font: tuple[str, int, float] | None = None
        self._rise = 0.0
        self._colour: str | None = None

    def line(self, line: Line) -> None:
        for spoken, parts in _phrases(line):
            marked = spoken and not all(shape(part.text, part.font).plain for part in parts)
            if marked:
                actual = "".join(part.text for part in parts).encode("utf-16-be").hex().upper()
                self.code.append(f"/Span <</ActualText <FEFF{actual}>>> BDC")
            for part in parts:
                self._paint(part.colour)
                for run in runs(part.text, part.font, self.canvas):
                    self._run(run, part)
            if marked:
                self.code.append("EMC")

    def _run(self, run: Run, part: Span) -> None:
        if self._font != (part.font, run.subset, part.size):
            self._font = (part.font, run.subset, part.size)
            self.code.append(f"{subset_name(part.font, run.subset, self.canvas)} {part.size:g} Tf")
        rise = run.y_offset * part.size / 1000
        if rise != self._rise:
            self._rise = rise
            self.code.append(f"{round(rise, 3):g} Ts")
        self.code.append(run.operator)

    def _paint(self, colour: str | None) -> None:
        if colour != self._colour:
            self._colour = colour
            self.code.append(f"{_rgb(colour or '#000000')} rg")


def _rgb(colour: str) -> str:
    """``#014F99`` as three numbers from 0 to 1."""
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"not a colour: {colour!r}")
    return " ".join(f"{round(int(colour[at : at + 2], 16) / 255, 4):g}" for at in (1, 3, 5))


def draw_line(canvas: Any, x: float, y: float, line: Line) -> None:
    """Draw ``line`` with its baseline at ``y`` and its left end at ``x`` (points). The canvas keeps its state."""
    writer = _Writer(canvas)
    writer.line(line)
    canvas.saveState()
    canvas._code += ["0 g", f"BT 1 0 0 1 {round(x, 3):g} {round(y, 3):g} Tm", *writer.code, "ET"]
    canvas.restoreState()


def draw_lines(
    canvas: Any, x: float, top: float, lines: Sequence[Line], width: float, align: Align, leading: float
) -> float:
    """Draw ``lines`` downwards from ``top`` in a column of ``width``; the height used."""
    y = top - leading * BASELINE
    for line in lines:
        draw_line(canvas, x + (width - line.width()) * _SHARE[align], y, line)
        y -= leading
    return leading * len(lines)


def draw(
    canvas: Any, x: float, y: float, text: str, font: str = "SalaKhmer", size: float = 11, align: Align = "left",
    colour: str | None = None,
) -> float:  # fmt: skip
    """Draw one line of ``text``, baseline at ``y``; ``x`` is its left end, middle or right. Its width."""
    line = Line((Span(_on_one_line(text), font, size, colour),))
    wide = line.width()
    draw_line(canvas, x - wide * _SHARE[align], y, line)
    return wide


def width(text: str, font: str = "SalaKhmer", size: float = 11) -> float:
    """How wide ``text`` is on one line, in points."""
    return Span(_on_one_line(text), font, size).width()


def wrap(text: str, font: str = "SalaKhmer", size: float = 11, width: float = 400) -> list[Line]:
    """``text`` in lines no wider than ``width`` points; ``line.text`` is what stands on each."""
    return wrap_spans([Span(text, font, size)], width)


def draw_paragraph(
    canvas: Any, x: float, top: float, text: str | Sequence[Span], font: str = "SalaKhmer", size: float = 11, *,
    width: float, align: Align = "left", leading: float | None = None, colour: str | None = None,
) -> float:  # fmt: skip
    """Draw wrapped ``text`` (or spans, which carry their own look) downwards from ``top``; the height used in points."""
    spans = [Span(text, font, size, colour)] if isinstance(text, str) else list(text)
    tallest = max((span.size for span in spans), default=size)
    return draw_lines(canvas, x, top, wrap_spans(spans, width), width, align, leading or tallest * LEADING)
