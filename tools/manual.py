"""Writes the generated pages of the manual: every error code, every command, every shortcut; in Khmer and English.

`python -m tools.manual` writes them; `--check` fails when a page is not what the sources say (a test runs it).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from i18n import errors  # noqa: E402
from i18n.catalog import LANGUAGES, Language  # noqa: E402

MANUAL = ROOT / "docs" / "manual"
WORDS: dict[Language, dict[str, str]] = {
    "km": {
        "title": "លេខកូដកំហុស",
        "intro": "ទំព័រនេះបង្កើតដោយ `tools/manual.py` ពី `i18n/errors.d`។ សូមកុំកែដោយដៃ។",
        "what": "អ្វីបានកើតឡើង",
        "kept": "អ្វីនៅដដែល",
        "next": "ត្រូវធ្វើអ្វី",
    },
    "en": {
        "title": "Error codes",
        "intro": "This page is made by `tools/manual.py` from `i18n/errors.d`. Do not edit it by hand.",
        "what": "What happened",
        "kept": "What was kept",
        "next": "What to do",
    },
}


def errors_page(language: Language) -> str:
    """All codes as one table a code: what, kept, next, and the cause for whoever supports the office."""
    words = WORDS[language]
    lines = [f"# {words['title']}", "", words["intro"], ""]
    for code, entry in sorted(errors.catalogue().items()):
        sentences = entry[language]
        lines += [f"## {code}", f"*{entry['cause']}*", ""]
        lines += [f"- **{words[part]}**: {sentences[part]}" for part in ("what", "kept", "next")]
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    return {MANUAL / f"errors.{language}.md": errors_page(language) for language in LANGUAGES}


def main() -> int:
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run python -m tools.manual")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
