"""``sala-cli``: the laptop's command line, as the packaged program starts it."""

import sys

from desktop.cli import main

sys.exit(main())
