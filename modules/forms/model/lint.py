"""What an author should look at: nothing here keeps a form from being used, all of it costs data or patience later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modules.contract import Refused
from modules.forms.model import conditions, inline, references
from modules.forms.model.diagnostics import Diagnostic, Grade, worst_first
from modules.forms.model.flaws import texts
from modules.forms.model.form import NEUTRAL, AnyItem, ChoiceList, Field, Form, Item, Repeat
from modules.forms.model.paths import LAST_SAVED, Places, places
from modules.forms.model.types import TYPES

OTHER: Final = "other"  # the choice that an XLSForm adds for a free text
MOST_OF_ONE: Final = 20  # values of one cascade that are named
_DASHES: Final = frozenset({"-", "–", "—"})
_EQUAL: Final = re.compile(r"^([\w.\-]+)\s*=\s*(\S.*)$|^(\S.*?)\s*=\s*([\w.\-]+)$", re.DOTALL)
_KNOWN_LISTS: Final = frozenset({"__last-saved"})


def lint(form: Form, older: Form | None = None) -> list[Diagnostic]:
    """Everything worth looking at, worst first; with ``older`` also what a new version would cost."""
    spots = places(form)
    found = [
        *_translations(form), *_lists(form), *_cascades(form, spots), *_conditions(form, spots), *_circles(spots),
        *_names(form, spots), *_grammar(form, spots), *(_versions(form, older) if older is not None else ()),
    ]  # fmt: skip
    return worst_first(found)


def _say(code: str, grade: Grade, at: str, /, **values: Any) -> Diagnostic:
    return Diagnostic(code=code, grade=grade, where=at, values=values)


def label(item: Item) -> str:
    """What a person calls an item."""
    return next((text for text in item.label.values() if text and text not in _DASHES), item.name or item.id)[:80]


def _translations(form: Form) -> Iterator[Diagnostic]:
    """Texts that are in one language of the form and not in another; a dash is no translation."""
    seen: set[tuple[str, str]] = set()
    for where, words in texts(form):
        spoken = {tag for tag, text in words.items() if text.strip() and text.strip() not in _DASHES}
        if not spoken or NEUTRAL in spoken or where == "":
            continue
        for tag in form.languages:
            if tag not in spoken and (where, tag) not in seen:
                seen.add((where, tag))
                yield _say("FM-431", "warning", where, language=tag, where=where)


def _lists(form: Form) -> Iterator[Diagnostic]:
    """Codes that stand twice, lists without choices."""
    used = {field.choices.list for field in form.fields() if field.choices}
    for name, one in form.lists.items():
        if name in used and not (one.rows or one.file or one.src or one.xml):
            yield _say("FM-443", "warning", name, list=name)
        seen: dict[str, Mapping[str, str]] = {}
        told: set[str] = set()
        for row in one.rows:
            columns = {key: value for key, value in row.columns.items() if key != "itextId"}
            if row.id in seen and row.id not in told:
                told.add(row.id)
                grade: Grade = "warning" if seen[row.id] == columns else "note"
                yield _say("FM-432", grade, name, row=row.id, list=name)
            seen.setdefault(row.id, columns)


def _cascades(form: Form, spots: Places) -> Iterator[Diagnostic]:
    """Choices of the question above that lead to no choice below."""
    for field in form.fields():
        one = form.lists.get(field.choices.list) if field.choices else None
        if field.choices is None or one is None or not one.rows:
            continue
        for column, asked in _filters(field.choices.filter, spots.path[field.id], spots):
            if not any(column in row.columns or column == one.value for row in one.rows):
                yield _say("FM-444", "warning", field.id, label=label(field), column=column, list=field.choices.list)
                continue
            offered = {row.columns.get(column, row.id if column == one.value else "") for row in one.rows}
            missing = [row.id for row in _rows(spots.at.get(asked), form) if row.id not in offered and row.id != OTHER]
            for value in missing[:MOST_OF_ONE]:
                yield _say("FM-433", "warning", field.id, label=label(field), value=value, column=column)


def _filters(filter: str, here: str, spots: Places) -> Iterator[tuple[str, str]]:
    """Columns and the paths that they must equal, of a filter that is nothing but equalities joined by ``and``."""
    ways = conditions.parted(filter, " and ") if filter else []
    for part in ways:
        found = _EQUAL.match(part)
        if found is None:
            continue
        column, node = (found[1], found[2]) if found[1] else (found[4], found[3])
        asked = spots.asked(node, here)
        if len(asked) == 1 and not column.isdigit():
            yield column, next(iter(asked))


def _rows(item: AnyItem | None, form: Form) -> Sequence[Any]:
    """The choices of a question with a list in the form itself."""
    if not isinstance(item, Field) or item.choices is None or item.type not in ("select_one", "rank"):
        return ()
    one: ChoiceList | None = form.lists.get(item.choices.list)
    return one.rows if one is not None else ()


# --- conditions


def _conditions(form: Form, spots: Places) -> Iterator[Diagnostic]:
    """Questions that can never be shown, and constraints that nothing can keep."""

    def field_at(node: str) -> Field | None:
        item = spots.at.get(node)
        return item if isinstance(item, Field) else None

    def codes(node: str) -> frozenset[str] | None:
        field = field_at(node)
        if field is None or field.choices is None or field.choices.others:
            return None
        one = form.lists.get(field.choices.list)
        return frozenset(row.id for row in one.rows) if one is not None and one.rows else None

    def single(node: str) -> bool:
        field = field_at(node)
        return field is not None and field.type == "select_one"

    for id, item in spots.items.items():
        if item.relevant and (reason := _impossible(_above(id, spots), spots, codes, single)):
            yield _say("FM-436", "warning", id, label=label(item), reason=reason)
        if not isinstance(item, Field):
            continue
        own = [(item.constraint, spots.path[id])] if item.constraint else []
        if reason := _impossible(own, spots, codes, single) or _bounds(item):
            yield _say("FM-437", "warning", id, label=label(item), reason=reason)


def _above(id: str, spots: Places) -> list[tuple[str, str]]:
    """The conditions of an item and of the groups around it, with the paths where they stand."""
    found = []
    while id:
        if spots.items[id].relevant:
            found.append((spots.items[id].relevant, spots.path[id]))
        id = spots.parent[id]
    return found


def _impossible(said: Sequence[tuple[str, str]], spots: Places, codes: Any, single: Any) -> str:
    """Why the conditions cannot hold together; "" when they may, or when nothing can be proved."""
    parts = []
    for expression, here in said:
        found = conditions.ways(expression)
        if found is None:
            return ""
        placed = [[_placed(atom, here, spots) for atom in way] for way in found]
        parts.append([[atom for atom in way if atom is not None] for way in placed])
    every = conditions.together(parts)
    if not every:
        return ""
    reasons = [conditions.contradiction(way, codes, single) for way in every]
    return reasons[0] if all(reasons) else ""


def _placed(atom: conditions.Atom, here: str, spots: Places) -> conditions.Atom | None:
    """An atom with the absolute path of its node; None when the node may have several values there, one for each row of a repeat."""
    if not atom.node:
        return atom
    asked = spots.asked(atom.node, here)
    node = next(iter(asked)) if len(asked) == 1 else references.resolve(atom.node, here)
    item, mine = spots.at.get(node), spots.at.get(here)
    around = spots.repeats(mine.id) if mine is not None else ()
    if item is not None and not set(spots.repeats(item.id)) <= {*around, *([mine.id] if mine is not None else [])}:
        return None
    return conditions.Atom(node, atom.sign, atom.value)


def _bounds(field: Field) -> str:
    """Parameters that exclude each other."""
    for low, high in (("min", "max"), ("min_length", "max_length")):
        least, most = field.parameters.get(low), field.parameters.get(high)
        if least is None or most is None or "today" in (least, most):
            continue
        day = field.type in ("date", "khmer_date")
        if str(least) > str(most) if day else conditions.outside("", _pair(least, most)):
            return f"{low} {least}, {high} {most}"
    return ""


def _pair(least: Any, most: Any) -> list[conditions.Atom]:
    return [conditions.Atom("", ">=", str(least)), conditions.Atom("", "<=", str(most))]


# --- circles and names


def _circles(spots: Places) -> Iterator[Diagnostic]:
    """Calculations and conditions that depend on themselves."""
    asks: dict[str, set[str]] = {}
    for id, item in spots.items.items():
        if not item.name:
            continue
        here = spots.path[id]
        said = [
            item.relevant,
            *([item.calculate] if isinstance(item, Field) else []),
            *([item.count] if isinstance(item, Repeat) else []),
        ]
        wanted: set[str] = set()
        for expression in said:
            wanted |= references.paths(spots.expand(expression, here), here, predicates=False) if expression else set()
        parent = spots.path.get(spots.parent[id], "")
        asks.setdefault(here, set()).update({path for path in wanted if path in spots.at}, {parent} & spots.at.keys())
    for way in _cycles(asks):
        names = [label(spots.at[path]) for path in way]
        yield _say("FM-438", "warning", spots.at[way[0]].id, way=" → ".join([*names, names[0]]))


def _cycles(asks: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """One way round every circle, found by a depth-first walk without recursion."""
    done: set[str] = set()
    for start in asks:
        if start in done:
            continue
        way, place = [start], {start: 0}
        waiting = [iter(sorted(asks.get(start, ())))]
        while waiting:
            after = next(waiting[-1], None)
            if after is None:
                waiting.pop()
                gone = way.pop()
                del place[gone]
                done.add(gone)
            elif after in place:
                yield way[place[after] :]
            elif after not in done:
                place[after] = len(way)
                way.append(after)
                waiting.append(iter(sorted(asks.get(after, ()))))


def _names(form: Form, spots: Places) -> Iterator[Diagnostic]:
    """Names in expressions that lead nowhere."""
    known = {spots.root, "/"}
    for path in spots.at:
        while path and path not in known:
            known.add(path)
            path = path.rpartition("/")[0]
    seen: set[tuple[str, str]] = set()
    for where, here, expression in expressions(form, spots):
        missing = [
            f"${{{name}}}" for name in references.names(expression) if name.removeprefix(LAST_SAVED) not in spots.named
        ]
        missing += [
            path for path in sorted(spots.asked(expression, here))
            if path.startswith(f"{spots.root}/") and path not in known and not _other(path, form)
        ]  # fmt: skip
        missing += [
            f"instance('{name}')"
            for name in sorted(references.instances(expression) - form.lists.keys() - _KNOWN_LISTS)
        ]
        for path in missing:
            if (where, path) not in seen:
                seen.add((where, path))
                yield _say("FM-439", "warning", where, where=where or form.id, path=path)


def _grammar(form: Form, spots: Places) -> Iterator[Diagnostic]:
    """Expressions that cannot be understood, in the words of the compiler. A name without a node is told by ``_names``."""
    from modules.forms.xpath.compile import compile_expression

    for where, here, expression in expressions(form, spots):
        try:
            compile_expression(spots.expand(expression, here))
        except Refused as error:
            if error.code != "FM-309":
                yield Diagnostic(code=error.code, grade="warning", where=where, values=error.values)


def _other(path: str, form: Form) -> bool:
    """Whether a path leads to what is no question: meta, or nodes that only the stored instance has."""
    last = path.rpartition("/")[2]
    return "/meta" in path or ":meta" in path or (bool(form.origin.instance) and f"<{last}" in form.origin.instance)


def expressions(form: Form, spots: Places) -> Iterator[tuple[str, str, str]]:
    """Every expression with the id of its item and the path where it stands; those in texts too."""
    for id, item in spots.items.items():
        here = spots.path[id]
        said = [item.relevant, item.readonly]
        if isinstance(item, Repeat):
            said.append(item.count)
        if isinstance(item, Field):
            said += [item.required, item.constraint, item.calculate, *(action.value for action in item.set)]
            if item.choices is not None:
                said += [item.choices.nodeset, item.choices.seed]
                if item.choices.filter:
                    said.append(f"instance('{item.choices.list}')/root/item[{item.choices.filter}]")
        yield from ((id, here, one) for one in said if one)
        for words in (item.label, item.hint, item.guidance):
            for text in words.values():
                yield from ((id, here, one) for one in inline.expressions(text))
    for check in form.checks:
        yield "", spots.root, check.when
    if form.meta.instance_name:
        yield "", f"{spots.root}/meta/instanceName", form.meta.instance_name


# --- versions


def _versions(form: Form, older: Form) -> Iterator[Diagnostic]:
    """What the answers of an older version would lose."""
    now, before = places(form), places(older)
    for id, was in before.items.items():
        if not isinstance(was, Field) or not _holds_data(was):
            continue
        is_ = now.items.get(id)
        if not isinstance(is_, Field):
            yield _say("FM-434", "warning", id, label=label(was))
            continue
        if is_.name != was.name:
            yield _say("FM-435", "note", id, name=label(is_), before=was.name, after=is_.name)
        rows = " × ".join((*now.repeats(id), is_.type)), " × ".join((*before.repeats(id), was.type))
        if rows[0] != rows[1]:
            yield _say("FM-440", "warning", id, label=label(is_), before=rows[1], after=rows[0])
        gone = _codes(was, older) - _codes(is_, form)
        if _codes(is_, form):
            for code in sorted(gone)[:MOST_OF_ONE]:
                yield _say("FM-441", "warning", id, label=label(is_), row=code)


def _holds_data(field: Field) -> bool:
    return TYPES[field.type].asked or field.type in ("calculate", "hidden", "fee")


def _codes(field: Field, form: Form) -> set[str]:
    one = form.lists.get(field.choices.list) if field.choices else None
    return {row.id for row in one.rows} if one is not None else set()
