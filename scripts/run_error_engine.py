"""Check files, a line for each on stdout: `penstock check FILES... [--cache PATH]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("check", "--summary"))
