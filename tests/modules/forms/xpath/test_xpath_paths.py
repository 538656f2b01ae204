"""Paths over repeats, groups and lists; predicates; the index of a list against looking at every row."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence

import pytest

from modules.contract import Refused
from modules.forms.xpath import Context, World, compile_expression, nodes, tree
from modules.forms.xpath.nodes import Nodes
from modules.forms.xpath.values import string
from tests.modules.forms.xpath.evaluating import value


@pytest.mark.parametrize(
    ("place", "expression", "wanted"),
    [
        ("/data/out", "/data/a", ["5"]), ("/data/out", "../a", ["5"]), ("/data/out", "./../a", ["5"]),
        ("/data/out", "/data/group/y", ["seven"]),
        ("/data/out", "/data/nothing/at/all", []), ("/data/out", "../../../..", []), ("/data/out", "/", [""]),
        ("/data/out", "/data/row/x", ["1", "2", "3"]), ("/data/out", "/data/row[2]/x", ["2"]),
        ("/data/out", "/data/row[x > 1]/y", ["b", "c"]),
        ("/data/out", "/data/row[x > 1][1]/y", ["b"]), ("/data/out", "/data/row[position() = last()]/y", ["c"]),
        ("/data/out", "/data/row[0]/x", []),
        ("/data/out", "/data/row[1.5]/x", []), ("/data/out", "/data/row[-1]/x", []), ("/data/out", "/data/row[z]/x", ["2", "3"]),
        ("/data/out", "/data/row[sub[2]]/x", ["1"]),
        ("/data/out", "/data/row/sub/q", ["10", "11", "20", "30"]), ("/data/out", "/data/row/sub[1]/q", ["10", "20", "30"]),
        ("/data/out", "(/data/row/sub)[1]/q", ["10"]), ("/data/out", "/data/row[sub/q = 11]/x", ["1"]),
        ("/data/out", "/data/row[count(sub) = 1]/y", ["b", "c"]),
        ("/data/out", "//q", ["10", "11", "20", "30"]), ("/data/out", "/data//x", ["7", "1", "2", "3"]), ("/data/out", "//row[2]/x", ["2"]),
        ("/data/out", "/data/group/*", ["7", "seven"]), ("/data/out", "/*/a", ["5"]), ("/data/out", "/data/row/*[1]", ["1", "2", "3"]),
        ("/data/out", "/data/row/sub/q/../../x", ["1", "2", "3"]), ("/data/out", "/data/row/sub/..", ["", "", ""]),
        ("/data/out", "child::nothing | parent::data/child::a", ["5"]), ("/data/a", "self::a", ["5"]), ("/data/a", "self::b", []),
        ("/data/a", "self::node()", ["5"]),
        ("/data/out", "/data/b | /data/a", ["5", "7"]),
        ("/data/out", "/data/row[3]/x | /data/a | /data/row[1]/x | /data/a", ["5", "1", "3"]),
        ("/data/out", "instance('fruit')/root/item[grp = '2']/name", ["c", "d"]),
        ("/data/out", "instance('fruit')/root/item[grp = 2]/name", ["c", "d"]),
        ("/data/out", "instance('fruit')/root/item[2]/name", ["b"]),
        ("/data/out", "instance('fruit')/root/item[grp = '2' and name != 'c']/name", ["d"]),
        ("/data/out", "instance('fruit')/root/item[grp = '2'][1]/name", ["c"]),
        ("/data/out", "instance('fruit')/root/item[grp = /data/nothing]/name", []),
        ("/data/out", "instance('fruit')/root/item[name = /data/row/y]/label", ["Apple", "Banana", "Cherry"]),
        ("/data/out", "instance('fruit')/root/item[position() = 2 and grp = '1']/name", ["b"]),
        ("/data/out", "instance('fruit')/root/item[selected(/data/chosen, name)]/label", ["Apple", "Cherry"]),
        # absolute paths mean the own rows
        ("/data/row[2]/y", "/data/row/x", ["2"]), ("/data/row[2]/y", "${x}", ["2"]), ("/data/row[2]/y", "../x", ["2"]),
        ("/data/row[2]/y", "../../row/x", ["1", "2", "3"]),
        ("/data/row[2]/y", "/data/row[x > 0]/x", ["1", "2", "3"]), ("/data/row[2]/y", "/data/row[1]/x", ["1"]),
        ("/data/row[1]/sub[2]/q", "/data/row/sub/q", ["11"]),
        ("/data/row[1]/sub[2]/q", "/data/row/x", ["1"]), ("/data/row[1]/y", "/data/row/sub/q", ["10", "11"]),
        ("/data/row[2]/y", ".", ["b"]),
        ("/data/row[2]/y", "instance('fruit')/root/item[name = /data/row/y]/label", ["Banana"]),
        ("/data/row[2]/y", "instance('fruit')/root/item[name = current()/../y]/label", ["Banana"]),
        ("/data/row[3]/y", "instance('fruit')/root/item[name = current()]/label", ["Cherry"]),
        ("/data/row[2]/y", "/data/row[x = current()/../x]/y", ["b"]),
        ("/data/row[2]/y", "../../row[position() < position(current()/..)]/x", ["1"]),
    ],
)  # fmt: skip
def test_paths(place: str, expression: str, wanted: list[str]) -> None:
    assert value(expression, place) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/data/row/x = 2", True), ("/data/row/x = 9", False), ("/data/row/x != 2", True), ("/data/a != 5", False),
        ("/data/row/x > 2", True),
        ("2 < /data/row/x", True), ("4 <= /data/row/x", False), ("/data/row/y = 'c'", True), ("/data/row/x = /data/row/z", False),
        ("/data/row/x >= /data/row/z", True), ("/data/nothing = ''", True), ("/data/nothing != 'a'", True),
        ("/data/nothing = /data/empty", True),
        ("/data/nothing < 1", False), ("/data/a = '5'", True), ("/data/number_text = 12", True), ("/data/flag = true()", True),
        ("/data/row = true()", True),
        ("/data/flag < true()", False), ("/data/a = /data/b - 2", True), ("/data/row/x + 1", 2.0), ("/data/a - /data/b", -2.0),
        ("/data/nothing + 1 > 0", False),
    ],
)  # fmt: skip
def test_sets_in_operators(expression: str, wanted: object) -> None:
    assert value(expression) == wanted


@pytest.mark.parametrize(
    ("place", "expression", "wanted"),
    [
        ("/data/row[2]/y", "position(..)", 2.0), ("/data/row[2]/y", "position(/data/row)", 2.0),
        ("/data/row[2]/y", "count(/data/row)", 1.0),
        ("/data/row[2]/y", "count(../../row)", 3.0), ("/data/row[1]/y", "sum(/data/row/sub/q)", 21.0),
        ("/data/row[2]/y", "sum(../../row/x)", 6.0),
        ("/data/row[1]/sub[2]/q", "position(..)", 2.0), ("/data/row[2]/sub[1]/q", "position(../..)", 2.0),
        ("/data/row[3]/y", "string(indexed-repeat(/data/row/x, /data/row, position(..) - 1))", "2"),
        ("/data/row[3]/y", "string(indexed-repeat(../x, .., 1))", "1"),
        ("/data/row[3]/y", "string(indexed-repeat(${x}, /data/row, 1))", "1"),
        ("/data/row[1]/y", "string(indexed-repeat(/data/row/sub/q, /data/row/sub, 2))", "11"),
        ("/data/out", "string(indexed-repeat(/data/row/sub/q, /data/row, 3))", "30"),
    ],
)  # fmt: skip
def test_rows(place: str, expression: str, wanted: object) -> None:
    assert value(expression, place) == wanted


def test_an_index_finds_what_looking_finds() -> None:
    """The same look-ups by the index of the world, by SQLite, and by a world that has no index."""
    made = random.Random(3)
    columns = ("name", "grp", "town")
    rows = [{column: made.choice(["a", "b", "c", "", "1", "1.0"]) for column in columns} for _ in range(300)]
    document = tree.from_rows(rows)
    items = document.children("root")[0].children("item")
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE item (place INTEGER PRIMARY KEY, name TEXT, grp TEXT, town TEXT)")
    database.executemany("INSERT INTO item VALUES (?, ?, ?, ?)", [(at, *row.values()) for at, row in enumerate(rows)])
    asked: list[str] = []

    class Tabled(World):
        def select(self, id: str, path: tuple[str, ...], where: Sequence[tuple[str, str]]) -> Nodes | None:
            asked.append(id)
            tests = " AND ".join(f"{column} = ?" for column, _ in where)
            found = database.execute(
                f"SELECT place FROM item WHERE {tests} ORDER BY place", [text for _, text in where]
            )
            return [items[place] for (place,) in found]

    class Bare(World):
        def select(self, id: str, path: tuple[str, ...], where: Sequence[tuple[str, str]]) -> Nodes | None:
            return None

    answers = tree.from_answers({"p": "a", "q": "1", "n": 1, "out": ""})
    worlds = [kind(answers, {"list": document}) for kind in (World, Tabled, Bare)]
    for _ in range(120):
        parts = made.sample([
            "name = /data/p", "'b' = grp", "grp = ../q", "town = /data/n", "town != 'c'", "grp = current()/../q", "name = concat('', 'c')",
            "town = ''",
            "grp = /data/none", "contains(name, 'a')",
        ], made.randint(1, 3))  # fmt: skip
        source = f"instance('list')/root/item[{' and '.join(parts)}]{made.choice(['', '[2]', '[town = name]'])}/name"
        expression = compile_expression(source, at=("data", "out"))
        contexts = [Context(one, answers.children("data")[0].children("out")[0]) for one in worlds]
        found = [expression.nodes(context) for context in contexts]
        assert list(found[0]) == list(found[1]) == list(found[2]), source
    assert len(asked) > 50
    database.close()


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MOST_NODES", 100_000)
    answers = tree.from_answers({"row": [{"x": number} for number in range(1_000)], "out": ""})
    context = Context(World(answers), answers.children("data")[0].children("out")[0])
    for source in (
        "count(/data/row[count(/data/row[x = 1]) > 0])",
        "count(//*[count(//*) > 1])",
        "/data/row/x < /data/row/x",
    ):
        with pytest.raises(Refused) as refused:
            compile_expression(source).value(context)
        assert refused.value.code == "FM-311", source
    few = compile_expression("count(/data/row[x < 10])")
    for _ in range(200):
        assert few.value(context) == 10.0  # each evaluation has its own bound


def test_a_text_is_bounded() -> None:
    answers = tree.from_answers({"row": [{"x": "a" * 50_000} for _ in range(30)]})
    context = Context(World(answers), answers.children("data")[0])
    with pytest.raises(Refused) as refused:
        compile_expression("string-length(join('', /data/row/x))").value(context)
    assert refused.value.code == "FM-317"


def test_predicates_leave_the_context_where_it_was() -> None:
    answers = tree.from_answers({"row": [{"x": 1}, {"x": 2}], "out": "o"})
    out = answers.children("data")[0].children("out")[0]
    context = Context(World(answers), out)
    with pytest.raises(Refused):
        compile_expression("/data/row[x = instance('none')/root/a]").nodes(context)
    assert context.node is out
    assert context.position == 0
    assert string(compile_expression(".").value(context)) == "o"
