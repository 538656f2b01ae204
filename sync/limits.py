"""Every bound of replication in one place, used by the device and by the hub, checked before anything is parsed."""

from __future__ import annotations

from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20
DAY_MS: Final = 86_400_000

# --- CBOR and zstd
MAX_DEPTH: Final = 16  # nested arrays and maps
MAX_TEXT: Final = 64 * KIB  # bytes of one text string
MAX_WINDOW: Final = 8 * MIB  # bytes of memory that a zstd frame may ask for

# --- batches
MAX_ENVELOPE: Final = 64 * KIB  # bytes of the signed header with its signature
MAX_BODY: Final = 1 * MIB  # bytes of the compressed body
MAX_BATCH: Final = MAX_ENVELOPE + MAX_BODY  # bytes of a whole batch
MAX_RAW: Final = 8 * MIB  # bytes of the unpacked body
MAX_OPS: Final = 5_000  # ops of one batch
MAX_OP: Final = 768 * KIB  # bytes of one op or of one sealed body: always fits into a batch of its own
MAX_SEQ: Final = (1 << 53) - 1  # largest sequence number: still exact in every JSON reader
MAX_AUTHORS: Final = 64  # author signatures of one batch
MAX_RECIPIENTS: Final = 8  # recipients of one sealed group
MAX_REFS: Final = 64  # ops that one op amends
MAX_ATTACH: Final = 64  # attachments of one op
MAX_NAME: Final = 128  # characters of a kind, a form id or an application version

MIN_TARGET: Final = 8 * KIB  # smallest batch worth a round trip, in bytes
MAX_TARGET: Final = 1 * MIB
TARGET_SECONDS: Final = 10  # a batch should take this long on the line as measured
RECUT_OVER: Final = 64 * KIB  # after three failed tries a batch above this is cut again into smaller ones
RECUT_TRIES: Final = 3
FILL_WAIT_MS: Final = 120_000  # how long a batch may wait to fill

# --- chunks and couriers
CHUNK: Final = 256 * KIB
CHUNK_SLOW: Final = 64 * KIB
MAX_CHUNK: Final = CHUNK + 16  # with the authentication tag
MAX_COURIER: Final = 1 << 30  # bytes of one .salabatch volume
MAX_OBJECTS: Final = 200_000  # objects of one .salabatch volume
MAX_PUBLICATION: Final = 64 * MIB  # bytes of one publication target

MAX_BLOB: Final = 20 * MIB  # bytes of one attachment

# --- exchange
MAX_HAVE: Final = 2_000  # hashes of one have-list
MAX_MESSAGE: Final = 1 * MIB  # bytes of one small request or answer
MAX_RECEIPT: Final = 16 * KIB
MAX_NOTE: Final = 8 * KIB
MAX_PROOF: Final = 64  # hashes of one inclusion or consistency proof

# --- enrolment
MAX_PACK: Final = 4 * MIB
CODE_HOURS: Final = 72
CODE_TRIES: Final = 5

# --- leases
LEASE_REFILL: Final = 50  # ask for more below this
LEASE_DAYS: Final = 60

# --- laptops of one office, QR codes, text messages
MAX_COLLEAGUES: Final = 20  # laptops of one office that one laptop is paired with
MAX_LAN: Final = 8 * MIB  # bytes of one message between two laptops
MAX_FRAMES: Final = 2_000  # QR codes of one set
MAX_QR: Final = 1 * MIB  # bytes of what one set of QR codes carries
MAX_PICTURE: Final = 40 * MIB  # bytes of a picture file that codes are looked for in
MAX_PIXELS: Final = 60_000_000  # pixels of one picture
MAX_SMS: Final = 400  # characters of a pasted status text
