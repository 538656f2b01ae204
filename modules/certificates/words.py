"""Words of a verdict in both languages: one sentence for each code, a headline, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from i18n.catalog import LANGUAGES, Language, Text, tr_in
from i18n.dates import MONTHS, MONTHS_EN, moment
from i18n.numbers import khmer_digits
from modules.certificates import verdict as v
from modules.certificates.verdict import Fragment, Type, Verdict

TYPE_WORDS: Final[Mapping[Type, str]] = {
    "INTEGRITY": "Integrity",
    "ISSUER": "Issuer",
    "STATUS": "Status",
    "PERIOD": "Validity",
    "FRESHNESS": "Freshness",
    "HOLDER": "Holder",
}

_FRAGMENTS: Final[Mapping[int, str]] = {
    v.INTACT: "Nothing was changed",
    v.CHANGED: "The content does not fit the seal",
    v.DAMAGED: "The code is damaged or was changed",
    v.BOMB: "The code unpacks to far more than a certificate holds",
    v.NO_KEY: "Cannot be judged: the key is not known here",
    v.NEWER: "Rightly sealed, but by a newer version of the format",
    v.ONLINE_ONLY: "The content of the certificate is on the internet",
    v.OTHER_KIND: "{kind}: this kind is not checked here",
    v.NO_CODE: "No code was found on it",
    v.UNREADABLE: "The file cannot be opened",
    v.ADDRESS_ONLY: "Only an address: it proves nothing",
    v.PLAIN_TEXT: "Words only, no certificate",
    v.KNOWN_ISSUER: "{name} {office}",
    v.NO_LIST: "Office {office} is not in the trust lists of this laptop",
    v.UNKNOWN_KEY: "{name} {office}: the key is not in its trust list",
    v.WITHDRAWN_KEY: "{name} {office}: the key was withdrawn on {withdrawn}",
    v.FOREIGN_KEY: "Names office {office}, but another office sealed it",
    v.EARLY_KEY: "{name} {office}: issued before the key was in force",
    v.OFFICIAL_ADDRESS: "Official address recognised: verify.gov.kh",
    v.OTHER_ISSUER: "Issuers of this kind are not known here",
    v.IMITATION: "{host} imitates the official address",
    v.OTHER_HOST: "{host} is not the official address",
    v.BAD_CHARACTERS: "The address holds foreign letters that imitate others",
    v.BAD_SCHEME: "The address does not begin with https://",
    v.BAD_USER: "The address hides another host behind an @",
    v.BAD_PORT: "The address names another port: {host}",
    v.BAD_PATH: "The path is not that of a certificate",
    v.BAD_QUERY: "The address carries more than its key",
    v.BAD_FRAGMENT: "The address carries a part behind #",
    v.BAD_LENGTH: "The address is too long",
    v.NO_ISSUER: "Not judged",
    v.NOT_REVOKED: "Not revoked (list of {made})",
    v.REVOKED: "Revoked (known since {made})",
    v.SUSPENDED: "Suspended (known since {made})",
    v.STATUS_OLD: "Not revoked up to {made} ({days} days ago)",
    v.STATUS_MISSING: "No list of revocations of this office has arrived yet",
    v.STATUS_SILENT: "The list of {made} is older than the certificate",
    v.STATUS_HERE: "Issued on this laptop and not revoked here",
    v.NO_STATUS: "Not judged",
    v.IN_PERIOD: "until {end}",
    v.NO_END: "without end",
    v.EXPIRED: "ended on {end}",
    v.NOT_YET: "begins on {start}",
    v.CLOCK_UNSURE: "Cannot be judged: the clock of this laptop is doubtful",
    v.NO_PERIOD: "Not judged",
    v.FRESH: "Trust list of {made}",
    v.OWN_KEY: "Key of this office",
    v.LIST_OLD: "The trust list is {days} days old",
    v.CLOCK_SUSPECT: "The clock of this laptop disagrees with the centre",
    v.NO_FRESHNESS: "Not judged",
    v.COMPARE: "Compare with the paper and the ID card",
    v.SAME_PERSON: "Compared: it is this person",
    v.OTHER_PERSON: "Compared: it is not this person",
    v.NO_HOLDER: "Not judged",
}

_TITLES: Final[Mapping[int, str]] = {
    v.INTACT: "Genuine and in force",
    v.STATUS_OLD: "Genuine · status known up to {made}",
    v.STATUS_MISSING: "Genuine · status not known here",
    v.STATUS_SILENT: "Genuine · status not known here",
    v.STATUS_HERE: "Genuine · status known on this laptop only",
    v.CLOCK_UNSURE: "Genuine · the clock of this laptop is doubtful",
    v.CLOCK_SUSPECT: "Genuine · the clock of this laptop is doubtful",
    v.LIST_OLD: "Genuine · the trust list is {days} days old",
    v.CHANGED: "Not genuine: changed after issue",
    v.DAMAGED: "Damaged or changed",
    v.BOMB: "Refused: not a certificate",
    v.NO_LIST: "Issuer not known here",
    v.UNKNOWN_KEY: "Issuer's key not known here",
    v.WITHDRAWN_KEY: "Issuer's key was withdrawn",
    v.FOREIGN_KEY: "Not sealed by the office it names",
    v.EARLY_KEY: "Issuer's key was not yet in force",
    v.REVOKED: "Revoked",
    v.SUSPENDED: "Suspended",
    v.EXPIRED: "Expired on {end}",
    v.NOT_YET: "Not in force before {start}",
    v.NEWER: "Newer format · not checked here",
    v.ONLINE_ONLY: "Official address recognised · not checked here",
    v.OTHER_KIND: "{kind} · not checked here",
    v.PLAIN_TEXT: "No certificate in this text",
    v.NO_CODE: "No code found",
    v.UNREADABLE: "The file cannot be opened",
}
_NOT_OFFICIAL: Final = "Not the official address"

_ADVICE: Final[Mapping[int, str]] = {
    v.INTACT: "Compare the details with the paper and with the person.",
    v.STATUS_OLD: "Later revocations are not known here. Check again after the next connection.",
    v.STATUS_MISSING: "It may have been revoked. Connect once, or ask the office that issued it.",
    v.STATUS_SILENT: "It may have been revoked since. Check again after the next connection.",
    v.STATUS_HERE: "Another laptop of this office may have revoked it. Check again after the next connection.",
    v.CLOCK_UNSURE: "Put the date and time of this laptop right, then check again.",
    v.CLOCK_SUSPECT: "Put the date and time of this laptop right, then check again.",
    v.LIST_OLD: "Keys may have changed since. Connect once or import a courier file.",
    v.CHANGED: "Do not accept it. Keep the paper or a copy and tell the office that it names.",
    v.DAMAGED: "Do not accept it as it is. Scan the original paper or file once more.",
    v.BOMB: "Do not accept it. The code was made to harm a program.",
    v.NO_LIST: "Do not accept it yet. Connect once, or ask the office that it names.",
    v.UNKNOWN_KEY: "Do not accept it yet. The office may have a new laptop: connect once, then check again.",
    v.WITHDRAWN_KEY: "Do not accept it. Ask the office for a new certificate.",
    v.FOREIGN_KEY: "Do not accept it. Tell the office that it names.",
    v.EARLY_KEY: "Do not accept it. Ask the office that it names.",
    v.REVOKED: "Do not accept it. The office that issued it can say why.",
    v.SUSPENDED: "Do not accept it for now. The office that issued it can say why.",
    v.EXPIRED: "Ask for a renewed certificate.",
    v.NOT_YET: "It was issued for a later date. If today's date is wrong, put the clock right.",
    v.NEWER: "Update this program, then check again.",
    v.ONLINE_ONLY: "Nothing was opened and nothing is proved. It is in the list to be checked when there is a line.",
    v.OTHER_KIND: "Nothing is proved here. Ask the office that issued it.",
    v.PLAIN_TEXT: "Paste the whole text of the code, beginning with KH1:",
    v.NO_CODE: "Take a sharper picture: the whole code, straight, in good light.",
    v.UNREADABLE: "Take a PDF, a picture, or the text of the code.",
}
_NOT_OFFICIAL_ADVICE: Final = "Do not open it and do not accept it. Only https://verify.gov.kh/verify/ is official."


def fragment_words(fragment: Fragment) -> Text:
    """One sentence for ``fragment``."""
    return _both(_FRAGMENTS[fragment.code], fragment.values)


def title(verdict: Verdict) -> Text:
    """The headline of the page."""
    deciding = verdict.deciding()
    return _both(_TITLES.get(deciding.code, _NOT_OFFICIAL), deciding.values)


def advice(verdict: Verdict) -> Text:
    """What to do, in a sentence or two."""
    deciding = verdict.deciding()
    return _both(_ADVICE.get(deciding.code, _NOT_OFFICIAL_ADVICE), deciding.values)


def type_words(type: Type) -> Text:
    return _both(TYPE_WORDS[type], {})


def day(seconds: int, language: Language) -> str:
    """``19 November 2026`` or ``១៩ វិច្ឆិកា ២០២៦``, in Phnom Penh."""
    date = moment(seconds * 1000).date()
    if language == "en":
        return f"{date.day} {MONTHS_EN[date.month - 1]} {date.year}"
    return f"{khmer_digits(date.day)} {MONTHS[date.month - 1]} {khmer_digits(date.year)}"


def _both(sentence: str, values: Mapping[str, Any]) -> Text:
    return {language: tr_in(language, sentence, **_filled(values, language)) for language in LANGUAGES}


def _filled(values: Mapping[str, Any], language: Language) -> dict[str, str]:
    filled = {}
    for name, value in values.items():
        if value is None:
            continue
        if name.endswith("_s"):
            filled[name[:-2]] = day(value, language)
        elif isinstance(value, Mapping):
            filled[name] = value[language]
        else:
            filled[name] = khmer_digits(value) if language == "km" and name in ("days", "office") else str(value)
    return filled
