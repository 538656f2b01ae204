"""One lock for PDFium: the library may be used by one thread of a process at a time, and pages, checks and proofs all read PDFs."""

from __future__ import annotations

import threading

LOCK = threading.RLock()
