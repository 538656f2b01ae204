"""Unfinished certificates: kept as they are typed, found again on Home, sealed to the officer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from i18n.errors import Refused
from modules.certificates import templates
from modules.contract import Api

SUBJECT: Final = "certificates/"


class Drafting:
    """The commands on drafts."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def keep(
        self, *, template: str, data: Mapping[str, Any], draft: str | None = None, source: str | None = None,
        replaces: str | None = None, valid_until: str | None = None,
    ) -> dict[str, str]:  # fmt: skip
        """Keep what was typed; a new draft when ``draft`` is not given. Durable when it returns: ``{"draft"}``."""
        found = templates.find(template)
        id = draft or self._api.new_id()
        headline = data.get(found.headline)
        title = " · ".join(part for part in (found.title["km"], headline) if isinstance(part, str) and part)
        body = {
            "template": template,
            "data": dict(data),
            "source": source,
            "replaces": replaces,
            "valid_until": valid_until,
        }
        self._api.drafts.save(id, SUBJECT + template, title, body)
        return {"draft": id}

    def draft(self, *, draft: str) -> dict[str, Any]:
        """A kept draft: template, data, source, replaces, valid_until. ``Refused("CT-170")`` when it is gone."""
        found = self._api.drafts.get(draft)
        if found is None or not found.subject.startswith(SUBJECT):
            raise Refused("CT-170")
        return {"draft": draft, **found.body}

    def drop(self, *, draft: str) -> dict[str, str]:
        """Into the 30-day bin."""
        self._api.drafts.discard(draft)
        return {"draft": draft}
