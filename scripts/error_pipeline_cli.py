"""Move the error pipeline by one state: `penstock errors tick`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("errors", "tick"))
