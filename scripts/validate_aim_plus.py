"""Look whether a migration is in place and whole: `aim migrate validate [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("migrate", "validate", program="aim"))
