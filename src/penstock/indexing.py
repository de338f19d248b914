"""The tags of a repository's documents: listed, mapped to code, checked.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import EnvironmentProblem, UsageError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.planning.specs.api import SpecIndex, SpecMap, SpecReport

DOCS = "docs"
OUTPUT = "docs/spec/spec_index_map.md"
"""Both from the top of the repository."""


class Indexing(Surroundings):
    """What can be done with the tags `[IDX-...]` of documents, in a repository or a plain folder."""

    def spec_index(self, docs: str | None = None) -> SpecIndex:
        """Return the tags below a folder, named from where we stand (default: docs at the top).

        Raises NotFoundError when there is no such folder.
        """
        from penstock.planning.specs.index import build_index

        folder = self.root / DOCS if docs is None else self.start / docs
        return build_index(folder, root=self.root, skip=self.own.folders)

    def spec_map(
        self, docs: str | None = None, output: str | None = None, *, force: bool = False
    ) -> SpecMap:
        """Write the document that maps tags to code (default: docs/spec/spec_index_map.md).

        Raises ConfigError for wrong rules, NotFoundError as `spec_index` does, UsageError when
        another file is in its place and not `force`, EnvironmentProblem when it cannot be written.
        """
        from penstock.planning.specs.api import SpecMap
        from penstock.planning.specs.document import render
        from penstock.planning.specs.mapping import map_tag
        from penstock.planning.specs.rules import load_rules

        rules, index = load_rules(self.root), self.spec_index(docs)
        target = self.root / OUTPUT if output is None else self.start / output
        tags = tuple(map_tag(row, rules) for row in index.rows)
        changed = _write(target, render(tags, rules), force=force)
        shown = target.relative_to(self.root) if target.is_relative_to(self.root) else target
        return SpecMap(path=shown.as_posix(), changed=changed, tags=tags, notices=index.notices)

    def spec_check(self, docs: str | None = None) -> SpecReport:
        """Return what is wrong with the tags. Raises ConfigError and NotFoundError."""
        from penstock.planning.specs.check import check
        from penstock.planning.specs.rules import load_rules

        rules = load_rules(self.root)
        return check(self.spec_index(docs), rules, lambda module: (self.root / module).exists())


def _write(target: Path, text: str, *, force: bool) -> bool:
    """Write the document if it says something else by now; tell whether it did."""
    from penstock.folders import replace_file
    from penstock.planning.files import UnreadableError, read_bytes, reason
    from penstock.planning.specs.index import is_map

    content = text.encode("utf-8", "replace")
    if target.exists() or target.is_symlink():
        try:
            there = read_bytes(target) if target.exists() else b""
        except UnreadableError as error:
            raise UsageError(f"{target}: {error}", hint="choose another file: --output") from error
        if there == content:
            return False
        if there.strip() and not is_map(there.decode("utf-8", "replace")) and not force:
            raise UsageError(
                f"{target} is there already and is no mapping of tags",
                hint="choose another file with --output, or replace it with --force",
            )
    try:
        replace_file(target, content)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {target}: {reason(error)}") from error
    return True
