"""Make bundles of a plan: `penstock plan --spec-id ID [--output-dir DIR] [--options JSON]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("plan"))
