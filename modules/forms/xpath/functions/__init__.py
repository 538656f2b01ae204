"""The functions of ODK's XPath by group. Importing this package fills ``FUNCTIONS``."""

from __future__ import annotations

from modules.forms.xpath.functions import choices, geo, logic, numbers, sets, strings, time
from modules.forms.xpath.functions.registry import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "Function", "choices", "geo", "logic", "numbers", "sets", "strings", "time"]
