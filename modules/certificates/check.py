"""Checks whatever was dropped, pasted or scanned and says it as plain data: the verdict that pages and scripts show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from i18n.catalog import LANGUAGES, Text, tr_in
from i18n.errors import Refused
from modules.certificates import claims as c
from modules.certificates import kh1, kinds, templates, values, wedge, words
from modules.certificates import verdict as v
from modules.certificates.claims import Claims
from modules.certificates.judge import Ground, Judged, judge
from modules.certificates.kinds import Other, Ours
from modules.certificates.sources import Contents, Found, open_source
from modules.certificates.verdict import SEVERITY, Fragment, Verdict, verdict
from modules.certificates.verifykh import NotOfficial, Official

Report = dict[str, Any]

_REASONS: Final = {
    "imitation": v.IMITATION, "host": v.OTHER_HOST, "characters": v.BAD_CHARACTERS, "scheme": v.BAD_SCHEME,
    "user": v.BAD_USER, "port": v.BAD_PORT, "path": v.BAD_PATH, "query": v.BAD_QUERY, "fragment": v.BAD_FRAGMENT,
    "length": v.BAD_LENGTH,
}  # fmt: skip


def sound(text: str) -> bool:
    """Whether a decoded text is worth taking: a KH1 text must open, everything else is taken as it was read."""
    found = kinds.recognise(text)
    if not isinstance(found, Ours):
        return True
    try:
        for each in found.texts:
            kh1.read(each)
    except kh1.Damaged:
        return False
    return True


def check(source: str | bytes, ground: Ground) -> Report:
    """The verdict on ``source``; further codes of the same source stand in its list ``more``."""
    contents = open_source(source, sound)
    reports = _reports(contents, ground)
    ours = [report for report in reports if report["format"] == "KH1"]
    worst = min(ours or reports, key=lambda report: SEVERITY.index(report["overall"]))
    others = [report for report in reports if report is not worst]
    notice = _notice(contents, ours)
    if notice and worst["level"] == "green":
        worst["level"] = "amber"
    return {**worst, "source": contents.kind, "notice": notice, "more": others}


def _reports(contents: Contents, ground: Ground) -> list[Report]:
    if not contents.readable:
        return [_plain(verdict(Fragment("INTEGRITY", v.UNREADABLE)))]
    reports: dict[str, Report] = {}
    for found in contents.found:
        for text, report in _of_text(found, ground):
            if text in reports:
                reports[text]["attached"] |= found.attached
                reports[text]["page"] = reports[text]["page"] or found.page
            else:
                reports[text] = report | {"page": found.page, "attached": found.attached}
    if not any(report["format"] == "KH1" for report in reports.values()) and contents.pdf_signatures:
        reports["pdf"] = _other("pdf")
    return list(reports.values()) or [_plain(verdict(Fragment("INTEGRITY", v.NO_CODE)))]


def _of_text(found: Found, ground: Ground) -> list[tuple[str, Report]]:
    text, repaired = wedge.repair(found.text)
    match kinds.recognise(text):
        case Ours(texts):
            return [(each, _ours(judge(each, ground)) | {"repaired": repaired, "text": each}) for each in texts]
        case Official(ref, key_hash):
            given = verdict(Fragment("INTEGRITY", v.ONLINE_ONLY), Fragment("ISSUER", v.OFFICIAL_ADDRESS))
            return [(ref, _plain(given, "verify.gov.kh") | {"recheck": {"ref": ref, "key_hash": key_hash}})]
        case NotOfficial(reason, host):
            given = verdict(Fragment("INTEGRITY", v.ADDRESS_ONLY), Fragment("ISSUER", _REASONS[reason], {"host": host}))
            return [(text, _plain(given, "address") | {"reason": reason})]
        case Other(kind):
            return [(text, _other(kind))]
    return [(text, _plain(verdict(Fragment("INTEGRITY", v.PLAIN_TEXT))))]


def _notice(contents: Contents, ours: Sequence[Report]) -> Text | None:
    """What a file with several certificates must make the officer look at."""
    if contents.kind == "pdf":
        attached = [report for report in ours if report["attached"]]
        printed = [report for report in ours if report["page"]]
        if attached and printed and any(not report["page"] for report in attached):
            return _both("The file carries another certificate than the one printed on it.")
    if len(ours) > 1:
        return _both("{count} certificates were found; the one that needs most attention is shown.", count=len(ours))
    return None


def _both(sentence: str, **given: object) -> Text:
    return {language: tr_in(language, sentence, **given) for language in LANGUAGES}


# --- one verdict as data


def _plain(given: Verdict, format: str = "") -> Report:
    return {
        "overall": given.overall(),
        "level": given.level(),
        "code": given.deciding().code,
        "title": words.title(given),
        "advice": words.advice(given),
        "fragments": [
            {
                "type": fragment.type,
                "state": fragment.state,
                "code": fragment.code,
                "name": words.type_words(fragment.type),
                "words": words.fragment_words(fragment),
            }
            for fragment in given.fragments
        ],
        "format": format,
        "certificate": None,
        "recheck": None,
        "repaired": False,
        "page": 0,
        "attached": False,
    }


def _other(kind: str) -> Report:
    name = kinds.OTHERS[kind]
    fragments = (Fragment("INTEGRITY", v.OTHER_KIND, {"kind": name}), Fragment("ISSUER", v.OTHER_ISSUER))
    return _plain(verdict(*fragments), name["en"])


def _ours(judged: Judged) -> Report:
    report = _plain(judged.verdict, "KH1")
    if judged.claims:
        report["certificate"] = describe(judged.claims) | {"issuer_name": dict(judged.issuer_name)}
    return report


def describe(claims: Claims) -> dict[str, Any]:
    """What a certificate states, as labelled rows. Only for claims whose signature holds."""
    try:
        template = templates.find(claims.template, claims.version)
    except Refused:
        return _describe_unknown(claims)
    rows = []
    for field in template.fields:
        if field.number in claims.fields:
            value = claims.fields[field.number]
            shown = {language: values.show(field, value, language) for language in LANGUAGES}
            rows.append({"name": field.name, "label": dict(field.label), "value": shown})
    headline = template.field(template.headline).number
    return _facts(claims) | {
        "title": dict(template.title),
        "headline": str(claims.fields.get(headline, "")),
        "rows": rows,
    }


def _describe_unknown(claims: Claims) -> dict[str, Any]:
    """A template that this program has not: the signed values under their numbers, names of persons where they are known."""
    labels = {
        c.NAME_KM: _both("Name"),
        c.NAME_LATIN: _both("Name in Latin letters"),
        c.BIRTH: _both("Date of birth"),
        c.SEX: _both("Sex"),
        c.PLACE: _both("Place"),
    }
    rows = [
        {
            "name": str(number),
            "label": dict(labels.get(number) or _both("Field {number}", number=number)),
            "value": dict.fromkeys(LANGUAGES, str(value)),
        }
        for number, value in sorted(claims.fields.items())
        if number != c.NUMBER
    ]
    title = dict.fromkeys(LANGUAGES, f"{claims.template}/{claims.version}")
    return _facts(claims) | {"title": title, "headline": str(claims.fields.get(c.NAME_KM, "")), "rows": rows}


def _facts(claims: Claims) -> dict[str, Any]:
    return {
        "number": str(claims.fields.get(c.NUMBER, "")),
        "template": claims.template,
        "version": claims.version,
        "issuer": claims.issuer,
        "issued_s": claims.issued_s,
        "expires_s": claims.expires_s,
        "cti": claims.cti.hex(),
    }
