"""Issuing: numbers, exactly once, values, clock; nothing about a person leaves the laptop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from i18n.errors import Known, Refused
from modules.certificates import kh1, numbering, templates, values
from modules.certificates.claims import parse
from modules.contract import Lease

DAY = 86_400
FORM = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "Lim Sreymom"}, "sex": "female", "dob": "1990-05-12", "id_card": "012345678",
    "phone": "012345678", "address": {"code": "03060101", "house": ""}, "shop_name": "ហាងកាត់សក់ស្រីមុំ", "shop_name_latin": "",
    "shop_address": {"code": "03060507", "house": "១២"}, "chairs": 3, "workers": 2, "opens_on": "2026-12-10",
    "services": ["cut"], "sign": False, "remarks": "",
}  # fmt: skip


def issued(hall: Any) -> list[dict[str, Any]]:
    return hall.session.store.read(
        lambda c: [dict(row) for row in c.execute("SELECT * FROM certificates_issued ORDER BY id")]
    )


def op_rows(hall: Any, kind: str) -> list[dict[str, Any]]:
    """The op bodies of one kind, as they will leave."""
    from sync import cbor

    rows = hall.session.store.read(
        lambda c: [dict(row) for row in c.execute("SELECT bytes FROM op WHERE kind = ? ORDER BY seq", (kind,))]
    )
    return [cbor.decode(row["bytes"])[10] for row in rows]


def test_numbers_follow_the_lease(siem: Any) -> None:
    numbers = [siem.issue()["number"] for _ in range(3)]
    assert numbers == ["0306-7-000038", "0306-7-000039", "0306-7-000040"]
    rows = issued(siem)
    places = {row["status_index"] for row in rows}
    assert len(places) == 3 and all(7_000 <= place < 7_100 for place in places)


def test_two_laptops_never_share_a_number_and_failures_burn_none(
    hall: Callable[..., Any], barber: dict[str, Any]
) -> None:
    one, two = hall(number=7, size=8), hall(number=8, size=8)
    seen: list[str] = []
    for step in range(16):
        laptop = (one, two)[step % 2]
        if step % 3 == 0:
            with pytest.raises(Refused, match="CT-112"):
                laptop.issue(chairs="9")
        seen.append(laptop.issue()["number"])
    assert len(set(seen)) == 16
    for laptop in (one, two):
        with pytest.raises(Refused, match="SY-301"):
            laptop.issue()
        assert len({row["status_index"] for row in issued(laptop)}) == 8


def test_a_crash_inside_the_transaction_leaves_nothing(siem: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes at every step that writes: no number twice, no certificate without op or search row."""
    from modules import api

    steps = ["append", "execute", "index"]
    for name in steps:
        real = getattr(api.ModuleStore, name)

        def fail(self: Any, *args: Any, real: Any = real, **how: Any) -> Any:
            real(self, *args, **how)
            raise OSError("power")

        with monkeypatch.context() as patch:
            patch.setattr(api.ModuleStore, name, fail)
            with pytest.raises(OSError, match="power"):
                siem.issue()
        assert issued(siem) == [] and op_rows(siem, "certificates.issued") == []
    assert siem.issue()["number"] == "0306-7-000038"


def test_the_op_says_nothing_about_a_person(siem: Any, barber: dict[str, Any]) -> None:
    made = siem.issue()
    (body,) = op_rows(siem, "certificates.issued")
    envelope = kh1.read(made["text"])
    assert body == {
        "v": 1, "cti": parse(envelope.payload).cti, "template": "barber-licence/1", "number": made["number"], "issuer": "0306",
        "hash": kh1.credential_hash(envelope.cose), "index": parse(envelope.payload).status_index,
        "issued_s": made["issued_s"], "expires_s": made["expires_s"],
    }  # fmt: skip
    siem.run("revoke", id=made["id"], reason="លឹម ស្រីមុំ ស្លាប់")
    (status,) = op_rows(siem, "certificates.status")
    assert status["reason"] == "other" and "ស្រីមុំ" not in repr(status)


def test_it_is_found_and_waits_to_be_sent(siem: Any) -> None:
    made = siem.issue()
    for text in ("ស្រីមុំ", "sreymom", "000038", "កំពង់សៀម"):
        rows = siem.run("register", filter=text)["rows"]
        assert [row["id"] for row in rows] == [made["id"]], text
    assert rows[0]["sync"] == "waiting" and rows[0]["state"] == "valid"
    assert siem.run("register", filter="គ្មាន")["total"] == 0
    assert [event["kind"] for event in siem.run("show", id=made["number"])["history"]] == ["certificates.issued"]


