"""List the tags of the documents: `penstock spec index [--docs-dir DIR] [--format text|json]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("spec", "index"))
