"""``sala-hub``: the centre's command line, as the packaged program starts it."""

import sys

from sync.hub.cli import main

sys.exit(main())
