"""A process that appends to a trail: `python -m tests.support.trail_worker FOLDER KEY NAME COUNT`.

COUNT 0 means until it is killed. Each hash is printed when the line is on file.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from penstock.audit.trail import FileTrail


def main() -> None:
    """Append and tell."""
    folder, key, name, count = sys.argv[1:5]
    numbers = range(int(count)) if int(count) else itertools.count()
    with FileTrail(Path(folder), key=Path(key)) as trail:
        for number in numbers:
            digest = trail.invocation(
                tool_id=name,
                capability="code_generation",
                payload={"n": number, "fill": "x" * 300},
                success=True,
            )
            sys.stdout.write(f"{digest}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
