"""Expressions of forms: simple ones, sums over 1,000 rows, filters of a list; JavaRosa on the same form where Java and its jar are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.rows import Row
from tests.modules.forms.xpath.oracle import JavaRosa, missing

ROWS, ITEMS = 1_000, 10_000
NAMES = {"a": ("data", "a"), "b": ("data", "b"), "c": ("data", "c")}
SIMPLE = "/data/a + /data/b > 10"
USUAL = "if(/data/a > 3 and ../b != 'x', concat(/data/a, ' ', ../b), '')"
SUM = "sum(/data/row/x)"
FILTER = "count(/data/row[x > 500])"
LIST = "count(instance('list')/root/item[grp = /data/c])"
PATTERN = "regex(/data/c, '[a-z]+[0-9]{1,4}')"


def rows(folder: Path) -> list[Row]:
    from modules.forms.xpath import Context, compile_expression, files

    path = folder / "form.xml"
    path.write_text(_form(), "utf-8")
    world = files.read_answers(path.read_bytes(), name=path.name)
    names, node = files.place(world, "/data/out")
    context = Context(world, node)
    java = None if missing() else JavaRosa(folder)
    if java:
        java.open(path)

    def theirs(source: str, times: int) -> str:
        if java is None:
            return f"JavaRosa not measured: {missing()}"
        return f"JavaRosa {java.nanoseconds('/data/out', source, times) / 1000:,.2f} µs"

    def row(what: str, source: str, times: int, budget: float) -> Row:
        expression = compile_expression(source, at=names, find=NAMES.get)
        figure = _best(lambda: expression.value(context), times) * 1e6
        return Row(what, figure, "µs", budget, beside=theirs(source, times))

    simple = compile_expression("${a} + ${b} > 10", at=names, find=NAMES.get).boolean
    made = [
        Row("simple expression, ${a} + ${b} > 10", _best(lambda: simple(context), 1_000_000) * 1e6, "µs", 1,
            beside=theirs(SIMPLE, 200_000)),
        row("if, and, concat over four answers", USUAL, 100_000, 5),
        row("pattern of a telephone number", PATTERN, 50_000, 10),
        row("sum over 1,000 rows, computed anew", SUM, 200, 1_000),
        row("1,000 rows filtered by their answer", FILTER, 100, 3_000),
        row("list of 10,000 rows by an indexed column", LIST, 5_000, 20),
        Row("expression compiled", _best(lambda: compile_expression(USUAL, at=names), 2_000) * 1e6, "µs", 200),
    ]  # fmt: skip
    if java:
        java.close()
    return made


def _best(call: Callable[[], object], times: int) -> float:
    """Seconds of one call: the best of a hundred short rounds, so that what else the machine does counts little."""
    best, each = float("inf"), max(times // 100, 1)
    for _ in range(100):
        began = time.perf_counter()
        for _ in range(each):
            call()
        best = min(best, (time.perf_counter() - began) / each)
    return best


def _form() -> str:
    answers = "".join(f"<row><x>{number}</x></row>" for number in range(ROWS))
    items = "".join(
        f"<item><name>n{at}</name><label>L{at}</label><grp>g{at % 1_000}</grp></item>" for at in range(ITEMS)
    )
    return f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>b</h:title>
<model>
<instance><data id="b"><a>5</a><b>7</b><c>g500</c>{answers}<out/><uses/></data></instance>
<instance id="list"><root>{items}</root></instance>
<bind nodeset="/data/a" type="int"/><bind nodeset="/data/b" type="int"/><bind nodeset="/data/row/x" type="int"/>
<bind nodeset="/data/uses" calculate="instance('list')/root/item[name = 'n1']/name"/>
</model></h:head><h:body><group ref="/data/row"><label>r</label><repeat nodeset="/data/row"><input ref="/data/row/x">
<label>x</label></input></repeat></group></h:body></h:html>"""
