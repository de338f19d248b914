"""What the demonstration works on: a small Python package with tests, and five workstreams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FILES: Mapping[str, str] = {
    ".gitignore": "__pycache__/\n.pytest_cache/\n.ruff_cache/\n.venv/\n",
    "README.md": "# shop\n\nPrices, stock and orders of a small shop.\n",
    "AGENTS.md": "# Conventions\n\n- Every function has a docstring and a test.\n- Money is `int` cents.\n",
    "pyproject.toml": """\
[project]
name = "shop"
version = "1.0.0"

[tool.pytest.ini_options]
pythonpath = ["src"]
testpaths = ["tests"]

[tool.ruff]
line-length = 88
src = ["src"]

[tool.ruff.lint]
select = ["E", "F", "I"]
""",
    "src/shop/__init__.py": '"""A small shop."""\n',
    "src/shop/pricing.py": '''\
"""Prices, in cents."""


def with_tax(cents: int, percent: int) -> int:
    """Add a tax, rounded to the nearest cent."""
    return cents + round(cents * percent / 100)
''',
    "src/shop/stock.py": '''\
"""What lies on the shelves."""


class Stock:
    """Counts of items by name."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, item: str, count: int = 1) -> None:
        """Put items on the shelf."""
        self._counts[item] = self.count(item) + count

    def count(self, item: str) -> int:
        """Tell how many there are."""
        return self._counts.get(item, 0)
''',
    "tests/test_pricing.py": """\
from shop.pricing import with_tax


def test_tax_is_added_and_rounded() -> None:
    assert with_tax(999, 19) == 1189
""",
    "tests/test_stock.py": """\
from shop.stock import Stock


def test_what_was_added_is_counted() -> None:
    stock = Stock()
    stock.add("tea", 3)
    assert stock.count("tea") == 3
    assert stock.count("milk") == 0
""",
}

_STOCK = FILES["src/shop/stock.py"]

_DISCOUNT = '''\
"""Discounts, in percent."""
{extra}

def discounted(cents: int, percent: int) -> int:
    """Take a discount off, rounded to the nearest cent.

    Raises ValueError for a percentage outside 0..100.
    """
    if not 0 <= percent <= 100:
        raise ValueError("a discount is 0 to 100 percent")
    return cents - round(cents * percent / 100)
'''
_DISCOUNT_TEST = """\
import pytest

from shop.discount import discounted


def test_a_quarter_off() -> None:
    assert discounted(1000, 25) == 750


def test_more_than_all_of_it_is_refused() -> None:
    with pytest.raises(ValueError):
        discounted(1000, 101)
"""
_TAKE = '''
    def take(self, item: str, count: int = 1) -> None:
        """Take items off the shelf. Raises ValueError when there are too few."""
        if self.count(item) {sign} count:
            raise ValueError(f"only {{self.count(item)}} of {{item}} are left")
        self._counts[item] -= count
'''
_TAKE_TEST = (
    FILES["tests/test_stock.py"].replace(
        "from shop.stock import Stock", "import pytest\n\nfrom shop.stock import Stock"
    )
    + """

def test_the_last_one_can_be_taken() -> None:
    stock = Stock()
    stock.add("tea", 1)
    stock.take("tea")
    assert stock.count("tea") == 0


def test_more_than_there_is_cannot_be_taken() -> None:
    with pytest.raises(ValueError):
        Stock().take("tea")
"""
)
_ORDER = '''\
"""Orders."""

from shop.discount import discounted
from shop.stock import Stock


def order(stock: Stock, item: str, cents: int, percent: int = 0) -> int:
    """Take one item off the shelf and return its price in cents."""
    stock.take(item)
    return discounted(cents, percent)
