"""`python -m penstock.aim_cli` is `aim`."""

from __future__ import annotations

from penstock.aim_cli.main import entry

if __name__ == "__main__":
    entry()
