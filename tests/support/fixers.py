"""Fixers that are shell scripts: real processes, doing to files whatever a test wants."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from penstock.checks.api import Place
from penstock.checks.inspection.fixing import FixReport, run_fixers
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.port import Plugin, ToolFacts
from penstock.model.manifest import Manifest, PluginKind, ToolSpec
from penstock.process.api import Stop

Fixer = tuple[Plugin, ToolFacts | None]

UPPER = 'for f; do tr a-z A-Z <"$f" >"$f.new" && cat "$f.new" >"$f" && rm "$f.new"; done'
"""Makes all letters capital; beside each file it has a temporary one for a while."""


def fixer(folder: Path, name: str, body: str, *, timeout_s: float = 20.0) -> Fixer:
    """Make a fixer that runs a shell script with the files of a batch as its arguments."""
    script = folder / f"{name}.sh"
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    script.chmod(0o755)
    tool = ToolSpec(command=str(script), fix_arguments=("{files}",), timeout_s=timeout_s)
    manifest = Manifest(plugin_id=name, name=name, kind=PluginKind.FIXER, tool=tool)
    facts = ToolFacts(executable=script, version="1", identity=name)
    return ManifestPlugin(manifest), facts


def run(
    tree: Path,
    fixers: Sequence[Fixer],
    files: Sequence[str],
    stop: Stop | None = None,
    root: Path | None = None,
) -> FixReport:
    """Let fixers rewrite files of a tree, which is its own root unless there is another."""
    scratch, cache = tree.parent / "scratch", tree.parent / "cache"
    scratch.mkdir(exist_ok=True)
    files_of = {plugin.manifest.plugin_id: files for plugin, _ in fixers}
    place = Place(tree=tree, root=root or tree)
    return run_fixers(fixers, files_of, place, scratch=scratch, cache=cache, stop=stop or Stop())


def leftovers(tree: Path) -> list[str]:
    """What a fix has left in a tree beside its lock."""
    return sorted(
        str(path.relative_to(tree))
        for path in tree.rglob("*")
        if path.name.startswith((".penstock-fix-", "tree-")) or path.name == "pending"
    )


def main(tree: Path) -> None:
    """Fix all Python files of a tree: a process to be killed."""
    files = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.py"))
    capital = fixer(tree.parent, "capital", 'sed -i s/capital/CAPITAL/ "$@"')
    print(len(run(tree, [capital], files).fixed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
