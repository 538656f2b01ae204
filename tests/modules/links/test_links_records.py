"""Links through their commands: made, found, turned off, printed; every refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.contract import Known, Refused
from modules.links import codes
from modules.session import Session

TARGET = "https://www.kampongcham.gov.kh/market"


def pages(path: Path, dpi: int = 150) -> list[Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(str(path))
    try:
        return [page.render(scale=dpi / 72).to_pil() for page in document]
    finally:
        document.close()


def read_codes(picture: Any) -> list[str]:
    import zxingcpp

    return [found.text for found in zxingcpp.read_barcodes(picture)]


@pytest.fixture
def run(session: Session) -> Callable[..., Any]:
    return session.commands.run


def test_a_link_is_complete_before_any_network_sees_it(run: Callable[..., Any], session: Session) -> None:
    before = run("links.left")["left"]
    made = run("links.create", url=TARGET, title="ទីផ្សារ", expires="31/12/2099")
    assert codes.valid(made["code"]) and made["short"] == f"https://go.gov.kh/{made['code']}"
    assert (made["state"], made["sync"], made["title"], made["host"]) == (
        "active",
        "waiting",
        "ទីផ្សារ",
        "www.kampongcham.gov.kh",
    )
    assert made["left"] == before - 1
    shown = run("links.show", code=made["short"].upper())
    assert [entry["kind"] for entry in shown["history"]] == ["links.created"]
    assert (
        session.store.read(lambda c: c.execute("SELECT count(*) FROM op WHERE kind = 'links.created'").fetchone()[0])
        == 1
    )


def test_every_link_of_a_lease_has_its_own_code(run: Callable[..., Any]) -> None:
    left, made = run("links.left")["left"], list[str]()
    with pytest.raises(Refused, match="SY-301"):
        made.extend(run("links.create", url=f"{TARGET}?n={n}")["code"] for n in range(left + 1))
    assert left - 5 <= len(made) == len(set(made)) <= left  # a code with a rude word in it is skipped
    assert run("links.list")["total"] == len(made)


def test_a_wrong_address_uses_no_code_and_names_every_reason(run: Callable[..., Any]) -> None:
    before = run("links.left")
    with pytest.raises(Refused) as refusal:
        run("links.create", url="http://user@verify.g0v.kh:444/")
    assert refusal.value.code == "LN-001"
    assert refusal.value.values["codes"] == ["LN-102", "LN-108", "LN-111", "LN-115"]
    with pytest.raises(Refused, match="LN-107"):
        run("links.create", url="https://bit.ly/x")
    assert run("links.left") == before and run("links.list")["total"] == 0


def test_the_check_says_what_is_wrong_in_both_languages_and_what_leads_there_already(run: Callable[..., Any]) -> None:
    first = run("links.create", url=TARGET)
    checked = run("links.check", url=TARGET + "#")
    assert checked["ok"] and not checked["known"]  # another address: it has a fragment
    assert [one["code"] for one in run("links.check", url="  HTTPS://www.Kampongcham.gov.kh:443/market")["known"]] == [
        first["code"]
    ]
    assert run("links.create", url=TARGET)["known"][0]["code"] == first["code"]
    wrong = run("links.check", url="http://gov.kh.example.com")
    assert not wrong["ok"] and [one["code"] for one in wrong["problems"]] == ["LN-102", "LN-114"]
    assert all(one["km"]["what"] and one["en"]["next"] for one in wrong["problems"])


def test_a_chosen_code_stands_in_the_offices_name_space(run: Callable[..., Any]) -> None:
    before = run("links.left")
    assert run("links.create", url=TARGET, code="Market Day")["code"] == "0306-market-day"
    assert run("links.left") == before
    with pytest.raises(Refused, match="LN-003"):
        run("links.create", url=TARGET + "2", code="0306-market-day")
    with pytest.raises(Refused, match="LN-002"):
        run("links.create", url=TARGET, code="ទីផ្សារ")


@pytest.mark.parametrize("day", ["31/12/2001", "31/02/2099", "ស្អែក"])
def test_a_last_day_that_is_none_or_has_passed_is_refused(run: Callable[..., Any], day: str) -> None:
    with pytest.raises(Refused, match="LN-005"):
        run("links.create", url=TARGET, expires=day)


def test_a_link_goes_off_and_on_with_one_op_each(run: Callable[..., Any]) -> None:
    code = run("links.create", url=TARGET)["code"]
    assert run("links.disable", code=code)["state"] == "disabled"
    assert run("links.disable", code=code)["state"] == "disabled"
    assert run("links.enable", code=code.upper())["state"] == "active"
    assert [entry["kind"] for entry in run("links.show", code=code)["history"]] == [
        "links.created",
        "links.state",
        "links.state",
    ]


def test_a_mistyped_code_gets_a_suggestion(run: Callable[..., Any]) -> None:
    code = run("links.create", url=TARGET)["code"]
    typo = code[:2] + ("a" if code[2] != "a" else "b") + code[3:]
    with pytest.raises(Refused, match="LN-004") as refusal:
        run("links.show", code=typo)
    assert refusal.value.values["near"] == code


def test_links_are_found_by_khmer_words_host_code_and_pasted_address(run: Callable[..., Any]) -> None:
    made = run("links.create", url=TARGET, title="ម៉ោងបើកទីផ្សារ")
    run("links.create", url="https://www.moi.gov.kh/", title="ក្រសួងមហាផ្ទៃ")
    for text in (
        "ទីផ្សារ",
        "kampongcham",
        made["code"],
        made["code"].upper(),
        made["short"],
        f"HTTPS://GO.GOV.KH/{made['code'].upper()}",
    ):
        assert [row["code"] for row in run("links.list", text=text)["rows"]] == [made["code"]], text
    assert run("links.list")["total"] == 2
    assert run("links.list", state="disabled")["total"] == 0
    assert [row["title"] for row in run("links.list", limit=1, offset=1)["rows"]] == ["ម៉ោងបើកទីផ្សារ"]


def test_every_label_of_a_sheet_reads_back_from_its_pixels(run: Callable[..., Any], tmp_path: Path) -> None:
    titles = ["ការិយាល័យច្រកចេញចូលតែមួយ ស្រុកកំពង់សៀម ខេត្តកំពង់ចាម ម៉ោងបើក និងតម្លៃសេវាទាំងអស់ ដែលសាធារណជនគួរដឹង", "", "Market"]
    made = [run("links.create", url=f"{TARGET}?n={n}", title=titles[n % 3])["code"] for n in range(27)]
    out = tmp_path / "sheet.pdf"
    report = run("links.sheet", codes=made, out=str(out))
    assert (report["labels"], report["pages"]) == (27, 2)
    found = [text for page in pages(out) for text in read_codes(page)]
    assert sorted(found) == sorted(f"HTTPS://GO.GOV.KH/{code.upper()}" for code in made)
    assert not list(tmp_path.glob("*.part"))


def test_a_target_that_knows_case_gets_lower_case_symbols(
    run: Callable[..., Any], session: Session, tmp_path: Path
) -> None:
    session.settings.set("links.qr_upper", False)
    session.settings.set("links.base", "https://l.example.gov.kh/")
    code = run("links.create", url=TARGET)["code"]
    assert run("links.qr", code=code, out=str(tmp_path / "a.png"))["payload"] == f"https://l.example.gov.kh/{code}"
    with pytest.raises(Refused, match="LN-106"):
        run("links.create", url="https://l.example.gov.kh/x")


def test_one_symbol_reads_back_from_every_kind_of_file(run: Callable[..., Any], tmp_path: Path) -> None:
    from PIL import Image

    code = run("links.create", url=TARGET, title="ទីផ្សារ")["code"]
    wanted = f"HTTPS://GO.GOV.KH/{code.upper()}"
    for name in ("a.png", "a.svg", "a.pdf"):
        run("links.qr", code=code, out=str(tmp_path / name))
    assert read_codes(Image.open(tmp_path / "a.png")) == [wanted]
    assert read_codes(pages(tmp_path / "a.pdf", 72)[0]) == [wanted]
    assert (tmp_path / "a.svg").read_text("utf-8").lstrip().startswith(("<?xml", "<svg"))
    assert run("links.preview", code=code).startswith(b"\x89PNG")


def test_a_sheet_that_cannot_be_written_leaves_no_half_file(run: Callable[..., Any], tmp_path: Path) -> None:
    code = run("links.create", url=TARGET)["code"]
    with pytest.raises(Known, match="LN-009"):
        run("links.sheet", codes=[code], out=str(tmp_path / "missing" / "sheet.pdf"))
    with pytest.raises(Refused, match="LN-004"):
        run("links.sheet", codes=[code, "nothere"], out=str(tmp_path / "sheet.pdf"))
    with pytest.raises(Refused, match="LN-007"):
        run("links.sheet", codes=[], out=str(tmp_path / "sheet.pdf"))
    with pytest.raises(Refused, match="LN-008"):
        run("links.qr", code=code, out=str(tmp_path / "a.gif"))
    assert not list(tmp_path.glob("*.p*"))


def test_a_link_that_has_expired_says_so(run: Callable[..., Any], session: Session) -> None:
    code = run("links.create", url=TARGET, expires="2099-12-31")["code"]
    session.store.write(lambda c: c.execute("UPDATE links_link SET expires_ms = 1 WHERE code = ?", (code,)))
    assert run("links.show", code=code)["state"] == "expired"
    assert [row["code"] for row in run("links.list", state="expired")["rows"]] == [code]
