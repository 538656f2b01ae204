"""The line to the centre: a look at it, the proxy, the speed, and when scans may go. Records go at any hour."""

from __future__ import annotations

from typing import Any

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import ChoiceField, LineField, NumberField, Option, PassphraseField, YesNoField
from desktop.kit.layout import column, holder, row
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import Known, SalaError, explain
from sync import line

ALWAYS, AT_HOURS = "always", "hours"
USUAL_HOURS = "12:00-13:30, 17:00-07:00"


class LinePane(Pane):
    """What the office sets about its line; kept when *Keep* is pressed, tried with *Test the line*."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._kept = line.Settings()
        self._make_test()
        self._make_proxy()
        self._make_speed()
        self.keep = Button(lambda: tr("Keep these settings"), kind="primary")
        self.keep.clicked.connect(self._keep)
        self.told = Banner()
        self.held.addLayout(column(self.told, row(self.keep, None), spacing=12))
        self.end()
        self.refresh()

    def _make_test(self) -> None:
        self.test = Button(lambda: tr("Test the line"), icon="online")
        self.test.clicked.connect(self._test)
        self.verdict = Banner()
        self.block(
            lambda: tr("Is the centre there?"),
            lambda: tr("A look at the centre with the settings below. Nothing of the office is sent."),
            column(row(self.test, None), self.verdict, spacing=12),
        )

    def _make_proxy(self) -> None:
        self.proxy = ChoiceField(
            {"km": "ប្រូកស៊ី (proxy)", "en": "Proxy"},
            (
                Option("system", lambda: tr("As the computer")),
                Option("none", lambda: tr("No proxy")),
                Option("manual", lambda: tr("This one")),
            ),
        )
        self.address = LineField(
            {"km": "អាសយដ្ឋាន", "en": "Address"},
            note=lambda: tr("Like {example}", example="192.168.1.1:3128"),
            longest=200,
        )
        self.user = LineField({"km": "ឈ្មោះ", "en": "Name"}, required=False, longest=200)
        self.password = PassphraseField({"km": "ពាក្យសម្ងាត់ប្រូកស៊ី", "en": "Proxy password"}, note=self._password_note)
        self._by_hand = holder(column(self.address, self.user, self.password, spacing=14))
        self.proxy.changed.connect(lambda value: self._by_hand.setVisible(value == "manual"))
        self.block(
            lambda: tr("The way out"),
            lambda: tr("Some ministries let computers out only through a proxy. The IT officer knows its address."),
            column(self.proxy, self._by_hand, spacing=14),
        )

    def _make_speed(self) -> None:
        self.cap = NumberField(
            {"km": "ល្បឿនច្រើនបំផុត (kB/s)", "en": "Highest speed (kB/s)"}, least=0, most=line.MOST_KB, required=False,
            note=lambda: tr("0: as fast as the line. With a bound others at the office can go on using it."),
        )  # fmt: skip
        self.metered = YesNoField(
            {"km": "បង់ថ្លៃតាមទំហំទិន្នន័យ", "en": "Every megabyte is paid"},
            note=lambda: tr("Then data are packed smaller and scans go in small pieces."),
        )
        self.when = ChoiceField(
            {"km": "ឯកសារស្កេនផ្ញើនៅ", "en": "Scans are sent"},
            (Option(ALWAYS, lambda: tr("At any hour")), Option(AT_HOURS, lambda: tr("At these hours"))),
        )
        self.hours = LineField(
            {"km": "ម៉ោង", "en": "Hours"},
            note=lambda: tr("Several with commas between them; 17:00-07:00 goes on until the next morning."),
            longest=120,
        )
        self.when.changed.connect(self._hours_wanted)
        self.block(
            lambda: tr("Speed and hours"),
            lambda: tr("Records are small and always go at once; only scans wait for their hours."),
            column(self.cap, self.metered, self.when, self.hours, spacing=14),
        )

    def _password_note(self) -> str:
        if self._kept.proxy_password:
            return tr("One is kept. Leave this empty to go on using it.")
        return tr("It is kept inside the encrypted database.")

    def _hours_wanted(self, value: Any) -> None:
        self.hours.setVisible(value == AT_HOURS)
        if value == AT_HOURS and not self.hours.text():
            self.hours.set_value(USUAL_HOURS)

    # What is kept

    def refresh(self) -> None:
        store = self.bridge.session.store
        self.bridge.work(lambda: store.read(line.read), then=self.show_settings)

    def show_settings(self, kept: line.Settings) -> None:
        self._kept = kept
        self.proxy.set_value(kept.proxy)
        self._by_hand.setVisible(kept.proxy == "manual")
        self.address.set_value(kept.proxy_url.removeprefix("http://"))
        self.user.set_value(kept.proxy_user)
        self.password.set_value(None)
        self.cap.set_value(kept.cap_kb)
        self.metered.set_value(kept.metered)
        self.when.set_value(AT_HOURS if kept.hours else ALWAYS)
        self.hours.set_value(line.say_hours(kept.hours))
        self.hours.setVisible(bool(kept.hours))

    def wanted(self) -> line.Settings:
        """What stands in the fields. ``Refused`` SY-426, SY-427, SY-429."""
        manual = self.proxy.value() == "manual"
        return line.check(
            line.Settings(
                proxy=str(self.proxy.value() or "system"),
                proxy_url=line.proxy_address(self.address.text()) if manual else "",
                proxy_user=self.user.text() if manual else "",
                proxy_password=(str(self.password.value() or "") or self._kept.proxy_password) if manual else "",
                cap_kb=int(self.cap.value() or 0),
                metered=bool(self.metered.value()),
                hours=line.parse_hours(self.hours.text()) if self.when.value() == AT_HOURS else (),
            )
        )

    def _keep(self) -> None:
        try:
            wanted = self.wanted()
        except SalaError as error:
            self.told.show_error(error)
            return
        store = self.bridge.session.store
        self.keep.setEnabled(False)
        self.bridge.work(
            lambda: store.write(lambda conn: line.keep(conn, wanted)),
            then=lambda _: self._is_kept(),
            failed=self._not_kept,
        )

    def _is_kept(self) -> None:
        self.keep.setEnabled(True)
        self.told.show_words("good", lambda: tr("The settings are kept. They hold from the next sending on."))
        self.refresh()
        self.bridge.network_changed()

    def _not_kept(self, error: SalaError) -> None:
        self.keep.setEnabled(True)
        self.told.show_error(error)

    # The test

    def _test(self) -> None:
        from sync import linetest

        try:
            wanted = self.wanted()
        except SalaError as error:
            self.verdict.show_error(error)
            return
        unlocked = self.bridge.session.unlocked
        self.test.setEnabled(False)
        self.verdict.show_words("info", lambda: tr("Looking for the centre…"))
        self.bridge.work(lambda: linetest.look(unlocked, wanted), then=self._tested, failed=self._not_tested)

    def _tested(self, found: dict[str, Any]) -> None:
        self.test.setEnabled(True)
        if not found["ok"]:
            self.verdict.show_error(Known(found["code"], **found["values"]))
            return
        self.verdict.show_words(
            "good",
            lambda: tr("The centre answers, in {ms} ms.", ms=shown.number(found["ms"])),
            lambda: way_words(found),
        )

    def _not_tested(self, error: SalaError) -> None:
        self.test.setEnabled(True)
        self.verdict.show_error(error)


def way_words(found: dict[str, Any]) -> str:
    """By which way the centre was reached, and who vouches for it."""
    way = tr("Through the proxy {address}.", address=found["proxy"]) if found["proxy"] else tr("Without a proxy.")
    trust = {
        "none": tr("The line itself is not encrypted; everything on it is."),
        "system": tr("The line is encrypted; this computer trusts its certificate."),
        "pinned": tr("The line is encrypted; the centre has named its certificate."),
        "old": explain(SalaError("SY-425")).what,
    }[found["tls"]]
    return f"{way} {trust} {found['url']}"
