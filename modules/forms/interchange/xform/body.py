"""The items of a form as controls, binds and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.forms.interchange.xform.lists import usual_label
from modules.forms.interchange.xform.names import XFORMS, XHTML, Names, x
from modules.forms.interchange.xform.texts import Texts
from modules.forms.interchange.xml import Element, read_xml
from modules.forms.model.form import EVENTS, TRUE, Action, AnyItem, Choices, Field, Form, Group, Repeat
from modules.forms.model.paths import places
from modules.forms.model.types import TYPES

_DO = {"set": "setvalue", "geopoint": "odk:setgeopoint", "audio": "odk:recordaudio"}


class Body:
    """``element`` makes the body; ``binds`` then holds what belongs into the model, in order."""

    def __init__(self, form: Form, names: Names, texts: Texts) -> None:
        self._form = form
        self._names = names
        self._texts = texts
        self._spots = places(form)
        self._controls: dict[str, Element] = {}
        self.binds: list[Element | str] = []

    def element(self) -> Element:
        attributes = {self._names.full(name): value for name, value in self._form.origin.body.items()}
        made = Element(f"{{{XHTML}}}body", attributes, self._all(self._form.items))
        for id, item in self._spots.items.items():
            if isinstance(item, Field):
                for action in item.set:
                    self.place(action, self._spots.path[id], None)
        return made

    def place(self, action: Action, path: str, model: Element | None) -> None:
        """Write an action where it belongs: into its control, into the nearest repeat for new rows, else into the model."""
        element = Element(self._names.full(_DO[action.do], XFORMS), {"ref": path})
        element.attributes["event"] = " ".join(EVENTS[on] for on in action.on)
        if action.value:
            element.attributes["value"] = action.value
        element.attributes |= {self._names.full(name): value for name, value in action.extra.items()}
        if action.text:
            element.children.append(action.text)
        of = action.of
        if not of and action.on == ("new-row",):
            item = self._spots.at.get(path)
            around = self._spots.repeats(item.id) if item is not None else ()
            of = around[-1] if around else ""
        holder = self._controls.get(of)
        if holder is not None:
            holder.children.append(element)
        elif model is not None:
            model.children.append(element)
        else:
            self.binds.append(element)

    # --- items

    def _all(self, items: tuple[AnyItem, ...]) -> list[Element | str]:
        made: list[Element | str] = []
        for item in items:
            if isinstance(item, Field):
                self._bind(item)
                if (control := self._control(item)) is not None:
                    made.append(control)
            elif isinstance(item, Repeat):
                self._bind(item)
                made.append(self._repeat(item))
            elif item.shown:
                self._bind(item)
                made.append(self._group(item))
            else:
                self._bind(item)
                made += self._all(item.items)
        return made

    def _attributes(self, item: AnyItem, key: str) -> dict[str, str]:
        return {self._names.full(name): value for name, value in item.extra.get(key, {}).items()}

    def _strange(self, item: AnyItem) -> list[Element | str]:
        return [read_xml(text.encode("utf-8"), name=item.id).root for text in item.extra.get("xml", ())]

    def _captions(self, item: AnyItem, path: str) -> list[Element | str]:
        texts: Mapping[str, str] = item.extra.get("texts", {})
        media: dict[str, dict[str, Any]] = {"label": {}, "hint": {}}
        for kind, files in item.media.items():
            role, colon, own = kind.partition(":")
            media["hint" if colon and role == "hint" else "label"][own if colon and role == "hint" else kind] = files
        if item.guidance:
            media["hint"] = {"guidance": item.guidance, **media["hint"]}
        made: list[Element | str] = []
        for role, words in (("label", item.label), ("hint", item.hint)):
            attributes = self._attributes(item, role)
            if (ref := item.extra.get("refs", {}).get(role)) is not None:
                one: Element | None = self._texts.caption(
                    role, "", words if set(words) <= {"und"} else {}, {}, {"ref": ref, **attributes}
                )
            else:
                one = self._texts.caption(role, texts.get(role, f"{path}:{role}"), words, media[role], attributes)
            if one is not None:
                made.append(one)
        return made

    def _group(self, item: Group) -> Element:
        path = self._spots.path[item.id]
        made = Element(x("group"), {"ref": path} if item.name else {})
        if item.appearance:
            made.attributes["appearance"] = " ".join(item.appearance)
        made.attributes |= self._attributes(item, "control")
        self._controls[item.id] = made
        made.children = [*self._captions(item, path), *self._all(item.items), *self._strange(item)]
        return made

    def _repeat(self, item: Repeat) -> Element:
        path = self._spots.path[item.id]
        made = Element(x("repeat"), {"nodeset": path})
        if item.count:
            made.attributes[self._names.full("jr:count")] = item.count
        if item.fixed:
            made.attributes[self._names.full("jr:noAddRemove")] = TRUE
        made.attributes |= self._attributes(item, "repeat")
        self._controls[item.id] = made
        inside = [*self._all(item.items), *self._strange(item)]
        appearance = {"appearance": " ".join(item.appearance)} if item.appearance else {}
        if item.extra.get("bare"):
            made.attributes |= appearance
            made.children = [*self._captions(item, path), *inside]
            return made
        made.children = inside
        around = self._attributes(item, "wrap")
        ref = {"ref": path} if around.pop("ref", None) is None else {}
        return Element(x("group"), {**ref, **appearance, **around}, [*self._captions(item, path), made])

    def _control(self, item: Field) -> Element | None:
        kind = TYPES[item.type]
        tag = item.extra.get("element", kind.control)
        if not tag:
            return None
        path = self._spots.path[item.id]
        made = Element(self._names.full(tag, XFORMS), {"ref": path})
        if item.appearance:
            made.attributes["appearance"] = " ".join(item.appearance)
        if kind.mediatype and "mediatype" not in item.extra.get("control", {}):
            made.attributes["mediatype"] = kind.mediatype
        made.attributes |= {self._names.full(name): value for name, value in self._parameters(item, "control").items()}
        made.attributes |= self._attributes(item, "control")
        self._controls[item.id] = made
        made.children = self._captions(item, path)
        if item.choices is not None:
            made.children += self._choices(item.choices, path)
        made.children += self._strange(item)
        return made

    def _parameters(self, item: Field, where: str) -> dict[str, str]:
        known = TYPES[item.type].parameters
        return {
            known[name].attribute: str(value) for name, value in item.parameters.items() if known[name].where == where
        }  # fmt: skip

    def _choices(self, choices: Choices, path: str) -> list[Element | str]:
        one = self._form.lists.get(choices.list)
        if one is not None and one.inline:
            return [self._inline(row, path) for row in one.rows]
        nodeset = choices.nodeset
        value, label = choices.value or "name", choices.label or "label"
        if one is not None:
            nodeset = f"instance('{choices.list}')/root/item" + (f"[{choices.filter}]" if choices.filter else "")
            value, label = choices.value or one.value, choices.label or usual_label(one)
        if choices.random:
            nodeset = f"randomize({nodeset}, {choices.seed})" if choices.seed else f"randomize({nodeset})"
        inside: list[Element | str] = [Element(x("value"), {"ref": value}), Element(x("label"), {"ref": label})]
        return [Element(x("itemset"), {"nodeset": nodeset}, inside)]

    def _inline(self, row: Any, path: str) -> Element:
        id = row.columns.get("itextId", f"{path}/{row.id}:label")
        label = self._texts.caption("label", id, row.label, row.media, {})
        value = Element(x("value"), children=[row.id])
        return Element(x("item"), children=[label, value] if label is not None else [value])

    def _bind(self, item: AnyItem) -> None:
        """The bind of a node, if anything is to be said about it."""
        if not item.name:
            return
        path = self._spots.path[item.id]
        made: dict[str, str] = {}
        texts: Mapping[str, str] = item.extra.get("texts", {})
        if isinstance(item, Field):
            kind = TYPES[item.type]
            if data := kind.data if item.data is None else item.data:
                made["type"] = data
            own = item.extra.get("bind", {})
            if kind.preload and "jr:preload" not in own:
                made |= dict(zip(("jr:preload", "jr:preloadParams"), kind.preload, strict=True))
            if item.type == "note":
                made["readonly"] = TRUE
            for name in ("required", "constraint", "calculate"):
                if value := getattr(item, name):
                    made[name] = value
            for name, attribute in (("required_message", "jr:requiredMsg"), ("constraint_message", "jr:constraintMsg")):
                if words := getattr(item, name):
                    made[attribute] = self._texts.message(texts.get(name, f"{path}:{attribute}"), words)
            if item.save_to:
                made["entities:saveto"] = item.save_to
            made |= self._parameters(item, "bind")
        for name in ("relevant", "readonly"):
            if value := getattr(item, name):
                made[name] = value
        made |= item.extra.get("bind", {})
        if made:
            attributes = {"nodeset": path, **{self._names.full(name): value for name, value in made.items()}}
            self.binds.append(Element(x("bind"), attributes))
