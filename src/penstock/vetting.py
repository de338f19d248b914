"""Vetting code of others before it is used, and showing what linters find in it.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import AIMRegistryNotFoundError, PenstockError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from penstock.checks.api import Inspector
    from penstock.environment.api import Finding
    from penstock.model.inspection import CheckReport
    from penstock.trust import Code, Vetted

LINTERS: Mapping[str, str] = {".py": "python_bandit", ".sh": "shellcheck", ".bash": "shellcheck"}
"""Who looks at code for holes, by the suffix of its files."""


class Vetting(Surroundings):
    """What can be said of code that others have written and penstock starts."""

    if TYPE_CHECKING:  # what the workspace has from the mixin that checks files

        @property
        def inspector(self) -> Callable[..., AbstractContextManager[Inspector]]: ...

    def foreign_code(self) -> tuple[Code, ...]:
        """Return all code from outside the package that may be started here. Raises ConfigError,
        AIMRegistryLoadError."""
        from penstock.provenance import adapter_code, plugin_code, profile_code

        try:
            tools = self.registry.tools if self.aim_settings.switches.enable_aim else {}
        except AIMRegistryNotFoundError:
            tools = {}
        own = profile_code(self.profiles, self.root)
        return (*adapter_code(tools), *plugin_code(), *own)

    def vet(self) -> tuple[Vetted, ...]:
        """Return what is known of all of it; a change is told to the audit trail once.

        Raises ConfigError, AIMRegistryLoadError, AIMAuditLogError, EnvironmentProblem without a home.
        """
        from penstock.provenance import look

        return look(self.foreign_code(), lambda: self.trail)

    def accept_code(self) -> tuple[Vetted, ...]:
        """Take all of it as it is now, which the trail gets. Raises as `vet` does."""
        from penstock.provenance import accept

        return accept(self.foreign_code(), lambda: self.trail)

    def look_at_foreign_code(self) -> Finding:
        """Return what a look at the machine says of it. Raises as `vet` does."""
        from penstock.environment.api import Finding, Verdict
        from penstock.provenance import ACCEPT, words_of

        found = self.vet()
        details = {v.name: {"path": str(v.path), "standing": v.standing.value} for v in found}
        wrong = [words_of(vetted) for vetted in found if not vetted.ok]
        if not wrong:
            told = f"{len(found)} programs and plugins, none changed" if found else "none"
            return Finding(message=told, details=details)
        hint = f"look at it with aim tools contract; {ACCEPT} takes it as it is"
        return Finding(status=Verdict.WARN, message="; ".join(wrong), details=details, hint=hint)

    def lint_code(self, vetted: Vetted) -> tuple[str, ...]:
        """Return what bandit and shellcheck find in a piece of code, a line each, and why one of them
        could not look."""
        folder = vetted.path if vetted.path.is_dir() else vetted.path.parent
        inside = [path for path in sorted(vetted.path.rglob("*")) if path.is_file()]
        names = [path.relative_to(folder).as_posix() for path in inside or [vetted.path]]
        wanted = {
            name: LINTERS[Path(name).suffix] for name in names if Path(name).suffix in LINTERS
        }
        if not wanted:
            return ("neither bandit nor shellcheck reads it",)
        try:
            return tuple(_lines(self._linted(folder.resolve(), wanted)))
        except PenstockError as error:
            return (f"not looked at: {error}",)

    def _linted(self, folder: Path, wanted: Mapping[str, str]) -> CheckReport:
        from penstock.checks.api import InspectionRequest, Place

        files = tuple(wanted)
        request = InspectionRequest(
            place=Place(tree=folder, root=self.root.resolve()),
            files=files,
            listing=files,
            only=tuple(dict.fromkeys(wanted.values())),
        )
        with self.inspector(use_cache=False) as inspector:
            return inspector.inspect(request)


def _lines(report: CheckReport) -> Iterator[str]:
    for result in report.files:
        for found in result.findings:
            line = f":{found.line}" if found.line else ""
            yield f"{result.path}{line}: {found.code or found.tool} {found.message}"
    for use in report.plugins:
        if use.reason is not None:
            yield f"{use.plugin_id}: {use.reason}"
