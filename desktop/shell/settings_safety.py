"""Keys and backups: what this laptop is to the centre, a backup that is tried out, and the tamper-evident log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import LineField, PassphraseField
from desktop.kit.files import open_file, save_file
from desktop.kit.layout import Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.answer_card import AnswerCard
from desktop.shell.settings_health import HealthBlock
from desktop.shell.settings_parts import Pane, fact
from i18n import dates
from i18n.catalog import tr
from i18n.errors import SalaError
from modules.permissions import ROLES

if TYPE_CHECKING:
    from sync.store import Connection

SUFFIX = ".sala-backup"


class SafetyPane(Pane):
    """Everything that answers: what if this laptop is lost?"""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._made: Path | None = None
        self._pack: Path | None = None
        self._enrolled: bool | None = None
        self._words = ""
        self._make_device()
        self._make_backup()
        if "officers" in ROLES.get(bridge.session.officer.role, frozenset()):
            self.recovery = AnswerCard(self)
        self._make_log()
        self.health = HealthBlock(self)
        self.end()

    # The laptop

    def _make_device(self) -> None:
        device = self.bridge.session.unlocked.device.device_id.hex()
        grouped = " ".join(device[start : start + 4] for start in range(0, len(device), 4))
        self.known = Label(self._known, wrap=True)
        self.digits = Label("", bold=True, wrap=True)
        self.renew = Button(lambda: tr("Take a newer office pack…"), icon="folder")
        self.renew.clicked.connect(self._ask_pack)
        self.spoken = LineField(
            {"km": "លេខសម្គាល់ ៦ ក្រុមដែលមជ្ឈមណ្ឌលអានប្រាប់", "en": "Six groups of digits the centre reads to you"},
            note=lambda: tr("Call the centre. If the digits are not exactly the same, do not go on."),
        )
        self.same = Button(lambda: tr("These digits are the same"))
        self.same.clicked.connect(lambda: self.take_pack(self._pack) if self._pack else None)
        self._ask_spoken = holder(column(self.spoken, row(self.same, None), spacing=8))
        self._ask_spoken.hide()
        self.pack_told = Banner()
        facts = column(
            holder(fact(lambda: tr("This laptop"), grouped)),
            self.known,
            self.digits,
            row(self.renew, None),
            self.pack_told,
            self._ask_spoken,
            spacing=8,
        )
        self.block(
            lambda: tr("Keys"),
            lambda: tr(
                "They were made here and never leave. If every passphrase is forgotten, the province's recovery key opens "
                "this laptop again: take it to the provincial hall."
            ),
            facts,
        )

    def _known(self) -> str:
        if self._enrolled is None:
            return ""
        if self._enrolled:
            return tr("The centre knows this laptop.")
        return tr(
            "The centre has not confirmed this laptop yet; it does so at the first connection. If somebody there asks, "
            "these digits name the request:"
        )

    def _ask_pack(self) -> None:
        open_file(self, lambda: tr("Choose the office pack"), ("*.pack",), self.take_pack)

    def take_pack(self, file: Path) -> None:
        """New numbers, addresses and seals for the same office."""
        from sync import enrol

        self._pack = file
        unlocked, words = self.bridge.session.unlocked, self.spoken.value() or None
        self.renew.setEnabled(False)
        self.bridge.work(
            lambda: enrol.renew(unlocked, file, words=words), then=self._took_pack, failed=self._pack_refused
        )

    def _took_pack(self, _: object) -> None:
        self.renew.setEnabled(True)
        self._ask_spoken.hide()
        self.spoken.set_value(None)
        self.pack_told.show_words("good", lambda: tr("The newer office pack is in use."))
        self.refresh()

    def _pack_refused(self, error: SalaError) -> None:
        self.renew.setEnabled(True)
        self._ask_spoken.setVisible(error.code == "SY-330")
        self.pack_told.show_error(error)

    def refresh(self) -> None:
        from sync import audit_marks, enrol, witnesses

        def read(conn: Connection) -> tuple[bool, str]:
            return enrol.certificate(conn) is not None, enrol.request_words(conn) or ""

        def standing(conn: Connection) -> tuple[int, list[Any]]:
            mark = audit_marks.cosigned(conn)
            return (mark.size if mark else 0), witnesses.newest(conn)

        self.bridge.work(lambda: self.bridge.session.store.read(read), then=self._show_device)
        self.bridge.work(lambda: self.bridge.session.store.read(standing), then=self._show_standing)

    def _show_device(self, found: tuple[bool, str]) -> None:
        self._enrolled, self._words = found
        self.known.say(self._known)
        self.digits.say(shown.plain(self._words))
        self.digits.setVisible(bool(self._words) and not self._enrolled)

    # Backup

    def _make_backup(self) -> None:
        self.make = Button(lambda: tr("Make a backup…"), icon="backup")
        self.drill = Button(lambda: tr("Try a backup out…"), icon="check-circle")
        self.make.clicked.connect(self._ask_where)
        self.drill.clicked.connect(self._ask_which)
        self.secret = PassphraseField({"km": "ឃ្លាសម្ងាត់របស់អ្នក", "en": "Your passphrase"})
        self.try_it = Button(lambda: tr("Open the copy and count"), kind="primary")
        self.try_it.clicked.connect(self._try)
        self.secret.on_enter = self._try
        self._drill = holder(column(self.secret, row(self.try_it, None), spacing=8))
        self._drill.setVisible(False)
        self.told = Banner()
        self.block(
            lambda: tr("Backup"),
            lambda: tr(
                "One encrypted file on a stick brings everything back on another laptop. A backup that was never tried "
                "out is only a hope: the drill opens the copy, checks every page and row, and deletes it again."
            ),
            column(Wrapped(self.make, self.drill, spacing=12), self._drill, self.told, spacing=12),
        )

    def _ask_where(self) -> None:
        day = dates.moment(self.bridge.session.clock.wall_ms()).strftime("%Y-%m-%d")
        office = str(self.bridge.session.office.get("code", "sala"))
        save_file(self, lambda: tr("Where to write the backup"), f"sala-{office}-{day}{SUFFIX}", self.back_up)

    def back_up(self, out: Path) -> None:
        """Write a backup and say what it holds."""
        from sync import backup

        self.make.setEnabled(False)
        self.told.show_words("info", lambda: tr("Writing the backup and reading it back…"))
        unlocked = self.bridge.session.unlocked
        self.bridge.work(lambda: backup.write(unlocked, out), then=self._backed_up, failed=self._failed)

    def _backed_up(self, report: dict[str, Any]) -> None:
        self.make.setEnabled(True)
        self._made = Path(report["file"])
        size = max(1, round(int(report["bytes"]) / 1_000_000))
        self.told.show_words(
            "good",
            lambda: tr("The backup is written and was read back: {name}", name=Path(report["file"]).name),
            lambda: tr("{size} MB. Keep the stick away from the laptop.", size=shown.number(size)),
        )

    def _ask_which(self) -> None:
        open_file(self, lambda: tr("Choose the backup"), (f"*{SUFFIX}",), self.prepare_drill)

    def prepare_drill(self, file: Path) -> None:
        """Ask for the passphrase that opens the copy."""
        self._made = file
        self._drill.setVisible(True)
        self.secret.setFocus()

    def _try(self) -> None:
        from sync import backup

        file, words = self._made, self.secret.value()
        if file is None or not words:
            return
        session = self.bridge.session
        self.try_it.setEnabled(False)
        self.told.show_words("info", lambda: tr("Opening the copy…"))
        self.bridge.work(
            lambda: backup.drill(file, session.officer.id, words, session.clock), then=self._tried, failed=self._failed
        )

    def _tried(self, report: dict[str, Any]) -> None:
        self.try_it.setEnabled(True)
        self.secret.set_value(None)
        self._drill.setVisible(False)
        if report["ok"]:
            self.told.show_words(
                "good",
                lambda: tr("The backup can be restored."),
                lambda: tr(
                    "Records: {records} · drafts: {drafts} · entries of the log: {log}",
                    records=shown.number(int(report["records"])),
                    drafts=shown.number(int(report["drafts"])),
                    log=shown.number(int(report["audit_rows"])),
                ),
            )
        else:
            self.told.show_words(
                "error", lambda: tr("This backup is damaged. Make a new one now."), "\n".join(report["problems"][:3])
            )

    def _failed(self, error: Any) -> None:
        self.make.setEnabled(True)
        self.try_it.setEnabled(True)
        self.told.show_error(error)

    # The log

    def _make_log(self) -> None:
        self.verify = Button(lambda: tr("Check the whole log"), icon="shield")
        self.verify.clicked.connect(self._verify)
        self.inspect = Button(lambda: tr("Export for an inspector…"), icon="file")
        self.inspect.clicked.connect(self._ask_export)
        self.verdict = Banner()
        self._standing: tuple[int, list[Any]] = (
            0,
            [],
        )  # rows that the centre cosigned; provinces that cosigned its log
        self.stands = Label(self._stands_words, size="note", tone="soft", wrap=True)
        self.block(
            lambda: tr("Tamper-evident log"),
            lambda: tr(
                "Every unlocking, every finished piece of work and every change of officers is in a chain that shows any later change."
            ),
            column(self.stands, holder(Wrapped(self.verify, self.inspect, spacing=8)), self.verdict, spacing=12),
        )

    def _stands_words(self) -> str:
        """Who else put their name to what: the centre to this log, provinces to the centre's."""
        size, seen = self._standing
        now_ms = self.bridge.session.clock.wall_ms()
        words = [
            tr("The centre has cosigned {size} rows of this log.", size=shown.number(size))
            if size
            else tr("The centre has not cosigned this log yet; it does so after the next sending.")
        ]
        words += [
            tr(
                "The centre's own log was cosigned by {name} at {time}.",
                name=one.witness, time=shown.moment(one.cosigned_s * 1000, now_ms),
            )
            for one in seen
        ]  # fmt: skip
        return " ".join(words)

    def _show_standing(self, found: tuple[int, list[Any]]) -> None:
        self._standing = found
        self.stands.say(self._stands_words)

    def _ask_export(self) -> None:
        from sync.audit_export import SUFFIX

        day = dates.moment(self.bridge.session.clock.wall_ms()).strftime("%Y-%m-%d")
        office = str(self.bridge.session.office.get("code", "sala"))
        name = f"sala-log-{office}-{day}{SUFFIX}"
        save_file(self, lambda: tr("Where to write the log"), name, self.export_log)

    def export_log(self, out: Path) -> None:
        """Write the whole log for an inspector and say how far the centre stands behind it."""
        from sync import audit_export

        unlocked = self.bridge.session.unlocked
        self.inspect.setEnabled(False)
        self.bridge.work(lambda: audit_export.write(unlocked, out), then=self._exported, failed=self._not_verified)

    def _exported(self, report: dict[str, Any]) -> None:
        self.inspect.setEnabled(True)
        rows, size = shown.number(int(report["rows"])), int(report["cosigned"])
        mark = str(report["fingerprint"])
        self.verdict.show_words(
            "good",
            lambda: tr("The log is written for the inspector: {name}", name=Path(report["file"]).name),
            lambda: (
                (
                    tr("{rows} rows. The centre has cosigned the first {size}.", rows=rows, size=shown.number(size))
                    if size
                    else tr("{rows} rows. The centre has not cosigned this log yet.", rows=rows)
                )
                + f" {mark}"
            ),
        )

    def _verify(self) -> None:
        from sync import audit

        store = self.bridge.session.store
        self.verify.setEnabled(False)
        self.bridge.work(lambda: store.read(audit.verify), then=self._verified, failed=self._not_verified)

    def _verified(self, report: Any) -> None:
        self.verify.setEnabled(True)
        if report.ok:
            self.verdict.show_words("good", lambda: tr("The log is whole."), str(report.fingerprint))
        else:
            self.verdict.show_words("error", lambda: tr("The log was changed."), str(report.problem))

    def _not_verified(self, error: Any) -> None:
        self.verify.setEnabled(True)
        self.inspect.setEnabled(True)
        self.verdict.show_error(error)
