"""Write schema.sql, in the package and at the top of the repository, from the migrations."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Write both copies and name them."""
    sys.path.insert(0, str(ROOT / "src"))
    from penstock.store.migrations import schema_text

    for target in ("src/penstock/store/sql/schema.sql", "schema/schema.sql"):
        (ROOT / target).parent.mkdir(exist_ok=True)
        (ROOT / target).write_text(schema_text(), encoding="utf-8")
        print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
