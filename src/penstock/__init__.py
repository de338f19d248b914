"""penstock turns specs into isolated, checked, merged code by driving AI coding CLIs.

`penstock.run("ws-a")` and its kin do what the commands do. Every name is imported when it is first
used, so that `import penstock` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from penstock.api import (
        attempts,
        diff,
        dry_run,
        events,
        init,
        load,
        result,
        resume,
        run,
        runs,
        status,
        validate,
    )
    from penstock.engine.ports import Observer, PlannedWorkstream, RunRequest
    from penstock.errors import (
        BundleCycleError,
        BundleDependencyError,
        BundleValidationError,
        FileScopeOverlapError,
        InvalidTransitionError,
        PenstockError,
    )
    from penstock.model.bundle import Bundle
    from penstock.model.results import RunResult, StepResult, WorkstreamResult
    from penstock.process.api import Stop
    from penstock.wiring import Workspace, open_workspace

# Where each name lives: to export another one, add it here, above and to `__all__`.
HOMES: dict[str, tuple[str, ...]] = {
    "penstock.api": (
        "attempts",
        "diff",
        "dry_run",
        "events",
        "init",
        "load",
        "result",
        "resume",
        "run",
        "runs",
        "status",
        "validate",
    ),
    "penstock.engine.ports": (
        "Observer",
        "PlannedWorkstream",
        "RunRequest",
    ),
    "penstock.errors": (
        "BundleCycleError",
        "BundleDependencyError",
        "BundleValidationError",
        "FileScopeOverlapError",
        "InvalidTransitionError",
        "PenstockError",
    ),
    "penstock.model.bundle": ("Bundle",),
    "penstock.model.results": (
        "RunResult",
        "StepResult",
        "WorkstreamResult",
    ),
    "penstock.process.api": ("Stop",),
    "penstock.wiring": (
        "Workspace",
        "open_workspace",
    ),
}

__all__ = [
    "Bundle",
    "BundleCycleError",
    "BundleDependencyError",
    "BundleValidationError",
    "FileScopeOverlapError",
    "InvalidTransitionError",
    "Observer",
    "PenstockError",
    "PlannedWorkstream",
    "RunRequest",
    "RunResult",
    "StepResult",
    "Stop",
    "Workspace",
    "WorkstreamResult",
    "__version__",
    "attempts",
    "diff",
    "dry_run",
    "events",
    "init",
    "load",
    "open_workspace",
    "result",
    "resume",
    "run",
    "runs",
    "status",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives and keep it."""
    for module, names in HOMES.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'penstock' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
