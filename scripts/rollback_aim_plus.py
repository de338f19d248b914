"""Put every file back as it was: `aim migrate rollback [--backup FOLDER] [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("migrate", "rollback", program="aim"))
