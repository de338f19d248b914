"""A generated repository of the size of a real one, and twenty workstreams over it.

Ten packages, some 320 files, more than 700 tests; the same for the same seed. The workstreams are
for the scripted tool: a chain, a diamond, a conflict group, a gate, three pairs that edit the same
lines, and two that are green alone and red together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.meridian import features
from tests.support.meridian.source import files
from tests.support.repos import make_repo, write
from tests.support.venvs import make_repo_venv

SEED = 20
SETTINGS: dict[str, Any] = {
    "static_tools": ["ruff"],
    "runtime_tools": ["pytest"],
    "overlap_policy": "merge",
    "checkout_policy": "stop",
}


def make_big_repo(place: Path, seed: int = SEED) -> Path:
    """Make the repository with one commit, the bundles and the settings, and return its root."""
    root = make_repo(place, dict(files(seed)))
    make_repo_venv(root)
    write(root, {"config/pipeline.yaml": json.dumps(SETTINGS)})
    for bundle in big_bundles(seed):
        write(root, {f"workstreams/{bundle['id']}.json": json.dumps(bundle, indent=1)})
    return root


def big_bundles(seed: int = SEED) -> list[dict[str, Any]]:
    """Return the twenty bundles."""
    return features.bundles(files(seed))


PROBES = {
    "ws-a-a1": "from meridian.core.money import *; assert show(Money(5), symbol=True) == '0.05 €'",
    "ws-a-a2": "from meridian.core.money import *; assert show(Money(5), plus=True) == '+0.05 EUR'",
    "ws-b-b1": "from meridian.core.wrap import *; assert shorten('abcdef', 4, mark='~') == 'abc~'",
    "ws-b-b2": "from meridian.core.wrap import *; assert shorten('a b ccc', 6, whole=True) == 'a...'",
    "ws-c-c1": "from meridian.core.luhn import *; assert is_luhn('79927398713')",
    "ws-c-c2": "from meridian.core.ciphers import *; assert rot13('Uryyb') == 'Hello'",
    "ws-d-rename": "from meridian.core.calendar import end_of_month",
    "ws-d-caller": "from meridian.core.periods import days_in_month",
    "ws-percent": "from meridian.core.percent import *; assert percent(1, 4) == 25",
    "ws-usage": "from meridian.fleet.usage import *; assert usage([])['van'] == 0",
    "ws-board": "from meridian.fleet.board import *; assert board([])",
    "ws-clock": "from meridian.core.clock import *; assert clock(minutes('09:05')) == '09:05'",
    "ws-doors": "from meridian.events.doors import *; assert doors_open('20:00', 'box') == '19:00'",
    "ws-timesheet": "from meridian.payroll.timesheet import *; assert worked('22:00', '06:00') == 480",
    "ws-desk": "from meridian.events.desk import *; assert desk_minutes('20:00', '22:00', 'box') == 180",
    "ws-reorder": "from meridian.inventory.reorder import *; assert order_list([]) == {}",
    "ws-recount": "from meridian.inventory.recount import *; assert differences([], {}) == {}",
    "ws-dunning": "from meridian.billing.dunning import LEVELS; assert len(LEVELS) == 4",
    "ws-peaks": "from meridian.energy.peaks import *; assert peaks([]) == []",
    "ws-release": "import meridian; assert meridian.__version__ == '1.5.0'",
}
"""One line of Python for each workstream that only runs when its feature is there."""
