"""What two versions of a form differ in: questions by their permanent ids, each difference property by property."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from modules.forms.model.form import Form
from modules.forms.model.paths import Places, places
from modules.forms.model.writing import plain

Kind = Literal["added", "removed", "renamed", "moved", "changed"]
Part = Literal["form", "item", "list", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. ``id`` is that of the item, ``list`` or ``list/code``; ``member`` names what changed, dots go inside."""

    kind: Kind
    part: Part
    id: str
    member: str = ""
    before: Any = None
    after: Any = None

    def json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "part": self.part, "id": self.id, "member": self.member, "before": self.before, "after": self.after,
        }  # fmt: skip


def changes(before: Form, after: Form) -> list[Change]:
    """Every difference, in the order of the newer form; what was removed stands last of its part. Equal forms have none."""
    return [*_top(before, after), *_items(before, after), *_lists(before, after)]


def _top(before: Form, after: Form) -> Iterator[Change]:
    old, new = plain(before), plain(after)
    for one in (old, new):
        one.pop("items", None)
        one.pop("lists", None)
    yield from _changed("form", after.id, old, new)


def _items(before: Form, after: Form) -> Iterator[Change]:
    old, new = places(before), places(after)
    moved = _moved(old, new)
    stood, stands = _standing(old), _standing(new)
    for id, item in new.items.items():
        was = old.items.get(id)
        if was is None:
            yield Change(kind="added", part="item", id=id, after=new.path[id])
            continue
        if was.name != item.name:
            yield Change(kind="renamed", part="item", id=id, member="name", before=was.name, after=item.name)
        if id in moved:
            yield Change(kind="moved", part="item", id=id, before=stood[id], after=stands[id])
        mine, its = _members(was), _members(item)
        yield from _changed("item", id, mine, its)
    for id in old.items:
        if id not in new.items:
            yield Change(kind="removed", part="item", id=id, before=old.path[id])


def _members(item: Any) -> dict[str, Any]:
    made: dict[str, Any] = plain(item)
    for name in ("items", "name"):
        made.pop(name, None)
    return made


def _standing(spots: Places) -> dict[str, str]:
    """For every id the group, and what stands before it there."""
    return {
        id: f"{parent}/{before}"
        for parent, ids in _brothers(spots).items()
        for before, id in zip(["", *ids], ids, strict=False)
    }


def _brothers(spots: Places) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, parent in spots.parent.items():
        found.setdefault(parent, []).append(id)
    return found


def _moved(old: Places, new: Places) -> set[str]:
    """Ids in another group, and those few that must move within theirs to make one order of the other."""
    moved = {id for id in new.items if id in old.items and new.parent[id] != old.parent[id]}
    before = _brothers(old)
    for parent, ids in _brothers(new).items():
        order = {id: number for number, id in enumerate(before.get(parent, ()))}
        stayed = [id for id in ids if id in order]
        kept = _longest_rise([order[id] for id in stayed])
        moved |= {id for place, id in enumerate(stayed) if place not in kept}
    return moved


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The places of a longest rising part of ``numbers``."""
    ends: list[int] = []  # places of the smallest last numbers of rises of each length
    values: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect_left(values, number)
        before.append(ends[at - 1] if at else -1)
        if at == len(ends):
            ends.append(place)
            values.append(number)
        else:
            ends[at], values[at] = place, number
    kept: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept


def _lists(before: Form, after: Form) -> Iterator[Change]:
    for name, one in after.lists.items():
        was = before.lists.get(name)
        if was is None:
            yield Change(kind="added", part="list", id=name, after=len(one.rows))
            continue
        old, new = plain(was), plain(one)
        mine = {row["id"]: row for row in old.pop("rows", ())}
        its = {row["id"]: row for row in new.pop("rows", ())}
        yield from _changed("list", name, old, new)
        order = {code: number for number, code in enumerate(mine)}
        stands = {code: number for number, code in enumerate(its)}
        stayed = [code for code in its if code in order]
        kept = _longest_rise([order[code] for code in stayed])
        moved = {code for place, code in enumerate(stayed) if place not in kept}
        for code, row in its.items():
            if code not in mine:
                yield Change(kind="added", part="row", id=f"{name}/{code}", after=row.get("label"))
                continue
            if code in moved:
                yield Change(kind="moved", part="row", id=f"{name}/{code}", before=order[code], after=stands[code])
            yield from _changed("row", f"{name}/{code}", mine[code], row)
        for code, row in mine.items():
            if code not in its:
                yield Change(kind="removed", part="row", id=f"{name}/{code}", before=row.get("label"))
    for name, one in before.lists.items():
        if name not in after.lists:
            yield Change(kind="removed", part="list", id=name, before=len(one.rows))


def _changed(part: Part, id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for member, was, is_ in _differences(before, after):
        yield Change(kind="changed", part=part, id=id, member=member, before=was, after=is_)


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Members that differ, mappings inside by their own members."""
    for name in dict.fromkeys((*after, *before)):
        was, is_ = before.get(name), after.get(name)
        if was == is_:
            continue
        if isinstance(was, Mapping) and isinstance(is_, Mapping):
            yield from _differences(was, is_, f"{above}{name}.")
        else:
            yield f"{above}{name}", was, is_
