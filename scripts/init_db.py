"""Create the journal's database and print its path: `penstock db init [--db] [--schema]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("db", "init"))
