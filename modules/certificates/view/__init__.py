"""The window's side of certificates: check, issue, register. The only folder of this module that knows Qt."""

from __future__ import annotations

from modules.certificates.view.page import CertificatesPage

__all__ = ["CertificatesPage"]
