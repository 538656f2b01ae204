"""What an expression says of itself: which answers it reads, which sums can be kept, which lists an index answers."""

from __future__ import annotations

import pytest

from modules.forms.xpath import Aggregate, Context, Lookup, Read, World, compile_expression, tree
from modules.forms.xpath.nodes import Getter, Scalar

NAMES = {"a": ("data", "a"), "x": ("data", "row", "x"), "row": ("data", "row"), "q": ("data", "row", "sub", "q")}
ROW = ("data", "row", "y")


def reads(source: str, at: tuple[str, ...] = ROW) -> set[tuple[str, int]]:
    found = compile_expression(source, at=at, find=NAMES.get).reads
    return {(f"{one.instance or ''}/{'/'.join(one.path)}", one.shared) for one in found.reads}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("${a} + ${x}", {("/data/a", 1), ("/data/row/x", 2)}), ("../x", {("/data/row/x", 2)}), ("../../row/x", {("/data/row/x", 1)}),
        (".", {("/data/row/y", 3)}), ("sum(${q})", {("/data/row/sub/q", 2)}), ("count(${row})", {("/data/row", 2)}),
        ("position(..)", {("/data/row", 2)}),
        ("../../row[x > 1]/z", {("/data/row/z", 1), ("/data/row/x", 1)}),
        ("/data/row[y = current()/../y]/z", {("/data/row/z", 1), ("/data/row/y", 1), ("/data/row/y", 2)}),
        ("instance('l')/root/item[name = ${a}]/label", {("l/root/item/label", 0), ("l/root/item/name", 0), ("/data/a", 1)}),
        ("//x", {("/**/x", 0)}), ("/data/*", {("/data/*", 1)}), ("string-length()", {("/data/row/y", 3)}),
        ("once(1)", {("/data/row/y", 3)}),
        ("if(${a}, ../x, 'b')", {("/data/a", 1), ("/data/row/x", 2)}), ("1 + 1", set()),
        ("(/data/row)[1]/x", {("/data/row", 2), ("/data/row/x", 2)}),
        ("indexed-repeat(${x}, ${row}, ${a})", {("/data/row/x", 1), ("/data/row", 1), ("/data/a", 1)}),
        ("pulldata('l', 'label', 'name', ${a})", {("l/root/item/label", 0), ("l/root/item/name", 0), ("/data/a", 1)}),
        ("randomize(instance('l')/root/item, ${a})/name", {("l/root/item", 0), ("l/root/item/name", 0), ("/data/a", 1)}),
    ],
)  # fmt: skip
def test_what_is_read(source: str, wanted: set[tuple[str, int]]) -> None:
    assert reads(source) == wanted


def test_an_absolute_path_outside_of_rows_reads_every_row() -> None:
    assert reads("sum(${x})", ("data", "total")) == {("/data/row/x", 1)}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("sum(${x})", [Aggregate("sum", Read(("data", "row", "x"), 1))]),
        ("count(${row}) + 1", [Aggregate("count", Read(("data", "row"), 1))]),
        ("join(', ', ${x})", [Aggregate("join", Read(("data", "row", "x"), 1), ", ")]), ("max(${x}) - min(${x})", [
            Aggregate("max", Read(("data", "row", "x"), 1)), Aggregate("min", Read(("data", "row", "x"), 1))]),
        ("count-non-empty(${q})", [Aggregate("count-non-empty", Read(("data", "row", "sub", "q"), 1))]),
        ("sum(/data/row[x > 1]/x)", []), ("sum(//x)", []), ("max(${x}, 1)", []), ("join(${a}, ${x})", []),
        ("/data/row[sum(sub/q) > 1]/x", []),
    ],
)  # fmt: skip
def test_sums_over_rows_are_recognised(source: str, wanted: list[Aggregate]) -> None:
    assert list(compile_expression(source, at=("data", "total"), find=NAMES.get).reads.aggregates) == wanted


@pytest.mark.parametrize(
    ("source", "columns"),
    [
        ("instance('l')/root/item[grp = ${a}]", ("grp",)),
        ("instance('l')/root/item[${a} = grp and town = 'x' and n > 1]/name", ("grp", "town")),
        ("instance('l')/root/item[grp = current()/../x]", ("grp",)), ("pulldata('l', 'a', 'grp', ${a})", ("grp",)),
        ("randomize(instance('l')/root/item[grp = ${a}], 3)", ("grp",)),
        ("instance('l')/root/item[grp != ${a}]", None), ("instance('l')/root/item[grp = town]", None),
        ("instance('l')/root/item[grp = ${a} or n = 1]", None),
        ("instance('l')/root/item[grp = ${a} and position() < 3]", None), ("instance('l')/root/item[selected(${a}, grp)]", None),
        ("instance(${a})/root/item[grp = ${a}]", None), ("instance('l')/root/*[grp = ${a}]", None),
        ("instance('l')/root/item[grp = string-length()]", None),
    ],
)  # fmt: skip
def test_filters_that_an_index_answers_are_recognised(source: str, columns: tuple[str, ...] | None) -> None:
    found = compile_expression(source, at=ROW, find=NAMES.get).reads.lookups
    assert list(found) == ([] if columns is None else [Lookup("l", ("root", "item"), columns)])


@pytest.mark.parametrize(
    ("source", "fickle"), [("today() > ${a}", True), ("1 + random()", True), ("uuid()", True), ("${a} + 1", False)]
)
def test_what_changes_by_itself_is_known(source: str, fickle: bool) -> None:
    assert compile_expression(source, at=ROW, find=NAMES.get).reads.fickle is fickle


def test_an_engine_may_give_values_and_sums_its_own_way() -> None:
    """A binder that keeps a sum and one answer is asked instead of the tree, except where a predicate moves the context."""
    answers = tree.from_answers({"a": 1, "row": [{"x": 1}, {"x": 2}], "total": ""})
    kept: dict[str, Scalar] = {"sum": 40.0, "a": 2.0}

    class Keeps:
        def value(self, read: Read) -> Getter | None:
            return (lambda _: kept["a"]) if read == Read(("data", "a"), 1) else None

        def aggregate(self, aggregate: Aggregate) -> Getter | None:
            return (lambda _: kept["sum"]) if aggregate.function == "sum" else None

    total = answers.children("data")[0].children("total")[0]
    context = Context(World(answers), total)

    def value(source: str) -> Scalar:
        return compile_expression(source, at=("data", "total"), find=NAMES.get, binder=Keeps()).value(context)

    assert value("sum(${x}) + ${a}") == 42.0
    assert value("count(${row})") == 2.0
    assert value("sum(/data/row[x > 1]/x)") == 2.0
    assert value("count(/data/row[../a = 1])") == 2.0
    assert value("string(/data/a)") == "2"
    kept["sum"] = 1.0
    assert value("sum(${x})") == 1.0
