"""A pattern of ``java.util.regex`` as a tree. What a regular language cannot say (a reference back) is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from modules.contract import Refused
from modules.forms.xpath.regex import classes

LONGEST: Final = 2_000  # characters of a pattern
MOST: Final = 1_000  # of a counted repetition
DEEPEST: Final = 60
_SIMPLE: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_EDGES: Final = {"b": "word", "B": "no word", "A": "begin", "z": "end", "Z": "last line"}


@dataclass(frozen=True, slots=True)
class One:
    """One character that passes the test."""

    test: classes.Test


@dataclass(frozen=True, slots=True)
class Row:
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``most`` is None for no bound."""

    part: Part
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between characters: begin, end, last line, line begin, line end, word, no word."""

    what: str


@dataclass(frozen=True, slots=True)
class Look:
    """What must, or must not, follow (or stand before) a place."""

    part: Part
    wanted: bool
    ahead: bool


Part = One | Row | Choice | Repeat | Edge | Look
EMPTY: Final = Row(())


def read(source: str) -> Part:
    """``Refused``: FM-312 with the part that is not understood, FM-313 when it is too long or too deep."""
    if len(source) > LONGEST:
        raise Refused("FM-313", pattern=source[:60])
    return _Reader(source).whole()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0
        self._fold = self._dotall = self._lines = self._loose = False

    def whole(self) -> Part:
        part = self._choice()
        if self._at < len(self._source):
            raise self._bad(")")
        return part

    def _bad(self, what: str) -> Refused:
        return Refused("FM-312", pattern=self._source[:60], part=what[:20])

    def _peek(self, text: str) -> bool:
        return self._source.startswith(text, self._at)

    def _eat(self, text: str) -> bool:
        if self._peek(text):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._source):
            raise self._bad("…")
        self._at += 1
        return self._source[self._at - 1]

    def _until(self, mark: str) -> str:
        end = self._source.find(mark, self._at)
        if end < 0:
            raise self._bad(self._source[self._at : self._at + 20])
        found, self._at = self._source[self._at : end], end + len(mark)
        return found

    def _choice(self) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("FM-313", pattern=self._source[:60])
        flags = (self._fold, self._dotall, self._lines, self._loose)
        parts = [self._row()]
        while self._eat("|"):
            parts.append(self._row())
        self._fold, self._dotall, self._lines, self._loose = flags
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _row(self) -> Part:
        parts: list[Part] = []
        while self._at < len(self._source) and not self._peek("|") and not self._peek(")"):
            if self._loose and self._source[self._at] in " \t\n\x0b\f\r":
                self._at += 1
                continue
            if self._loose and self._eat("#"):
                end = self._source.find("\n", self._at)
                self._at = len(self._source) if end < 0 else end
                continue
            atoms = self._atom()
            parts += atoms[:-1]  # of a quoted text only the last character is repeated
            parts += [self._repeated(atom) for atom in atoms[-1:]]
        return Row(tuple(parts)) if len(parts) != 1 else parts[0]

    # --- repetitions

    def _repeated(self, part: Part) -> Part:
        while (bounds := self._bounds()) is not None:
            least, most = bounds
            if isinstance(part, Edge | Look):
                part = part if least else EMPTY
            elif self._eat("+"):
                part = self._greedy_for_good(part, least, most)
            else:
                self._eat("?")  # whether it takes much or little first is all one when the whole text must fit
                part = Repeat(part, least, most)
        return part

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._eat(sign):
                return bounds
        if not self._eat("{"):
            return None
        least, comma, most = self._until("}").partition(",")
        if not least.isdecimal() or not least.isascii() or (most and not (most.isdecimal() and most.isascii())):
            raise self._bad("{" + least)
        low = int(least[:9])
        high = low if not comma else int(most[:9]) if most else None
        if high is not None and high < low:
            raise self._bad("{" + least + comma + most)
        if max(low, high or 0) > MOST:
            raise Refused("FM-313", pattern=self._source[:60])
        return low, high

    def _greedy_for_good(self, part: Part, least: int, most: int | None) -> Part:
        """``X++`` gives nothing back: for one character and no bound that is «no further X behind it»."""
        if not isinstance(part, One) or most is not None:
            raise self._bad("++")
        return Row((Repeat(part, least, None), Look(part, wanted=False, ahead=True)))

    # --- atoms

    def _atom(self) -> list[Part]:
        character = self._next()
        match character:
            case "(":
                return [self._group()]
            case "[":
                return [One(self._class())]
            case ".":
                return [One(classes.anything if self._dotall else classes.any_but_line_ends)]
            case "^":
                return [Edge("line begin" if self._lines else "begin")]
            case "$":
                return [Edge("line end" if self._lines else "last line")]
            case "\\":
                return self._escape()
            case "*" | "+" | "?" | "{":
                raise self._bad(character)
            case _:
                return [One(classes.only(character, self._fold))]

    def _group(self) -> Part:
        if not self._eat("?"):
            return self._closed(self._choice)
        if self._eat(":"):
            return self._closed(self._choice)
        for sign, wanted, ahead in (("=", True, True), ("!", False, True), ("<=", True, False), ("<!", False, False)):
            if self._eat(sign):
                return Look(self._closed(self._choice), wanted, ahead)
        if self._eat("<"):
            self._until(">")
            return self._closed(self._choice)
        return self._flags()

    def _closed(self, inner: Callable[[], Part]) -> Part:
        part = inner()
        if not self._eat(")"):
            raise self._bad("(")
        return part

    def _flags(self) -> Part:
        """``(?i)`` to the end of the group, ``(?i:…)`` for its inside."""
        before, on = (self._fold, self._dotall, self._lines, self._loose), True
        while (letter := self._next()) not in ":)":
            match letter:
                case "-":
                    on = False
                case "i":
                    self._fold = on
                case "s":
                    self._dotall = on
                case "m":
                    self._lines = on
                case "x":
                    self._loose = on
                case "u" | "d" | "U":
                    pass
                case _:
                    raise self._bad("(?" + letter)
        if letter == ")":
            return EMPTY
        part = self._closed(self._choice)
        self._fold, self._dotall, self._lines, self._loose = before
        return part

    def _escape(self) -> list[Part]:
        letter = self._next()
        if letter in _EDGES:
            return [Edge(_EDGES[letter])]
        if letter == "Q":
            end = self._source.find("\\E", self._at)
            text = self._source[self._at :] if end < 0 else self._source[self._at : end]
            self._at = len(self._source) if end < 0 else end + 2
            return [One(classes.only(one, self._fold)) for one in text]
        if letter == "E":
            return []
        if letter == "R":
            ends = One(classes.vertical)
            return [Choice((Row((One(classes.only("\r")), One(classes.only("\n")))), ends))]
        return [One(self._escaped(letter))]

    def _escaped(self, letter: str) -> classes.Test:
        """What one escape stands for, inside a class too."""
        if letter.lower() in classes.ESCAPES:
            test = classes.ESCAPES[letter.lower()]
            return test if letter.islower() else classes.inverse(test)
        if letter in "pP":
            name = self._until("}") if self._eat("{") else self._next()
            named = classes.named(name)
            if named is None:
                raise self._bad(f"\\p{{{name}}}")
            return named if letter == "p" else classes.inverse(named)
        return classes.only(self._character(letter), self._fold)

    def _character(self, letter: str) -> str:
        if letter in _SIMPLE:
            return _SIMPLE[letter]
        if letter in "xu":
            braced = letter == "x" and self._eat("{")
            digits = self._until("}") if braced else "".join(self._next() for _ in range(2 if letter == "x" else 4))
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise self._bad("\\" + letter + digits) from None
        if letter == "0":
            digits = ""
            while len(digits) < 3 and self._at < len(self._source) and self._source[self._at] in "01234567":
                digits += self._next()
            if not digits or int(digits, 8) > 255:
                raise self._bad("\\0")
            return chr(int(digits, 8))
        if letter.isascii() and letter.isalnum():
            raise self._bad("\\" + letter)
        return letter

    # --- classes

    def _class(self) -> classes.Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("FM-313", pattern=self._source[:60])
        negated = self._eat("^")
        sides: list[classes.Test] = []
        tests: list[classes.Test] = []
        first = True
        while first or not self._peek("]"):
            first = False
            if self._eat("&&"):
                sides.append(classes.either(tests) if tests else classes.anything)
                tests = []
                continue
            if self._peek("]") and not tests and not sides:
                tests.append(classes.only(self._next()))
                continue
            tests.append(self._member())
        self._at += 1
        sides.append(classes.either(tests) if tests else classes.anything)
        self._depth -= 1
        test = classes.both(sides)
        return classes.inverse(test) if negated else test

    def _member(self) -> classes.Test:
        character = self._next()
        if character == "[":
            return self._class()
        if character == "\\":
            letter = self._next()
            if letter.lower() in classes.ESCAPES or letter in "pP":
                return self._escaped(letter)
            character = self._character(letter)
        if self._peek("-") and not self._peek("-]") and not self._peek("-[") and not self._peek("-&&"):
            self._at += 1
            high = self._next()
            if high == "\\":
                high = self._character(self._next())
            if high < character:
                raise self._bad(f"{character}-{high}")
            return classes.span(character, high, self._fold)
        return classes.only(character, self._fold)
