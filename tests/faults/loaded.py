"""What the server that begets the children loads and reads once, so that no child has to."""

from __future__ import annotations

import httpx
import tuf.ngclient
import uvicorn

import i18n.pdf
import modules.certificates.core
import modules.certificates.paper
import modules.flows.core
import modules.messages.core
import sync.courier
import sync.hub.app
import sync.hub.cli
import sync.hub.console.routes
import tests.faults.worker
from modules.forms.library import Library
from modules.links import rules

__all__ = ["httpx", "i18n", "modules", "sync", "tests", "tuf", "uvicorn"]

Library().forms()  # compiles the schema of the definitions
rules.check("https://kampongcham.gov.kh/")  # reads the list of public suffixes
