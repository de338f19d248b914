"""Print the tables of the journal's database: `penstock db inspect [--db]`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("_forward").forward("db", "inspect"))