def test_expiry_is_the_last_second_of_the_day(siem: Any, barber: dict[str, Any]) -> None:
    from i18n.dates import short_moment

    assert short_moment(siem.issue()["expires_s"] * 1000) == "22/11/2027 23:59"
    chosen = siem.run("issue", template="barber-licence", data=barber, valid_until="៣១/១២/២០២៦")
    assert short_moment(chosen["expires_s"] * 1000) == "31/12/2026 23:59"
    with pytest.raises(Refused, match="CT-123"):
        siem.run("issue", template="barber-licence", data=barber, valid_until="2026-11-21")


def test_from_a_finished_form_exactly_once(siem: Any, tmp_path: Any) -> None:
    scan = tmp_path / "id.png"
    from PIL import Image

    Image.new("RGB", (20, 20), "white").save(scan)
    done = siem.session.commands.run(
        "forms.fill", form="barber-licence", answers={**FORM, "id_scan": [str(scan)]}, finish=True
    )
    source = done["id"]
    first = siem.run("issue", template="barber-licence", source=source)
    again = siem.run("issue", template="barber-licence", source=source)
    assert again == first | {"already": True} and not first["already"] and len(issued(siem)) == 1
    fields = parse(kh1.read(first["text"]).payload).fields
    assert fields == {
        1: "0306-7-000038",
        4: "លឹម ស្រីមុំ",
        19: "LIM SREYMOM",
        9: 2,
        8: "19900512",
        24: "ហាងកាត់សក់ស្រីមុំ",
        25: 3,
        21: "03060507",
        26: "១២",
    }
    siem.run("revoke", id=first["id"], reason="error")
    fresh = siem.run("issue", template="barber-licence", source=source)
    assert not fresh["already"] and fresh["number"] == "0306-7-000039"
    with pytest.raises(Refused, match="CT-132"):
        siem.run("issue", template="attestation", source=source)
    siem.session.commands.run("forms.withdraw", id=source, reason="ប្តូរចិត្ត")
    siem.run("revoke", id=fresh["id"], reason="ended")
    with pytest.raises(Refused, match="CT-131"):
        siem.run("issue", template="barber-licence", source=source)


def test_the_trigger_tells_flows(siem: Any) -> None:
    import json

    made = siem.issue()
    rows = siem.session.store.read(
        lambda c: [dict(row) for row in c.execute("SELECT trigger, payload FROM platform_trigger")]
    )
    (row,) = [row for row in rows if row["trigger"] == "certificates.issued"]
    payload = json.loads(row["payload"])
    sample = next(t.sample for t in siem.session.triggers() if t.id == "certificates.issued")
    assert payload.keys() == sample.keys() and payload["number"] == made["number"]
    assert payload["person"] == {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name_km": "  \u200b "}, "CT-111"), ({"name_latin": "លឹម"}, "CT-112"), ({"birth": "31/02/1990"}, "CT-112"),
        ({"sex": "x"}, "CT-112"), ({"chairs": "5"}, "CT-112"), ({"chairs": "2.5"}, "CT-112"), ({"shop_place": "99999999"}, "CT-112"),
        ({"shop_name": "ក" * 61}, "CT-113"), ({"name_km": "\u17d2ក"}, "CT-114"), ({"chairs": ["3"]}, "CT-112"),
    ],
)  # fmt: skip
def test_values_are_refused_with_their_field(siem: Any, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code) as caught:
        siem.issue(**changes)
    assert caught.value.values["name"] == next(iter(changes)) and issued(siem) == []


def test_values_are_cleaned(siem: Any) -> None:
    made = siem.issue(name_km=" លឹម\u200b  ស្រីមុំ ", name_latin="lim   sreymom", chairs="៤", birth="12-05-1990")
    fields = parse(kh1.read(made["text"]).payload).fields
    assert (fields[4], fields[19], fields[25], fields[8]) == ("លឹម ស្រីមុំ", "LIM SREYMOM", 4, "19900512")


def test_two_typing_orders_give_one_spelling(siem: Any) -> None:
    one = parse(kh1.read(siem.issue(name_km="ស្រីម\u17bb\u17c6")["text"]).payload).fields[4]
    two = parse(kh1.read(siem.issue(name_km="ស្រីម\u17c6\u17bb")["text"]).payload).fields[4]
    assert one == two


