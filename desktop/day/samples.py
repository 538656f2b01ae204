"""The people and papers of the day. All invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

OFFICER: Final = ("ចាន់ សុខា", "Chan Sokha")
COLLEAGUE: Final = ("សុខ ដារ៉ា", "Sok Dara")
CHIEF: Final = ("លឹម ដារ៉ា", "Lim Dara")
PASSPHRASE: Final = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"
CHIEF_PASSPHRASE: Final = "ទន្លេសាប ពេលព្រលប់ ៤២"

_VILLAGE: Final = "03060101"

BARBER: Final[dict[str, Any]] = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "Lim Sreymom"},
    "sex": "female",
    "dob": "១៧/០៥/១៩៩០",
    "id_card": "០១២ ៣៤៥ ៦៧៨",
    "phone": "០១២ ៣៤៥ ៦៧៨",
    "address": {"code": _VILLAGE, "house": "១២ ផ្លូវជាតិលេខ២"},
    "shop_name": "ហាងកាត់សក់ស្រីមុំ",
    "shop_name_latin": "Sreymom Barber",
    "shop_address": {"code": _VILLAGE, "house": ""},
    "chairs": "៣",
    "workers": 4,
    "opens_on": "10/12/2026",
    "services": ["shave", "cut"],
    "sign": True,
    "sign_words": "ហាងកាត់សក់ស្រីមុំ",
    "remarks": "បើកពីម៉ោង ៧ ព្រឹក",
}
BIRTH: Final[dict[str, Any]] = {
    "applicant": {"km": "សុខ បុប្ផា", "latin": "Sok Bopha"},
    "sex": "female",
    "dob": "02/03/1985",
    "id_card": "030456789",
    "phone": "097 555 1234",
    "address": {"code": "03060203", "house": ""},
    "relation": "mother",
    "child": {"km": "សុខ ដារា", "latin": "Sok Dara"},
    "child_dob": "2015-03-02",
    "mother": {"km": "សុខ បុប្ផា", "latin": ""},
    "registered_at": {"code": "030602"},
    "reason": "school",
    "copies": 3,
}
COPY: Final[dict[str, Any]] = {
    "applicant": {"km": "ហេង វិចិត្រ", "latin": "Heng Vichet"},
    "sex": "male",
    "dob": "23-11-1998",
    "id_card": "៩៨៧៦៥៤៣២១",
    "phone": "086 123 456",
    "address": {"code": "03060102", "house": "៧"},
    "document_kind": "diploma",
    "document_title": "សញ្ញាបត្រមធ្យមសិក្សាទុតិយភូមិ",
    "issuer": "ក្រសួងអប់រំ យុវជន និងកីឡា",
    "pages": 1,
    "copies": "២",
    "original_seen": True,
}
ATTESTATION: Final[dict[str, Any]] = {
    "name_km": "សុខ បុប្ផា",
    "name_latin": "SOK BOPHA",
    "sex": "female",
    "birth": "1985-03-02",
    "place": "03060203",
    "statement": "មានទីលំនៅពិតប្រាកដក្នុងភូមិនេះ តាំងពីឆ្នាំ២០១០ រហូតដល់បច្ចុប្បន្ន។",
}
PICTURES: Final = {"barber-licence": "id_scan", "copy-legalisation": "original_scan"}

NOTICE: Final = "សាលាស្រុកកំពង់សៀម សូមជម្រាបជូន {{ឈ្មោះ}} ថា អាជ្ញាប័ណ្ណរបស់អ្នកអាចមកទទួលបាននៅថ្ងៃទី ៣០ វិច្ឆិកា។"
NOTICE_LINK: Final = "https://kampongcham.gov.kh/ads/barber-licence"

NAMES: Final = (
    "ចាន់ សុភា", "លឹម ស្រីមុំ", "សុខ បុប្ផា", "ហេង វិចិត្រ", "គឹម សុវណ្ណ", "ឡុង ដាវី", "ម៉ៅ ចាន់ធី", "នួន រតនា", "អ៊ុក សំណាង", "ប៉ែន មករា",
    "ផាន់ សុគន្ធា", "រស់ វណ្ណៈ", "សេង លីដា", "តាំង ហុង", "ទេព កល្យាណ", "យិន វាសនា", "ឃុន ពិសិដ្ឋ", "ជា សិរីរតន៍", "ដួង ចាន់រ៉ា", "វ៉ន សុជាតា",
)  # fmt: skip


def recipients(place: Path) -> Path:
    """A CSV of twenty recipients as a spreadsheet saves it: UTF-8 with a byte-order mark, Khmer header, Khmer digits here and there."""
    numbers = [f"012 34{n:02d} {n:02d}5" if n % 3 else f"០១២ ៣៤{n:02d} {n:02d}៥" for n in range(20)]
    rows = ["ឈ្មោះ,ទូរស័ព្ទ", *(f"{name},{number}" for name, number in zip(NAMES, numbers, strict=True))]
    place.write_text("\r\n".join(rows) + "\r\n", "utf-8-sig")
    return place


def scan(place: Path, words: str) -> Path:
    """A page as a cheap scanner gives it: a picture with Khmer words."""
    from PySide6.QtGui import QColor, QFont, QImage, QPainter

    picture = QImage(827, 1169, QImage.Format.Format_RGB888)
    picture.fill(QColor("#f4f2ec"))
    painter = QPainter(picture)
    painter.setPen(QColor("#30343a"))
    painter.setFont(QFont("Sala Khmer", 20))
    painter.drawText(80, 140, "ព្រះរាជាណាចក្រកម្ពុជា")
    painter.drawText(80, 210, "ជាតិ សាសនា ព្រះមហាក្សត្រ")
    painter.setFont(QFont("Sala Khmer", 16))
    painter.drawText(80, 320, words)
    for line in range(12):
        painter.drawLine(80, 400 + line * 48, 740 - 40 * (line % 4), 400 + line * 48)
    painter.end()
    picture.save(str(place))
    return place
