"""`python -m bellglass` is the `bellglass` command."""

import sys

from .cli import main

sys.exit(main())
