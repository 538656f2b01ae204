"""Whatever comes from outside is read or refused in words: no other exception, no hang, no flood of memory."""

from __future__ import annotations

import ast
import re
import resource
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i18n.errors import SalaError
from tests.fuzz.mutation import misshapen, spoiled
from tests.fuzz.readers import EVERY, NOT_FOREIGN

ROOT = Path(__file__).parents[2]
MOST_S = 2.0  # of processor time, for one spoiled sample
MOST_KIB = 300 << 10  # by which the process may grow while a parser is tried
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
_FOREIGN = re.compile(r"(read|parse|decode|verify|open|unzip|unpack|sequence|collect|take|check|load|split)(_|$)")


@pytest.mark.parametrize("name", EVERY)
def test_the_samples_are_read(name: str) -> None:
    parser = EVERY[name]
    if name == "sync/succession.py::read_evidence":
        return  # its samples are of other kinds: evidence needs a hub, see tests/sync/test_cloned_laptop.py
    for sample in parser.samples():
        parser.call(sample)
    for payload in parser.payloads() if parser.payloads else ():
        parser.call(parser.wrap(payload))


@pytest.mark.parametrize("name", EVERY)
def test_spoiled_bytes_are_refused_in_words(name: str) -> None:
    parser = EVERY[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def attempt(data: bytes) -> None:
        began = time.process_time()
        with suppress(SalaError, *parser.refuses):
            parser.call(data)
        assert time.process_time() - began < MOST_S

    @EXAMPLES
    @given(st.data())
    def by_byte(data: st.DataObject) -> None:
        attempt(data.draw(spoiled(data.draw(st.sampled_from(list(parser.samples()))))))

    @EXAMPLES
    @given(st.data())
    def inside(data: st.DataObject) -> None:
        payloads = list(parser.payloads()) if parser.payloads else []
        payload = data.draw(st.sampled_from(payloads))
        attempt(parser.wrap(data.draw(st.one_of(misshapen(payload), spoiled(payload)))))

    @EXAMPLES
    @given(st.data())
    def of_its_shape(data: st.DataObject) -> None:
        attempt(data.draw(misshapen(data.draw(st.sampled_from(list(parser.samples()))))))

    by_byte()
    if parser.payloads:
        inside()
    if _is_cbor(name):
        of_its_shape()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KIB


def _is_cbor(name: str) -> bool:
    """Whether every sample is one CBOR item, so that its values can be exchanged."""
    import cbor2

    try:
        return all(cbor2.dumps(cbor2.loads(sample), canonical=True) == sample for sample in EVERY[name].samples())
    except (cbor2.CBORError, ValueError):
        return False


def foreign(root: Path) -> set[str]:
    """``file::function`` of everything public in ``sync`` and the modules that reads bytes or text by its name."""
    found = set()
    for path in [*sorted((root / "sync").rglob("*.py")), *sorted((root / "modules").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and _FOREIGN.match(node.name):
                takes = [one for one in node.args.args if one.arg not in ("self", "cls")]
                kind = ast.unparse(takes[0].annotation) if takes and takes[0].annotation else ""
                if kind == "bytes" or (kind == "str" and takes[0].arg in ("text", "note")):
                    found.add(f"{path.relative_to(root).as_posix()}::{node.name}")
    return found


def test_every_reader_of_foreign_bytes_is_tried() -> None:
    """Whoever writes a reader adds it to one of the tables with a sample, or to NOT_FOREIGN with the reason."""
    assert foreign(ROOT) - set(EVERY) - set(NOT_FOREIGN) == set()


def test_the_search_for_readers_finds_them(tmp_path: Path) -> None:
    (tmp_path / "sync").mkdir()
    (tmp_path / "modules").mkdir()
    (tmp_path / "sync" / "x.py").write_text(
        "def read_letter(data: bytes) -> None: ...\ndef write(data: bytes) -> None: ...\n"
    )
    assert foreign(tmp_path) == {"sync/x.py::read_letter"}
