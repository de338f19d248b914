"""Write the table of plugins in docs/reference/checks.md from their manifests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.model.manifest import Manifest

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "reference" / "checks.md"
BEGIN = "<!-- plugins: made by scripts/generate_plugin_reference.py from the manifests -->\n"
END = "<!-- end of plugins -->\n"
HEAD = """\
| plugin | files | what it does | its result stands on | tool |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page with the table as it should be."""
    text = TARGET.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """Return the table: a row for each built-in plugin, in the order in which they run."""
    from penstock.checks.plugins.loading import PluginManager

    manager = PluginManager(None, "", entry_points=False)
    return HEAD + "".join(row(plugin.manifest) for plugin in manager.load())


def row(manifest: Manifest) -> str:
    """Return the row of one plugin."""
    cells = (
        f"`{manifest.plugin_id}`",
        files(manifest),
        manifest.description + ("" if manifest.default else " Only when named with `--only`."),
        stands_on(manifest),
        tool(manifest),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def files(manifest: Manifest) -> str:
    """Return which files a plugin takes."""
    extensions = manifest.file_extensions
    names = [f"`.{name}`" for name in extensions if name != "*"]
    names += [f"`{name}`" for name in manifest.file_names]
    names += [f"`#!` {name}" for name in manifest.interpreters]
    anything = "*" in extensions or not (extensions or manifest.file_names)
    return "any" if anything else ", ".join(names)


def stands_on(manifest: Manifest) -> str:
    """Return what a result depends on beside the tool, its arguments and the plugin."""
    depends = manifest.depends
    parts = ["the file"]
    if depends.reach == "project":
        kinds = (f"`.{name}`" if name else "extensionless" for name in depends.project_extensions)
        parts = [f"all {', '.join(kinds)} files"]
    parts += [f"`{name}`" for name in (*depends.config_files, *depends.user_config_files)]
    parts += [f"installed {depends.packages} packages"] if depends.packages else []
    if depends.network:
        age = depends.max_age_s or 0
        parts.append(f"the network (asked again after {age / 3600:g} h)" if age else "the network")
    return ", ".join(parts)


def tool(manifest: Manifest) -> str:
    """Return what is started, and how it is installed."""
    if manifest.tool is None:
        return "none needed"
    install = manifest.tool.install
    return f"`{manifest.tool.command}`: {install}" if install else f"`{manifest.tool.command}`"


def main() -> int:
    """Write the page and name it."""
    sys.path.insert(0, str(ROOT / "src"))
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
