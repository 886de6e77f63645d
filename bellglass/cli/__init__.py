"""The `bellglass` command; `commands.py` declares what it takes, and each body has a file of its own."""

from .commands import main as main
