"""Search in text without spaces: orthographic clusters as the words of an SQLite FTS5 index, a query as their phrase.

Index ``index_text(text)`` in a table made with ``prefix="{PREFIXES}", tokenize="{TOKENIZER}"`` and match
``match_query(typed)``: then ពេញ finds ភ្នំពេញ, ញ៉ាំ does not find វិញ្ញាបនបត្រ, ០១២៣ equals 0123, and every spelling of a
word finds every other.
"""

from __future__ import annotations

import re
from typing import Final

from i18n.normalise import fold

TOKENIZER: Final = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"  # keeps Khmer vowels and subscripts
PREFIXES: Final = (
    "1 2"  # the index option ``prefix="1 2"``: an unfinished first cluster is found as fast as a whole word
)

_CLUSTER = re.compile(  # a letter with all that hangs on it, or a run of other letters and digits
    "[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17d3\u17dd\u200c\u200d])*|[^\\W_\u1780-\u17df]+"
)


def index_text(text: str) -> str:
    """``text`` as space-separated clusters in compare form: what goes into the index."""
    return " ".join(_CLUSTER.findall(fold(text)))


def match_query(text: str, *, typing: bool = True) -> str:
    """The FTS5 expression for what a person typed; "" when it holds nothing to look for.

    Spaces separate parts that must all be found. With ``typing`` the last cluster may be unfinished.
    """
    phrases = [f'"{clusters}"' for part in text.split() if (clusters := index_text(part))]
    if phrases and typing:
        phrases[-1] += " *"
    return " AND ".join(phrases)
