"""Who may do what on the console and with ``sala-hub``: one table.

Everybody inside may look. A power is the name of a kind of act; a page or an action asks for exactly one.
"""

from __future__ import annotations

from typing import Final

from i18n.catalog import Text

LOOK: Final = "look"  # boards, offices, batches, records, publications, the log
DECIDE: Final = "decide"  # accept, send back, release, merge, set aside
LAPTOPS: Final = "laptops"  # make packs, answer requests, revoke
CARRY: Final = "carry"  # take courier files, prepare sticks
HAND_OVER: Final = "hand_over"  # end what waits for dispatch
CHECK: Final = "check"  # make tables anew, check the whole log
PUBLISH: Final = "publish"  # sign and publish, take back
EXPORT: Final = "export"  # take data out of the centre
AUDIT: Final = "audit"  # see who looked at what and did what
USERS: Final = "users"  # log-ins, roles, the rule for second factors

_OPERATOR: Final = frozenset({LOOK, DECIDE, LAPTOPS, CARRY, HAND_OVER, CHECK, EXPORT})
POWERS: Final[dict[str, frozenset[str]]] = {
    "viewer": frozenset({LOOK}),
    "auditor": frozenset({LOOK, CHECK, AUDIT}),
    "operator": _OPERATOR,
    "publisher": frozenset({LOOK, CHECK, PUBLISH}),
    "owner": _OPERATOR | {PUBLISH, AUDIT, USERS},
}
ALL: Final = tuple(POWERS)  # from the weakest to the strongest
OWNER: Final = "owner"

TITLES: Final[dict[str, Text]] = {
    "viewer": {"km": "អ្នកមើល", "en": "Viewer"},
    "auditor": {"km": "អ្នកត្រួតពិនិត្យ", "en": "Auditor"},
    "operator": {"km": "អ្នកប្រតិបត្តិការ", "en": "Operator"},
    "publisher": {"km": "អ្នកផ្សព្វផ្សាយ", "en": "Publisher"},
    "owner": {"km": "ម្ចាស់មជ្ឈមណ្ឌល", "en": "Owner"},
}
DUTIES: Final[dict[str, Text]] = {
    LOOK: {"km": "មើល", "en": "Look"},
    DECIDE: {"km": "សម្រេចលើកំណត់ត្រា", "en": "Decide on records"},
    LAPTOPS: {"km": "ចុះឈ្មោះ និងដកសិទ្ធិកុំព្យូទ័រ", "en": "Enrol and revoke laptops"},
    CARRY: {"km": "ទទួល និងរៀបចំ USB", "en": "Take and prepare sticks"},
    HAND_OVER: {"km": "ប្រគល់ចេញក្រៅ", "en": "Hand over for dispatch"},
    CHECK: {"km": "ពិនិត្យតារាង និងកំណត់ហេតុ", "en": "Check tables and log"},
    PUBLISH: {"km": "ផ្សព្វផ្សាយ", "en": "Publish"},
    EXPORT: {"km": "នាំទិន្នន័យចេញ", "en": "Take data out"},
    AUDIT: {"km": "មើលប្រវត្តិនៃការមើល", "en": "See who looked"},
    USERS: {"km": "គ្រប់គ្រងអ្នកប្រើ", "en": "Manage users"},
}
