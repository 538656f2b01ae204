"""The expressions of forms: ODK's dialect of XPath, compiled.

``compile_expression`` gives an ``Expression``; a ``World`` and a ``Context`` say where it is evaluated; ``FUNCTIONS`` lists what it knows.
"""

from __future__ import annotations

from modules.forms.xpath.compile import Expression, compile_expression
from modules.forms.xpath.functions import FUNCTIONS
from modules.forms.xpath.nodes import Context, Node, Scalar
from modules.forms.xpath.reads import Aggregate, Binder, Lookup, Read, Reads
from modules.forms.xpath.values import Kind
from modules.forms.xpath.world import World

__all__ = [
    "FUNCTIONS", "Aggregate", "Binder", "Context", "Expression", "Kind", "Lookup", "Node", "Read", "Reads", "Scalar", "World",
    "compile_expression",
]  # fmt: skip
