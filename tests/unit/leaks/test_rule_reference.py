"""The page of rules in the documentation is that of the rules."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from penstock.leaks.rules import RULES

ROOT = Path(__file__).resolve().parents[3]


def generator() -> ModuleType:
    """Load the script that writes the page."""
    path = ROOT / "scripts" / "generate_secret_rules.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes() -> None:
    """Run scripts/generate_secret_rules.py after a change of the rules."""
    script = generator()
    assert script.TARGET.read_text(encoding="utf-8") == script.page()


def test_every_rule_is_on_the_page() -> None:
    """By its id, as findings and baselines name it."""
    page = generator().page()
    assert [rule.id for rule in RULES if f"`{rule.id}`" not in page] == []
