"""The pre-commit hook of a repository, and what it does beside checking files.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import ConfigError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.environment.api import HookChange
    from penstock.environment.repository import Place
    from penstock.planning.api import ValidationReport


class _Export(Surroundings):
    """A tree of files that is no checkout, wherever it lies: its own settings and bundles count.

    `source` is the checkout that it stands for.
    """

    def __init__(self, tree: Path, source: Path) -> None:
        super().__init__(tree)
        self._source = source

    @cached_property
    def place(self) -> Place | None:
        """None: whatever repository there is around it is another one."""
        return None

    def bundle_files(self) -> list[Path]:
        """Return the files of bundles; links that lead out are what git ignores, not of the tree."""
        folder = self.bundle_directory()
        if not folder.is_relative_to(self.root) and folder.is_relative_to(self._source):
            # PIPELINE_WORKSTREAM_DIR may be an absolute path
            folder = self.root / folder.relative_to(self._source)
        if not folder.resolve().is_relative_to(self.root):
            return []
        found = sorted(folder.glob("[!.]*.json"))
        return [path for path in found if path.resolve().is_relative_to(self.root)]

    def validated(self, files: Sequence[Path]) -> ValidationReport:
        """Validate bundles of these files, which may depend on each other only."""
        from penstock.planning.load import load_bundles

        return self._tolerated(load_bundles(files, None, known_capabilities=self.capabilities))


def install(workspace: Surroundings, *, force: bool = False) -> HookChange:
    """Put our pre-commit hook where git looks for it.

    Raises RepositoryError outside of a repository and where its hooks are off or shared with
    others, UsageError for another tool's hook without `force`, EnvironmentProblem when it cannot
    be written.
    """
    from penstock.environment.hooks import hooks_folder, install_hook

    place = workspace.need_repository()
    folder = hooks_folder(place)
    in_tree = folder.is_relative_to(place.root) and not folder.is_relative_to(place.common_dir)
    return install_hook(folder, shared=in_tree, force=force)


def uninstall(workspace: Surroundings) -> HookChange:
    """Take our pre-commit hook out and put back what was there before.

    Raises RepositoryError as `install` does, EnvironmentProblem when it cannot be removed.
    """
    from penstock.environment.hooks import hooks_folder, uninstall_hook

    return uninstall_hook(hooks_folder(workspace.need_repository()))


def exported_bundles(tree: Path, source: Path) -> ValidationReport | None:
    """Validate the bundles in an export of the checkout `source`, under the exported settings; None
    when it has none.

    Files are named as they are called in the repository. Raises ConfigError for its settings.
    """
    from msgspec import structs

    with _Export(tree, source) as export:
        prefix = f"{export.root}/"
        files = export.bundle_files()
        if not files:
            return None
        try:
            report = export.validated(files)
        except ConfigError as error:
            raise ConfigError(str(error).replace(prefix, ""), hint=error.hint) from error
    errors = tuple(
        structs.replace(
            error,
            file=error.file and error.file.replace(prefix, ""),
            details=error.details.replace(prefix, ""),
        )
        for error in report.errors
    )
    return structs.replace(report, errors=errors)
