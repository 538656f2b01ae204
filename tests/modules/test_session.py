"""Commands over a real profile: one transaction, permissions, schemas, settings, news after commit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from i18n.errors import Refused
from modules.contract import Changed, Command, Kind
from modules.session import Session


def test_the_office_is_the_packs(session: Session) -> None:
    assert session.office["code"] == "0306"
    assert session.office["name"]["km"].endswith("កំពង់សៀម")


def test_every_shipped_module_works(session: Session) -> None:
    assert session.broken == {}
    assert list(session.modules) == ["forms", "certificates", "links", "messages", "flows", "agency"]


def test_settings_keep_their_type(session: Session) -> None:
    assert session.settings.get("platform.language") == "km"
    session.settings.set("platform.language", "en")
    assert session.settings.get("platform.language") == "en"
    for wrong in ("fr", 1, None):
        with pytest.raises(Refused) as refusal:
            session.settings.set("platform.language", wrong)
        assert refusal.value.code == "MD-020"
    with pytest.raises(Refused):
        session.settings.get("platform.nothing")


def test_an_unknown_command_is_refused(session: Session) -> None:
    with pytest.raises(Refused) as refusal:
        session.commands.run("nothing.here")
    assert refusal.value.code == "MD-011"


def test_wrong_parameters_are_refused_before_anything_runs(session: Session) -> None:
    with pytest.raises(Refused) as refusal:
        session.commands.run("links.create", adress="https://moi.gov.kh/")
    assert refusal.value.code == "MD-012"


def test_a_role_without_the_permission_is_refused(open_office: Callable[..., Session]) -> None:
    session = open_office(role="it", officer="ហេង វិចិត្រ", latin="Heng Vichet")
    with pytest.raises(Refused) as refusal:
        session.commands.run("links.create", url="https://moi.gov.kh/")
    assert refusal.value.code == "MD-010"


def test_news_come_after_commit_and_only_then(session: Session) -> None:
    heard: list[Changed] = []
    session.bus.subscribe(heard.append)
    session.commands.run("links.create", url="https://moi.gov.kh/", title="ក្រសួងមហាផ្ទៃ")
    assert [news.origin for news in heard if "links.created" in news.kinds] == ["links.create"]
    with pytest.raises(Refused):
        session.commands.run("links.create", url="http://moi.gov.kh/")
    assert len([news for news in heard if "links.created" in news.kinds]) == 1


def test_a_name_that_stands_twice_is_a_bug(session: Session) -> None:
    again = Command(id="links.create", title={"km": "ក", "en": "A"}, run=lambda: None)
    with pytest.raises(ValueError, match=r"links\.create"):
        session.commands.add("links", again)


def test_every_kind_has_words_and_belongs_to_its_module(session: Session) -> None:
    kinds: dict[str, Kind] = session.kinds()
    assert {"forms.submission", "certificates.issued", "links.created", "messages.release"} <= set(kinds)
    assert all(kind.title["km"] and kind.title["en"] for kind in kinds.values())


def test_every_command_has_words_in_both_languages(session: Session) -> None:
    for command in session.commands.list():
        assert command.title["km"], command.id
        assert command.title["en"], command.id
