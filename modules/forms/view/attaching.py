"""Files on their way into a draft and out of it again: one after another, each refusal told, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desktop.kit.desk import Desk
from i18n.errors import SalaError
from modules.forms.view.questions import FilesQuestion

Changed = Callable[[FilesQuestion, Mapping[str, Any]], None]


def connect(desk: Desk, draft: str, question: FilesQuestion, changed: Changed) -> None:
    """From now on what is dropped on ``question`` is attached to ``draft``; ``changed`` gets what the draft then holds."""
    question.files.wanted.connect(lambda paths: attach(desk, draft, question, list(paths), changed))
    question.files.unwanted.connect(lambda blob: detach(desk, draft, question, blob, changed))


def attach(desk: Desk, draft: str, question: FilesQuestion, paths: Sequence[str], changed: Changed) -> None:
    """Attach the first of ``paths``, then the rest."""
    if not paths:
        return

    def attached(kept: Mapping[str, Any]) -> None:
        changed(question, kept)
        attach(desk, draft, question, paths[1:], changed)

    def refused(error: SalaError) -> None:
        desk.show_error(error)
        attach(desk, draft, question, paths[1:], changed)

    desk.run("forms.attach", draft=draft, field=question.field.id, path=paths[0], then=attached, failed=refused)


def detach(desk: Desk, draft: str, question: FilesQuestion, blob: str, changed: Changed) -> None:
    """Take one file away again."""
    desk.run("forms.detach", draft=draft, field=question.field.id, blob=blob, then=lambda kept: changed(question, kept))