def test_too_much_for_the_sheet(siem: Any, attestation: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from modules.certificates import paper

    monkeypatch.setattr(paper, "_LEADING_LEAST", 40.0)
    with pytest.raises(Refused, match="CT-121"):
        siem.run("issue", template="attestation", data=attestation)
    assert issued(siem) == []


def test_the_longest_attestation_fits_code_and_sheet(siem: Any, attestation: dict[str, Any]) -> None:
    longest = attestation | {
        "name_km": "ព្រហ្មណារ៉ា ស្រីពេជ្រចិន្តា",
        "name_latin": "PROHMNARA SREYPECHCHENDA",
        "statement": "ក្រុមប្រឹក្សាឃុំ " * 7,
    }
    made = siem.run("issue", template="attestation", data=longest)
    assert len(made["text"]) <= kh1.MAX_ISSUED_TEXT


def test_a_doubtful_clock_waits_for_a_word(siem: Any, barber: dict[str, Any]) -> None:
    siem.issue()
    siem.clock.wall -= 3 * 365 * DAY * 1000
    with pytest.raises(Refused, match="CT-120"):
        siem.issue()
    assert siem.run("issue", template="barber-licence", data=barber, clock_confirmed=True)["number"] == "0306-7-000039"


def test_a_clock_behind_the_centre(siem: Any) -> None:
    siem.statuses("0306", made_s=1_795_305_600 + 10 * DAY)
    with pytest.raises(Refused, match="CT-120"):
        siem.issue()


def test_unknown_template(siem: Any) -> None:
    with pytest.raises(Refused, match="CT-101"):
        siem.run("issue", template="pilot-licence", data={})


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"prefix": "x", "first": 1, "width": 6},
        {"prefix": "A-", "first": -1, "width": 6},
        {"prefix": "A-", "first": 1, "width": 0},
        {"prefix": "A-", "first": 1, "width": 6, "index": -1},
        {"prefix": "A-", "first": 1, "width": 6, "index": 1 << 24},
    ],
)
def test_a_lease_of_another_form_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(Known, match="CT-122"):
        numbering.block(Lease("l", "certificate-numbers", content, 0, 100, 0))


def test_index_left_out_is_the_first_number() -> None:
    made = numbering.block(Lease("l", "certificate-numbers", {"prefix": "A-", "first": 38, "width": 4}, 0, 10, 0))
    assert made.index == 38 and made.number(0) == "A-0038"


# --- templates


def test_templates_are_sound_and_listed(siem: Any, as_json: Callable[[Any], Any]) -> None:
    listed = as_json(siem.run("templates"))
    assert {template["id"] for template in listed["templates"]} >= {"barber-licence", "attestation"}
    for template in templates.library().values():
        assert template.paper.title and template.status_days >= 0
        for field in template.fields:
            assert field.type in values._TAKE


@pytest.mark.parametrize(
    "break_",
    [
        lambda t: t.pop("paper"),
        lambda t: t.update(extra=1),
        lambda t: t.update(id="../x"),
        lambda t: t.update(headline="none"),
        lambda t: t.update(sala_certificate=2),
        lambda t: t["fields"][0].update(type="formula"),
        lambda t: t["fields"][0].update(number=1),
        lambda t: t["fields"][0].update(label={"km": "ក"}),
        lambda t: t["fields"].append(t["fields"][0]),
        lambda t: t["paper"]["rows"].append("none"),
        lambda t: t["paper"]["closing"].append("{none}"),
        lambda t: t["from_forms"].update(x={"none": "a"}),
        lambda t: t["joined"].update(a={"label": {"km": "ក", "en": "a"}, "of": ["none"]}),
    ],
)
def test_broken_templates_are_refused(break_: Callable[[dict[str, Any]], Any]) -> None:
    import json

    source = json.loads((templates.FOLDER / "barber-licence-1.json").read_text("utf-8"))
    break_(source)
    with pytest.raises(Refused, match="CT-102"):
        templates.read(json.dumps(source, ensure_ascii=False).encode())
    with pytest.raises(Refused, match="CT-102"):
        templates.read(b"{" * 100_000)


def test_ops_of_a_wrong_shape_never_leave(siem: Any) -> None:
    for kind in siem.session.modules["certificates"].kinds:
        with pytest.raises(Refused, match="CT-160"):
            kind.validate({"v": 1})
