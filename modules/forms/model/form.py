"""What a form is: frozen values, equal when they mean the same. Format 1, XForms, XLSForms and FormSG forms are all read as these.

An expression (``relevant``, ``calculate``, …) is XForms XPath over node paths, or with ``${name}`` for the path of a node; ""
is none. A text may hold ``${expression}`` where a value is shown. Members at their default are left out of the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Words: TypeAlias = Mapping[str, str]  # language tag → text; ``NEUTRAL`` alone: one text for every language
Expr: TypeAlias = str
Plain: TypeAlias = Mapping[str, Any]

NEUTRAL: Final = "und"  # the tag of a text that has no language (BCP 47: undetermined)
TRUE: Final = "true()"
EVENTS: Final[Mapping[str, str]] = {
    "first-load": "odk-instance-first-load", "load": "odk-instance-load", "new-row": "odk-new-repeat", "changed": "xforms-value-changed",
}  # fmt: skip
NONE: Final[Plain] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What fills an item by itself: an expression or a literal text, a position, a recording."""

    on: tuple[str, ...]  # names of EVENTS
    of: str = ""  # id of the item in whose control it stands: the changed question, or another repeat than the nearest
    do: str = "set"  # set, geopoint, audio
    value: Expr = ""
    text: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)  # attributes that have no name here


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where the choices of a question come from: a list by its name, or any nodes (``nodeset``), such as the rows of a repeat."""

    list: str = ""
    filter: Expr = ""
    nodeset: Expr = ""
    value: str = ""  # what of a row is stored; "": what the list says
    label: str = ""  # what of a row is shown; "": what the list says
    random: bool = False
    seed: Expr = ""
    others: bool = False  # a free text beside the choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a group, a repeat and a field share. ``id`` is permanent, ``name`` is the node's and may change."""

    id: str
    name: str = ""  # of the node, with its prefix; "": a group that is only seen, without a node of its own
    ref: str = ""  # absolute path of the node when it does not stand below its parent's
    label: Words = field(default_factory=dict)
    hint: Words = field(default_factory=dict)
    guidance: Words = field(default_factory=dict)
    why: Words = field(default_factory=dict)
    media: Mapping[str, Words] = field(default_factory=dict)  # image, audio, video, big-image, … → language → file name
    relevant: Expr = ""
    readonly: Expr = ""
    appearance: tuple[str, ...] = ()
    origin: str = ""  # its id where the form came from
    extra: Plain = field(default_factory=dict)  # what an XForm said about it and nothing here has a name for


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Item):
    """One question, or a value that is made without asking."""

    type: str
    data: str | None = None  # the XForm type of the node where it is not the usual one of ``type``; "": none
    required: Expr = ""
    required_message: Words = field(default_factory=dict)
    constraint: Expr = ""
    constraint_message: Words = field(default_factory=dict)
    soft: bool = False  # a broken constraint warns and asks for a reason
    calculate: Expr = ""
    default: str = ""
    set: tuple[Action, ...] = ()
    choices: Choices | None = None
    parameters: Plain = field(default_factory=dict)
    save_to: str = ""  # property of an entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Item):
    """Questions that belong together; at the top the officer sees a section. ``shown`` False: only nodes, nothing on the page."""

    items: tuple[AnyItem, ...] = ()
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Item):
    """Rows of the same questions. ``count`` fixes their number; else the person adds, from ``least`` to ``most``."""

    items: tuple[AnyItem, ...] = ()
    count: Expr = ""
    fixed: bool = False  # nobody adds or takes away rows
    least: int = 0
    most: int = 0  # 0: as many as one likes


AnyItem: TypeAlias = Field | Group | Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One choice. ``columns`` are for filters."""

    id: str
    label: Words = field(default_factory=dict)
    media: Mapping[str, Words] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceList:
    """A list of choices: rows in the form, a file beside it, or nodes of a shape of their own."""

    rows: tuple[Row, ...] = ()
    inline: bool = False  # an XForm has these choices inside the question
    value: str = "name"
    file: str = ""
    format: str = ""  # csv, xml, geojson
    sha256: str = ""
    bytes: int = 0
    src: str = ""  # the address, where it is not the usual one of ``file``
    xml: str = ""  # the instance's content, when it is not root/item


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """While ``when`` is true the form cannot be finished."""

    when: Expr
    message: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of a register that a submission makes or changes. ``of``: id of the repeat whose rows make one each."""

    dataset: str
    of: str = ""
    label: Expr = ""
    id: Expr = ""
    create_if: Expr = ""
    update_if: Expr = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A bound node that is no question: an attribute, or something of ``meta`` that has no name here."""

    ref: str
    bind: Mapping[str, str] = field(default_factory=dict)
    set: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What concerns the whole submission."""

    instance_name: Expr = ""
    version_text: str | None = None  # the XForm's version; None: the number, "": it has none
    public_key: str = ""  # RSA, base64: answers are sealed for ODK
    formsg_key: str = ""  # X25519, base64: answers are sealed for FormSG
    submission: Mapping[str, str] = field(default_factory=dict)  # other attributes of the XForm's submission element
    audit: Mapping[str, str] | None = None
    entities: tuple[Entity, ...] = ()
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the form came from, and what is needed to build its instances and its XForm to the letter."""

    kind: str = "sala"  # sala, format1, xform, xlsform, formsg
    def_hash: str = ""  # of a format 1 definition
    form_id: str = ""  # where it is not the form's id
    root: str = "data"
    space: str = ""  # namespace of the primary instance
    namespaces: Mapping[str, str] = field(default_factory=dict)  # prefix → namespace, besides the usual ones
    instance: str = ""  # the primary instance, where it is not what the items alone would make
    languages: Mapping[str, str] = field(default_factory=dict)  # tag → name in the XForm, where it is not the usual one
    model: Mapping[str, str] = field(default_factory=dict)  # attributes of the model element
    body: Mapping[str, str] = field(default_factory=dict)  # attributes of the body element
    xml: tuple[str, ...] = ()  # children of the model element that have no name here
    body_xml: tuple[str, ...] = ()  # those of the body element
    texts: Mapping[str, Mapping[str, Words]] = field(
        default_factory=dict
    )  # texts that only expressions name: id → form → words


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One version of one form."""

    id: str
    version: int
    title: Words
    languages: tuple[str, ...]
    service: str | None = None
    summary: Words = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    flow_fields: tuple[str, ...] = ()
    lists: Mapping[str, ChoiceList] = field(default_factory=dict)
    items: tuple[AnyItem, ...] = ()
    checks: tuple[Check, ...] = ()
    meta: Meta = field(default_factory=Meta)
    origin: Origin = field(default_factory=Origin)

    def fields(self) -> Iterator[Field]:
        """Every field in the order of the page."""
        return (item for item in walk(self.items) if isinstance(item, Field))


def walk(items: tuple[AnyItem, ...]) -> Iterator[AnyItem]:
    """Every item, each before what stands in it. Without recursion: depth is the reader's business."""
    waiting: list[AnyItem] = list(reversed(items))
    while waiting:
        item = waiting.pop()
        yield item
        if not isinstance(item, Field):
            waiting.extend(reversed(item.items))
