"""The texts of a form as itext: each id once, in every language that it has."""

from __future__ import annotations

from collections.abc import Mapping

from modules.forms.interchange.languages import name
from modules.forms.interchange.xform.names import media_address, x
from modules.forms.interchange.xml import Element
from modules.forms.model import inline
from modules.forms.model.form import NEUTRAL, ChoiceList, Form, Words


class Texts:
    """Collects texts while body and lists are written."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._made: dict[str, dict[str, Words]] = {}
        for id, text in form.origin.texts.items():
            self._made[id] = dict(text)

    def caption(
        self, tag: str, id: str, words: Words, media: Mapping[str, Words], attributes: dict[str, str]
    ) -> Element | None:
        """A label, hint or the like: its text inside when it has no language, else by its id. None when there is nothing."""
        if not words and not media:
            return Element(x(tag), attributes) if attributes else None
        if set(words) <= {NEUTRAL} and not media and NEUTRAL not in self._form.languages:
            return Element(x(tag), attributes, content(words.get(NEUTRAL, "")))
        if self._form.languages == (NEUTRAL,) and not media:
            return Element(x(tag), attributes, content(words.get(NEUTRAL, "")))
        return Element(x(tag), {"ref": self.ref(id, words, media), **attributes})

    def message(self, id: str, words: Words) -> str:
        """The value of an attribute that holds a text."""
        if set(words) == {NEUTRAL}:
            pieces = inline.parts(words[NEUTRAL])
            if not any(inside for _, inside in pieces):
                return "".join(text for text, _ in pieces)
        return self.ref(id, words, {})

    def ref(self, id: str, words: Words, media: Mapping[str, Words]) -> str:
        text: dict[str, Words] = {**({"": words} if words else {}), **media}
        number, free = 1, id
        while free in self._made and self._made[free] != text:
            number += 1
            free = f"{id}#{number}"
        self._made[free] = text
        return f"jr:itext('{free}')"

    def of_list(self, list_name: str, one: ChoiceList) -> bool:
        """Take the labels of a list, if they need texts; else they stand in the rows."""
        from modules.forms.interchange.xform.lists import has_texts

        if not has_texts(one):
            return False
        for number, row in enumerate(one.rows):
            id = row.columns.get("itextId", f"{list_name}-{number}")
            if row.label or row.media:
                self._made.setdefault(id, {**({"": row.label} if row.label else {}), **row.media})
        return True

    def element(self) -> Element | None:
        """The itext, the default language first; None when there is no text."""
        form = self._form
        if not self._made and form.languages == (NEUTRAL,):
            return None
        made = Element(x("itext"))
        spoken = {tag for text in self._made.values() for words in text.values() for tag in words}
        tags = [*form.languages, *sorted(spoken - set(form.languages))]
        for number, tag in enumerate(tags):
            attributes = {"lang": name(tag, form.origin.languages), **({"default": "true()"} if number == 0 else {})}
            part = Element(x("translation"), attributes)
            for id, text in self._made.items():
                values = [
                    Element(x("value"), {"form": kind} if kind else {}, content(media_address(kind, words[tag]) if kind else words[tag]))
                    for kind, words in text.items() if tag in words
                ]  # fmt: skip
                if values:
                    part.children.append(Element(x("text"), {"id": id}, [*values]))
            made.children.append(part)
        return made


def content(text: str) -> list[Element | str]:
    """A text with expressions as children of an element."""
    return [Element(x("output"), {"value": piece}) if inside else piece for piece, inside in inline.parts(text)]
