"""Khmer texts that hold every known trap: split vowels, subscripts, robat, mixed scripts, Latin first, no spaces."""

from __future__ import annotations

import pytest

_SAMPLES = {
    "nation": "ព្រះរាជាណាចក្រកម្ពុជា",
    "motto": "ជាតិ សាសនា ព្រះមហាក្សត្រ",
    "ministry": "ក្រសួងប្រៃសណីយ៍និងទូរគមនាគមន៍",
    "prebase": "កេ កែ កៃ កោ កៅ កើ កឿ កៀ ស្រ្តី ស្ត្រី ក្រៅ ប្រៃ ត្រៃ ស្រោច",
    "coeng": "ខ្ញុំ ព្រឹត្តិការណ៍ វិញ្ញាបនបត្រ សញ្ញាបត្រ អង្គភាព ច្បាប់ ល្ខោន ស្ថាប័ន សក្ខី",
    "robat": "ធម៌ ពណ៌ អាយុវឌ្ឍន៍ ក៏ ដ៏ បាទ! ប៉ុន្តែ ប៊ូតុង ម៉ោង ញ៉ាំ ស៊ី អ៊ីនធឺណិត យ៉ាង",
    "mixed": "លេខឯកសារ VerifyKH-2026/០១២៣ ចុះថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦ (Form.gov.kh)",
    "mixed_lat_first": "Form.gov.kh៖ ទម្រង់ពាក្យស្នើសុំ",
    "glued": "PDFឯកសារខ្មែរABCក្រសួង123",
    "money": "តម្លៃសរុប ១.២៥០.០០០,៥០ ៛ = 1,250,000.50 KHR",
    "prose": "មន្ត្រីទទួលពាក្យ ត្រូវពិនិត្យឯកសារនិងសេចក្ដីភ្ជាប់ឱ្យបានត្រឹមត្រូវ។ ប្រជាពលរដ្ឋទាំងអស់ "
    "មានសិទ្ធិស្នើសុំវិញ្ញាបនបត្រ និងទទួលព័ត៌មានអំពីដំណើរការ ក្នុងរយៈពេលប្រាំពីរថ្ងៃធ្វើការ។",
    "nospace": "ក្រសួងប្រៃសណីយ៍និងទូរគមនាគមន៍បានរៀបចំឱ្យមានប្រព័ន្ធផ្ទៀងផ្ទាត់វិញ្ញាបនបត្រសម្រាប់មន្ត្រីរាជការនៅតាមខេត្តស្រុកដែលមិនមានអ៊ីនធឺណិត",
}


@pytest.fixture(scope="session")
def khmer_samples() -> dict[str, str]:
    """Name of the trap -> text."""
    return _SAMPLES


@pytest.fixture(scope="session")
def khmer_prose() -> str:
    """12,700 characters of prose."""
    return (_SAMPLES["prose"] * 80)[:12_700]


@pytest.fixture(scope="session")
def place_names() -> list[str]:
    """Every distinct Khmer place name of the gazetteer."""
    from i18n import gazetteer

    units = gazetteer.children()
    for parent in units:  # grows while it is walked
        units += gazetteer.children(parent.code)
    return sorted({unit.km for unit in units})
