"""Check aim_config, the registry and rules it leads to: `aim config validate [FILE] [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("config", "validate", program="aim"))
