"""`python -m penstock` is `penstock`."""

from __future__ import annotations

from penstock.cli.main import entry

if __name__ == "__main__":
    entry()
