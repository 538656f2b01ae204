"""The page about expressions names every function as it is; with SALA_WRITE_DOCS=1 the test writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from modules.forms.xpath.functions.table import markdown

PAGE = Path(__file__).parents[4] / "docs/formats/expressions.md"
BEGIN, END = "<!-- functions: begin -->\n", "<!-- functions: end -->"


def test_the_page_shows_every_function() -> None:
    page = PAGE.read_text("utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + markdown() + "\n" + END + tail
    if os.environ.get("SALA_WRITE_DOCS"):
        PAGE.write_text(wanted, "utf-8")
    assert PAGE.read_text("utf-8") == wanted
