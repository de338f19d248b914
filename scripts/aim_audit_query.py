"""Print recorded calls of tools: `aim audit query --kind invocation`, all of them."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    forward = import_module("_forward").forward
    sys.exit(forward("audit", "query", "--kind", "invocation", "--limit", "0", program="aim"))
