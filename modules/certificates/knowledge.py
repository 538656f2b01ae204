"""What this laptop knows about issuers and revocations, read from publications and from its own register."""

from __future__ import annotations

import logging
from typing import Final

from i18n.errors import Refused
from modules.certificates import statuslist, templates, trustlist
from modules.certificates.claims import status_name
from modules.certificates.clockwatch import Now, watch
from modules.certificates.judge import Ground, LocalState
from modules.certificates.statuslist import StatusList
from modules.certificates.trustlist import TrustList
from modules.contract import Api

log = logging.getLogger(__name__)

STATUS_DAYS: Final = 30  # for a template that this program does not know


class Knowledge:
    """Looks things up once and remembers them for one check."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._trust: dict[str, TrustList | None] = {}
        self._statuses: dict[str, StatusList | None] = {}
        self.office: str = api.office["code"]

    def ground(self) -> Ground:
        """Everything that :func:`judge` asks for."""
        return Ground(
            own_office=self.office,
            own_name=self._api.office["name"],
            own_key=self._api.keys.office_public(),
            now=self.now,
            trust=self.trust,
            statuses=self.statuses,
            local=self.local,
            status_days=status_days,
        )

    def trust(self, office: str) -> TrustList | None:
        """The published keys of ``office``."""
        if office not in self._trust:
            data = self._api.publication(trustlist.name_of(office))
            try:
                self._trust[office] = trustlist.read(data, office) if data else None
            except trustlist.BadList as error:
                log.warning("trust list of office %s cannot be read: %s", office, error)
                self._trust[office] = None
        return self._trust[office]

    def statuses(self, office: str) -> StatusList | None:
        """The published revocations of ``office``."""
        if office not in self._statuses:
            data = self._api.publication(status_name(office))
            try:
                self._statuses[office] = statuslist.read(data, office) if data else None
            except statuslist.BadList as error:
                log.warning("status list of office %s cannot be read: %s", office, error)
                self._statuses[office] = None
        return self._statuses[office]

    def local(self, cti: bytes) -> LocalState | None:
        """What the register of this laptop says."""
        rows = self._api.store.query("SELECT status, changed_ms FROM certificates_issued WHERE cti = ?", cti.hex())
        return LocalState(rows[0]["status"], rows[0]["changed_ms"] // 1000) if rows else None

    def now(self, office: str) -> Now:
        """The present, bounded by what the centre has signed for this office and for ``office``."""
        made = [
            found.made_s
            for code in {self.office, office}
            for found in (self.trust(code), self.statuses(code))
            if found is not None
        ]
        return watch(self._api.clock.wall_ms() // 1000, made)


def status_days(template: str, version: int) -> int:
    """How old the revocations may be for a green verdict of that template."""
    try:
        return templates.find(template, version).status_days
    except Refused:
        return STATUS_DAYS
