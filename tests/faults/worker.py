"""What the laptop of the kill run does: the work of a day through the same commands as a click, one answer for each."""

from __future__ import annotations

import os
import traceback
from io import BytesIO
from pathlib import Path
from typing import Any

from desktop.day import samples
from modules import replicate
from modules.contract import SalaError
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from tests.faults import children

ANSWERS = {
    "barber-licence": samples.BARBER, "birth-extract-copy": samples.BIRTH, "copy-legalisation": samples.COPY,
}  # fmt: skip


class Worker:
    """One officer at one profile."""

    def __init__(self, home: Path) -> None:
        unlocked = keys.unlock(home, children.OFFICER[1], children.PASSPHRASE, SystemClock())
        self.session = Session.open(unlocked)
        if self.session.broken:
            raise RuntimeError(str(self.session.broken))

    def do(self, action: list[Any]) -> dict[str, Any]:
        """``{"did", …}`` once it is durable, ``{"refused": code}``, or ``{"bug": traceback}``."""
        name, *arguments = action
        try:
            result: dict[str, Any] = getattr(self, name)(*arguments)
        except SalaError as error:
            return {"action": name, "of": arguments, "refused": error.code}
        except Exception:
            return {"action": name, "bug": traceback.format_exc()}
        return {"action": name, "did": result}

    def finish(self, form: str) -> dict[str, Any]:
        """A form from the counter to its receipt number at once."""
        made = self._run("forms.fill", form=form, answers=answers(form, self.session.unlocked.home.parent), finish=True)
        return {name: made[name] for name in ("id", "op", "receipt", "form")}

    def draft(self, form: str) -> dict[str, Any]:
        """A form that the officer leaves unfinished."""
        return {
            "draft": self._run("forms.fill", form=form, answers=answers(form, self.session.unlocked.home.parent))[
                "draft"
            ]
        }

    def finish_draft(self, draft: str) -> dict[str, Any]:
        made = self._run("forms.finish", draft=draft)
        return {name: made[name] for name in ("id", "op", "receipt", "form")}

    def link(self) -> dict[str, Any]:
        made = self._run("links.create", url=f"https://kampongcham.gov.kh/{os.urandom(6).hex()}", title="សេចក្តីជូនដំណឹង")
        return {"code": made["code"]}

    def sync(self) -> dict[str, Any]:
        return replicate.once(self.session)

    def stick(self, folder: str) -> dict[str, Any]:
        return replicate.export(self.session, Path(folder))

    def _run(self, command: str, **params: Any) -> Any:
        return self.session.commands.run(command, **params)


def answers(form: str, folder: Path) -> dict[str, Any]:
    """The sample answers; two forms ask for a scan, which is another one every time and lies in ``folder``."""
    complete = dict(ANSWERS[form])
    if field := samples.PICTURES.get(form):
        place = folder / "scan.png"
        place.write_bytes(scan())
        complete[field] = [str(place)]
    return complete


def scan(side: int = 48) -> bytes:
    """A picture that nobody has seen before and that does not compress."""
    from PIL import Image

    written = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(written, "PNG")
    return written.getvalue()
