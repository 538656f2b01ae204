"""What this program is: version, modules, licences, and a report for IT without anybody's data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QPlainTextEdit

from desktop.bridge import Bridge
from desktop.kit import theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.files import save_file
from desktop.kit.icons import Picture
from desktop.kit.layout import Rule, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane, fact
from i18n.catalog import tr
from sync.version import VERSION


class AboutPane(Pane):
    """Modules, diagnostics, licences."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.block(
            "សាលា · Sala",
            lambda: tr(
                "Forms, certificates, links, messages and flows for provincial and district halls. It works without a line."
            ),
            holder(fact(lambda: tr("Version"), VERSION)),
        )
        self._make_modules()
        self.report = Button(lambda: tr("Write a report for IT…"), icon="file")
        self.report.clicked.connect(self._ask)
        self.told = Banner()
        self.block(
            lambda: tr("When something is broken"),
            lambda: tr(
                "The report holds versions, counts and the log of the program: no name, no answer, no number of a person, no key."
            ),
            column(row(self.report, None), self.told, spacing=12),
        )
        self._make_licences()
        self.end()

    def _make_modules(self) -> None:
        lines = column(spacing=4)
        for number, found in enumerate(self.bridge.session.manifests):
            if number:
                lines.addWidget(Rule())
            words = column(
                Label(found.title, bold=True), Label(found.summary, size="small", tone="soft", wrap=True), spacing=0
            )
            line = row(Picture(found.icon, "blue"), spacing=12, margins=(0, 4, 0, 4))
            line.addLayout(words, 1)
            line.addWidget(Label(found.version, size="small", tone="soft"))
            lines.addWidget(holder(line))
        self.block(lambda: tr("Modules"), "", lines)

    def _make_licences(self) -> None:
        self.licences = QPlainTextEdit()
        self.licences.setReadOnly(True)
        self.licences.setTabChangesFocus(True)
        self.licences.setAccessibleName(tr("Licences"))
        self.show_licences = Button(lambda: tr("Show the licences"), kind="quiet", icon="chevron-down")
        self.show_licences.clicked.connect(self._licences)
        self.licences.setVisible(False)
        self.block(
            lambda: tr("Licences"),
            lambda: tr(
                "Sala is free software under the Apache License 2.0. It stands on the work of others; Qt is used under the "
                "LGPL 3 and may be replaced."
            ),
            column(row(self.show_licences, None), self.licences, spacing=8),
        )
        self.retheme()

    def retheme(self) -> None:
        super().retheme()
        if not hasattr(self, "licences"):
            return
        self.licences.setFixedHeight(theme.scaled(260))
        self.licences.setFont(theme.font("small"))

    def _licences(self) -> None:
        self.licences.setVisible(not self.licences.isVisible())
        if not self.licences.toPlainText():
            self.bridge.work(licence_lines, then=lambda lines: self.licences.setPlainText("\n".join(lines)))

    def _ask(self) -> None:
        save_file(self, lambda: tr("Where to write the report"), "sala-report.zip", self.write)

    def write(self, out: Path) -> None:
        """Write the diagnostics bundle."""
        from desktop import doctor

        session = self.bridge.session
        self.report.setEnabled(False)
        home = session.unlocked.home
        self.bridge.work(
            lambda: doctor.write_bundle(home, out, session=session), then=self._written, failed=self._failed
        )

    def _written(self, path: Any) -> None:
        self.report.setEnabled(True)
        self.told.show_words("good", lambda: tr("Written: {name}", name=Path(path).name))

    def _failed(self, error: Any) -> None:
        self.report.setEnabled(True)
        self.told.show_error(error)


def licence_lines() -> list[str]:
    """One line a package that is shipped: name, version, licence."""
    from importlib.metadata import distributions

    lines = set()
    for found in distributions():
        facts = found.metadata.json
        if name := facts.get("name"):
            licence = str(facts.get("license_expression") or facts.get("license") or "")
            lines.add(f"{name} {found.version}  {licence.splitlines()[0][:80] if licence else ''}".rstrip())
    return sorted(lines, key=str.casefold)
