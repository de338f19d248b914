"""Copy every file that a migration may change: `aim migrate backup [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("migrate", "backup", program="aim"))