'''


def _bundle(
    ws_id: str, task: str, scope: list[str], script: list[Any], **more: Any
) -> dict[str, Any]:
    return {
        "id": ws_id,
        "openspec_change": "demo",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": scope,
        "tasks": [task],
        "tool": "scripted",
        "capability": "code_generation",
        "acceptance_tests": [],
        **more,
        "metadata": {"scripted": script},
    }


def _says(output: str, tokens: int, files: Mapping[str, str]) -> dict[str, Any]:
    usage = {"input_tokens": 900 + tokens, "output_tokens": tokens, "cost_usd": tokens / 100_000}
    return {"edits": dict(files), "output": output, "delay_s": 0.4, "usage": usage}


PROFILES: Mapping[str, Any] = {
    "first-choice": {"type": "ai", "command": "an-agent-that-is-not-installed"}
}
RULES: Mapping[str, Any] = {
    "capabilities": {"code_generation": {"primary": "first-choice", "fallback": ["scripted"]}},
    "conflict_resolution": {"concurrent_access": "queue", "max_concurrent": 4},
}
"""The demonstration's own coordination rules: AIM passes the first choice over, as it is missing.

The packaged rules would ask whatever real AI CLI is installed, and one turn at a time.
"""

BUNDLES: tuple[Mapping[str, Any], ...] = (
    _bundle(
        "ws-readme",
        "Say in README.md how to run the tests",
        ["README.md"],
        [
            _says(
                "Adding a section on tests.\n",
                120,
                {"README.md": FILES["README.md"] + "\n## Tests\n\nRun `pytest`.\n"},
            )
        ],
        kind="docs",
    ),
    _bundle(
        "ws-discount",
        "Add shop.discount.discounted(cents, percent) with tests",
        ["src/shop/discount.py", "tests/test_discount.py"],
        [
            _says(
                "Writing discount.py and its tests.\n",
                340,
                {
                    "src/shop/discount.py": _DISCOUNT.format(extra="\nimport os\n"),
                    "tests/test_discount.py": _DISCOUNT_TEST,
                },
            ),
            _says(
                "Removing the unused import.\n",
                60,
                {"src/shop/discount.py": _DISCOUNT.format(extra="")},
            ),
        ],
        files_create=["src/shop/discount.py", "tests/test_discount.py"],
    ),
    _bundle(
        "ws-take",
        "Add Stock.take, which refuses to go below zero, with tests",
        ["src/shop/stock.py", "tests/test_stock.py"],
        [
            _says(
                "Adding Stock.take.\n",
                410,
                {
                    "src/shop/stock.py": _STOCK + _TAKE.format(sign="<="),
                    "tests/test_stock.py": _TAKE_TEST,
                },
            ),
            _says(
                "The last item could not be taken: < instead of <=.\n",
                80,
                {"src/shop/stock.py": _STOCK + _TAKE.format(sign="<")},
            ),
        ],
        acceptance_tests=["python -c 'import tomllib'", "The last item can be taken."],
    ),
    _bundle(
        "ws-order",
        "Add shop.order.order, which takes an item and returns its discounted price",
        ["src/shop/order.py"],
        [
            _says(
                "Writing order.py on top of discount and stock.\n",
                210,
                {"src/shop/order.py": _ORDER},
            )
        ],
        files_create=["src/shop/order.py"],
        depends_on=["ws-discount", "ws-take"],
    ),
    _bundle(
        "ws-receipt",
        "Add shop.receipt.line, which formats one line of a receipt",
        ["src/shop/receipt.py"],
        [
            _says(
                "Writing receipt.py.\n",
                150,
                {"src/shop/receipt.py": '"""Receipts."""\n\nimport sys\n'},
            ),
            _says(
                "sys is not used; json may be.\n",
                50,
                {"src/shop/receipt.py": '"""Receipts."""\n\nimport json\n'},
            ),
            _says(
                "json is not used; back to sys.\n",
                50,
                {"src/shop/receipt.py": '"""Receipts."""\n\nimport sys\n'},
            ),
        ],
        files_create=["src/shop/receipt.py"],
    ),
)

EXPECTED: Mapping[str, str] = {
    "ws-readme": "done",
    "ws-discount": "done",
    "ws-take": "done",
    "ws-order": "done",
    "ws-receipt": "failed",
}
"""How each workstream must end for the demonstration to have gone as scripted."""
