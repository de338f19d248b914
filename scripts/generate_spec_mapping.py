"""Map the tags of the documents to code: `penstock spec map [--docs-dir DIR] [--output FILE] [--verbose]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("spec", "map"))
