"""Bring an AI_MANGER tree over: `aim migrate apply [--dry-run] [--mark-deprecated] [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("migrate", "apply", program="aim"))
