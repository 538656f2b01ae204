"""Namespaces of XForms, and names with prefixes as the model keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

XFORMS: Final = "http://www.w3.org/2002/xforms"
XHTML: Final = "http://www.w3.org/1999/xhtml"
JR: Final = "http://openrosa.org/javarosa"
ORX: Final = "http://openrosa.org/xforms"
ODK: Final = "http://www.opendatakit.org/xforms"
ENTITIES: Final = "http://www.opendatakit.org/xforms/entities"
SALA: Final = "urn:sala:form:2"
USUAL: Final[Mapping[str, str]] = {
    XFORMS: "", XHTML: "h", "http://www.w3.org/2001/xml-events": "ev", "http://www.w3.org/2001/XMLSchema": "xsd", JR: "jr", ORX: "orx",
    ODK: "odk", ENTITIES: "entities",
}  # fmt: skip
VERSION: Final = "odk:xforms-version"
PATCH: Final = f"{{{SALA}}}patch"
MEDIA: Final[Mapping[str, str]] = {
    "image": "jr://images/", "big-image": "jr://images/", "audio": "jr://audio/", "video": "jr://video/",
}  # fmt: skip


def x(local: str) -> str:
    """The full name of an element of XForms."""
    return f"{{{XFORMS}}}{local}"


class Names:
    """Full names (``{namespace}local``) and short ones (``prefix:local``) of one document."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        """``prefixes``: namespace → prefix, besides the usual ones."""
        self.prefixes = {**prefixes, **USUAL}
        self._spaces = {prefix: space for space, prefix in self.prefixes.items()}

    def short(self, name: str, default: str = XFORMS) -> str:
        """The short name; names of the namespace ``default`` have no prefix."""
        if not name.startswith("{"):
            return name
        space, _, local = name[1:].partition("}")
        if space == default:
            return local
        prefix = self.prefixes.get(space) or ("" if space else "xmlns")
        return f"{prefix or 'xf'}:{local}"

    def full(self, name: str, default: str = "") -> str:
        """The full name of a short one; one without prefix is of the namespace ``default``."""
        prefix, colon, local = name.rpartition(":")
        if not colon:
            return f"{{{default}}}{name}" if default else name
        space = XFORMS if prefix == "xf" else self._spaces.get(prefix, "")
        return f"{{{space}}}{local}" if space else local

    def shorts(self, attributes: Mapping[str, str], *without: str) -> dict[str, str]:
        """Attributes by their short names; those called ``without`` are left out."""
        named = {self.short(name): value for name, value in attributes.items()}
        return {name: value for name, value in named.items() if name not in without}


def document_prefixes(found: Mapping[str, str], instance: str) -> dict[str, str]:
    """namespace → prefix of a document's own namespaces: none of a usual prefix, each prefix once.

    The namespace of the primary ``instance`` has none if it is the default there.
    """
    taken = {*USUAL.values(), "sala", "xml", "xf"}
    made: dict[str, str] = {}
    for space, prefix in found.items():
        if space in USUAL or space == SALA or (space == instance and not prefix):
            continue
        number = 0
        while not prefix or prefix in taken:
            number += 1
            prefix = f"n{number}"
        taken.add(prefix)
        made[space] = prefix
    return made


def media_name(kind: str, address: str) -> str:
    """The file's name, where the address is the usual one of its kind."""
    usual = MEDIA.get(kind)
    if usual and address.startswith(usual) and "/" not in address[len(usual) :]:
        return address[len(usual) :]
    return address


def media_address(kind: str, file: str) -> str:
    usual = MEDIA.get(kind)
    return usual + file if usual and "://" not in file and "/" not in file and file else file
