"""The body of an XForm as items, then the nodes that the body does not show, each behind the node that it follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modules.contract import Refused
from modules.forms.interchange.ids import Ids
from modules.forms.interchange.xform.binds import CONTROLS, captions, field_members, tokens
from modules.forms.interchange.xform.lists import choices_of
from modules.forms.interchange.xform.names import x
from modules.forms.interchange.xform.source import Source, children, is_template
from modules.forms.interchange.xml import Element, write_xml
from modules.forms.model.form import TRUE, Action, AnyItem, ChoiceList, Field, Group, Repeat
from modules.forms.model.reading import DEEPEST, MOST_ITEMS

_CAPTIONS: Final = frozenset({x("label"), x("hint")})


@dataclass(slots=True, eq=False)
class Draft:
    """An item while its group still grows. ``path`` is that of its node, for a group without a node that of the group around it."""

    kind: type[Field] | type[Group] | type[Repeat]
    path: str
    members: dict[str, Any]
    children: list[Draft] = field(default_factory=list)

    @property
    def has_node(self) -> bool:
        return bool(self.members.get("name"))


class Drafter:
    """Makes the drafts of one source."""

    def __init__(self, source: Source, lists: dict[str, ChoiceList]) -> None:
        self.source = source
        self.lists = lists
        self.by_path: dict[str, Draft] = {}
        self._ids = Ids()
        self.strange: list[str] = []  # what stands in the body itself and is nothing known
        self._leaves: dict[str, Element] = {}
        self._above: set[str] = set()  # paths around the nodes that the body shows
        self._count = 0

    def top(self) -> list[Draft]:
        """The drafts of the whole form."""
        self._index(self.source.primary, self.source.root)
        found = self._body(self.source.body.elements(), self.source.root, "", 1, self.strange)
        for path in self.by_path:
            while (path := path.rpartition("/")[0]) and path not in self._above:
                self._above.add(path)
        return self._unseen(self.source.primary, self.source.root, found)

    def default(self, path: str) -> str:
        """What stands in a leaf of the primary instance."""
        leaf = self._leaves.get(path)
        if leaf is None or any(leaf.elements()):
            return ""
        text = leaf.text()
        return text if text.strip() else ""

    def _index(self, node: Element, path: str) -> None:
        waiting = [(node, path)]
        while waiting:
            one, place = waiting.pop()
            self._leaves.setdefault(place, one)
            waiting.extend((child, f"{place}/{self.source.short(child)}") for child in children(one))

    # --- the body

    def _body(self, elements: Iterable[Element], here: str, above: str, depth: int, strange: list[str]) -> list[Draft]:
        if depth > DEEPEST:
            raise Refused("FM-403", form=self.source.title, reason=f"groups are nested deeper than {DEEPEST}")
        found: list[Draft] = []
        for element in elements:
            name = self.source.names.short(element.name)
            if name == "group":
                found.append(self._group(element, here, above, depth))
            elif name == "repeat":
                found.append(self._repeat(element, None, here, above, depth))
            elif name in CONTROLS:
                found.append(self._field(element, here, above))
            elif element.name not in _CAPTIONS and not self.source.take_action(element, above, here):
                strange.append(self._kept(element, above))
        return found

    def _kept(self, element: Element, where: str) -> str:
        """An element that is nothing known, as text; noted."""
        self.source.note("FM-451", where, element.line, element=self.source.names.short(element.name))
        return write_xml(element, self.source.names.prefixes)

    def _place(self, element: Element, attribute: str, here: str) -> str:
        """The path that a control is bound to; "" when it is bound to nothing."""
        from modules.forms.model.references import resolve

        if bind := element.attributes.get("bind"):
            return self.source.bind_ids.get(bind, "")
        ref = element.attributes.get(attribute, "").strip()
        return resolve(ref, here) if ref else ""

    def _new(self, kind: Any, path: str, here: str, above: str, members: dict[str, Any]) -> Draft:
        """A draft with its id, and its name or path."""
        self._count += 1
        if self._count > MOST_ITEMS:
            raise Refused("FM-403", form=self.source.title, reason=f"more than {MOST_ITEMS} questions")
        name = path.rpartition("/")[2] if path else ""
        made: dict[str, Any] = {"id": self._ids.make(name or "group", above)}
        if name:
            made["name"] = name
            if path != f"{here}/{name}":
                made["ref"] = path
        draft = Draft(kind, path or here, {**made, **members})
        if path:
            if path not in self._leaves:
                self.source.note("FM-457", made["id"], path=path)
            self.by_path.setdefault(path, draft)
        return draft

    def _group(self, element: Element, here: str, above: str, depth: int) -> Draft:
        path = self._place(element, "ref", here) or self._place(element, "nodeset", here)
        inner = [child for child in element.elements() if child.name not in _CAPTIONS]
        if len(inner) == 1 and inner[0].name == x("repeat"):
            nodeset = self._place(inner[0], "nodeset", path or here)
            if path in ("", nodeset):
                return self._repeat(inner[0], element, here, above, depth)
        members = self._common(element, path, here)
        attributes = self.source.names.shorts(element.attributes, "ref", "nodeset", "bind", "appearance")
        draft = self._new(Group, path, here, above, members)
        strange: list[str] = []
        draft.children = self._body(element.elements(), draft.path, draft.members["id"], depth + 1, strange)
        self._keep(draft, control=attributes, xml=strange)
        return draft

    def _repeat(self, element: Element, wrap: Element | None, here: str, above: str, depth: int) -> Draft:
        path = self._place(element, "nodeset", here)
        if not path:
            raise Refused("FM-405", form=self.source.title, reason="a repeat without nodeset")
        members = self._common(wrap if wrap is not None else element, path)
        attributes = self.source.names.shorts(element.attributes, "nodeset", "bind")
        if count := attributes.pop("jr:count", "").strip():
            members["count"] = count
        if attributes.get("jr:noAddRemove", "").strip() == TRUE:
            members["fixed"] = attributes.pop("jr:noAddRemove").strip() == TRUE
        around: dict[str, str] = {}
        if wrap is None:
            attributes.pop("appearance", "")
        else:
            around = self.source.names.shorts(
                wrap.attributes, "appearance", "bind", *(("ref",) if wrap.attributes.get("ref") else ())
            )
            if not wrap.attributes.get("ref"):
                around["ref"] = ""
        draft = self._new(Repeat, path, here, above, members)
        strange: list[str] = []
        draft.children = self._body(element.elements(), path, draft.members["id"], depth + 1, strange)
        self._keep(draft, repeat=attributes, wrap=around, xml=strange)
        if wrap is None:
            draft.members.setdefault("extra", {})["bare"] = True
        return draft

    def _common(self, element: Element, path: str, here: str = "") -> dict[str, Any]:
        """What groups and repeats share with fields."""
        extra: dict[str, Any] = {}
        texts: dict[str, str] = {}
        made = captions(element, path or here, self.source, texts, extra)
        bind = self._bind(path)
        for name in ("relevant", "readonly"):
            if value := bind.pop(name, "").strip():
                made[name] = value
        if appearance := tokens(element.attributes.get("appearance", "")):
            made["appearance"] = appearance
        extra |= {"bind": bind, "texts": texts}
        made["extra"] = {name: value for name, value in extra.items() if value}
        return {name: value for name, value in made.items() if value != {}}

    def _bind(self, path: str) -> dict[str, str]:
        bind = self.source.binds.get(path)
        return self.source.names.shorts(bind.attributes, "nodeset") if bind is not None and path else {}

    def _keep(self, draft: Draft, **found: Any) -> None:
        """Add what is not empty to the item's ``extra``."""
        more = {name: value for name, value in found.items() if value}
        if more:
            draft.members["extra"] = {**draft.members.get("extra", {}), **more}

    def _field(self, element: Element, here: str, above: str) -> Draft:
        path = self._place(element, "ref", here)
        if not path:
            raise Refused("FM-405", form=self.source.title, reason=f"a question without ref in line {element.line}")
        members = field_members(path, element, self.source)
        if choices := choices_of(element, path, self.source, self.lists):
            members["choices"] = choices
        if text := self.default(path):
            members["default"] = text
        draft = self._new(Field, path, here, above, members)
        strange = [
            self._kept(child, draft.members["id"])
            for child in element.elements()
            if child.local not in ("label", "hint", "item", "itemset")
            and not self.source.take_action(child, draft.members["id"], path)
        ]
        self._keep(draft, xml=strange)
        return draft

    # --- what the body does not show

    def _unseen(self, node: Element, path: str, shown: list[Draft]) -> list[Draft]:
        """``shown`` with drafts of the nodes below ``node`` that no control shows."""
        holder = {place: draft for draft in shown for place in _held(draft)}
        after: dict[int, list[Draft]] = {}
        last: Draft | None = None
        for child in children(node):
            place = f"{path}/{self.source.short(child)}"
            if child.local == "meta" and place not in self.by_path:
                continue
            known = self.by_path.get(place)
            if known is not None:
                if any(child.elements()):
                    known.children = self._unseen(child, place, known.children)
                last = holder.get(place, last)
                continue
            above = next((draft.members["id"] for draft in (self.by_path.get(path),) if draft), "")
            draft = self._hidden(child, place, path, above)
            if draft is not None:
                after.setdefault(id(last), []).append(draft)
        ordered = list(after.get(id(None), ()))
        for draft in shown:
            ordered += [draft, *after.get(id(draft), ())]
        return ordered

    def _hidden(self, node: Element, place: str, here: str, above: str) -> Draft | None:
        parent = self.by_path.get(here)
        near = here if parent is not None or here == self.source.root else ""
        if any(node.elements()) or is_template(node):
            inner_known = place in self._above
            bind = self.source.binds.get(place)
            if inner_known and bind is None and not self._has_unseen(node, place):
                return None
            draft = self._new(Group, place, near, above, {**self._common(Element("none"), place), "shown": False})
            draft.children = self._unseen(node, place, [])
            return draft
        members = field_members(place, None, self.source)
        if text := self.default(place):
            members["default"] = text
        return self._new(Field, place, near, above, members)

    def _has_unseen(self, node: Element, place: str) -> bool:
        waiting = [(node, place)]
        while waiting:
            one, path = waiting.pop()
            if path not in self.by_path and not any(one.elements()):
                return True
            waiting.extend((child, f"{path}/{self.source.short(child)}") for child in children(one))
        return False


def _held(draft: Draft) -> list[str]:
    """The paths of the nodes that a draft stands for in its parent's order: its own, or those in a group without a node."""
    if draft.has_node:
        return [draft.path]
    return [place for child in draft.children for place in _held(child)]


def frozen(drafts: list[Draft], actions: Mapping[str, list[Action]], repeat: str = "") -> tuple[AnyItem, ...]:
    """The items of ``drafts`` with the actions that fill them; ``repeat`` is the id of the nearest repeat around."""
    made: list[AnyItem] = []
    for draft in drafts:
        if draft.kind is Field:
            mine = tuple(
                dataclasses.replace(one, of="") if one.of == repeat and one.on == ("new-row",) else one
                for one in actions.get(draft.path, ())
            )
            made.append(Field(**draft.members, set=mine))
        elif draft.kind is Repeat:
            made.append(Repeat(**draft.members, items=frozen(draft.children, actions, draft.members["id"])))
        else:
            made.append(Group(**draft.members, items=frozen(draft.children, actions, repeat)))
    return tuple(made)
