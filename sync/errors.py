"""Refusals of the store and of replication: codes ``SY-nnn``; words in ``i18n/errors.d/sync.toml``."""

from i18n.errors import Known, Refused, SalaError

__all__ = ["Known", "Refused", "SalaError"]
