"""The automaton of a pattern, walked with all states at once.

Each set of states that is met gets a number and remembers where a character led; a text costs one look-up a character once the sets are
known. What must follow or stand before a place (``(?=…)``) is found for every place by automata of their own first.
"""

from __future__ import annotations

from typing import Final

from modules.contract import Refused
from modules.forms.xpath.regex import classes
from modules.forms.xpath.regex.grammar import Choice, Edge, Look, One, Part, Repeat, Row

MOST_STATES: Final = 4_000
MOST_REMEMBERED: Final = 50_000  # states in the steps that are kept; beyond, all are forgotten and learnt again
MOST_WORK: Final = 3_000_000  # states looked at for one text

_Facts = tuple[bool, ...]  # for one place: which edges and looks hold there


class Automaton:
    """States are numbers: ``_tests`` of those that take a character, ``_empty`` ways that take none (with the fact they need)."""

    def __init__(self, part: Part, source: str) -> None:
        self._source = source
        self._tests: list[classes.Test | None] = []
        self._next: list[int] = []
        self._empty: list[list[tuple[int, int]]] = []  # (to, number of the fact or -1)
        self._facts: list[Edge | tuple[Automaton, Look]] = []
        self._begin = self._state()
        self._end = self._build(part, self._begin)
        self._steps: dict[tuple[frozenset[int], str, _Facts], frozenset[int]] = {}
        self._remembered = 0
        self._work = 0

    # --- building

    def _state(self) -> int:
        if len(self._tests) >= MOST_STATES:
            raise Refused("FM-313", pattern=self._source[:60])
        self._tests.append(None)
        self._next.append(-1)
        self._empty.append([])
        return len(self._tests) - 1

    def _join(self, a: int, b: int, fact: int = -1) -> None:
        self._empty[a].append((b, fact))

    def _build(self, part: Part, begin: int) -> int:
        """The states of ``part`` behind ``begin``; returns where it ends."""
        match part:
            case One():
                end = self._state()
                self._tests[begin], self._next[begin] = part.test, end
                return end
            case Row():
                for one in part.parts:
                    begin = self._build(one, begin)
                return begin
            case Choice():
                end = self._state()
                for one in part.parts:
                    self._join(self._build(one, self._fresh(begin)), end)
                return end
            case Repeat():
                return self._repeat(part, begin)
            case Edge():
                self._facts.append(part)
            case Look():
                self._facts.append((Automaton(part.part, self._source), part))
        end = self._state()
        self._join(begin, end, len(self._facts) - 1)
        return end

    def _fresh(self, begin: int) -> int:
        state = self._state()
        self._join(begin, state)
        return state

    def _repeat(self, part: Repeat, begin: int) -> int:
        for _ in range(part.least):
            begin = self._build(part.part, self._fresh(begin))
        if part.most is None:
            hub = self._fresh(begin)
            self._join(self._build(part.part, self._fresh(hub)), hub)
            return self._fresh(hub)
        end = self._state()
        self._join(begin, end)
        for _ in range(part.most - part.least):
            begin = self._build(part.part, self._fresh(begin))
            self._join(begin, end)
        return self._fresh(end)

    # --- matching

    def fits(self, text: str) -> bool:
        """Whether the whole text fits. ``Refused("FM-313")`` when that would take too much work."""
        self._work = 0
        facts = self._known(text)
        return self._run(text, 0, facts, None)

    def _run(self, text: str, at: int, facts: list[_Facts], ends: set[int] | None) -> bool:
        """From ``at`` to the end. With ``ends`` every place where it may end is put there."""
        states = self._closed(frozenset((self._begin,)), facts[at])
        steps = self._steps
        for place in range(at, len(text)):
            if ends is not None and self._end in states:
                ends.add(place)
            if not states:
                return False
            key = (states, text[place], facts[place + 1])
            following = steps.get(key)
            if following is None:
                following = self._step(*key)
                self._remembered += 1 + len(following)
                if self._remembered > MOST_REMEMBERED:
                    steps.clear()
                    self._remembered = 1 + len(following)
                steps[key] = following
            states = following
            self._spend(1)
        if ends is not None and self._end in states:
            ends.add(len(text))
        return self._end in states

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MOST_WORK:
            raise Refused("FM-313", pattern=self._source[:60])

    def _step(self, states: frozenset[int], character: str, facts: _Facts) -> frozenset[int]:
        self._spend(len(states))
        reached = set()
        for state in states:
            test = self._tests[state]
            if test is not None and test(character):
                reached.add(self._next[state])
        return self._closed(frozenset(reached), facts)

    def _closed(self, states: frozenset[int], facts: _Facts) -> frozenset[int]:
        """With all states that are reached without a character."""
        seen, left = set(states), list(states)
        while left:
            for to, fact in self._empty[left.pop()]:
                if to not in seen and (fact < 0 or facts[fact]):
                    seen.add(to)
                    left.append(to)
        self._spend(len(seen))
        return frozenset(seen)

    # --- facts about places

    def _known(self, text: str) -> list[_Facts]:
        if not self._facts:
            return [()] * (len(text) + 1)
        columns = [
            [_edge(fact.what, text, place) for place in range(len(text) + 1)] if isinstance(fact, Edge) else self._looked(*fact, text)
            for fact in self._facts
        ]  # fmt: skip
        return list(zip(*columns, strict=True))

    def _looked(self, inner: Automaton, look: Look, text: str) -> list[bool]:
        """For each place whether the look holds there."""
        facts = inner._known(text)
        inner._work = self._work
        ahead = [False] * (len(text) + 1)
        for place in range(len(text) + 1):
            ends: set[int] = set()
            inner._run(text, place, facts, ends)
            if look.ahead:
                ahead[place] = bool(ends)
            else:
                for end in ends:
                    ahead[end] = True
        self._work = inner._work
        return [held is look.wanted for held in ahead]


def _edge(what: str, text: str, place: int) -> bool:
    size = len(text)
    match what:
        case "begin":
            return place == 0
        case "end":
            return place == size
        case "last line":
            rest = text[place : place + 3]
            return place == size or (
                place >= size - 2
                and rest in ("\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029")
                and place + len(rest) == size
            )
        case "line begin":
            return place == 0 or (place < size and text[place - 1] in classes.LINE_ENDS)
        case "line end":
            return place == size or text[place] in classes.LINE_ENDS
        case _:
            edge = _wordlike(text, place - 1) != _wordlike(text, place)
            return edge is (what == "word")


def _wordlike(text: str, place: int) -> bool:
    return 0 <= place < len(text) and (text[place] == "_" or text[place].isalnum())
