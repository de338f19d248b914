"""The table of plugins in the documentation is that of the manifests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]


def generator() -> ModuleType:
    """Load the script that writes the table."""
    path = ROOT / "scripts" / "generate_plugin_reference.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_holds_the_table_of_the_manifests() -> None:
    """docs/reference/checks.md is what scripts/generate_plugin_reference.py writes."""
    script = generator()
    assert script.TARGET.read_text(encoding="utf-8") == script.page()


def test_every_built_in_plugin_has_a_row() -> None:
    """No manifest is missing in the table, and each row has all cells."""
    folders = ROOT.glob("src/penstock/checks/plugins/builtin/*/manifest.json")
    names = {path.parent.name for path in folders}
    rows = [line for line in generator().table().splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == names
    assert all(row.count(" | ") == 4 for row in rows)
