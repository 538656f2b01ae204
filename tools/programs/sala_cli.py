"""``sala-cli``: the laptop's command line, as the packaged program starts it."""

import sys

from sync.updates import hand_over

hand_over()  # before anything else is loaded: a newer program loads its own

from desktop.cli import main  # noqa: E402

sys.exit(main())
