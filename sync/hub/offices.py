"""What an office is called: from the gazetteer by its code, or as an admin says."""

from __future__ import annotations

import re
from typing import Any, Final

from i18n import gazetteer
from sync.errors import Refused

HALLS: Final = {
    "khaet": "Provincial Hall", "reach theani": "Capital Hall", "srok": "District Hall", "khan": "Khan Hall", "krong": "Town Hall",
    "khum": "Commune Hall", "sangkat": "Sangkat Hall", "phum": "Village Office",
}  # fmt: skip
_CODE = re.compile(r"[0-9]{2,8}")
_LONGEST: Final = 120  # characters of a name


def office_facts(code: str, name_km: str | None = None, name_en: str | None = None) -> dict[str, Any]:
    """``{"code", "name": {km, en}, "province": {km, en}}`` of the office with a gazetteer code of 2, 4, 6 or 8 digits.

    Names that are given win. Refused HB-121: no code, a province that is not there, or an unknown unit without both names.
    """
    code, name_km, name_en = code.strip(), (name_km or "").strip()[:_LONGEST], (name_en or "").strip()[:_LONGEST]
    if not _CODE.fullmatch(code):
        raise Refused("HB-121", office=code[:20])
    try:
        province = gazetteer.unit(code[:2])
        if not (name_km and name_en):
            unit = gazetteer.unit(code)
            name_km, name_en = name_km or f"សាលា{unit.full_km()}", name_en or f"{unit.en} {HALLS[unit.kind]}"
    except KeyError:
        raise Refused("HB-121", office=code) from None
    return {
        "code": code,
        "name": {"km": name_km, "en": name_en},
        "province": {"km": province.full_km(), "en": province.full_en()},
    }
