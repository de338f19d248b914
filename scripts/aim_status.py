"""Show the AIM registry, its tools and the routing of capabilities: `aim status [--json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("status", program="aim"))
