"""What does not happen every day, as pictures for the manual: two laptops that disagree, and a passphrase that was forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from desktop.day import samples
from modules import replicate

if TYPE_CHECKING:
    from desktop.day.stage import Stage
    from desktop.day.work import Hall

NEW_PHONES = ("011 222 333", "099 888 777")


def two_laptops(stage: Stage, one: Hall, other: Hall) -> None:
    """Paired by code; each corrects the same telephone number; Home tells it, and a person chooses."""
    from sync import colleagues

    for hall in (one, other):
        replicate.once(hall.session)
    page: Any = stage.open("carry", "office")
    page.panes["office"].begin()
    stage.settle()
    stage.shoot("carry-pairing")
    page.panes["office"].close_ear()
    for here, there in ((one, other), (other, one)):
        replicate.pair(here.session, there.session.store.read(colleagues.own_certificate))
    receipt = one.run("forms.fill", form="birth-extract-copy", answers=samples.BIRTH, finish=True)["receipt"]
    _tell(one, other, "first")
    for hall, phone in zip((one, other), NEW_PHONES, strict=True):
        case = hall.run("forms.case_by_receipt", text=receipt)
        hall.run("forms.correct", id=case["id"], changes={"phone": phone}, reason="លេខថ្មី")
    _tell(other, one, "second")
    stage.open("home")
    stage.shoot("home-conflict")
    stage.open("carry", "conflicts")
    stage.shoot("carry-conflict")


def _tell(here: Hall, there: Hall, name: str) -> None:
    stick = here.folder / "between" / name
    replicate.export(here.session, stick)
    replicate.import_(there.session, stick)


def forgotten(stage: Stage, chief: str, recovery: Path) -> None:
    """The request as a picture of the screen, its answer by two custodians, and in again. ``recovery``: the province's key."""
    from nacl.public import PrivateKey

    from sync import shares

    request, answer = stage.out / "request.png", stage.out / "answer.png"
    page = _door(stage)
    stage.both_languages("reset-1-passphrase")
    page.first.set_value(samples.PASSPHRASE)
    page.again.set_value(samples.PASSPHRASE)
    page.make.click()
    stage.wait(lambda: bool(page.view.texts()))
    stage.both_languages("reset-2-request")
    page.view.grab().save(str(request))
    page.leave.click()
    stage.unlock(chief, samples.CHIEF_PASSPHRASE)

    card = stage.open("settings", "safety").pane("safety").recovery  # type: ignore[attr-defined]
    card.take(request)
    stage.wait(lambda: not card._form.isHidden())
    _into_sight(stage, card.card)
    stage.both_languages("reset-3-custodians")
    key = PrivateKey(bytes.fromhex(recovery.read_text("ascii").strip()))
    for field, share in zip(card.shares, shares.split(key), strict=False):
        field.set_value(shares.text(share))
    card.answer.click()
    stage.wait(lambda: bool(card.view.texts()))
    _into_sight(stage, card.view)
    stage.both_languages("reset-4-answer")
    card.view.grab().save(str(answer))

    page = _door(stage)
    page.secret.set_value(samples.PASSPHRASE)
    page.take_from(answer)
    stage.wait(lambda: stage.window.frame is not None, 30)
    stage.settle()


def _door(stage: Stage) -> Any:
    """The page behind *Forgotten?*, for the first officer of the laptop."""
    from desktop.shell.reset import ResetPage
    from desktop.shell.unlock import read_names

    stage.window.lock()
    stage.wait(lambda: stage.window.door is not None)
    if stage.window.door is not None:
        stage.window.door.forgotten.click()
    stage.settle()
    found: Any = stage.window.findChild(ResetPage)
    first = next(name for name in read_names(stage.window.home) if name.latin == samples.OFFICER[1])
    found.who.set_value(first.id)
    return found


def _into_sight(stage: Stage, part: QWidget) -> None:
    """Scroll to the top of ``part``."""
    from desktop.kit.layout import Scroll

    stage.settle()
    for area in stage.window.findChildren(Scroll):
        if area.isAncestorOf(part):
            top = part.mapToGlobal(part.rect().topLeft()).y() - area.viewport().mapToGlobal(area.rect().topLeft()).y()
            area.verticalScrollBar().setValue(area.verticalScrollBar().value() + top - 16)
    stage.settle()
