"""The program's version, as batches name it."""

from typing import Final

VERSION: Final = "0.1.0"
